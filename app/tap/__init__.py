"""Between the agent and the audio interface: what passes, what is held back, what became of it."""
