"""Playing what is in view, and where its playhead stands. Main thread only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from ui.lanes.timeline_view import TimelineView
from ui.playing.listening import Listening
from ui.playing.player_bar import PlayerBar, PlayerShown
from ui.services import PlayWish, Services

if TYPE_CHECKING:
    from app.playing.gone_on import Continuation

AT_END_S = 0.02
"""From so near to the end playing begins anew."""


class Playing(QObject):
    """Plays the recording that ``find`` returns, and moves the playhead of the timeline's scene.

    The playhead stays where playing ended. A loop is that of the selection, or of all of it.
    """

    changed = Signal()
    """It has begun to play, paused or ended, or the playhead is elsewhere."""
    failed = Signal(object)

    def __init__(
        self,
        services: Services,
        timeline: TimelineView,
        bar: PlayerBar,
        parent: QObject,
        *,
        find: Callable[[], Path | None],
        speaker: Callable[[], str],
    ) -> None:
        """Begin silent; ``find`` tells what can be played now, ``speaker`` the chosen one."""
        super().__init__(parent)
        self._timeline, self._bar = timeline, bar
        self._find, self._speaker = find, speaker
        self._looping = False
        self.swapped = False
        """Whether the lanes of an audio file have changed places."""
        self.listening = Listening(services, self)
        self._connect()

    def _connect(self) -> None:
        bar, listening = self._bar, self.listening
        listening.changed.connect(self.changed)
        listening.failed.connect(self.failed)
        bar.play_requested.connect(self.play)
        bar.pause_requested.connect(listening.pause)
        bar.stop_requested.connect(self.stop)
        bar.selection_requested.connect(self.play_selection)
        bar.loop_toggled.connect(self.set_looping)
        bar.speed_changed.connect(listening.set_speed)
        bar.tracks_changed.connect(listening.set_tracks)
        self._timeline.selection_changed.connect(self._loop_elsewhere)

    @property
    def active(self) -> bool:
        """Whether it plays, is paused, or is about to play."""
        return self.listening.active

    def play(self) -> None:
        """Play from the playhead on, or go on after a pause."""
        if self.listening.paused:
            self.listening.resume()
            return
        scene = self._timeline.scene
        from_s, selection = scene.playhead_s or 0.0, scene.selection
        if self._looping and selection is not None:
            inside = selection[0] <= from_s < selection[1]
            self._play(from_s if inside else selection[0], *selection)
        else:
            at_end = from_s >= scene.duration_s - AT_END_S
            self._play(0.0 if at_end else from_s, 0.0, None)

    def play_selection(self) -> None:
        """Play what is selected, from its start to its end."""
        selection = self._timeline.scene.selection
        if selection is not None:
            self._play(selection[0], *selection)

    def play_stretch(
        self,
        from_s: float,
        to_s: float,
        continuations: tuple[Continuation, ...] = (),
        tracks: tuple[bool, bool] | None = None,
    ) -> None:
        """Play from ``from_s`` to ``to_s`` once, the agent going on with ``continuations``.

        ``tracks`` says whether the user is heard and whether the agent is, for this once; None
        leaves it to the buttons.
        """
        path = self._find()
        if path is not None:
            wish = PlayWish(path, self._speaker(), from_s, to_s, continuations=continuations)
            self.listening.play(replace(wish, swap=self.swapped), tracks)

    def set_looping(self, looping: bool) -> None:
        """Play the selection, or all of it, again and again; or to its end."""
        self._looping = looping
        self._loop_elsewhere()
        self.changed.emit()

    def move_playhead(self, t: float) -> None:
        """Let the playhead stand at ``t``, and go on playing from there if it plays."""
        if self._find() is None:
            return
        self._timeline.scene.playhead_s = t
        self.listening.seek(t)
        self.changed.emit()

    def stop(self) -> None:
        """Fall silent; the playhead stays where it is."""
        if self.listening.active:
            self.listening.stop()

    def advance(self) -> None:
        """Move the playhead along with what is heard; called once a frame."""
        self.listening.advance()
        scene, heard_s = self._timeline.scene, self.listening.position_s
        scene.playing = heard_s is not None and not self.listening.paused
        if self._find() is None:
            scene.playhead_s = None
        elif heard_s is not None:
            scene.playhead_s = heard_s
        elif scene.playhead_s is None:
            scene.playhead_s = 0.0
        self.show_state()

    def show_state(self) -> None:
        """Let the bar show what can be played, and what is."""
        scene, listening = self._timeline.scene, self.listening
        self._bar.show_state(
            PlayerShown(
                duration_s=scene.duration_s if self._find() is not None else 0.0,
                position_s=scene.playhead_s or 0.0,
                playing=listening.active and not listening.paused,
                paused=listening.paused,
                looping=self._looping,
                has_selection=scene.selection is not None,
                has_agent=not scene.is_mono,
            )
        )

    def close(self) -> None:
        """Fall silent, and wait a bounded time for the thread."""
        self.listening.close()

    def _play(self, from_s: float, start_s: float, stop_s: float | None) -> None:
        path = self._find()
        if path is None:
            return
        wish = PlayWish(
            path,
            self._speaker(),
            start_s if self._looping else from_s,
            stop_s,
            loop=self._looping,
            swap=self.swapped,
        )
        self.listening.play(wish)
        if self._looping and from_s != start_s:
            self.listening.seek(from_s)

    def _loop_elsewhere(self) -> None:
        """Let a loop that is played be that of another selection, or none."""
        scene = self._timeline.scene
        if self.listening.active:
            whole = (0.0, scene.duration_s)
            self.listening.set_loop((scene.selection or whole) if self._looping else None)
