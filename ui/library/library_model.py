"""The rows of the library: sorted and filtered here, written out only where they are seen.

Main thread only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor

from app.library.library_entry import STATES, Entry, length_text, size_text
from app.plain import printable
from ui.parts.tables import UNKNOWN, alignment, milliseconds
from ui.parts.theme import Theme, tabular
from ui.parts.tips import plain_tip

Index = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole


class Column(NamedTuple):
    """One column: its heading, what it shows, what it is sorted by, what it means."""

    heading: str
    text: Callable[[Entry], str]
    key: Callable[[Entry], Any]
    """None where the entry has nothing to be sorted by; such entries come last."""
    width: int
    tip: str
    number: bool = False


def _date(entry: Entry) -> str:
    if entry.began is None:
        return UNKNOWN
    return datetime.fromtimestamp(entry.began).strftime("%Y-%m-%d  %H:%M:%S")


def _title(entry: Entry) -> str:
    return entry.title or printable(entry.name)


def _duration_s(entry: Entry) -> float | None:
    """Return how long a session was; of one that is being recorded, how long it has been."""
    if entry.state == "recording" and entry.began is not None:
        return max(time.time() - entry.began, 0.0)
    return entry.duration_s


def _count(entry: Entry) -> str:
    return UNKNOWN if entry.interruptions is None else str(entry.interruptions)


COLUMNS = (
    Column("Date", _date, lambda e: e.began, 160, "When the session began, in local time"),
    Column(
        "Title",
        _title,
        lambda e: e.title.casefold() or None,
        280,
        "What you have called it (F2); in grey the name of its folder",
    ),
    Column(
        "Agent",
        lambda e: e.agent or UNKNOWN,
        lambda e: e.agent.casefold() or None,
        200,
        "The agent",
    ),
    Column(
        "Duration",
        lambda e: length_text(_duration_s(e)),
        _duration_s,
        80,
        "How long the session was, or has been, in minutes and seconds",
        number=True,
    ),
    Column(
        "Interruptions",
        _count,
        lambda e: e.interruptions,
        104,
        "How many interrupts there were, false ones included",
        number=True,
    ),
    Column(
        "Latency",
        lambda e: milliseconds(e.latency_ms, e.estimated),
        lambda e: e.latency_ms,
        88,
        "Median response latency: from the end of the user's speech to the first agent sample "
        "leaving the speaker, in ms",
        number=True,
    ),
    Column(
        "Size",
        lambda e: size_text(e.size_bytes),
        lambda e: e.size_bytes,
        80,
        "What the recording takes on the disk",
        number=True,
    ),
    Column(
        "State",
        lambda e: STATES[e.state][0],
        lambda e: STATES[e.state][0] or None,
        120,
        "Whether the recording is whole (the tooltip of a row says why it is not), and which one "
        "is in view",
    ),
)
DATE, TITLE, AGENT, DURATION, INTERRUPTIONS, LATENCY, SIZE, STATE = range(8)

IN_VIEW = "in view"
"""What stands in the state of the one that the window shows."""
FILTERS: dict[str, tuple[str, Callable[[Entry], bool]]] = {
    "all": ("All", lambda _: True),
    "interrupted": ("With interruptions", lambda e: bool(e.interruptions)),
    "recovered": ("Recovered or cut short", lambda e: e.state in ("recovered", "unfinished")),
    "broken": ("Broken or foreign", lambda e: e.state in ("broken", "foreign")),
}
"""What can be shown alone: for each name a text, and whether an entry belongs to it."""


class LibraryModel(QAbstractTableModel):
    """All entries, of which those are shown that pass the filter, in the order that was chosen."""

    renamed = Signal(str, str)
    """A name, and the title that it is to have."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        """Begin empty, the latest first."""
        super().__init__(parent)
        self._theme = theme
        self._all: list[Entry] = []
        self._shown: list[Entry] = []
        self._kind = "all"
        self._found: frozenset[str] | None = None
        self._column, self._order = DATE, Qt.SortOrder.DescendingOrder
        self._in_view = ""

    # --- what is shown

    def set_entries(self, entries: Iterable[Entry]) -> bool:
        """Show these in place of the ones before; say whether anything was different."""
        new = sorted(entries, key=lambda entry: (entry.began or 0.0, entry.name), reverse=True)
        if new == self._all:
            return False
        self._all = new
        self._rebuild()
        return True

    def set_in_view(self, name: str) -> None:
        """Mark the entry ``name`` as the one that the window shows; empty for none."""
        before, self._in_view = self._in_view, name
        for row in {self.row_of(each) for each in (before, name) if each} - {-1}:
            self.dataChanged.emit(self.index(row, 0), self.index(row, STATE))

    def set_filter(self, kind: str, found: frozenset[str] | None) -> None:
        """Show only those of ``kind``, one of `FILTERS`, whose names are in ``found``."""
        if (kind, found) != (self._kind, self._found):
            self._kind, self._found = kind, found
            self._rebuild()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; what has no value there comes last, both ways."""
        if column < 0:
            return
        self._column, self._order = column, order
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        names = [self._shown[index.row()].name for index in before]
        self._shown = self._sorted(self._shown)
        rows = {entry.name: row for row, entry in enumerate(self._shown)} if before else {}
        after = [
            self.index(rows[name], index.column())
            for name, index in zip(names, before, strict=True)
        ]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    def _rebuild(self) -> None:
        passes, found = FILTERS[self._kind][1], self._found
        self.beginResetModel()
        self._shown = self._sorted(
            [e for e in self._all if passes(e) and (found is None or e.name in found)]
        )
        self.endResetModel()

    def _sorted(self, entries: Sequence[Entry]) -> list[Entry]:
        key = COLUMNS[self._column].key
        pairs = [(key(entry), entry) for entry in entries]
        known = [pair for pair in pairs if pair[0] is not None]
        known.sort(key=lambda pair: pair[0], reverse=self._order == Qt.SortOrder.DescendingOrder)
        return [entry for _, entry in known] + [entry for value, entry in pairs if value is None]

    def count_on(self) -> bool:
        """Have the lengths drawn anew that grow by themselves; say whether there are such."""
        rows = [row for row, entry in enumerate(self._shown) if entry.state == "recording"]
        for row in rows:
            cell = self.index(row, DURATION)
            self.dataChanged.emit(cell, cell, [Role.DisplayRole])
        return bool(rows)

    def entry(self, row: int) -> Entry:
        """Return what a shown row is of."""
        return self._shown[row]

    @property
    def entries(self) -> list[Entry]:
        """All entries, the latest first, whether they are shown or not."""
        return self._all

    def row_of(self, name: str) -> int:
        """Return the shown row of the entry ``name``; -1 where it is not shown."""
        return next((row for row, entry in enumerate(self._shown) if entry.name == name), -1)

    # --- Qt's questions

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        """Return how many rows are shown."""
        return 0 if parent.isValid() else len(self._shown)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        """Return how many columns there are."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, way: Qt.Orientation, role: int = 0) -> Any:
        """Return a heading, or what it means."""
        if way != Qt.Orientation.Horizontal:
            return None
        column = COLUMNS[section]
        if role == Role.DisplayRole:
            return column.heading
        if role == Role.TextAlignmentRole:
            return alignment(column.number)
        return column.tip if role == Role.ToolTipRole else None

    def data(self, index: Index, role: int = 0) -> Any:
        """Return what a cell shows."""
        entry, column = self._shown[index.row()], index.column()
        if role == Role.DisplayRole:
            return self._text(entry, column)
        if role == Role.FontRole:
            return tabular(-0.5, bold=True) if entry.name == self._in_view else None
        if role == Role.TextAlignmentRole:
            return alignment(COLUMNS[column].number)
        if role == Role.ToolTipRole:
            return _tip(entry, is_in_view=entry.name == self._in_view)
        if role == Role.EditRole:
            return entry.title
        return self._colour(entry, column) if role == Role.ForegroundRole else None

    def _text(self, entry: Entry, column: int) -> str:
        text = COLUMNS[column].text(entry)
        is_told = column == STATE and entry.name == self._in_view
        return ", ".join(filter(None, (text, IN_VIEW))) if is_told else text

    def _colour(self, entry: Entry, column: int) -> QColor | None:
        colours = self._theme.colours
        if column == STATE and entry.state == "broken":
            return QColor(colours.fault)
        if column == STATE and entry.state in ("recovered", "unfinished"):
            return QColor(colours.warning)
        if not entry.can_open or (column == TITLE and not entry.title):
            return QColor(colours.muted)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Let the titles of recordings be edited."""
        flags = super().flags(index)
        if index.isValid() and index.column() == TITLE and self._shown[index.row()].can_rename:
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags

    def setData(self, index: Index, value: Any, role: int = Role.EditRole) -> bool:
        """Take a title that was typed: it is shown at once, and said in `renamed`."""
        entry, title = self._shown[index.row()], " ".join(str(value).split())
        if role != Role.EditRole or title == entry.title:
            return False
        self.set_title(index.row(), title)
        self.renamed.emit(entry.name, title)
        return True

    def set_title(self, row: int, title: str) -> None:
        """Show a title that the next list will have."""
        entry = self._shown[row]
        new = entry._replace(title=title)
        self._shown[row] = new
        self._all[self._all.index(entry)] = new
        cell = self.index(row, TITLE)
        self.dataChanged.emit(cell, cell)


def _tip(entry: Entry, *, is_in_view: bool) -> str:
    """Return a line each for the name, the state and why; what others wrote is no markup in it."""
    word, meaning = STATES[entry.state]
    shown = "This is what the window shows." if is_in_view else ""
    lines = (printable(entry.name), shown, f"{meaning}." if word else "", entry.reason)
    return plain_tip("\n".join(line for line in lines if line))
