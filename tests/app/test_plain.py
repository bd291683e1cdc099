"""Text of others on its way to a person."""

from __future__ import annotations

import logging

from app.logs import ScrubbingFormatter
from app.plain import one_line, printable

HOSTILE = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202egnp.exe\u2066\r\nfake\tline \ud800\x00"


def test_a_line_holds_nothing_that_a_terminal_obeys():
    assert one_line(HOSTILE) == "[2J]0;owned31mgnp.exe fake line"
    assert one_line("\x00 =1 \u200b\x00 +1 \u2069") == "=1 +1", "no blank at an edge, none twice"
    assert printable("  Grüße, 世界  “1–2”  ") == "  Grüße, 世界  “1–2”  "


def test_the_log_keeps_its_lines_and_nothing_that_a_terminal_obeys():
    record = logging.LogRecord("x", logging.INFO, "", 0, "two\nlines %s", (HOSTILE,), None)
    text = ScrubbingFormatter("%(message)s").format(record)
    assert text.startswith("two\nlines [2J")
    assert all(line.isprintable() for line in text.split("\n"))
