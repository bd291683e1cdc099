"""The event log: every message and all that happened to audio, with a filter. Main thread only."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import (
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.events import Event
from ui.event_model import EventModel
from ui.event_text import detail
from ui.icons import Icons
from ui.stick_to_end import StickToEnd
from ui.tables import fixed_table
from ui.theme import fixed, small

EMPTY = "Messages of the agent and everything that happens to audio will appear here."


class EventLog(QWidget):
    """A table of events and, beside it, the chosen one in full."""

    moment_activated = Signal(float)

    def __init__(self, icons: Icons) -> None:
        """Begin empty."""
        super().__init__()
        self.model = EventModel(self)
        self.table = fixed_table(self.model, "Events", EMPTY, (96, 24, 200))
        self.detail = QPlainTextEdit()
        self.kind = QComboBox(self)
        self.text = QLineEdit(self)
        self._count = QLabel(self)
        self._copy = QToolButton(self)
        self._settle = QTimer(self)
        self._build(icons)
        self._connect()
        StickToEnd(self.table.verticalScrollBar())

    def title_widgets(self) -> list[QWidget]:
        """Return what belongs in the title bar: the filter."""
        return [self._count, self.kind, self.text, self._copy]

    def clear(self) -> None:
        """Forget all events."""
        self.model.clear()
        self.detail.clear()
        self._refresh_kinds()

    def append(self, events: Sequence[Event]) -> None:
        """Add a batch; the table stays at its end if that is where it was."""
        kinds = len(self.model.kinds)
        self.model.append(events)
        if len(self.model.kinds) != kinds:
            self._refresh_kinds()
        self._show_count()

    def copy_selected(self) -> None:
        """Put the chosen event on the clipboard, as JSON."""
        index = self.table.currentIndex()
        if index.isValid():
            QGuiApplication.clipboard().setText(detail(self.model.event_at(index.row())))

    def _refresh_kinds(self) -> None:
        chosen = self.kind.currentData() or ""
        self.kind.blockSignals(True)
        self.kind.clear()
        self.kind.addItem("All types", "")
        for kind in sorted(self.model.kinds):
            self.kind.addItem(kind, kind)
        self.kind.setCurrentIndex(max(self.kind.findData(chosen), 0))
        self.kind.blockSignals(False)

    def _apply_filter(self) -> None:
        self.model.filter(self.kind.currentData() or "", self.text.text())
        self._show_count()

    def _show_count(self) -> None:
        shown, total = self.model.rowCount(), self.model.total
        text = f"{total:,}" if shown == total else f"{shown:,} of {total:,}"
        lost = f", {self.model.dropped:,} older ones gone" if self.model.dropped else ""
        self._count.setText(f"{text} events{lost}".replace(",", "\u202f", 1) if total else "")

    def _show_detail(self, index: QModelIndex) -> None:
        if index.isValid():
            self.detail.setPlainText(detail(self.model.event_at(index.row())))
            self._copy.setEnabled(True)

    def _build(self, icons: Icons) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        splitter = QSplitter()
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.table)
        splitter.addWidget(self.detail)
        splitter.setStretchFactor(0, 3)
        splitter.setStretchFactor(1, 1)
        splitter.setSizes([760, 320])
        column.addWidget(splitter)
        self.detail.setReadOnly(True)
        self.detail.setFont(fixed())
        self.detail.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.detail.setPlaceholderText("Choose an event to read it in full.")
        self.detail.setAccessibleName("The chosen event in full")
        self.kind.setAccessibleName("Type of event")
        self.kind.setMinimumWidth(160)
        self.kind.addItem("All types", "")
        self.text.setPlaceholderText("Filter")
        self.text.setClearButtonEnabled(True)
        self.text.setAccessibleName("Filter events by text")
        self.text.setFixedWidth(176)
        self._count.setFont(small())
        self._copy.setAutoRaise(True)
        self._copy.setEnabled(False)
        self._copy.setToolTip("Copy the chosen event as JSON")
        self._copy.setAccessibleName("Copy the chosen event as JSON")
        icons.put(self._copy, "copy", "muted")

    def _connect(self) -> None:
        self._settle.setObjectName("event filter")
        self._settle.setSingleShot(True)
        self._settle.setInterval(150)
        self._settle.timeout.connect(self._apply_filter)
        self.text.textChanged.connect(lambda _: self._settle.start())
        self.kind.currentIndexChanged.connect(lambda _: self._apply_filter())
        self.table.selectionModel().currentRowChanged.connect(
            lambda current, _: self._show_detail(current)
        )
        self.table.activated.connect(
            lambda index: self.moment_activated.emit(self.model.event_at(index.row()).t)
        )
        self.table.setToolTip("Enter or double click moves the timeline to that moment")
        self._copy.clicked.connect(self.copy_selected)
        copy = QAction("Copy as JSON", self.table)
        copy.setShortcut(QKeySequence.StandardKey.Copy)
        copy.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        copy.triggered.connect(self.copy_selected)
        self.table.addAction(copy)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
