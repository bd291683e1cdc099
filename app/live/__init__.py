"""A session that runs: its agent, its audio interface, what passes between them, its recorder."""
