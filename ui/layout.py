"""Where everything stands in the window: rows on top, the timeline, docks around it.

Main thread only.
"""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import QByteArray, Qt, QTimer
from PySide6.QtWidgets import (
    QApplication,
    QMainWindow,
    QTabBar,
    QTabWidget,
    QToolBar,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from ui.event_log.event_log import EventLog
from ui.inspection.inspector import Inspector
from ui.inspection.interruption_panel import InterruptionPanel
from ui.lanes.timeline_view import TimelineView
from ui.library.library_panel import LibraryPanel
from ui.panels.findings_panel import FindingsPanel
from ui.panels.health_panel import HealthPanel
from ui.panels.markers_panel import MarkersPanel
from ui.panels.session_page import SessionPage
from ui.panels.transcript_view import TranscriptView
from ui.panels.turns_panel import TurnsPanel
from ui.parts.device_picker import DeviceRow
from ui.parts.dock import Dock
from ui.parts.icons import Icons
from ui.parts.keyboard import is_seen
from ui.parts.notice_bar import NoticeBar
from ui.parts.theme import GRID, Theme
from ui.playing.player_bar import PlayerBar
from ui.services import Services
from ui.transport_bar import TransportBar

VERSION = 3
"""Raised when a layout kept by an older program would not fit."""
BESIDE = ("transcript", "inspector")
"""The docks at the right of the timeline; the others are below."""


class Layout:
    """Makes the parts of ``window`` and puts them in their places."""

    def __init__(self, window: QMainWindow, services: Services, theme: Theme, icons: Icons) -> None:
        """Build everything."""
        self._window = window
        self.transport = TransportBar(theme, icons)
        self.devices = DeviceRow(theme, icons)
        self.notices = NoticeBar(theme, icons)
        self.timeline = TimelineView(theme, icons)
        self.player = PlayerBar(theme, icons)
        self.timeline.put_player(self.player)
        self.transcript = TranscriptView(theme, icons)
        self.interruptions = InterruptionPanel(theme)
        self.inspector = Inspector(theme, icons)
        self.events = EventLog(icons)
        self.turns = TurnsPanel(theme)
        self.findings = FindingsPanel()
        self.health = HealthPanel(theme)
        self.markers = MarkersPanel(icons)
        self.page = SessionPage(theme)
        self.library = LibraryPanel(services, theme, icons)
        self._build_rows()
        self._build_centre()
        self.docks = self._build_docks(icons)
        self.reset()

    def reset(self) -> None:
        """Put the docks where they belong at first."""
        beside = [dock for dock in self.docks if dock.objectName() in BESIDE]
        bottom = [dock for dock in self.docks if dock.objectName() not in BESIDE]
        for dock in self.docks:
            if dock.isFloating():
                dock.setFloating(False)
            # what is not seen leaves no bar of tabs behind when it comes into another group
            dock.hide()
        for docks, area in (
            (beside, Qt.DockWidgetArea.RightDockWidgetArea),
            (bottom, Qt.DockWidgetArea.BottomDockWidgetArea),
        ):
            # one on the other at once: side by side they might need more room than there is
            self._window.addDockWidget(area, docks[0])
            for before, dock in pairwise(docks):
                self._window.tabifyDockWidget(before, dock)
        for dock in self.docks:
            dock.show()
        for docks in (beside, bottom):
            docks[0].raise_()
        self._name_docks()
        self._window.resizeDocks([beside[0]], [352], Qt.Orientation.Horizontal)
        self._window.resizeDocks([bottom[0]], [208], Qt.Orientation.Vertical)

    def bring(self, dock: Dock) -> None:
        """Put ``dock`` in front with the keyboard in it; if it is there, back in the timeline."""
        here = QApplication.focusWidget()
        if is_seen(dock) and here is not None and dock.isAncestorOf(here):
            entry = self.timeline.lanes
        else:
            dock.show()
            dock.raise_()
            entry = dock.entry
        entry.setFocus(Qt.FocusReason.ShortcutFocusReason)
        dock.toggleViewAction().toggled.emit(True)

    def show_beside(self, panel: QWidget) -> None:
        """Bring ``panel`` in sight, and leave the keyboard where it is."""
        for dock in self.docks:
            if dock.widget() is panel and not is_seen(panel):
                dock.show()
                dock.raise_()

    def _name_docks_soon(self) -> None:
        # Docks still tell of their moves while the window is being deleted.
        if isValid(self._window):
            QTimer.singleShot(0, self._window, self._name_docks)

    def _name_docks(self) -> None:
        for dock in self.docks:
            tabbed = bool(self._window.tabifiedDockWidgets(dock)) and not dock.isFloating()
            dock.show_title(not tabbed)
        for bar in self._window.findChildren(
            QTabBar, "", Qt.FindChildOption.FindDirectChildrenOnly
        ):
            bar.setAccessibleName("Panels")
            if not bar.count():
                # Qt leaves it behind, where it may be in the way of a click; it may use it again
                bar.move(-bar.width(), -bar.height())

    def state(self) -> str:
        """Return where the docks are, to be kept in the settings."""
        return bytes(self._window.saveState(VERSION).toBase64()).decode()

    def restore(self, state: str) -> None:
        """Put the docks where ``state`` says; anything unusable changes nothing."""
        if state:
            self._window.restoreState(QByteArray.fromBase64(state.encode()), VERSION)
            # What was told then is not told now, and an empty row would stand there.
            self._notice_row.setVisible(bool(self.notices.lines))
            self._name_docks_soon()

    def _build_rows(self) -> None:
        for name, row in (
            ("transport", self.transport),
            ("devices", self.devices),
            ("notices", self.notices),
        ):
            bar = QToolBar(name)
            bar.setObjectName(name)
            bar.setMovable(False)
            bar.setFloatable(False)
            bar.toggleViewAction().setEnabled(False)
            bar.toggleViewAction().setVisible(False)
            bar.addWidget(row)
            self._window.addToolBar(Qt.ToolBarArea.TopToolBarArea, bar)
            self._window.addToolBarBreak()
        self._notice_row = bar
        bar.hide()
        self.notices.shown_changed.connect(bar.setVisible)
        self._window.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)

    def _build_centre(self) -> None:
        centre = QWidget()
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, GRID // 2, 0, 0)
        column.addWidget(self.timeline)
        self._window.setCentralWidget(centre)

    def _build_docks(self, icons: Icons) -> list[Dock]:
        window = self._window
        options = QMainWindow.DockOption
        window.setDockOptions(options.AllowTabbedDocks | options.AnimatedDocks)
        window.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        window.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.BottomDockWidgetArea)
        whats = (
            ("transcript", "Transcript", self.transcript, self.transcript.entry),
            ("interruptions", "Interruptions", self.interruptions, self.interruptions.table),
            ("turns", "Turns", self.turns, self.turns.table),
            ("events", "Events", self.events, self.events.table),
            ("health", "Audio health", self.health, self.health),
            ("markers", "Markers", self.markers, self.markers.table),
            ("page", "Session", self.page, self.page.title),
            ("library", "Recordings", self.library, self.library.table),
            ("inspector", "Inspector", self.inspector, self.inspector.entry),
            ("findings", "Findings", self.findings, self.findings.table),
        )
        docks = [Dock(*what, icons, window=window) for what in whats]
        for dock in docks:
            for signal in (dock.topLevelChanged, dock.dockLocationChanged, dock.visibilityChanged):
                signal.connect(lambda _: self._name_docks_soon())
        return docks
