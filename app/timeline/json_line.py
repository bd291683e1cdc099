"""A line of ``events.jsonl``, parsed at a bounded cost. Pure; any thread.

A megabyte of JSON that is nothing but empty lists takes twenty in memory.
"""

from __future__ import annotations

import json
from typing import Any

LONG_BYTES = 1024 * 1024
"""A shorter line holds too few values to matter."""
MOST_VALUES = 2_000_000
MAX_LINE_BYTES = 64 * 1024 * 1024
"""A longer line is no event; a message has 16 MiB at most."""


def parse_line(line: bytes) -> Any:
    """Return what the JSON in ``line`` says.

    Raises:
        ValueError: it is no JSON, or holds more values than any message.
        RecursionError: it is nested too deep.

    """
    if len(line) > LONG_BYTES and count_values(line) > MOST_VALUES:
        raise ValueError("too many values")
    return json.loads(line)


def count_values(text: bytes) -> int:
    """Return how many values the JSON in ``text`` may hold, which are less or as many."""
    return sum(map(text.count, (b",", b"[", b"{")))
