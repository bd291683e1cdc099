"""Two sessions of the same caller, laid over each other."""
