"""The window: connects what the person wishes to the session, and the session to what is shown.

Main thread only. The screen pulls: once a frame the feed reads the session, and the panels take
what changed; nothing is pushed at them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QEvent, QKeyCombination, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QCloseEvent, QHideEvent, QShowEvent
from PySide6.QtWidgets import QLineEdit, QPushButton

from app.events import Event
from ui.actions import Actions
from ui.background import Background
from ui.choices import Choices
from ui.desk import Desk
from ui.feed import SessionFeed
from ui.frame_clock import FrameClock
from ui.health_facts import health_facts
from ui.help_dialog import HelpDialog
from ui.help_texts import ABOUT, KEYS, WORDS
from ui.icons import Icons
from ui.keyboard import KeyboardWindow
from ui.layout import Layout
from ui.recording_control import RecordingControl
from ui.services import Services
from ui.theme import GRID, Theme

if TYPE_CHECKING:
    from app.notices import NoticeBoard
    from app.session import Session

EMPTY = "Press Start and speak. What you say will appear here."
INPUT_ENDED = (
    "The caller's file has ended; the microphone is silent now. "
    "End the session when you have heard enough."
)
PANELS_EVERY = 6
"""Frames from one update of the panels to the next: ten a second."""
HEALTH_EVERY = 15
LINGER_FRAMES = 30
"""Frames after the end in which late events are still taken in."""


class MainWindow(KeyboardWindow):
    """Everything a person sees; owns the desk, the frame clock and the panels."""

    closed = Signal()
    """Everything has ended; the window is gone."""

    def __init__(self, services: Services, theme: Theme) -> None:
        """Build the window with what was remembered; it is not shown yet."""
        super().__init__()
        self._services, self._theme = services, theme
        theme.choose(str(services.settings.screen.get("scheme", "system")))
        icons = Icons(theme)
        self.setWindowTitle("Turnscope")
        self.setWindowIcon(icons.icon("turnscope", "user"))
        self.parts = Layout(self, theme, icons)
        self.menu = Actions(self)
        self.desk = Desk(services, self)
        self.choices = Choices(services, self.parts.transport, self.parts.devices, self)
        self.recording = RecordingControl(services, self._bundle, self)
        self.frame_clock = FrameClock(self, self._draw)
        self._settings_job = Background("settings", self)
        self._feed: SessionFeed | None = None
        self._pending: list[Event] = []
        self._cursors = {"program": 0, "session": 0}
        self._frame = self._frames_left = 0
        self._end_is_told = self._input_end_is_told = False
        self._may_close = self._is_closing = False
        self._connect()
        self._restore()
        self._show_state()
        self._draw_notices("program", services.notices)

    # --- what is remembered

    def _restore(self) -> None:
        kept = self._services.settings.screen
        self.setContentsMargins(GRID, 0, GRID, GRID)
        self.resize(1280, 800)
        self.restoreGeometry(QByteArray.fromBase64(str(kept.get("geometry", "")).encode()))
        self.parts.restore(str(kept.get("layout", "")))
        self.menu.schemes[self._theme.scheme].setChecked(True)
        self.parts.timeline.set_empty_text(EMPTY)

    def _remember(self) -> None:
        kept = self._services.settings.screen
        kept["scheme"] = self._theme.scheme
        kept["geometry"] = bytes(self.saveGeometry().toBase64().data()).decode()
        kept["layout"] = self.parts.state()
        self._settings_job.run(self._services.save_settings, lambda _: None)

    # --- connections

    def _connect(self) -> None:
        self._connect_transport()
        self._connect_panels()
        self._connect_menu()
        self.desk.session_opened.connect(self._session_opened)
        self.desk.closed.connect(self._finish_closing)
        self.recording.changed.connect(self._keep_drawing)
        for source in (self.desk, self.choices, self.recording):
            source.failed.connect(self.show_error)
        for source in (self.choices, self.recording):
            source.told.connect(self.parts.notices.add)

    def _connect_transport(self) -> None:
        bar, row = self.parts.transport, self.parts.devices
        bar.start_requested.connect(self.start)
        bar.end_requested.connect(self.desk.end)
        bar.interrupt_requested.connect(self.interrupt)
        bar.mute_requested.connect(self.desk.set_muted)
        row.user_meter.clip_reset_requested.connect(lambda: self._reset_clip("user"))
        row.agent_meter.clip_reset_requested.connect(lambda: self._reset_clip("agent"))

    def _connect_panels(self) -> None:
        parts, timeline = self.parts, self.parts.timeline
        parts.transcript.text_entered.connect(self.desk.send_text)
        parts.interruptions.interruption_chosen.connect(timeline.show_moment)
        parts.events.moment_activated.connect(timeline.go)
        parts.turns.moment_chosen.connect(timeline.go)
        timeline.mark_activated.connect(parts.interruptions.select)
        timeline.moment_clicked.connect(self._listen_from)
        timeline.following_changed.connect(self.menu.follow.setChecked)
        bar = timeline.recording_bar
        bar.listen_requested.connect(self.listen)
        bar.replay_requested.connect(self.replay)
        bar.save_requested.connect(self.recording.save)
        bar.folder_requested.connect(self.recording.show_folder)

    def _connect_menu(self) -> None:
        menu, timeline = self.menu, self.parts.timeline
        menu.add_panels(self.parts.docks, self.parts.bring)
        self.keep_keys(QKeyCombination(Qt.KeyboardModifier.ControlModifier, Qt.Key.Key_E))
        pairs: list[tuple[QAction, Callable[[], object]]] = [
            (menu.start, self.start),
            (menu.end, self.desk.end),
            (menu.interrupt, self.interrupt),
            (menu.mute, lambda: self.desk.set_muted(menu.mute.isChecked())),
            (menu.listen, self.listen),
            (menu.replay, self.replay),
            (menu.save, lambda: self.recording.save(False)),
            (menu.save_apart, lambda: self.recording.save(True)),
            (menu.show_folder, self.recording.show_folder),
            (menu.agent_form, self.choices.edit_agent),
            (menu.recordings, self.choices.choose_folder),
            (menu.quit, self.close),
            (menu.zoom_in, lambda: timeline.zoom(1.5)),
            (menu.zoom_out, lambda: timeline.zoom(1 / 1.5)),
            (menu.fit, timeline.fit),
            (menu.follow, lambda: timeline.set_following(menu.follow.isChecked())),
            (menu.beginning, lambda: timeline.go(0.0)),
            (menu.last, lambda: timeline.go(timeline.scene.duration_s)),
            (menu.reset_layout, self.parts.reset),
            (menu.keys, lambda: HelpDialog("Keys", KEYS, self).show()),
            (menu.words, lambda: HelpDialog("What the numbers mean", WORDS, self).show()),
            (menu.about, lambda: HelpDialog("About Turnscope", ABOUT, self).show()),
        ]
        menu.connect_all(pairs)
        menu.connect_all(
            (action, lambda name=name: self._theme.choose(name))
            for name, action in menu.schemes.items()
        )

    # --- the session

    def start(self) -> None:
        """Begin a session with the chosen agent and devices."""
        self._begin(replays=None)

    def replay(self) -> None:
        """Begin a session whose microphone is the user track of the one on screen."""
        bundle = self._bundle()
        if bundle is not None:
            self._begin(replays=bundle)

    def interrupt(self) -> None:
        """Silence the agent; or the recording, if that is what can be heard."""
        if self.recording.listening:
            self.recording.stop()
        else:
            self.desk.interrupt()

    def listen(self) -> None:
        """Play the recording from what is in view on, or stop playing it."""
        if self.desk.busy:
            return
        timeline = self.parts.timeline
        from_s = timeline.axis.start_s
        if timeline.axis.following or from_s >= timeline.scene.duration_s:
            from_s = 0.0
        self.recording.listen(self.parts.devices.speaker.choice, from_s)

    def _listen_from(self, t: float) -> None:
        """Go on listening at ``t``."""
        if self.recording.listening:
            self.recording.seek(self.parts.devices.speaker.choice, t)

    def _begin(self, replays: Path | None) -> None:
        request = None if self.desk.busy else self.choices.request(replays)
        if request is None:
            return
        if not isinstance(self.focusWidget(), (QPushButton, QLineEdit)):
            # What has the focus is about to be disabled, and would leave it to the End button.
            self.parts.timeline.lanes.setFocus()
        self.recording.stop()
        self.parts.notices.clear()
        self.desk.start(request)
        self._keep_drawing()

    def _session_opened(self, session: Session) -> None:
        self._feed = SessionFeed(session)
        self._cursors["session"] = 0
        self._pending.clear()
        self._end_is_told = self._input_end_is_told = False
        parts = self.parts
        parts.timeline.set_scene(self._feed.scene)
        parts.events.clear()
        parts.transcript.chat.show_lines([])
        parts.interruptions.show_interruptions([])
        parts.turns.show_turns([], [], [])
        self._keep_drawing()

    def _bundle(self) -> Path | None:
        session = self.desk.session
        return session.bundle if session is not None else None

    # --- frames

    def _keep_drawing(self) -> None:
        self._frames_left = LINGER_FRAMES
        self.frame_clock.set_running(True)
        self._show_state()

    def _draw(self) -> None:
        self._frame += 1
        self.recording.advance()
        if self._feed is not None:
            self._draw_session(self._feed)
        self._show_state()
        if self.desk.busy or self.recording.listening:
            self._frames_left = LINGER_FRAMES
        self._frames_left -= 1
        if self._frames_left <= 0:
            self._draw_panels()
            self.frame_clock.set_running(False)

    def _draw_session(self, feed: SessionFeed) -> None:
        self._pending += feed.advance()
        feed.scene.playhead_s = self.recording.playhead_s
        self.parts.timeline.advance()
        self.parts.transport.show_clock(feed.session.now())
        self._draw_meters(feed.session)
        if self._frame % PANELS_EVERY == 0:
            self._draw_panels()
        if self._frame % HEALTH_EVERY == 0:
            self.parts.health.show_facts(health_facts(feed))

    def _draw_meters(self, session: Session) -> None:
        row, tracks, now = self.parts.devices, session.tracks, session.now()
        live = session.state == "running"
        row.user_meter.show_reading(tracks.user.meter.reading(now) if live else None)
        row.agent_meter.show_reading(tracks.agent.meter.reading(now) if live else None)

    def _draw_panels(self) -> None:
        feed = self._feed
        if feed is None:
            return
        if self._pending:
            tracker, parts = feed.tracker, self.parts
            parts.events.append(self._pending)
            self._pending = []
            parts.transcript.chat.show_lines(tracker.transcript)
            parts.interruptions.show_interruptions(tracker.interruptions)
            parts.turns.show_turns(
                feed.scene.user.turns, feed.scene.agent.turns, tracker.response_latencies_ms
            )
        self._draw_notices("session", feed.session.notices)
        self._tell_input_end(feed.session)
        self._tell_end(feed.session)
        self._draw_notices("program", self._services.notices)

    def _draw_notices(self, whose: str, board: NoticeBoard) -> None:
        notices, self._cursors[whose], _ = board.read(self._cursors[whose])
        for notice in notices:
            sentence = f"{notice.sentence} {notice.advice}".strip()
            self.parts.notices.add(notice.level, sentence, notice.details)

    def _tell_input_end(self, session: Session) -> None:
        """Say once that the file which speaks has ended, for the session goes on."""
        if session.state == "running" and session.input_has_ended and not self._input_end_is_told:
            self._input_end_is_told = True
            self.parts.notices.add("info", INPUT_ENDED)

    def _tell_end(self, session: Session) -> None:
        """Say once why the session has ended and where its recording is."""
        if self._end_is_told or not session.state.over:
            return
        self._end_is_told = True
        self.parts.notices.dismiss(INPUT_ENDED)
        # A failure has its own notice already.
        parts = [] if session.state == "failed" else [session.sentence]
        if session.bundle is not None:
            parts.append(f"The recording is in “{session.bundle}”.")
        if any(parts):
            self.parts.notices.add("info", " ".join(parts))

    def _show_state(self) -> None:
        parts, state, session = self.parts, self.desk.state, self.desk.session
        busy, has_recording = self.desk.busy, self._bundle() is not None
        parts.transport.show_state(state, self._state_word(state))
        parts.transport.show_muted(busy and session is not None and session.muted)
        parts.devices.set_enabled(not busy)
        parts.transcript.set_running(state == "running")
        parts.timeline.recording_bar.show_state(has_recording, self.recording.listening, busy)
        parts.timeline.set_empty_text(self._empty_text(state))
        self.menu.show_state(state, busy, has_recording, self.recording.listening)
        self.menu.mute.setChecked(parts.transport.mute.isChecked())

    def _empty_text(self, state: str) -> str:
        if state == "connecting":
            return "Connecting…"
        return EMPTY if self._feed is None else ""

    def _state_word(self, state: str) -> str:
        if state != "running" or self.desk.session is None:
            return state
        return "agent speaking" if self.desk.session.agent_speaking else "listening"

    def _reset_clip(self, party: str) -> None:
        if self._feed is not None:
            getattr(self._feed.session.tracks, party).meter.reset_clip()

    def show_error(self, error: BaseException) -> None:
        """Tell the person about an error, in a sentence."""
        notice = self._services.explain(error)
        sentence = f"{notice.sentence} {notice.advice}".strip()
        self.parts.notices.add(notice.level, sentence, notice.details)

    # --- the window itself

    def showEvent(self, event: QShowEvent) -> None:
        """Take the pace of a window that can be seen."""
        super().showEvent(event)
        self.frame_clock.visibility_changed()

    def hideEvent(self, event: QHideEvent) -> None:
        """Take the pace of a window that cannot be seen."""
        super().hideEvent(event)
        self.frame_clock.visibility_changed()

    def changeEvent(self, event: QEvent) -> None:
        """Notice being minimised."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange:
            self.frame_clock.visibility_changed()

    def closeEvent(self, event: QCloseEvent) -> None:
        """End what runs, out of sight, and close when it has ended."""
        if self._may_close:
            event.accept()
            self.closed.emit()
            return
        event.ignore()
        if not self._is_closing:
            self._is_closing = True
            self._remember()
            self.hide()
            self.recording.stop()
            self.desk.close()

    def _finish_closing(self) -> None:
        self.frame_clock.set_running(False)
        self.recording.close()
        self.choices.close()
        self._settings_job.finish()
        self._end_is_told = False
        self._may_close = True
        QTimer.singleShot(0, self, self.close)
