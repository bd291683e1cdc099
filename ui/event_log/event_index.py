"""Which kinds of events are where in a source, and which events pass a filter. Main thread only.

Both are found out in steps of some ms, for a recording may hold hundreds of thousands of events.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from app.timeline.events import Event
from ui.event_log.event_pages import Pages, PagesAtHand
from ui.event_log.event_text import audio_bytes_per_ms, event_kind, summary

if TYPE_CHECKING:
    from app.analysis.viewed import EventSource

STEP = 64
"""Events that are read at once."""
MOST_KINDS = 1000
OTHER = "(other types)"
"""What stands for all kinds after `MOST_KINDS`: an agent may name as many as it likes."""


@dataclass(frozen=True, slots=True)
class KindFilter:
    """Lets events through by their kind: those of ``names`` alone, or all but those."""

    names: frozenset[str] = frozenset()
    hides: bool = True

    @property
    def passes_all(self) -> bool:
        """Whether every kind passes."""
        return self.hides and not self.names

    def passes(self, kind: str) -> bool:
        """Whether events of ``kind`` do."""
        return (kind in self.names) != self.hides

    def with_kind(self, kind: str, *, shown: bool) -> KindFilter:
        """Return the same with one kind shown, or hidden."""
        names = self.names - {kind} if shown == self.hides else self.names | {kind}
        return KindFilter(names, self.hides)


def only(*kinds: str) -> KindFilter:
    """Return what lets just these kinds through."""
    return KindFilter(frozenset(kinds), hides=False)


ALL_KINDS = KindFilter()


class EventIndex:
    """Goes through a source from its oldest event on: first for kinds, then for what passes.

    Events before `learned` have a known kind; those before `searched` are in `found` if they pass.
    """

    def __init__(self, source: EventSource, pages: Pages | None = None) -> None:
        """Begin before the first event that is kept; ``pages`` are those of ``source``."""
        self.source = source
        self._pages = pages or PagesAtHand(source)
        self.bytes_per_ms: float | None = None
        """How much audio of the agent's messages is a ms, once one has told their format."""
        self.kinds: dict[str, int] = {}
        """How many events of each kind there were."""
        self.found = array("Q")
        """Numbers of the events that pass, in order; unused without a filter."""
        self._names: dict[str, int] = {}
        self._codes = array("H")
        self._first = source.first
        self._kind, self._text = ALL_KINDS, ""
        self.searched = self._first

    @property
    def learned(self) -> int:
        """The number of the first event whose kind is not known yet."""
        return self._first + len(self._codes)

    @property
    def is_filtered(self) -> bool:
        """Whether not all events pass."""
        return bool(self._text) or not self._kind.passes_all

    @property
    def is_done(self) -> bool:
        """Whether all that has happened so far has been looked at."""
        stop = self.source.appended
        return self.learned >= stop and (not self.is_filtered or self.searched >= stop)

    def filter(self, kind: KindFilter, text: str) -> bool:
        """Let only events pass that ``kind`` lets through and that contain ``text``.

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
        """Go on for about ``budget_s``, or until what comes next has to be read from the disk."""
        deadline = perf_counter() + budget_s
        while self.learned < self.source.appended:
            if not self._learn() or perf_counter() > deadline:
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

    def _learn(self) -> bool:
        """Learn the kinds of some events; False where they are not there yet."""
        start = self.learned
        events = self._pages.slice(start, start + STEP)
        for event in events or ():
            kind = event_kind(event)
            code = self._names.get(kind)
            if code is None:
                kind, code = self._new_kind(kind)
            self._codes.append(code)
            self.kinds[kind] = self.kinds.get(kind, 0) + 1
            if self.bytes_per_ms is None:
                self.bytes_per_ms = audio_bytes_per_ms(event)
        return bool(events)

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
            if self._text and numbers:
                events = self._pages.slice(start, stop)
                if not events:  # they are being read
                    return
                stop = start + len(events)
                numbers = [n for n in numbers if n < stop and self._says(events[n - start])]
            self.found.extend(numbers)
            self.searched = stop
            yield

    @property
    def _piece(self) -> int:
        return STEP if self._text else 100_000

    def _of_kind(self, start: int, stop: int) -> list[int]:
        if self._kind.passes_all:
            return list(range(start, stop))
        import numpy as np

        passing = np.array([self._kind.passes(name) for name in self._names], bool)
        with memoryview(self._codes) as kept:
            codes = np.frombuffer(kept[start - self._first : stop - self._first], np.uint16)
            numbers: list[int] = (np.flatnonzero(passing[codes]) + start).tolist()
            del codes
        return numbers

    def _says(self, event: Event) -> bool:
        return self._text in event_kind(event).lower() or self._text in self._summary(event)

    def _summary(self, event: Event) -> str:
        return summary(event, self.bytes_per_ms).lower()
