"""Interruptions: the table, the one that is looked at, and its chain of figures."""
