"""The window's parts that grow with a session, without the window. Main thread only."""

from __future__ import annotations

from typing import Any, Self

from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ui.application import create_application
from ui.event_log.event_log import EventLog
from ui.feed import SessionFeed
from ui.inspection.interruption_panel import InterruptionPanel
from ui.lanes.timeline_view import TimelineView
from ui.panels.transcript_view import TranscriptView
from ui.panels.turns_panel import TurnsPanel
from ui.parts.icons import Icons
from ui.parts.theme import Theme


class WindowParts:
    """Timeline, transcript and tables of one session, brought up to date as the window does."""

    def __init__(self, session: Any) -> None:
        """Show them, with nothing in them yet."""
        self.application = QCoreApplication.instance() or create_application()
        self.theme = Theme(self.application, "light")
        icons = Icons(self.theme)
        self.feed = SessionFeed(session)
        self.timeline = TimelineView(self.theme, icons)
        self.transcript = TranscriptView(self.theme, icons)
        self.interruptions, self.turns = InterruptionPanel(), TurnsPanel(self.theme)
        self.events = EventLog(icons)
        self.window = QWidget()
        column = QVBoxLayout(self.window)
        for part in (self.timeline, self.transcript, self.interruptions, self.turns, self.events):
            part.setFixedHeight(320 if part is self.timeline else 200)
            column.addWidget(part)
        self.window.resize(1280, 1200)
        self.timeline.set_scene(self.feed.scene)
        self.events.set_source(session.timeline)
        self.window.show()
        self._seen = 0

    def frame(self, *, with_panels: bool) -> None:
        """Draw a frame, and bring the panels up to date if it is their turn."""
        self.feed.advance()
        self.timeline.advance()
        if with_panels and self.feed.changes != self._seen:
            self._seen = self.feed.changes
            self._show_panels()
        QCoreApplication.processEvents()

    def _show_panels(self) -> None:
        turns, scene = self.feed.turns, self.feed.scene
        self.events.advance()
        self.transcript.show_turns(turns)
        self.interruptions.show_interruptions(turns.interruptions, turns.overlaps)
        self.turns.show_turns(scene.user.turns, scene.agent.turns, turns.responses)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Take it all off the screen."""
        self.window.close()
        self.window.deleteLater()
        self.theme.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
