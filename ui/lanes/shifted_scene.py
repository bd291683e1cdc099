"""A scene on another session's time axis: everything in it comes so much later.

Main thread only.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ui.lanes.scene import RATE, Lane, Scene, Turn

if TYPE_CHECKING:
    from ui.lanes.envelope import Bounds, View


class ShiftedView:
    """A track's view, moved by whole samples."""

    def __init__(self, view: View, by_samples: int) -> None:
        """Tell of sample ``n`` where ``view`` tells of sample ``n - by_samples``."""
        self._view, self._by = view, by_samples

    def __call__(self, start: float, stop: float, columns: int) -> Bounds:
        """Return the extremes of samples ``[start, stop)`` in ``columns`` columns."""
        return self._view(start - self._by, stop - self._by, columns)


class ShiftedScene:
    """Keeps ``scene`` the same as ``source``, but for the shift."""

    def __init__(self, source: Scene) -> None:
        """Begin without a shift."""
        self.scene = Scene()
        self._source = source
        self._samples = 0
        self._seen: tuple[object, ...] = ()
        self.advance()

    @property
    def by_s(self) -> float:
        """How much later everything comes, in seconds."""
        return self._samples / RATE

    def move(self, by_s: float) -> None:
        """Have everything come ``by_s`` seconds later, to the sample."""
        self._samples = round(by_s * RATE)
        self._seen = ()
        self.advance()

    def advance(self) -> bool:
        """Take over what has changed in the source; say whether anything has."""
        source = self._source
        lanes = (source.user, source.agent)
        seen = (
            *(source.version, len(source.gaps), source.now_s, source.is_mono, source.names),
            *((lane.written, lane.detail) for lane in lanes),
        )
        if seen == self._seen:
            return False
        self._seen = seen
        self._take(source)
        return True

    def _take(self, source: Scene) -> None:
        by, scene = self.by_s, self.scene
        self._take_lane(scene.user, source.user)
        self._take_lane(scene.agent, source.agent)
        # where it was received is not moved, only where it would have been heard
        scene.received = source.received
        scene.discarded = [replace(each, at=each.at + by) for each in source.discarded]
        scene.marks = [
            replace(
                mark,
                at=mark.at + by,
                silent_at=None if mark.silent_at is None else mark.silent_at + by,
                onset=None if mark.onset is None else mark.onset + by,
            )
            for mark in source.marks
        ]
        scene.overlaps = [
            replace(each, start=each.start + by, stop=None if each.stop is None else each.stop + by)
            for each in source.overlaps
        ]
        scene.muted = [_later(span, by) for span in source.muted]
        scene.gaps = [(start + by, stop + by) for start, stop in source.gaps]
        scene.now_s = source.now_s + by
        scene.names, scene.is_mono = source.names, source.is_mono
        scene.version += 1

    def _take_lane(self, lane: Lane, source: Lane) -> None:
        if source.view is not None:
            lane.view = ShiftedView(source.view, self._samples)
        lane.written = source.written + self._samples
        lane.detail = source.detail
        lane.turns = [_later(turn, self.by_s) for turn in source.turns]
        lane.speech = [_later(each, self.by_s) for each in source.speech]


def _later(span: Turn, by_s: float) -> Turn:
    start, stop = span
    return start + by_s, None if stop is None else stop + by_s
