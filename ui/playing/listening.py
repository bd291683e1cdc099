"""Listening to a recording: begins and ends a playback, and tells where it is. Main thread only."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from ui.parts.background import Background
from ui.services import Playback, PlayWish, Services

Range = tuple[float, float]


class Listening(QObject):
    """At most one playback at a time.

    Speed and who is heard are kept from one to the next. What is commanded while the speaker opens
    holds as soon as it has.
    """

    changed = Signal()
    """It has begun, ended, paused or gone on."""
    failed = Signal(object)

    def __init__(self, services: Services, parent: QObject | None = None) -> None:
        """Begin silent, with both parties heard at their own speed."""
        super().__init__(parent)
        self._services = services
        self._background = Background("listening", self)
        self._playback: Playback | None = None
        self._past: deque[Playback] = deque()
        """To be closed, by the thread: those that were stopped, and one nobody has taken yet."""
        self._opening = False
        self._paused = False
        self._later: list[Callable[[Playback], None]] = []
        """What was commanded while the speaker opened."""
        self.speed = 1.0
        self.tracks = (True, True)
        """Whether the user is heard, and whether the agent is."""

    @property
    def active(self) -> bool:
        """Whether a recording is being played, is paused, or is about to be played."""
        return self._opening or self._playback is not None

    @property
    def paused(self) -> bool:
        """Whether it is paused."""
        return self.active and self._paused

    @property
    def position_s(self) -> float | None:
        """Session seconds of what is heard now; None while nothing is."""
        return self._playback.position_s if self._playback is not None else None

    # -- commands ------------------------------------------------------------------------------

    def play(self, wish: PlayWish, tracks: tuple[bool, bool] | None = None) -> None:
        """Play this in place of what is played, at the speed and with the parties chosen here.

        ``tracks`` has others heard this once: the user or not, and the agent or not.
        """
        if self.active:
            self.stop()
        user, agent = tracks or self.tracks
        wish = replace(wish, speed=self.speed, user=user, agent=agent)
        self._opening, self._paused, self._later = True, False, []
        self._background.run(lambda: self._open(wish), self._started, self._not_started)
        self.changed.emit()

    def pause(self) -> None:
        """Fall silent at once, and keep the place."""
        if self.active and not self._paused:
            self._paused = True
            self._command(lambda playback: playback.pause())
            self.changed.emit()

    def resume(self) -> None:
        """Go on from there."""
        if self.paused:
            self._paused = False
            self._command(lambda playback: playback.resume())
            self.changed.emit()

    def seek(self, to_s: float) -> None:
        """Go on from second ``to_s``."""
        self._command(lambda playback: playback.seek(to_s))

    def set_loop(self, loop: Range | None) -> None:
        """Play a range again and again; None: the present one to its end."""
        self._command(lambda playback: playback.set_loop(loop))

    def set_speed(self, speed: float) -> None:
        """Play ``speed`` seconds of a recording in one, 0.5 to 2, from now on."""
        self.speed = speed
        self._command(lambda playback: playback.set_speed(speed))

    def set_tracks(self, user: bool, agent: bool) -> None:
        """Let the user, the agent, both or neither be heard from now on."""
        self.tracks = (user, agent)
        self._command(lambda playback: playback.set_tracks(user, agent))

    def stop(self) -> None:
        """Fall silent at once."""
        self._opening = self._paused = False
        if self._playback is not None:
            self._playback.stop()
            self._finish()
        self.changed.emit()

    def advance(self) -> None:
        """Notice the end of the recording; called once a frame."""
        playback = self._playback
        if playback is not None and playback.over:
            self._finish()
            if playback.error is not None:
                self.failed.emit(playback.error)
            self.changed.emit()

    def close(self) -> None:
        """Stop, and wait a bounded time for the thread."""
        self.stop()
        self._put_away()
        self._background.finish()

    # -- within --------------------------------------------------------------------------------

    def _command(self, command: Callable[[Playback], None]) -> None:
        if self._playback is not None:
            command(self._playback)
        elif self._opening:
            self._later.append(command)

    def _finish(self) -> None:
        self._paused = False
        if self._playback is not None:
            self._past.append(self._playback)
            self._playback = None
            self._put_away()

    def _put_away(self) -> None:
        self._background.run(self._close_past, lambda _: None)

    def _close_past(self) -> None:
        while self._past:
            self._past.popleft().close()

    def _open(self, wish: PlayWish) -> Playback:
        self._close_past()
        playback = self._services.play(wish)
        # The answer may be dropped: until somebody takes it, it is one to be closed.
        self._past.append(playback)
        return playback

    def _started(self, playback: Playback) -> None:
        if not self._opening:
            self._put_away()
            return
        self._opening = False
        self._past.remove(playback)
        self._playback = playback
        commands, self._later = self._later, []
        for command in commands:
            command(playback)
        self.changed.emit()

    def _not_started(self, error: Exception) -> None:
        self._opening = self._paused = False
        self.failed.emit(error)
        self.changed.emit()
