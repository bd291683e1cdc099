"""The rows of the event log: bounded, appended in batches, filtered without a proxy.

Main thread only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from app.events import Event
from ui.event_text import direction, event_kind, summary
from ui.time_axis import clock_text

Index = QModelIndex | QPersistentModelIndex
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
HEADINGS = ("Time", "", "Type", "What happened")


@dataclass(slots=True)
class Row:
    """An event and what its row says; ``text`` is made when it is first asked for."""

    event: Event
    kind: str
    text: str | None = None

    def says(self) -> str:
        """Return the row's text."""
        if self.text is None:
            self.text = summary(self.event)
        return self.text

    def passes(self, kind: str, text: str) -> bool:
        """Whether the row is of ``kind`` (any where empty) and contains ``text`` (lower case)."""
        if kind and self.kind != kind:
            return False
        return not text or text in self.says().lower() or text in self.kind.lower()


class EventModel(QAbstractTableModel):
    """The last `CAPACITY` events, of which those are shown that pass the filter."""

    CAPACITY = 200_000
    ROOM = 20_000
    """How many go at once when it is full, so that it is not rebuilt for each."""

    def __init__(self, parent: QObject | None = None) -> None:
        """Begin empty and unfiltered."""
        super().__init__(parent)
        self._rows: list[Row] = []
        self._shown: list[Row] = []
        self._kind, self._text = "", ""
        self.kinds: dict[str, int] = {}
        self.dropped = 0

    def clear(self) -> None:
        """Forget all rows; the filter stays."""
        self.beginResetModel()
        self._rows, self._shown = [], []
        self.kinds.clear()
        self.dropped = 0
        self.endResetModel()

    def append(self, events: Sequence[Event]) -> None:
        """Add a batch at the end."""
        rows = [Row(event, event_kind(event)) for event in events]
        for row in rows:
            self.kinds[row.kind] = self.kinds.get(row.kind, 0) + 1
        self._rows.extend(rows)
        passing = [row for row in rows if row.passes(self._kind, self._text)]
        if len(self._rows) > self.CAPACITY:
            self._make_room()
        elif passing:
            first = len(self._shown)
            self.beginInsertRows(QModelIndex(), first, first + len(passing) - 1)
            self._shown.extend(passing)
            self.endInsertRows()

    def filter(self, kind: str, text: str) -> None:
        """Show only events of ``kind`` (any where empty) whose row contains ``text``."""
        text = text.strip().lower()
        if (kind, text) != (self._kind, self._text):
            self._kind, self._text = kind, text
            self._rebuild()

    def event_at(self, row: int) -> Event:
        """Return the event of a shown row."""
        return self._shown[row].event

    def row_at(self, t: float) -> int:
        """Return the first shown row at or after ``t``."""
        return next((i for i, row in enumerate(self._shown) if row.event.t >= t), -1)

    @property
    def total(self) -> int:
        """How many rows there are without the filter."""
        return len(self._rows)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        """Return how many rows are shown."""
        return 0 if parent.isValid() else len(self._shown)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        """Return how many columns there are."""
        return 0 if parent.isValid() else len(HEADINGS)

    def headerData(self, section: int, way: Qt.Orientation, role: int = 0) -> Any:
        """Return a column's heading."""
        if role == Qt.ItemDataRole.DisplayRole and way == Qt.Orientation.Horizontal:
            return HEADINGS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole and section == 0:
            return RIGHT
        return None

    def data(self, index: Index, role: int = 0) -> Any:
        """Return what a cell shows."""
        if role == Qt.ItemDataRole.DisplayRole:
            row = self._shown[index.row()]
            return self._cell(row, index.column())
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() == 0:
            return RIGHT
        return None

    @staticmethod
    def _cell(row: Row, column: int) -> str:
        if column == 0:
            return clock_text(row.event.t, 3)
        if column == 1:
            return direction(row.event)
        return row.kind if column == 2 else row.says()

    def _make_room(self) -> None:
        gone = len(self._rows) - self.CAPACITY + self.ROOM
        del self._rows[:gone]
        self.dropped += gone
        self._rebuild()

    def _rebuild(self) -> None:
        self.beginResetModel()
        self._shown = [row for row in self._rows if row.passes(self._kind, self._text)]
        self.endResetModel()
