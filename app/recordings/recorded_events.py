"""A recording's events, read from ``events.jsonl`` as they are wanted.

Opening notes where each line begins; lines are parsed in pieces, and the pieces used last are
kept. Each line is one event, and its number is the line's: a line that cannot be read, or is of a
type that this version does not know, is an `Unread` event. Any thread reads.

The lines of a file up to ``KEPT_BYTES`` stay in memory, so nothing waits for the disk; those of a
longer one, of some four hours, are read again when they are wanted.
"""

from __future__ import annotations

import io
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from app.timeline.events import Event, EventError
from app.timeline.json_line import MAX_LINE_BYTES, parse_line
from app.timeline.sane_events import LONGEST_S, read_event

KEPT_BYTES = 64 * 1024 * 1024
PARSED_BYTES = 32 * 1024 * 1024
"""Blocks of more lines than that are parsed anew when they are wanted, all but the last one."""
BLOCK_BYTES = 2 * 1024 * 1024
"""Lines of that much are parsed together at most, but for one that is longer by itself."""
PIECE_BYTES = 4 * 1024 * 1024
MOST_EVENTS = 10_000_000
"""Five days. What is behind them is passed over."""
SHOWN_BYTES = 400
"""Of a line that cannot be read."""
LONGEST_TYPE = 40
_TIME_TRIES = 8

E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class Unread(Event):
    """A line that says nothing to this version; it stands at the time of the event before it."""

    type: ClassVar[str] = "unread"
    of: str
    """Its type, where it is a record of an unknown one; empty where it cannot be read."""
    text: str
    """The line, cut short."""


class RecordedEvents:
    """The events of one file; it holds no file open."""

    BLOCK = 64
    """Events that are parsed together; fewer where their lines are long: ``BLOCK_BYTES``."""
    BLOCKS = 128
    """Parsed blocks that are kept."""
    first = 0

    def __init__(self, path: Path | None = None) -> None:
        """Note where the lines begin; None is a recording without events.

        Raises:
            OSError: the file cannot be read.

        """
        self.size_bytes = 0
        """How much of the file was looked at."""
        self.is_cut = False
        """Whether there are more lines than ``MOST_EVENTS``."""
        self._path = path
        self._kept: bytes | None = b""
        self._starts: NDArray[np.int64] = np.zeros(1, np.int64)
        self._firsts: NDArray[np.int64] = np.zeros(1, np.int64)
        # Guards the parsed blocks; held for look-ups only.
        self._looking = threading.Lock()
        self._blocks: OrderedDict[int, list[Event]] = OrderedDict()
        if path is not None:
            self._index(path)
        self._firsts = _block_firsts(self._starts, self.BLOCK)

    @property
    def waits(self) -> bool:
        """Whether reading events waits for the disk: there are more than are kept in memory."""
        return self._kept is None

    @property
    def appended(self) -> int:
        """How many events there are."""
        return len(self._starts) - 1

    def read(self, cursor: int = 0, limit: int | None = None) -> tuple[list[Event], int, int]:
        """Return ``(events, next_cursor, lost)`` since ``cursor``; none is ever lost."""
        stop = self.appended if limit is None else min(cursor + limit, self.appended)
        events = self.slice(cursor, stop)
        return events, cursor + len(events), 0

    def slice(self, start: int, stop: int) -> list[Event]:
        """Return the events numbered ``[start, stop)``, as far as there are such."""
        start, stop = max(start, 0), min(stop, self.appended)
        events: list[Event] = []
        if start >= stop:
            return events
        first, last = np.searchsorted(self._firsts, (start, stop - 1), side="right").tolist()
        for number in range(first - 1, last):
            begin = int(self._firsts[number])
            events += self._block(number)[max(start - begin, 0) : stop - begin]
        return events

    def of_type(self, kind: type[E]) -> list[E]:
        """Return the events of one type: all lines are searched, and few are parsed."""
        mark = f'"{kind.type}"'.encode()
        found: list[E] = []
        for number, line in self._lines_with(mark):
            event = self._parse(line, number)
            if isinstance(event, kind):
                found.append(event)
        return found

    # -- the index -----------------------------------------------------------------------------

    def _index(self, path: Path) -> None:
        ends: list[NDArray[np.int64]] = [np.zeros(1, np.int64)]
        count = 0
        # unbuffered: the file is read in large pieces, or at once
        with path.open("rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            self._kept = file.read(size) if size <= KEPT_BYTES else None
            for piece in _pieces(file if self._kept is None else self._kept):
                breaks = np.flatnonzero(np.frombuffer(piece, np.uint8) == ord("\n"))
                ends.append(breaks + (self.size_bytes + 1))
                self.size_bytes += len(piece)
                count += len(breaks)
                if count > MOST_EVENTS:
                    break
        starts = np.concatenate(ends)
        if starts[-1] != self.size_bytes:
            starts = np.append(starts, self.size_bytes)
        self.is_cut = len(starts) - 1 > MOST_EVENTS
        self._starts = starts[: MOST_EVENTS + 1]

    def _bytes(self, start: int, stop: int) -> bytes:
        if self._kept is not None:
            return self._kept[start:stop]
        if self._path is None:
            return b""
        try:
            with self._path.open("rb") as file:
                file.seek(start)
                return file.read(stop - start)
        except OSError:
            return b""

    # -- parsing -------------------------------------------------------------------------------

    def _block(self, number: int) -> list[Event]:
        with self._looking:
            if number in self._blocks:
                self._blocks.move_to_end(number)
                return self._blocks[number]
        # parsed outside the lock: two threads may do it at once, and find the same
        events = self._parse_range(*self._firsts[number : number + 2].tolist())
        with self._looking:
            self._blocks[number] = events
            while len(self._blocks) > self.BLOCKS or self._is_too_much():
                self._blocks.popitem(last=False)
        return events

    def _is_too_much(self) -> bool:
        """Whether more is kept than ``PARSED_BYTES`` of lines, and not by one block alone."""
        if len(self._blocks) < 2:
            return False
        kept = np.array(list(self._blocks))
        firsts, stops = self._firsts[kept], self._firsts[kept + 1]
        return int((self._starts[stops] - self._starts[firsts]).sum()) > PARSED_BYTES

    def iterate(self) -> Iterator[list[Event]]:
        """Go through all events in order, a list of some at a time, and keep none of them."""
        for first, stop in pairwise(self._firsts.tolist()):
            yield self._parse_range(first, stop)

    def _parse_range(self, first: int, stop: int) -> list[Event]:
        events: list[Event] = []
        for number, line in self._lines(first, stop):
            events.append(self._parse(line, number, events))
        return events

    def _parse(self, line: bytes, number: int, before: list[Event] | None = None) -> Event:
        unknown = ""
        try:
            record = parse_line(line)
            if isinstance(record, dict):
                event = read_event(record)
                if event is not None:
                    return event
                unknown = str(record.get("type"))[:LONGEST_TYPE]
        except (ValueError, RecursionError, EventError):
            pass
        t = before[-1].t if before else self._time_before(number)
        return Unread(t, unknown, line[:SHOWN_BYTES].decode("utf-8", "replace").strip())

    def _time_before(self, number: int) -> float:
        """Return the time of the last event before ``number`` that can be read, if it is near."""
        for _, line in reversed(list(self._lines(max(number - _TIME_TRIES, 0), number))):
            try:
                t = float(parse_line(line)["t"])
            except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
                continue
            if -LONGEST_S < t < LONGEST_S:
                return t
        return 0.0

    def _lines(self, first: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """Go through lines ``[first, stop)``, in pieces; of one too long there is the beginning."""
        while first < stop:
            begin = int(self._starts[first])
            fit = int(np.searchsorted(self._starts, begin + MAX_LINE_BYTES, side="right")) - 1
            end = min(max(fit, first + 1), stop)
            starts = self._starts[first : end + 1].tolist()
            is_too_long = starts[-1] - begin > MAX_LINE_BYTES
            content = self._bytes(begin, begin + SHOWN_BYTES if is_too_long else starts[-1])
            for number, (start, after) in enumerate(pairwise(starts), first):
                yield number, content[start - begin : after - begin]
            first = end

    def _lines_with(self, mark: bytes) -> Iterator[tuple[int, bytes]]:
        pattern = re.compile(re.escape(mark))  # it searches faster than bytes.find
        first = 0
        while first < self.appended:
            begin = int(self._starts[first])
            fit = int(np.searchsorted(self._starts, begin + MAX_LINE_BYTES, side="right")) - 1
            stop = max(fit, first + 1)
            content = self._bytes(begin, min(int(self._starts[stop]), begin + MAX_LINE_BYTES))
            last = -1
            for match in pattern.finditer(content):
                at = begin + match.start()
                number = int(np.searchsorted(self._starts, at, side="right")) - 1
                if number != last:
                    start, after = self._starts[number : number + 2].tolist()
                    yield number, content[start - begin : after - begin]
                last = number
            first = stop


def _block_firsts(starts: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return the number of each block's first event, and in the end how many events there are.

    A block is of ``most`` events, or of fewer where those are more than ``BLOCK_BYTES``.
    """
    count = len(starts) - 1
    firsts = np.append(np.arange(0, count, most), count)
    found: list[NDArray[np.int64]] = [firsts]
    for index in np.flatnonzero(np.diff(starts[firsts]) > BLOCK_BYTES).tolist():
        first, stop = firsts[index : index + 2].tolist()
        while first < stop:
            fit = int(np.searchsorted(starts, starts[first] + BLOCK_BYTES, side="right")) - 1
            first = min(max(fit, first + 1), stop)
            found.append(np.array([first]))
    return np.unique(np.concatenate(found))


def _pieces(source: io.FileIO | bytes) -> Iterator[bytes | memoryview]:
    if isinstance(source, bytes):
        whole = memoryview(source)
        yield from (whole[at : at + PIECE_BYTES] for at in range(0, len(whole), PIECE_BYTES))
    else:
        yield from iter(lambda: source.read(PIECE_BYTES), b"")
