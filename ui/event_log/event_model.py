"""The rows of the event log: numbers of events, which are fetched when their rows are looked at.

Main thread only.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)

from app.timeline.events import Event
from ui.event_log.event_index import ALL_KINDS, EventIndex, KindFilter
from ui.event_log.event_pages import Pages, PagesAtHand, PagesOnDisk
from ui.event_log.event_text import direction, event_kind, summary
from ui.lanes.time_axis import clock_text

if TYPE_CHECKING:
    from app.analysis.viewed import EventSource

Index = QModelIndex | QPersistentModelIndex
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
HEADINGS = ("Time", "After", "", "Type", "What happened")
TIPS = (
    "Session time of the event",
    "Time since the event in the row above, in ms or s",
    "← from the agent, → to the agent",
    "The type of the event; a message goes by its own",
    "",
)
WAITING = "…"
"""Stands where an event is being read from the disk."""
NUMBERS = (0, 1)
"""The columns that stand to the right."""


class EventModel(QAbstractTableModel):
    """All events of a source, or those that pass the filter.

    Events of a source that waits for the disk are read on a thread: until one is there its row
    says ``…``.
    """

    arrived = Signal()
    """Events are there that were asked for."""
    KEPT = 512
    """Events that are kept at hand."""
    AHEAD = 64
    """Events that are fetched together; they lie in one of the blocks that a recording parses."""

    def __init__(self, source: EventSource, parent: QObject | None = None) -> None:
        """Show all of ``source``."""
        super().__init__(parent)
        self._reading: list[PagesOnDisk] = []
        self._filter = (ALL_KINDS, "")
        self._events: OrderedDict[int, Event] = OrderedDict()
        self._turn_to(source)

    def set_source(self, source: EventSource) -> None:
        """Show another source; the filter stays."""
        self.beginResetModel()
        self.close()
        self._turn_to(source)
        self.endResetModel()

    def close(self) -> None:
        """Read nothing more from the disk."""
        for pages in self._reading:
            pages.close()
            pages.deleteLater()
        self._reading = []

    def _turn_to(self, source: EventSource) -> None:
        rows, learned = self._pages_of(source)
        self._pages = rows
        self._index = EventIndex(source, learned)
        self._index.filter(*self._filter)
        self._events.clear()
        self._first, self._shown = source.first, 0
        if not self._index.is_filtered:
            self._shown = source.appended - self._first

    def _pages_of(self, source: EventSource) -> tuple[Pages, Pages]:
        """Return what the rows ask for events, and what the index does."""
        if not getattr(source, "waits", False):
            return PagesAtHand(source), PagesAtHand(source)
        rows = PagesOnDisk(source, 32, 128, self)
        learned = PagesOnDisk(source, 1024, 4, self, ahead=True)
        self._reading = [rows, learned]
        rows.arrived.connect(self._rows_arrived)
        learned.arrived.connect(self.arrived)
        return rows, learned

    def _rows_arrived(self) -> None:
        if self._shown:
            last = self.index(self._shown - 1, len(HEADINGS) - 1)
            self.dataChanged.emit(self.index(0, 0), last)
        self.arrived.emit()

    def filter(self, kind: KindFilter, text: str) -> None:
        """Show only events that ``kind`` lets through and whose row contains ``text``."""
        self._filter = (kind, text)
        if not self._index.filter(kind, text):
            return
        self.beginResetModel()
        source = self._index.source
        self._first = source.first
        self._shown = 0 if self._index.is_filtered else source.appended - self._first
        self.endResetModel()

    def step(self, budget_s: float) -> None:
        """Take in what is new, and learn and search for about ``budget_s``."""
        self._drop_oldest()
        self._index.step(budget_s)
        index = self._index
        rows = len(index.found) if index.is_filtered else index.source.appended - self._first
        if rows > self._shown:
            self.beginInsertRows(QModelIndex(), self._shown, rows - 1)
            self._shown = rows
            self.endInsertRows()

    def event_at(self, row: int) -> Event | None:
        """Return the event of a shown row; None where it is not there yet, or has been dropped."""
        number = self.number_at(row)
        if number not in self._events:
            self._fetch(number)
        return self._events.get(number)

    def number_at(self, row: int) -> int:
        """Return the number of a shown row's event."""
        return self._index.found[row] if self._index.is_filtered else self._first + row

    def numbers(self) -> Sequence[int]:
        """Return the numbers of the shown rows' events, as they are now."""
        if self._index.is_filtered:
            return self._index.found[: self._shown]
        return range(self._first, self._first + self._shown)

    @property
    def source(self) -> EventSource:
        """Where the events are."""
        return self._index.source

    @property
    def waits(self) -> bool:
        """Whether events are read from the disk."""
        return bool(self._reading)

    @property
    def kinds(self) -> dict[str, int]:
        """The kinds that are known so far, and how many events there are of each."""
        return self._index.kinds

    @property
    def total(self) -> int:
        """How many events there are without the filter."""
        source = self._index.source
        return source.appended - source.first

    @property
    def dropped(self) -> int:
        """How many events the source has let go of."""
        return self._index.source.first

    @property
    def is_done(self) -> bool:
        """Whether there is nothing to learn, and nothing to search."""
        return self._index.is_done

    @property
    def searched(self) -> float:
        """How much of the source has been searched, 1 where all of it is."""
        index, total = self._index, self.total
        if not index.is_filtered or not total:
            return 1.0
        return max(0.0, min(1.0, (index.searched - index.source.first) / total))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        """Return how many rows are shown."""
        return 0 if parent.isValid() else self._shown

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        """Return how many columns there are."""
        return 0 if parent.isValid() else len(HEADINGS)

    def headerData(self, section: int, way: Qt.Orientation, role: int = 0) -> Any:
        """Return a column's heading, or what it means."""
        if way != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return HEADINGS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole and section in NUMBERS:
            return RIGHT
        return TIPS[section] if role == Qt.ItemDataRole.ToolTipRole else None

    def data(self, index: Index, role: int = 0) -> Any:
        """Return what a cell shows."""
        if role == Qt.ItemDataRole.DisplayRole:
            event = self.event_at(index.row())
            return self._nothing if event is None else self._cell(event, index)
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() in NUMBERS:
            return RIGHT
        return None

    def _cell(self, event: Event, index: Index) -> str:
        column = index.column()
        if column == 0:
            return clock_text(event.t, 3)
        if column == 1:
            before = self.event_at(index.row() - 1) if index.row() else None
            if before is None:
                return self._nothing if index.row() else ""
            return after_text(event.t - before.t)
        if column == 2:
            return direction(event)
        if column == 3:
            return event_kind(event)
        return summary(event, self._index.bytes_per_ms)

    @property
    def _nothing(self) -> str:
        """What stands for an event that is not there."""
        return WAITING if self._reading else ""

    def _fetch(self, number: int) -> None:
        """Fetch an event, and where rows are numbers those around it."""
        start, stop = number, number + 1
        if not self._index.is_filtered:
            start = max(number // self.AHEAD * self.AHEAD, self._first)
            stop = min(number // self.AHEAD * self.AHEAD + self.AHEAD, self._first + self._shown)
        if self._reading:  # what is asked for is read in pages anyway
            start, stop = number, number + 1
        for place, event in enumerate(self._pages.slice(start, stop) or (), start):
            self._events[place] = event
            self._events.move_to_end(place)
        while len(self._events) > self.KEPT:
            self._events.popitem(last=False)

    def _drop_oldest(self) -> None:
        """Follow a source that has let go of its oldest events."""
        index, first = self._index, self._index.source.first
        if first == self._first:
            return
        outdated = index.outdated
        gone = outdated if index.is_filtered else min(first - self._first, self._shown)
        if gone:
            self.beginRemoveRows(QModelIndex(), 0, gone - 1)
        index.forget_oldest(outdated)
        self._first = first
        self._shown -= gone
        if gone:
            self.endRemoveRows()


def after_text(seconds: float) -> str:
    """Return a time between two events with its unit."""
    if abs(seconds) < 10:
        return f"{seconds * 1e3:.0f} ms".replace("-", "−")
    return f"{seconds:.1f} s".replace("-", "−")


def row_at(source: EventSource, numbers: Sequence[int], t: float) -> int:
    """Return the first row at or after ``t``, of rows with these events; the last where none is.

    It reads some twenty events, from the disk maybe. Events stand in the order in which they were
    noticed, so it may be a row or two off. -1 where there are no rows.
    """
    low, high = 0, len(numbers)
    while low < high:
        middle = (low + high) // 2
        events = source.slice(numbers[middle], numbers[middle] + 1)
        if not events or events[0].t < t:
            low = middle + 1
        else:
            high = middle
    return min(low, len(numbers) - 1)
