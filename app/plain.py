"""Text that others wrote, made fit for a terminal, a log line or a sentence. Pure.

A server, a file or a device's name may hold escape sequences that repaint a terminal, marks that
turn the reading direction, or half a surrogate pair, which no encoding takes.
"""

from __future__ import annotations


def printable(text: str) -> str:
    """Return ``text`` without the characters that are not seen, line breaks among them."""
    return text if text.isprintable() else "".join(char for char in text if char.isprintable())


def one_line(text: str) -> str:
    """Return ``text`` as one line: each run of white space is a blank, and all is printable."""
    return " ".join(word for part in text.split() if (word := printable(part)))
