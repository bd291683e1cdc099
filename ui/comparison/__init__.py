"""The window that compares two sessions."""
