"""The event log: every message and all that happened to audio, with a filter. Main thread only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QGuiApplication, QHideEvent, QKeySequence, QShowEvent
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

from app.events import Event, Timeline
from ui.event_model import EventModel
from ui.event_text import detail
from ui.icons import Icons
from ui.stick_to_end import StickToEnd
from ui.tables import fixed_table
from ui.theme import fixed, small

if TYPE_CHECKING:
    from app.viewed import EventSource

EMPTY = "Messages of the agent and everything that happens to audio will appear here."


class EventLog(QWidget):
    """A table of events and, beside it, the chosen one in full.

    The events stay where they are, in a session's timeline or a recording. Their types are learned,
    and a text is searched for, a few ms at a time.
    """

    moment_activated = Signal(float)
    AT_ONCE_S = 0.004
    """How long the events are gone through when there are new ones."""
    BETWEEN_S = 0.008
    """The same between two frames, as long as there is more to do."""
    EVERY_MS = 12

    def __init__(self, icons: Icons) -> None:
        """Begin empty."""
        super().__init__()
        self.model = EventModel(Timeline(), self)
        self.table = fixed_table(self.model, "Events", EMPTY, (96, 80, 24, 200))
        self.detail = QPlainTextEdit()
        self.kind = QComboBox(self)
        self.text = QLineEdit(self)
        self._count = QLabel(self)
        self._copy = QToolButton(self)
        self._settle = QTimer(self)
        self._going_on = QTimer(self)
        self._own: Timeline | None = None
        self._kinds = 0
        self._build(icons)
        self._connect()
        StickToEnd(self.table.verticalScrollBar())

    def title_widgets(self) -> list[QWidget]:
        """Return what belongs in the title bar: the filter."""
        return [self._count, self.kind, self.text, self._copy]

    def clear(self) -> None:
        """Show no events."""
        self.set_source(Timeline())

    def set_source(self, source: EventSource) -> None:
        """Show the events of ``source``, and from `advance` to `advance` what is new there."""
        self._own = None
        self.model.set_source(source)
        self.detail.clear()
        self._copy.setEnabled(False)
        self._refresh_kinds()
        self.advance()

    def advance(self) -> None:
        """Take in what is new; the table stays at its end if that is where it was."""
        self._go_on(self.AT_ONCE_S)

    def _go_on(self, budget_s: float) -> None:
        self.model.step(budget_s)
        if len(self.model.kinds) != self._kinds:
            self._refresh_kinds()
        self._show_count()
        if self.model.is_done:
            self._going_on.stop()
        elif self.isVisible():
            self._going_on.start()

    def append(self, events: Sequence[Event]) -> None:
        """Show a batch of events that are in no source, behind those that were given before."""
        if self._own is None:
            own = Timeline()
            self.set_source(own)
            self._own = own
        for event in events:
            self._own.append(event)
        self.advance()

    def showEvent(self, event: QShowEvent) -> None:
        """Go on with what was left undone while it was out of sight."""
        super().showEvent(event)
        self.advance()

    def hideEvent(self, event: QHideEvent) -> None:
        """Leave the rest until it is seen."""
        super().hideEvent(event)
        self._going_on.stop()

    def copy_selected(self) -> None:
        """Put the chosen event on the clipboard, as JSON."""
        event = self._event_of(self.table.currentIndex())
        if event is not None:
            QGuiApplication.clipboard().setText(detail(event))

    def _event_of(self, index: QModelIndex) -> Event | None:
        return self.model.event_at(index.row()) if index.isValid() else None

    def _refresh_kinds(self) -> None:
        chosen = self.kind.currentData() or ""
        self._kinds = len(self.model.kinds)
        self.kind.blockSignals(True)
        self.kind.clear()
        self.kind.addItem("All types", "")
        for kind in sorted({*self.model.kinds, chosen} - {""}):
            self.kind.addItem(kind, kind)
        self.kind.setCurrentIndex(max(self.kind.findData(chosen), 0))
        self.kind.blockSignals(False)

    def _apply_filter(self) -> None:
        self.model.filter(self.kind.currentData() or "", self.text.text())
        self.advance()

    def _show_count(self) -> None:
        shown, total = self.model.rowCount(), self.model.total
        text = f"{total:,}" if shown == total else f"{shown:,} of {total:,}"
        lost = f" · {self.model.dropped:,} older ones gone" if self.model.dropped else ""
        searched = self.model.searched
        search = f" · {searched:.0%} searched" if searched < 1 else ""
        said = f"{text} events{search}{lost}".replace(",", "\u202f") if total else ""
        if said != self._count.text():
            self._count.setText(said)

    def _show_detail(self, index: QModelIndex) -> None:
        event = self._event_of(index)
        if event is not None:
            self.detail.setPlainText(detail(event))
            self._copy.setEnabled(True)

    def _activate(self, index: QModelIndex) -> None:
        event = self._event_of(index)
        if event is not None:
            self.moment_activated.emit(event.t)

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
        self._going_on.setObjectName("event search")
        self._going_on.setInterval(self.EVERY_MS)
        self._going_on.timeout.connect(lambda: self._go_on(self.BETWEEN_S))
        self.text.textChanged.connect(lambda _: self._settle.start())
        self.kind.currentIndexChanged.connect(lambda _: self._apply_filter())
        self.table.selectionModel().currentRowChanged.connect(
            lambda current, _: self._show_detail(current)
        )
        self.table.activated.connect(self._activate)
        self.table.setToolTip("Enter or double click moves the timeline to that moment")
        self._copy.clicked.connect(self.copy_selected)
        copy = QAction("Copy as JSON", self.table)
        copy.setShortcut(QKeySequence.StandardKey.Copy)
        copy.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        copy.triggered.connect(self.copy_selected)
        self.table.addAction(copy)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
