"""The window: connects what the person wishes to what does it, and what there is to what shows it.

Main thread only. The screen pulls: once a frame what is in view is read, and the parts of the
window take what changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QEvent, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QHideEvent,
    QPaintEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QLineEdit, QPushButton

from ui.actions import Actions
from ui.choices import Choices
from ui.desk import Desk
from ui.inspecting import Inspecting
from ui.lanes.view_picture import picture_of
from ui.layout import Layout
from ui.limit_keeper import LimitKeeper
from ui.measuring import Measuring
from ui.opening import Opening, dropped_paths
from ui.other_windows import OtherWindows
from ui.parts.background import Background
from ui.parts.frame_clock import FrameClock
from ui.parts.icons import Icons
from ui.parts.keyboard import KeyboardWindow
from ui.parts.theme import GRID, Theme
from ui.playing.playing import Playing
from ui.recording_control import RecordingControl
from ui.remarks import Remarks
from ui.services import Services
from ui.state_display import StateDisplay
from ui.viewing import Viewing, show_notices
from ui.wiring import wire_menu, wire_parts

if TYPE_CHECKING:
    from app.analysis.viewed import Viewed
    from app.live.session import Session
    from app.notices import Notice
    from app.recordings.recording import Recording

PAGE_EVERY = 15
"""Frames from one look at the facts to the next: four a second."""
LINGER_FRAMES = 30
"""Frames after the end in which late events are still taken in."""
MOVED_FRAMES = 180
"""Frames after a movement in which finer detail may still come from the disk."""


class MainWindow(KeyboardWindow):
    """Everything a person sees; owns the desk, the frame clock and the panels."""

    appeared = Signal()
    """The window has been drawn for the first time: what can wait until then begins now."""
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
        self.setAcceptDrops(True)
        self.parts = parts = Layout(self, services, theme, icons)
        self.menu = Actions(self)
        self.desk = Desk(services, self)
        self.choices = Choices(services, parts.transport, parts.devices, self)
        self.limits = LimitKeeper(services, self)
        self.viewing = Viewing(parts, self, self.limits.limits)
        self.opening = Opening(services, lambda: self.desk.busy, self)
        self.recording = RecordingControl(self, find_folder=lambda: self.viewing.folder)
        self.playing = Playing(
            services,
            parts.timeline,
            parts.player,
            self,
            find=self.playable,
            speaker=lambda: parts.devices.speaker.choice,
        )
        self.inspecting = Inspecting(
            parts,
            self.playing,
            self,
            find_turns=lambda: self.viewing.turns,
            can_play=lambda: self.playable() is not None,
        )
        self.remarks = Remarks(services, parts.timeline, parts.markers, parts.page, self)
        self.measuring = Measuring(services, parts.timeline, self)
        self.others = OtherWindows(services, theme, icons, self)
        self.frame_clock = FrameClock(self, self._draw)
        self._settings_job = Background("settings", self)
        self._open: Recording | None = None
        """The recording that is in view."""
        self._told_program = 0
        self._frame = self._frames_left = 0
        self._may_close = self._is_closing = self._has_appeared = False
        self._state_display = StateDisplay(
            parts,
            self.menu,
            self.desk,
            self.viewing,
            self.opening,
            self.playing,
            self.inspecting,
        )
        wire_parts(self)
        wire_menu(self)
        self._connect()
        self._restore()
        self._state_display.show()
        self._told_program = show_notices(parts, services.notices, 0)

    def _connect(self) -> None:
        self.desk.session_opened.connect(self._session_opened)
        self.desk.closed.connect(self._finish_closing)
        self.opening.opened.connect(self._recording_opened)
        self.opening.changed.connect(self._opening_changed)
        self.remarks.title_changed.connect(self._show_title)
        self.playing.changed.connect(self.keep_drawing)
        self.parts.timeline.moved.connect(self._moved)
        self.appeared.connect(self.opening.recover)

    # --- what is remembered

    @property
    def theme(self) -> Theme:
        """The colours."""
        return self._theme

    def _restore(self) -> None:
        kept = self._services.settings.screen
        self.setContentsMargins(GRID, 0, GRID, GRID)
        self.resize(1280, 800)
        self.restoreGeometry(QByteArray.fromBase64(str(kept.get("geometry", "")).encode()))
        self.parts.restore(str(kept.get("layout", "")))
        self.menu.schemes[self._theme.scheme].setChecked(True)
        self.menu.show_recent(self.opening.recent, self.open_path)

    def _remember(self) -> None:
        kept = self._services.settings.screen
        kept["scheme"] = self._theme.scheme
        kept["geometry"] = bytes(self.saveGeometry().toBase64().data()).decode()
        kept["layout"] = self.parts.state()
        self._settings_job.run(self._services.save_settings, lambda _: None)

    # --- sessions

    def start(self) -> None:
        """Begin a session with the chosen agent and devices."""
        self._begin(replays=None)

    def replay(self, recording: Path | None = None) -> None:
        """Begin a session whose microphone is the user track of ``recording``, else of the view."""
        if recording is not None:
            self._begin(replays=recording)
        elif self.viewing.asked is not None:
            self._begin(replays=self.viewing.asked, swap=self.playing.swapped)

    def interrupt(self) -> None:
        """Silence the agent; or the recording, if that is what can be heard; or select nothing."""
        if self.playing.active:
            self.playing.stop()
        elif self.desk.state == "running":
            self.desk.interrupt()
        else:
            self.parts.timeline.select(None)

    def _begin(self, replays: Path | None, swap: bool = False) -> None:
        request = None if self.desk.busy else self.choices.request(replays)
        if request is None:
            return
        request = replace(request, swap=swap)
        if not isinstance(self.focusWidget(), (QPushButton, QLineEdit)):
            # What has the focus is about to be disabled, and would leave it to the End button.
            self.parts.timeline.lanes.setFocus()
        self.playing.stop()
        self.opening.forget()
        self.parts.notices.clear()
        self.desk.start(request)
        self.keep_drawing()

    # --- recordings

    def show_recovered(self, notices: Sequence[Notice]) -> None:
        """Tell of what was cut short when the program ended before its session."""
        for notice in notices:
            self.show_notice(notice)
        if notices:
            self.parts.library.refresh()

    def tell_trashed(self, paths: Sequence[Path]) -> None:
        """Fall silent, and tell, where what is in view has been moved to the trash.

        Of one recording alone that is all there is to tell: the notice of it goes.
        """
        if self.bundle() in paths:
            self.playing.stop()
            if len(paths) == 1:
                self.parts.notices.dismiss(self.parts.library.told_of_trash)
            self.parts.notices.add("info", "The recording in view is in the trash now.")

    def open_path(self, path: Path) -> None:
        """Open a bundle's folder, a zip of one, or an audio file; it appears when it is there."""
        self.opening.open(Path(path))

    def export(self, recording: Path | None = None) -> None:
        """Let ``recording`` be exported, else what is in view, or the selection in it."""
        asked = self.viewing.asked
        if recording is not None and recording not in (asked, self.bundle()):
            self.others.export(recording)
        elif asked is not None:
            self.others.export(
                asked,
                self.parts.timeline.scene.selection,
                self._picture_of(self.viewing.viewed),
                swap=self.playing.swapped,
            )

    def save_audio(self, kind: str) -> None:
        """Let the audio of all that is in view be exported: ``wav`` or ``tracks``."""
        asked = self.viewing.asked
        if asked is not None:
            picture = self._picture_of(self.viewing.viewed)
            swap = self.playing.swapped
            self.others.export(asked, None, picture, swap=swap, formats=(kind,))

    def _picture_of(self, viewed: Viewed | None) -> Callable[[str], bytes | None]:
        """Return what draws ``viewed`` while it is in view, and nothing once it is not."""

        def draw(kind: str) -> bytes | None:
            if self.viewing.viewed is not viewed:
                return None
            return picture_of(self.parts.timeline.lanes, kind, self.windowTitle())

        return draw

    def compare(self) -> None:
        """Ask what the recording in view is to be compared with."""
        asked = self.viewing.asked
        if asked is not None:
            self.others.ask_what_to_compare(asked)

    def swap(self) -> None:
        """Let user and agent of an audio file change places."""
        opened = self._open
        if opened is None or self.viewing.viewed is not opened:
            return
        self.playing.stop()
        self.playing.swapped = not self.playing.swapped
        opened.swap()
        axis = self.parts.timeline.axis
        window = (axis.start_s, axis.stop_s)
        self._view(opened)
        axis.show(*window)

    def bundle(self) -> Path | None:
        """Return the folder of what is in view; None where it has none."""
        return self.viewing.bundle

    def playable(self) -> Path | None:
        """Return what can be played: what is in view, and on disk, while no session runs."""
        return None if self.desk.busy else self.viewing.source

    def _recording_opened(self, recording: Recording) -> None:
        if self.desk.busy:
            self.opening.put_away(recording)
            return
        self.playing.stop()
        self.parts.notices.clear()
        self.desk.leave()
        self.playing.swapped = False
        past, self._open = self._open, recording
        self._view(recording)
        if past is not None:
            self.opening.put_away(past)

    def _session_opened(self, session: Session) -> None:
        past, self._open = self._open, None
        self.playing.swapped = False
        self._view(session)
        if past is not None:
            self.opening.put_away(past)

    def _opening_changed(self) -> None:
        self.menu.show_recent(self.opening.recent, self.open_path)
        self.keep_drawing()

    def _view(self, viewed: Viewed | Session) -> None:
        self.inspecting.forget()
        self.viewing.show(viewed)
        self.remarks.show(viewed)
        self.measuring.show(viewed)
        self._show_title()
        self.keep_drawing()

    def _show_title(self) -> None:
        viewed = self.viewing.viewed
        if viewed is None:
            return
        name = getattr(viewed, "title", "") or getattr(viewed, "agent_label", "")
        self.setWindowTitle(f"{self.remarks.title or name} — Turnscope")

    # --- frames

    def keep_drawing(self) -> None:
        """Let frames be drawn for a while: something has changed."""
        self._frames_left = max(self._frames_left, LINGER_FRAMES)
        self.frame_clock.set_running(True)
        self._state_display.show()

    def _moved(self) -> None:
        menu, timeline = self.menu, self.parts.timeline
        menu.decibels.setChecked(timeline.lanes.amplitude.is_db)
        self._frames_left = max(self._frames_left, MOVED_FRAMES)
        if self.viewing.viewed is not None:
            self.frame_clock.set_running(True)

    def _draw(self) -> None:
        self._frame += 1
        self.playing.advance()
        self.viewing.advance()
        self.inspecting.advance()
        self._draw_clock()
        if self._frame % PAGE_EVERY == 0:
            self.remarks.advance()
        self._told_program = show_notices(self.parts, self._services.notices, self._told_program)
        self._state_display.show()
        if self.desk.busy or self.playing.active or not self.viewing.is_settled:
            self._frames_left = max(self._frames_left, LINGER_FRAMES)
        self._frames_left -= 1
        if self._frames_left <= 0:
            self.viewing.draw_panels()
            self.remarks.advance()
            self.frame_clock.set_running(False)

    def _draw_clock(self) -> None:
        """Show session time: "now" while a session runs or is played, else how long it is."""
        viewed, scene = self.viewing.viewed, self.parts.timeline.scene
        if viewed is not None:
            at = scene.playhead_s if self.playing.active else None
            self.parts.transport.show_clock(viewed.now() if at is None else at)

    def show_error(self, error: BaseException) -> None:
        """Tell the person about an error, in a sentence."""
        self.show_notice(self._services.explain(error))

    def show_notice(self, notice: Notice) -> None:
        """Tell the person something."""
        sentence = f"{notice.sentence} {notice.advice}".strip()
        self.parts.notices.add(notice.level, sentence, notice.details)

    # --- the window itself

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files and folders."""
        if dropped_paths(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what was dropped."""
        event.acceptProposedAction()
        self.opening.open_dropped(event.mimeData())

    def showEvent(self, event: QShowEvent) -> None:
        """Take the pace of a window that can be seen."""
        super().showEvent(event)
        self.frame_clock.visibility_changed()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Tell, once, that there is something to be seen."""
        super().paintEvent(event)
        if not self._has_appeared:
            self._has_appeared = True
            QTimer.singleShot(0, self, self.appeared.emit)

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
            self.playing.stop()
            self.desk.close()

    def _finish_closing(self) -> None:
        self.frame_clock.set_running(False)
        self.playing.close()
        self.remarks.close()
        self.measuring.close()
        if self._open is not None:
            self.opening.put_away(self._open)
        self.opening.close()
        self.choices.close()
        self._settings_job.finish()
        self.others.close()
        self.parts.library.close_jobs()
        self.viewing.close()
        self._may_close = True
        QTimer.singleShot(0, self, self.close)
