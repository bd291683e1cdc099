"""Where in a TOML file a key stands, which the parser of the standard library does not tell.

Pure; serves error messages alone, so it may be simple: it knows tables, arrays of tables, dotted
keys and multi-line strings, and answers with the nearest line above for anything else.
"""

from __future__ import annotations

import re

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]\]?")
_KEY = re.compile(r"""\s*([A-Za-z0-9_"'. -]+?)\s*=""")
_QUOTES = ('"' * 3, "'" * 3)


class TomlLines:
    """The line numbers, counted from 1, of the tables and keys of one valid TOML text."""

    def __init__(self, source: str) -> None:
        """Read the text once; tables and keys are kept in the order they come."""
        self._lines: dict[tuple[str, int, str | None], int] = {}
        self._counts: dict[str, int] = {}
        self._table, self._index = "", 0
        closing: str | None = None
        for number, line in enumerate(source.splitlines(), start=1):
            if closing is not None:
                closing = None if closing in line else closing
                continue
            self._note(line, number)
            closing = _left_open(line)

    def find(self, table: str, index: int = 0, key: str | None = None) -> int:
        """Return the line of a key, else that of its table, else 1.

        ``index`` counts the tables of the same name in an array of tables, from 0.
        """
        for place in ((table, index, key), (table, index, None), (table, 0, None)):
            if place in self._lines:
                return self._lines[place]
        return 1

    def _note(self, line: str, number: int) -> None:
        if header := _HEADER.match(line):
            self._open(header.group(2).strip("\"' "), array=header.group(1) == "[[")
            self._lines.setdefault((self._table, self._index, None), number)
        elif key := _KEY.match(line):
            self._note_key([part.strip("\"' ") for part in key.group(1).split(".")], number)

    def _open(self, name: str, *, array: bool) -> None:
        self._table = name
        self._index = self._counts.get(name, 0) if array else 0
        self._counts[name] = self._index + 1

    def _note_key(self, parts: list[str], number: int) -> None:
        """Note a key of the open table, or at the top a (dotted) key that makes a table."""
        if self._table:
            self._lines.setdefault((self._table, self._index, parts[0]), number)
            return
        self._lines.setdefault((parts[0], 0, None), number)
        if len(parts) > 1:
            self._lines.setdefault((parts[0], 0, parts[1]), number)


def _left_open(line: str) -> str | None:
    """Return the quotes of a multi-line string that this line opens and does not close."""
    for quotes in _QUOTES:
        if line.count(quotes) % 2 == 1:
            return quotes
    return None
