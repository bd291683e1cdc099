"""The library of recordings: the table, and what can be done with what is chosen."""
