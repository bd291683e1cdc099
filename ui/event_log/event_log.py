"""The event log: every message and all that happened to audio, with a filter. Main thread only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QGuiApplication, QHideEvent, QKeySequence, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLabel,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.timeline.events import Event, Timeline
from ui.event_log.event_index import ALL_KINDS, only
from ui.event_log.event_kinds import KindChooser
from ui.event_log.event_model import EventModel, row_at
from ui.event_log.event_text import as_json, detail, event_kind
from ui.parts.background import Background
from ui.parts.icons import Icons
from ui.parts.stick_to_end import StickToEnd
from ui.parts.tables import find_by_key, fixed_table
from ui.parts.theme import fixed, small

if TYPE_CHECKING:
    from app.analysis.viewed import EventSource

EMPTY = "Messages of the agent and everything that happens to audio will appear here."
FILTERED = "No event passes the filter."
TABLE_TIP = (
    "Enter or double click moves the timeline to that moment; Ctrl+J comes back to the events "
    "there. Ctrl+I shows only this type, Ctrl+H hides it, Ctrl+Shift+I shows all types"
)


class EventLog(QWidget):
    """A table of events and, beside it, the chosen one in full.

    The events stay where they are, in a session's timeline or a recording. Their types are learned,
    and a text is searched for, a few ms at a time. Events that are on the disk are read on a
    thread.
    """

    moment_activated = Signal(float)
    playhead_wanted = Signal()
    """The events at the moment that the timeline is at are to be shown: `show_moment`."""
    AT_ONCE_S = 0.004
    """How long the events are gone through when there are new ones."""
    BETWEEN_S = 0.008
    """The same between two frames, as long as there is more to do."""
    EVERY_MS = 12
    MOST_COPIED = 20_000
    """Events that are copied at once."""

    def __init__(self, icons: Icons) -> None:
        """Begin empty."""
        super().__init__()
        self.model = EventModel(Timeline(), self)
        self.table = fixed_table(self.model, "Events", EMPTY, (96, 80, 24, 236))
        self.detail = QPlainTextEdit()
        self.kind = KindChooser(self)
        self.text = QLineEdit(self)
        self._count = QLabel(self)
        self._copy = QToolButton(self)
        self._here = QToolButton(self)
        self._settle = QTimer(self)
        self._going_on = QTimer(self)
        self._copying = Background("event copy", self)
        self._finding = Background("event search", self)
        self._own: Timeline | None = None
        self._kinds: dict[str, int] = {}
        self._detailed = -1
        self._moment_s: float | None = None
        self._build(icons)
        self._connect()
        self._add_actions()
        StickToEnd(self.table.verticalScrollBar())

    def title_widgets(self) -> list[QWidget]:
        """Return what belongs in the title bar: the filter."""
        return [self._count, self.kind, self.text, self._here, self._copy]

    # --- what is shown

    def clear(self) -> None:
        """Show no events."""
        self.set_source(Timeline())

    def set_source(self, source: EventSource) -> None:
        """Show the events of ``source``, and from `advance` to `advance` what is new there."""
        self._own = self._moment_s = None
        self.model.set_source(source)
        self.detail.clear()
        self._detailed = -1
        self._copy.setEnabled(False)
        self._refresh_kinds()
        self.advance()

    def advance(self) -> None:
        """Take in what is new; the table stays at its end if that is where it was."""
        self._go_on(self.AT_ONCE_S)

    def append(self, events: Sequence[Event]) -> None:
        """Show a batch of events that are in no source, behind those that were given before."""
        if self._own is None:
            own = Timeline()
            self.set_source(own)
            self._own = own
        for event in events:
            self._own.append(event)
        self.advance()

    def close_reading(self) -> None:
        """Read nothing more, and wait a bounded time for what is being read."""
        self._going_on.stop()
        self.model.close()
        self._copying.close()
        self._finding.close()

    def _go_on(self, budget_s: float) -> None:
        self.model.step(budget_s)
        if self.model.kinds != self._kinds:
            self._refresh_kinds()
        self._show_count()
        if self._moment_s is not None and self.model.searched == 1:
            self._find_moment()
        if self.model.is_done:
            self._going_on.stop()
        elif self.isVisible():
            self._going_on.start()

    def _put_off(self) -> None:
        """Let frames in which the table scrolls be its own."""
        if self._going_on.isActive():
            self._going_on.start()

    def showEvent(self, event: QShowEvent) -> None:
        """Go on with what was left undone while it was out of sight."""
        super().showEvent(event)
        self.advance()

    def hideEvent(self, event: QHideEvent) -> None:
        """Leave the rest until it is seen."""
        super().hideEvent(event)
        self._going_on.stop()

    # --- the filter

    def show_only(self) -> None:
        """Show only events of the chosen one's type."""
        event = self._current()
        if event is not None:
            self.kind.choose(only(event_kind(event)))

    def hide_kind(self) -> None:
        """Show no events of the chosen one's type."""
        event = self._current()
        if event is not None:
            self.kind.choose(self.kind.filter.with_kind(event_kind(event), shown=False))

    def show_all(self) -> None:
        """Show events of all types."""
        self.kind.choose(ALL_KINDS)

    def _refresh_kinds(self) -> None:
        self._kinds = dict(self.model.kinds)
        self.kind.show_kinds(self._kinds)

    def _apply_filter(self) -> None:
        """Filter, and stay at the moment of the chosen event."""
        event = self._current()
        self.model.filter(self.kind.filter, self.text.text())
        is_filtered = bool(self.text.text().strip()) or not self.kind.filter.passes_all
        self.table.set_empty_text(FILTERED if is_filtered else EMPTY)
        if event is not None:
            self._moment_s = event.t
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

    # --- one event

    def show_moment(self, t: float) -> None:
        """Choose the first shown event at or after ``t`` seconds, once it has been found."""
        self._moment_s = t
        if self.model.searched == 1:
            self._find_moment()

    def _find_moment(self) -> None:
        t, self._moment_s = self._moment_s, None
        if t is None:
            return
        source, numbers = self.model.source, self.model.numbers()
        if self.model.waits:
            self._finding.run(lambda: row_at(source, numbers, t), self._choose)
        else:
            self._choose(row_at(source, numbers, t))

    def _choose(self, row: int) -> None:
        if 0 <= row < self.model.rowCount():
            self.table.selectRow(row)
            index = self.model.index(row, 0)
            self.table.scrollTo(index, QAbstractItemView.ScrollHint.PositionAtCenter)

    def _current(self) -> Event | None:
        return self._event_of(self.table.currentIndex())

    def _shown_index(self) -> QModelIndex:
        """Return the cell with the keyboard if it is selected, else the first that is."""
        chosen, current = self.table.selectionModel(), self.table.currentIndex()
        if not current.isValid() or chosen.isSelected(current):
            return current if current.isValid() else QModelIndex()
        ranges = chosen.selection()
        return self.model.index(min(each.top() for each in ranges), 0) if ranges else QModelIndex()

    def _event_of(self, index: QModelIndex) -> Event | None:
        return self.model.event_at(index.row()) if index.isValid() else None

    def _show_detail(self) -> None:
        """Show the chosen event in full, once it is there; nothing while none is chosen."""
        index = self._shown_index()
        if not index.isValid():
            self._detailed = -1
            self.detail.clear()
            self._copy.setEnabled(False)
        event = self._event_of(index)
        if event is None:
            return
        number = self.model.number_at(index.row())
        if number != self._detailed:
            self._detailed = number
            self.detail.setPlainText(detail(event))
            self._copy.setEnabled(True)

    def _activate(self, index: QModelIndex) -> None:
        event = self._event_of(index)
        if event is not None:
            self.moment_activated.emit(event.t)

    def copy_selected(self) -> None:
        """Put the chosen events on the clipboard as JSON: one as an object, several as a list."""
        numbers = self._selected_numbers()
        source = self.model.source
        if not numbers:
            return
        if len(numbers) <= EventModel.AHEAD and not self.model.waits:
            self._put(_copy_of(source, numbers))
        else:
            self._copying.run(lambda: _copy_of(source, numbers), self._put)

    def _selected_numbers(self) -> list[int]:
        ranges = [(each.top(), each.bottom()) for each in self.table.selectionModel().selection()]
        rows = [row for top, bottom in sorted(ranges) for row in range(top, bottom + 1)]
        return [self.model.number_at(row) for row in rows[: self.MOST_COPIED]]

    @staticmethod
    def _put(text: str) -> None:
        QGuiApplication.clipboard().setText(text)

    # --- building

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
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.table.setToolTip(TABLE_TIP)
        self.detail.setReadOnly(True)
        self.detail.setFont(fixed())
        self.detail.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.detail.setPlaceholderText("Choose an event to read it in full.")
        self.detail.setAccessibleName("The chosen event in full")
        self.text.setPlaceholderText("Filter")
        self.text.setClearButtonEnabled(True)
        self.text.setAccessibleName("Filter events by text")
        self.text.setToolTip("Only events whose type or text contains this (Ctrl+F)")
        self.text.setFixedWidth(176)
        self._count.setFont(small())
        self._tool(self._copy, icons, "copy", "Copy the chosen events as JSON (Ctrl+C)")
        self._tool(self._here, icons, "follow", "Show the events at the playhead (Ctrl+J)")
        self._copy.setEnabled(False)

    @staticmethod
    def _tool(button: QToolButton, icons: Icons, name: str, tip: str) -> None:
        button.setAutoRaise(True)
        button.setToolTip(tip)
        button.setAccessibleName(tip.split(" (", maxsplit=1)[0])
        icons.put(button, name, "muted")

    def _connect(self) -> None:
        self._settle.setObjectName("event filter")
        self._settle.setSingleShot(True)
        self._settle.setInterval(150)
        self._settle.timeout.connect(self._apply_filter)
        self._going_on.setObjectName("event search")
        self._going_on.setInterval(self.EVERY_MS)
        self._going_on.timeout.connect(lambda: self._go_on(self.BETWEEN_S))
        self.text.textChanged.connect(lambda _: self._settle.start())
        find_by_key(self.table, self.text)
        self.table.verticalScrollBar().valueChanged.connect(lambda _: self._put_off())
        self.kind.chosen.connect(self._apply_filter)
        chosen = self.table.selectionModel()
        for signal in (chosen.currentRowChanged, chosen.selectionChanged):
            signal.connect(lambda *_: self._show_detail())
        self.model.arrived.connect(self._show_detail)
        self.table.activated.connect(self._activate)
        self._copy.clicked.connect(self.copy_selected)
        self._here.clicked.connect(self.playhead_wanted)

    def _add_actions(self) -> None:
        for text, keys, do in (
            ("&Copy as JSON", QKeySequence.StandardKey.Copy, self.copy_selected),
            ("&Go to its moment", None, lambda: self._activate(self.table.currentIndex())),
            ("Show the events at the &playhead", "Ctrl+J", self.playhead_wanted.emit),
            ("Show &only this type", "Ctrl+I", self.show_only),
            ("&Hide this type", "Ctrl+H", self.hide_kind),
            ("Show &all types", "Ctrl+Shift+I", self.show_all),
        ):
            action = QAction(text, self.table)
            if keys is not None:
                action.setShortcut(QKeySequence(keys))
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
            action.triggered.connect(lambda _=False, do=do: do())
            self.table.addAction(action)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._show_menu)

    def _show_menu(self, at: QPoint) -> None:
        menu = QMenu(self.table)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addActions(self.table.actions())
        menu.popup(self.table.viewport().mapToGlobal(at))


def _copy_of(source: EventSource, numbers: Sequence[int]) -> str:
    """Return events as JSON; they may have to be read from the disk."""
    found: list[Event] = []
    for number in numbers:
        found += source.slice(number, number + 1)
    return as_json(found) if found else ""
