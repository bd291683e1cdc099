"""Two recordings, opened and compared off the main thread. Main thread only."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.plain import one_line
from ui.feed import SessionFeed
from ui.parts.background import Background
from ui.services import Services

if TYPE_CHECKING:
    from app.comparison.compare import Comparison
    from app.recordings.recording import Recording


class CompareLoader(QObject):
    """Opens two recordings, waits until their turns are known, and compares them as often as asked.

    It owns what it opens: ``close`` lets go of it.
    """

    opened = Signal()
    """Both are there to be drawn; ``feeds`` holds them."""
    compared = Signal(object)
    """A `Comparison`."""
    failed = Signal(object)
    """One of them cannot be opened, or not be compared."""

    CLOSE_WITHIN_S = 5.0

    def __init__(self, services: Services, parent: QObject) -> None:
        """Prepare; ``open`` opens."""
        super().__init__(parent)
        self._services = services
        self._opening = Background("opening to compare", self)
        self._comparing = Background("comparing", self)
        self._held: deque[Recording] = deque()
        """To be closed in the end, whoever has them by then."""
        self.recordings: tuple[Recording, ...] = ()
        self.feeds: tuple[SessionFeed, ...] = ()
        self.titles: tuple[str, ...] = ()
        """What a person has called them, else the names of their folders."""
        self._offset_s: float | None = None
        self._is_wanted = False

    @property
    def progress(self) -> float:
        """How much is known of both, 0 to 1."""
        return min((each.progress for each in self.recordings), default=0.0)

    def open(self, first: Path, second: Path) -> None:
        """Open these two. Once only."""
        self._opening.run(
            lambda: [self._open(path) for path in (first, second)], self._opened, self.failed.emit
        )

    def swap(self) -> None:
        """Let the two change places."""
        self.recordings = self.recordings[::-1]
        self.feeds = self.feeds[::-1]
        self.titles = self.titles[::-1]

    def compare(self, offset_s: float | None = None) -> None:
        """Compare them as soon as their turns are known; None has the offset found."""
        self._offset_s = offset_s
        self._is_wanted = True

    def advance(self) -> None:
        """Take in what has become known since the last call."""
        for feed in self.feeds:
            feed.advance()
        turns = [each.turns for each in self.recordings]
        # the tracks tell the offset as well, where turns cannot
        is_known = self.progress >= 1.0 or (self._offset_s is not None and None not in turns)
        if self._is_wanted and turns and is_known:
            self._is_wanted = False
            self._begin(turns)

    def close(self, done: Callable[[], None]) -> None:
        """Open and compare no more, close what is open off the main thread, then call ``done``."""
        self._is_wanted = False
        self._comparing.close(0.0)
        self._opening.run(self._close_held, lambda _: done(), lambda _: done())

    def _open(self, path: Path) -> tuple[Recording, str]:
        recording = self._services.open_recording(path, False)
        self._held.append(recording)
        bundle = recording.bundle
        title = "" if bundle is None else self._services.load_notes(bundle).title
        return recording, one_line(title) or recording.title

    def _opened(self, opened: list[tuple[Recording, str]]) -> None:
        recordings, titles = zip(*opened, strict=True)
        self.recordings, self.titles = recordings, titles
        self.feeds = tuple(SessionFeed(recording) for recording in recordings)
        for feed in self.feeds:
            feed.scene.is_mono = feed.session.is_mono
            if feed.scene.is_mono:
                feed.scene.names = ("Audio", "")
            feed.advance()
        self.opened.emit()

    def _begin(self, turns: list[object]) -> None:
        tracks = tuple(each.tracks.user.peaks for each in self.recordings)
        are_sessions = all(each.kind == "bundle" for each in self.recordings)
        offset_s = self._offset_s

        def work() -> Comparison:
            from app.comparison.align import align
            from app.comparison.compare import Comparison, compare

            wanted_s = align(*turns, tracks) if offset_s is None else offset_s
            # an audio file tells of no turns, which is not to say that there were none
            return compare(*turns, wanted_s) if are_sessions else Comparison(wanted_s or 0, [], [])

        self._comparing.run(work, self.compared.emit, self.failed.emit)

    def _close_held(self) -> None:
        self._comparing.finish(self.CLOSE_WITHIN_S)
        while self._held:
            self._held.popleft().close()
