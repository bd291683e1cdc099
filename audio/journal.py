"""A bounded, append-only log with any number of readers who each keep a cursor.

Any thread appends, any thread reads. Readers take no lock, so the audio path never waits for one:
they see one page (the number of its first item, and a list that only ever grows) at a time.
"""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Journal(Generic[T]):
    """At least the last ``capacity`` items appended, each with a number that never changes."""

    SLACK = 1 / 16
    """So much of the capacity is let go of at once: few enough to be freed in no time."""

    def __init__(self, capacity: int) -> None:
        """Keep the last ``capacity`` items, and a few more."""
        self._capacity = capacity
        self._slack = max(round(capacity * self.SLACK), 1)
        self._page: tuple[int, list[T]] = (0, [])
        # Guards the page against two writers; held for one append, or now and then a trim.
        self._writing = threading.Lock()

    def append(self, item: T) -> None:
        """Add ``item``; the oldest items go when the journal is full."""
        with self._writing:
            base, items = self._page
            items.append(item)
            if len(items) >= self._capacity + self._slack:
                # A new list, for a reader may still be slicing the old one.
                self._page = (base + self._slack, items[self._slack :])

    def read(self, cursor: int = 0) -> tuple[list[T], int, int]:
        """Return ``(items, next_cursor, lost)``: what came since ``cursor``.

        ``lost`` counts items that were dropped before this reader came for them.
        """
        base, page = self._page
        items = page[max(cursor - base, 0) :]
        end = max(base, cursor) + len(items)
        return items, end, max(base - cursor, 0)

    @property
    def appended(self) -> int:
        """How many items were ever appended."""
        base, items = self._page
        return base + len(items)
