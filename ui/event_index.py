"""Which kinds of events are where in a source, and which events pass a filter. Main thread only.

Both are found out in steps of some ms, for a recording may hold hundreds of thousands of events.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from app.events import Event
from ui.event_text import event_kind, summary

if TYPE_CHECKING:
    from app.viewed import EventSource

STEP = 64
"""Events that are read at once."""
MOST_KINDS = 1000
OTHER = "(other types)"
"""What stands for all kinds after `MOST_KINDS`: an agent may name as many as it likes."""


class EventIndex:
    """Goes through a source from its oldest event on: first for kinds, then for what passes.

    Events before `learned` have a known kind; those before `searched` are in `found` if they pass.
    """

    def __init__(self, source: EventSource) -> None:
        """Begin before the first event that is kept."""
        self.source = source
        self.kinds: dict[str, int] = {}
        """How many events of each kind there were."""
        self.found = array("Q")
        """Numbers of the events that pass, in order; unused without a filter."""
        self._names: dict[str, int] = {}
        self._codes = array("H")
        self._first = source.first
        self._kind = self._text = ""
        self.searched = self._first

    @property
    def learned(self) -> int:
        """The number of the first event whose kind is not known yet."""
        return self._first + len(self._codes)

    @property
    def is_filtered(self) -> bool:
        """Whether not all events pass."""
        return bool(self._kind or self._text)

    @property
    def is_done(self) -> bool:
        """Whether all that has happened so far has been looked at."""
        stop = self.source.appended
        return self.learned >= stop and (not self.is_filtered or self.searched >= stop)

    def filter(self, kind: str, text: str) -> bool:
        """Let only events of ``kind`` (any where empty) pass that contain ``text``.

        Return whether that is another filter than before; the search then begins anew.
        """
        text = text.strip().lower()
        if (kind, text) == (self._kind, self._text):
            return False
        self._kind, self._text = kind, text
        self.found = array("Q")
        self.searched = self._first
        return True

    def step(self, budget_s: float) -> None:
        """Go on for about ``budget_s``."""
        deadline = perf_counter() + budget_s
        while self.learned < self.source.appended:
            self._learn()
            if perf_counter() > deadline:
                return
        for _ in self._search():
            if perf_counter() > deadline:
                return

    @property
    def outdated(self) -> int:
        """How many of `found` the source has let go of."""
        return bisect_left(self.found, self.source.first) if self._first < self.source.first else 0

    def forget_oldest(self, count: int) -> None:
        """Follow a source that has let go of events; ``count`` of `found` are."""
        first = self.source.first
        del self._codes[: first - self._first]
        self._first = max(self._first, first)
        self.searched = max(self.searched, first)
        del self.found[:count]

    def _learn(self) -> None:
        start = self.learned
        for event in self.source.slice(start, start + STEP):
            kind = event_kind(event)
            code = self._names.get(kind)
            if code is None:
                kind, code = self._new_kind(kind)
            self._codes.append(code)
            self.kinds[kind] = self.kinds.get(kind, 0) + 1

    def _new_kind(self, kind: str) -> tuple[str, int]:
        if len(self._names) >= MOST_KINDS:
            kind = OTHER
        return kind, self._names.setdefault(kind, len(self._names))

    # -- searching -----------------------------------------------------------------------------

    def _search(self) -> Iterator[None]:
        """Add what passes to `found`, a piece at a time."""
        while self.is_filtered and self.searched < self.learned:
            start, stop = self.searched, min(self.learned, self.searched + self._piece)
            numbers = self._of_kind(start, stop)
            if self._text:
                self.found.extend(self._with_text(numbers))
            else:
                self.found.extend(numbers)
            self.searched = stop
            yield

    @property
    def _piece(self) -> int:
        return STEP if self._text else 100_000

    def _of_kind(self, start: int, stop: int) -> list[int]:
        if not self._kind:
            return list(range(start, stop))
        code = self._names.get(self._kind, -1)
        with memoryview(self._codes) as kept:
            codes = np.frombuffer(kept[start - self._first : stop - self._first], np.uint16)
            numbers = (np.flatnonzero(codes == code) + start).tolist()
            del codes
        return numbers

    def _with_text(self, numbers: list[int]) -> list[int]:
        if not numbers:
            return []
        start = numbers[0]
        events = self.source.slice(start, numbers[-1] + 1)
        return [n for n in numbers if n - start < len(events) and self._says(events[n - start])]

    def _says(self, event: Event) -> bool:
        return self._text in event_kind(event).lower() or self._text in summary(event).lower()
