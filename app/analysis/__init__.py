"""What events mean: turns, interruptions, responses, words, findings.

Pure functions and keepers without I/O: live and afterwards the same.
"""
