"""The kinds of agent, one module or package for each."""
