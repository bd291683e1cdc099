"""Events of a source by number: those at hand at once, those on the disk as they arrive.

Main thread only, but for `_read`.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, Signal

from app.timeline.events import Event
from ui.parts.background import Background

if TYPE_CHECKING:
    from app.analysis.viewed import EventSource

log = logging.getLogger(__name__)


class Pages(Protocol):
    """What can be asked for events."""

    def slice(self, start: int, stop: int) -> list[Event] | None:
        """Return events from ``start`` on, up to ``stop`` at most; None while they are read."""


class PagesAtHand:
    """Events of a source that waits for nothing: it is asked whenever one is wanted."""

    def __init__(self, source: EventSource) -> None:
        """Ask ``source``."""
        self._source = source

    def slice(self, start: int, stop: int) -> list[Event] | None:
        """Return the events numbered ``[start, stop)``."""
        return self._source.slice(start, stop)


class PagesOnDisk(QObject):
    """Events of a source that waits for the disk, read a page at a time on a thread.

    Of what is wanted the latest comes first; what was wanted long ago is not read any more. The
    source does not grow.
    """

    arrived = Signal()
    """There are events that were asked for."""
    MOST_WANTED = 64

    def __init__(
        self, source: EventSource, size: int, kept: int, parent: QObject, *, ahead: bool = False
    ) -> None:
        """Read pages of ``size`` events, and keep up to ``kept``; ``ahead``, the next one too."""
        super().__init__(parent)
        self._ahead = int(ahead)
        self._source, self._size, self._most = source, size, kept
        self._pages: OrderedDict[int, list[Event]] = OrderedDict()
        self._wanted: OrderedDict[int, None] = OrderedDict()
        self._reading: int | None = None
        self._job = Background("events", self)

    def slice(self, start: int, stop: int) -> list[Event] | None:
        """Return events from ``start`` on, to the end of their page at most; None until then."""
        number = start // self._size
        page = self._pages.get(number)
        if page is None:
            self.want(number)
            return None
        self._pages.move_to_end(number)
        if self._ahead:
            self.want(number + 1)
        first = number * self._size
        return page[start - first : stop - first]

    def want(self, number: int) -> None:
        """Have a page read that is not there."""
        if number in self._pages or number * self._size >= self._source.appended:
            return
        self._wanted[number] = None
        self._wanted.move_to_end(number)
        while len(self._wanted) > min(self.MOST_WANTED, self._most):
            self._wanted.popitem(last=False)
        self._go_on()

    def close(self) -> None:
        """Read no more, and wait a bounded time for what is being read."""
        self._wanted.clear()
        self._job.close()

    def _go_on(self) -> None:
        if self._reading is not None or not self._wanted:
            return
        number, _ = self._wanted.popitem()
        if number in self._pages:
            self._go_on()
            return
        self._reading = number
        self._job.run(lambda: self._read(number), self._take, self._give_up)

    def _read(self, number: int) -> list[Event]:
        return self._source.slice(number * self._size, (number + 1) * self._size)

    def _give_up(self, error: Exception) -> None:
        log.error("Events could not be read", exc_info=error)
        self._take([])

    def _take(self, events: list[Event]) -> None:
        number, self._reading = self._reading, None
        if number is not None:
            self._pages[number] = events
        while len(self._pages) > self._most:
            self._pages.popitem(last=False)
        self.arrived.emit()
        self._go_on()
