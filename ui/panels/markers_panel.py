"""The list of markers: time, length and text; to go there, rename, delete. Main thread only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QLabel, QToolButton, QVBoxLayout, QWidget

from app.bundles.notes import Marker
from ui.lanes.time_axis import clock_text, span_text
from ui.parts.icons import Icons
from ui.parts.tables import UNKNOWN, Column, Index, RecordModel, fixed_table
from ui.parts.theme import small

EMPTY = "Press K to set a marker: while a session runs at “now”, in a recording at the playhead."
COLUMNS: tuple[Column[Marker], ...] = (
    Column("Time", lambda m: clock_text(m.t, 3), 112, "Session time of the marker"),
    Column(
        "Length",
        lambda m: UNKNOWN if m.stop is None else span_text(m.stop - m.t),
        96,
        "How long the marked stretch is; – for a moment",
    ),
    Column("Text", lambda m: m.text, 400, "Double click or F2 changes it", number=False),
)
TEXT = len(COLUMNS) - 1


class MarkerModel(RecordModel[Marker]):
    """Markers whose text can be changed in place."""

    text_changed = Signal(object, str)
    """A marker, and its other text."""

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Let the text be edited."""
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsEditable if index.column() == TEXT else flags

    def data(self, index: Index, role: int = 0) -> Any:
        """Return what a cell shows; to be edited, the text itself."""
        if role == Qt.ItemDataRole.EditRole:
            return self.record(index.row()).text
        return super().data(index, role)

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Wish for another text; the list changes when the wish is granted."""
        self.text_changed.emit(self.record(index.row()), " ".join(str(value).split()))
        return True


class MarkersPanel(QWidget):
    """Lists markers; choosing one shows it in the timeline."""

    marker_chosen = Signal(object)
    text_changed = Signal(object, str)
    delete_requested = Signal(object)
    add_requested = Signal()

    def __init__(self, icons: Icons) -> None:
        """Begin empty."""
        super().__init__()
        self.model = MarkerModel(COLUMNS, self)
        widths = [column.width for column in COLUMNS]
        self.table = fixed_table(self.model, "Markers", EMPTY, widths[:-1])
        self._count = QLabel(self)
        self._count.setFont(small(-0.5))
        self.add = self._button(icons, "marker", "Set a marker (K)")
        self.delete = self._button(icons, "delete", "Delete the chosen marker (Del)")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.table)
        self._connect()
        self.show_markers(())

    def title_widgets(self) -> list[QWidget]:
        """Return what belongs in the title bar."""
        return [self._count, self.add, self.delete]

    def show_markers(self, markers: Sequence[Marker]) -> None:
        """Show these, in order of their times."""
        self.model.show_records(markers)
        count = len(markers)
        self._count.setText(f"{count} marker{'s' if count > 1 else ''}" if count else "")
        self._show_choice()

    def edit_chosen(self) -> None:
        """Let the chosen marker's text be typed."""
        index = self.table.currentIndex()
        if index.isValid():
            self.table.edit(self.model.index(index.row(), TEXT))

    def delete_chosen(self) -> None:
        """Wish the chosen marker away."""
        index = self.table.currentIndex()
        if index.isValid():
            self.delete_requested.emit(self.model.record(index.row()))

    def _connect(self) -> None:
        self.table.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self.table.clicked.connect(self._choose)
        self.table.activated.connect(self._choose)
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._show_choice())
        self.model.text_changed.connect(self.text_changed)
        self.add.clicked.connect(self.add_requested)
        self.delete.clicked.connect(self.delete_chosen)
        for text, key, act in (
            ("Rename", "F2", self.edit_chosen),
            ("Delete", QKeySequence.StandardKey.Delete, self.delete_chosen),
        ):
            action = QAction(text, self.table)
            action.setShortcut(QKeySequence(key))
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
            action.triggered.connect(act)
            self.table.addAction(action)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)

    def _choose(self, index: QModelIndex) -> None:
        self.marker_chosen.emit(self.model.record(index.row()))

    def _show_choice(self) -> None:
        self.delete.setEnabled(self.table.selectionModel().hasSelection())

    def _button(self, icons: Icons, name: str, tip: str) -> QToolButton:
        button = QToolButton(self)
        icons.put(button, name, "muted")
        button.setAutoRaise(True)
        button.setToolTip(tip)
        button.setAccessibleName(tip.split(" (", maxsplit=1)[0])
        return button
