"""The differences of two sessions: a row for each turn of the caller, and what was said in it.

Main thread only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from ui.lanes.time_axis import clock_text
from ui.parts.tables import UNKNOWN, Column, Index, RecordModel, fixed_table, milliseconds
from ui.parts.theme import GRID, Theme, tabular

if TYPE_CHECKING:
    from app.comparison.compare import Change, Passage, Row

EMPTY = (
    "The user's turns will appear here, paired, with what the agent made of each. "
    "An audio file tells of none."
)
BETTER = {False: "#0f6b3a", True: "#6fd39b"}
"""A green for light and for dark grounds; the words say it as well."""
WORDS = ("words", "heard", "understood")


def _moment(passage: Passage | None) -> str:
    return UNKNOWN if passage is None else clock_text(passage.start, 1)


def _pair(change: Change) -> str:
    if change.first is None and change.second is None:
        return UNKNOWN
    return f"{milliseconds(change.first)} → {milliseconds(change.second)}"


def _difference(change: Change) -> str:
    from app.comparison.comparison_text import change_text

    return change_text(change)


def _name(row: Row) -> str:
    return str(row.number) if row.number else "before"


def _interrupted(row: Row) -> str:
    from app.comparison.comparison_text import interruptions

    return interruptions(row) if row.number else UNKNOWN


def _said(row: Row) -> str:
    """Return whether the same was said and heard."""
    if row.first is None or row.second is None:
        return "first only" if row.second is None else "second only"
    if row.words_differ:
        return "other words"
    if not row.heard_differs:
        return "the same"
    return "heard more" if len(row.second.heard) > len(row.first.heard) else "heard less"


RESPONSE = "From the end of the user's speech to the first agent sample leaving the speaker"
SILENCE = "From the interrupt() call to the last agent sample leaving the speaker"
MOUTH = "From the onset of the user's speech to that same moment"
SAID = "By the agent, until the user's next turn: whether in the second it said and was heard so"
CHANGE = (
    "What the second session took longer (+) or less (−). Less is better; up to 20 ms is what two "
    "replays of one caller differ by anyhow"
)

COLUMNS: tuple[Column[Row], ...] = (
    Column("Turn", _name, 72, "Turn of the user's; before it: the greeting"),
    Column("In the first", lambda r: _moment(r.first), 96, "Its beginning, in session time"),
    Column("In the second", lambda r: _moment(r.second), 104, "Its beginning, in session time"),
    Column("Response latency", lambda r: _pair(r.response_latency), 144, RESPONSE),
    Column("Change", lambda r: _difference(r.response_latency), 120, CHANGE),
    Column("Time to silence", lambda r: _pair(r.time_to_silence), 128, SILENCE),
    Column("Change", lambda r: _difference(r.time_to_silence), 120, CHANGE),
    Column("Mouth to silence", lambda r: _pair(r.mouth_to_silence), 136, MOUTH),
    Column("Change", lambda r: _difference(r.mouth_to_silence), 120, CHANGE),
    Column("Interrupts", _interrupted, 88, "How often it interrupted the agent", number=False),
    Column("What was said", _said, 96, SAID, number=False),
)
CHANGES = {4: "response_latency", 6: "time_to_silence", 8: "mouth_to_silence"}


class CompareModel(RecordModel["Row"]):
    """The rows, whose changes are coloured by which way they go."""

    def __init__(self, theme: Theme, parent: QObject) -> None:
        """Begin without rows."""
        super().__init__(COLUMNS, parent)
        self._theme = theme

    def data(self, index: Index, role: int = 0) -> Any:
        """Return what a cell shows."""
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._colour(index.row(), index.column())
        return super().data(index, role)

    def _colour(self, row: int, column: int) -> QColor | None:
        if column not in CHANGES:
            return None
        return verdict_colour(self._theme, getattr(self.record(row), CHANGES[column]).verdict)


def verdict_colour(theme: Theme, verdict: str) -> QColor | None:
    """Return the colour of ``better``, ``worse`` and ``same``; None for anything else."""
    named = {
        "better": BETTER[theme.dark],
        "worse": theme.colours.warning,
        "same": theme.colours.muted,
    }.get(verdict)
    return None if named is None else QColor(named)


class CompareTable(QWidget):
    """The table, and below it what was said in the row that is chosen."""

    row_chosen = Signal(object)
    """The `Row`."""

    def __init__(self, theme: Theme) -> None:
        """Begin empty."""
        super().__init__()
        self.model = CompareModel(theme, self)
        widths = [column.width for column in COLUMNS]
        self.table = fixed_table(self.model, "Differences", EMPTY, widths[:-1])
        self.texts = (_text_field("first"), _text_field("second"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self.table, 1)
        row = QHBoxLayout()
        row.setSpacing(GRID)
        for field in self.texts:
            row.addWidget(field)
        column.addLayout(row)
        self.table.selectionModel().currentRowChanged.connect(lambda new, _: self._chosen(new))
        self.table.activated.connect(self._chosen)
        self.table.clicked.connect(self._chosen)
        theme.changed.connect(self.table.viewport().update)

    @property
    def rows(self) -> Sequence[Row]:
        """What is listed."""
        return [self.model.record(row) for row in range(self.model.rowCount())]

    def show_rows(self, rows: Sequence[Row]) -> None:
        """List these."""
        chosen = self.table.currentIndex().row()
        self.model.show_records([])
        self.model.show_records(rows)
        if rows:
            self.table.selectRow(min(max(chosen, 0), len(rows) - 1))
        else:
            self._show_texts(None)

    def choose(self, row: Row) -> None:
        """Choose a row, and bring it into view."""
        number = next((n for n, each in enumerate(self.rows) if each is row), None)
        if number is not None and number != self.table.currentIndex().row():
            self.table.selectRow(number)

    def _chosen(self, index: Index) -> None:
        if not index.isValid():
            return
        row = self.model.record(index.row())
        self._show_texts(row)
        self.row_chosen.emit(row)

    def _show_texts(self, row: Row | None) -> None:
        passages = (None, None) if row is None else (row.first, row.second)
        for field, passage in zip(self.texts, passages, strict=True):
            field.setPlainText("" if row is None else passage_text(passage))


def passage_text(passage: Passage | None) -> str:
    """Return in words what was said after a turn, and what was made of it."""
    if passage is None:
        return "There is no such turn in this session."
    told = (
        ("Understood", passage.understood),
        ("Heard", passage.heard),
        ("Unheard", passage.unheard),
    )
    lines = [f"{name}: {text}" for name, text in told if text]
    return "\n".join(lines) or "Nothing was said."


def _text_field(which: str) -> QPlainTextEdit:
    field = QPlainTextEdit()
    field.setReadOnly(True)
    field.setTabChangesFocus(True)
    field.setFont(tabular(-0.5))
    field.setFixedHeight(9 * GRID)
    field.setPlaceholderText(f"What was said in the {which} session after the turn that is chosen.")
    field.setAccessibleName(f"What was said in the {which} session")
    return field
