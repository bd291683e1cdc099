"""The log of all events: what is in it, and the rows that are shown."""
