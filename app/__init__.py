"""A session and what we know about it; knows no Qt."""
