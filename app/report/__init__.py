"""What sessions come to: their records, findings and figures, to read, to mail, to check.

No Qt; the command line's main thread enters.
"""
