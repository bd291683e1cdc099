"""Listening to a recording: begins and ends a playback, and tells where it is. Main thread only."""

from __future__ import annotations

from collections import deque
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from ui.background import Background
from ui.services import Playback, Services


class Listening(QObject):
    """At most one playback at a time."""

    changed = Signal()
    failed = Signal(object)

    def __init__(self, services: Services, parent: QObject | None = None) -> None:
        """Begin silent."""
        super().__init__(parent)
        self._services = services
        self._background = Background("listening", self)
        self._playback: Playback | None = None
        self._past: deque[Playback] = deque()
        """To be closed, by the thread: those that were stopped, and one nobody has taken yet."""
        self._opening = False

    @property
    def active(self) -> bool:
        """Whether a recording is being played, or about to be."""
        return self._opening or self._playback is not None

    @property
    def position_s(self) -> float | None:
        """Session seconds of what is heard now; None while nothing is."""
        return self._playback.position_s if self._playback is not None else None

    def start(self, bundle: Path, speaker: str, from_s: float) -> None:
        """Play ``bundle`` from ``from_s`` on, unless something plays."""
        if self.active:
            return
        self._opening = True
        self._background.run(
            lambda: self._listen(bundle, speaker, from_s), self._started, self._not_started
        )
        self.changed.emit()

    def stop(self) -> None:
        """Fall silent at once."""
        self._opening = False
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

    def _finish(self) -> None:
        if self._playback is not None:
            self._past.append(self._playback)
            self._playback = None
            self._put_away()

    def _put_away(self) -> None:
        self._background.run(self._close_past, lambda _: None)

    def _close_past(self) -> None:
        while self._past:
            self._past.popleft().close()

    def _listen(self, bundle: Path, speaker: str, from_s: float) -> Playback:
        self._close_past()
        playback = self._services.listen(bundle, speaker, from_s)
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
        self.changed.emit()

    def _not_started(self, error: Exception) -> None:
        self._opening = False
        self.failed.emit(error)
        self.changed.emit()
