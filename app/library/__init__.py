"""The folder of all recordings, and its index."""
