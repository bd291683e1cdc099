"""Which recordings to give up, and how much that frees: shown before it asks. Main thread only."""

from __future__ import annotations

import time
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent, QPalette
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.library.library_entry import Entry, FreeRule, Space, size_text
from ui.library.library_model import AGENT, COLUMNS, INTERRUPTIONS, LATENCY, TITLE, LibraryModel
from ui.library.library_questions import (
    UNTIL_EMPTIED,
    ask_to_trash,
    count_text,
    say_when_empty,
    space_text,
    total_size,
)
from ui.parts.tables import fixed_table
from ui.parts.theme import GRID, Theme

MEGABYTE = 1_000_000
NOT_SHOWN = (AGENT, INTERRUPTIONS, LATENCY)
NONE = "No recording meets all of these."
EMPTY = "Tick what the recordings to be moved have in common; they will be listed here."


class FreeSpaceDialog(QDialog):
    """Chooses among entries by age, size, length and state; moves nothing itself."""

    agreed = Signal(list)
    """The entries that are to be moved to the trash."""
    stop_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        """Begin with nothing ticked, and so with nothing chosen."""
        super().__init__(parent)
        self.older, self.days = QCheckBox("&older than"), QSpinBox()
        self.larger, self.megabytes = QCheckBox("&larger than"), QDoubleSpinBox()
        self.shorter, self.seconds = QCheckBox("&shorter than"), QDoubleSpinBox()
        self.broken = QCheckBox("&broken or cut short")
        self.keep_noted = QCheckBox("&Keep those with a title, tags, notes or markers")
        self.model = LibraryModel(theme, self)
        self.table = fixed_table(
            self.model, "Recordings to be moved", EMPTY, [column.width for column in COLUMNS]
        )
        self.result, self.outcome = QLabel(), QLabel(UNTIL_EMPTIED)
        self.move_button, self.close_button = QPushButton("Move to &trash…"), QPushButton("&Close")
        self._space, self._progress = QLabel(), QProgressBar()
        self._entries: Sequence[Entry] = ()
        self._is_moving = False
        self._build()
        self._connect()

    @property
    def rule(self) -> FreeRule:
        """What is ticked."""
        return FreeRule(
            self.days.value() if self.older.isChecked() else None,
            round(self.megabytes.value() * MEGABYTE) if self.larger.isChecked() else None,
            self.seconds.value() if self.shorter.isChecked() else None,
            self.broken.isChecked(),
            self.keep_noted.isChecked(),
        )

    def set_entries(self, entries: Sequence[Entry], space: Space) -> None:
        """Choose among these."""
        self._entries = entries
        self._space.setText(space_text(space))
        self._choose()

    def show_progress(self, moved: int, total: int) -> None:
        """Show that ``moved`` of ``total`` are in the trash."""
        self._progress.setMaximum(total)
        self._progress.setValue(moved)

    def show_outcome(self, text: str) -> None:
        """Show what has come of it."""
        self._set_moving(False)
        self._choose()
        self.outcome.setText(text)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Move no more once nobody watches."""
        self.stop_requested.emit()
        super().closeEvent(event)

    def reject(self) -> None:
        """Close, by the key as by the button."""
        self.stop_requested.emit()
        super().reject()

    def _choose(self) -> None:
        if self._is_moving:
            return
        rule, now = self.rule, time.time()
        chosen = [entry for entry in self._entries if rule.takes(entry, now)]
        self.model.set_entries(chosen)
        say_when_empty(self.table, EMPTY if rule.is_empty else NONE)
        verb = "meets" if len(chosen) == 1 else "meet"
        met = f"{count_text(len(chosen))} {verb} all of these: {size_text(total_size(chosen))}."
        self.result.setText(met if chosen else "")
        self.move_button.setEnabled(bool(chosen))

    def _ask(self) -> None:
        chosen = list(self.model.entries)
        ask_to_trash(self, chosen, lambda: self._agree(chosen))

    def _agree(self, chosen: list[Entry]) -> None:
        self._set_moving(True)
        self.show_progress(0, len(chosen))
        self.agreed.emit(chosen)

    def _set_moving(self, moving: bool) -> None:
        self._is_moving = moving
        self._progress.setVisible(moving)
        self.close_button.setText("&Stop" if moving else "&Close")
        self.move_button.setEnabled(not moving and bool(self.model.entries))
        for control in (self.older, self.larger, self.shorter, self.broken, self.keep_noted):
            control.setEnabled(not moving)

    def _close_or_stop(self) -> None:
        if self._is_moving:
            self.stop_requested.emit()
        else:
            self.reject()

    def _build(self) -> None:
        self.setWindowTitle("Free space")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(880, 560)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        column.setSpacing(GRID)
        column.addWidget(self._space)
        column.addWidget(QLabel("Choose recordings that are all of these:"))
        column.addLayout(self._conditions())
        column.addWidget(self.keep_noted)
        column.addWidget(self.table, 1)
        column.addWidget(self.result)
        column.addWidget(self._progress)
        column.addLayout(self._buttons())
        for label in (self._space, self.result, self.outcome):
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.keep_noted.setChecked(True)
        for column in NOT_SHOWN:
            self.table.setColumnHidden(column, True)
        self.table.horizontalHeader().setStretchLastSection(False)
        self.table.horizontalHeader().setSectionResizeMode(TITLE, QHeaderView.ResizeMode.Stretch)
        self._progress.hide()
        self._progress.setTextVisible(False)

    def _conditions(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(GRID)
        grid.setVerticalSpacing(GRID // 2)
        rows = (
            (self.older, self.days),
            (self.larger, self.megabytes),
            (self.shorter, self.seconds),
        )
        for row, (tick, value) in enumerate(rows):
            value.setEnabled(False)
            value.setFixedSize(16 * GRID, 3 * GRID)
            value.setAccessibleName(tick.text().replace("&", ""))
            tick.toggled.connect(value.setEnabled)
            grid.addWidget(tick, row, 0)
            grid.addWidget(value, row, 1)
        grid.addWidget(self.broken, 3, 0, 1, 2)
        grid.setColumnStretch(2, 1)
        _set_range(self.days, 1, 100_000, 90, " days")
        _set_range(self.megabytes, 0, 1e6, 100, " MB")
        _set_range(self.seconds, 0, 1e6, 5, " s")
        self.megabytes.setDecimals(1)
        self.seconds.setDecimals(1)
        return grid

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.outcome.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        row.addWidget(self.outcome, 1)
        row.addWidget(self.close_button)
        row.addWidget(self.move_button)
        self.close_button.setAutoDefault(False)
        self.move_button.setAutoDefault(False)
        return row

    def _connect(self) -> None:
        for tick in (self.older, self.larger, self.shorter, self.broken, self.keep_noted):
            tick.toggled.connect(lambda _: self._choose())
        for value in (self.days, self.megabytes, self.seconds):
            value.valueChanged.connect(lambda _: self._choose())
        self.move_button.clicked.connect(self._ask)
        self.close_button.clicked.connect(self._close_or_stop)


def _set_range(
    box: QSpinBox | QDoubleSpinBox, least: float, most: float, value: float, unit: str
) -> None:
    kind = int if isinstance(box, QSpinBox) else float
    box.setRange(kind(least), kind(most))
    box.setValue(kind(value))
    box.setSuffix(unit)
