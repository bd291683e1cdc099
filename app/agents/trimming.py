"""How much of an agent's messages the timeline keeps. No SDK; agent receive enters.

A timeline holds many messages, and a server may send as much as it likes: a message is cut to
``LARGEST``, and once all of a session that was kept comes to ``Allowance.TOTAL``, to ``SMALL``.
"""

from __future__ import annotations

import math
from typing import Any

LONGEST_TEXT = 20_000
LONGEST_LIST = 500
DEEPEST = 12
LARGEST = 60_000
SMALL = 1_000
"""Both in characters; an item of a list or an object counts as ``_ITEM`` of them."""

_ITEM = 8


class Allowance:
    """What the messages of one session may still take up, in characters."""

    TOTAL = 50_000_000

    def __init__(self, total: int = TOTAL) -> None:
        """Begin with all of it."""
        self._left = total

    def trim(self, value: Any) -> Any:
        """Return a copy of JSON-like ``value``, cut to what a timeline can keep."""
        trimmer = _Trimmer(min(LARGEST, max(self._left, SMALL)))
        kept = trimmer.trim(value)
        self._left -= trimmer.taken
        return kept

    def takes(self, items: int) -> bool:
        """Whether so many small items may be kept; if so they are counted."""
        size = items * _ITEM
        if size > min(LARGEST, max(self._left, SMALL)):
            return False
        self._left -= size
        return True


class _Trimmer:
    """Copies one value, as far as there is room. Numbers that JSON has not become their names."""

    def __init__(self, room: int) -> None:
        self._room = room
        self.taken = 0

    def trim(self, value: Any, depth: int = 0) -> Any:
        self.taken += _ITEM
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, float) and not math.isfinite(value):
            return str(value)
        if isinstance(value, int) and value.bit_length() > 63:
            return "(a number too long to keep)"
        if isinstance(value, (dict, list)):
            return "…" if depth >= DEEPEST else self._items(value, depth + 1)
        return value

    def _text(self, text: str) -> str:
        longest = max(min(LONGEST_TEXT, self._room - self.taken), 0)
        self.taken += min(len(text), longest)
        if len(text) <= longest:
            return text
        return f"{text[:longest]}… ({len(text)} characters)"

    def _items(self, value: dict[str, Any] | list[Any], depth: int) -> Any:
        if isinstance(value, list):
            items: list[Any] = []
            for item in value[:LONGEST_LIST]:
                if self.taken >= self._room:
                    break
                items.append(self.trim(item, depth))
            more = len(value) - len(items)
            return [*items, f"… ({more} more)"] if more else items
        fields: dict[str, Any] = {}
        for count, (name, item) in enumerate(value.items()):
            if count >= LONGEST_LIST or self.taken >= self._room:
                return {**fields, "…": f"({len(value) - count} more)"}
            fields[self._text(str(name))] = self.trim(item, depth)
        return fields
