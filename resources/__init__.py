"""Data that ships with the program: icons, demo speech, demo scripts."""
