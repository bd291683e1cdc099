"""Agent audio that nobody heard, as the lanes draw it: kept up to date from what has changed.

Main thread only.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from ui.lanes.scene import RATE, Scene, Stretch

if TYPE_CHECKING:
    from app.analysis.turn_records import AudioSpan

ROUNDING_S = 0.001
"""What begins so soon after a stretch belongs to the same moment."""


class Unheard:
    """Fills a scene's ``discarded`` and ``queued``; each is cut off where the next audio begins."""

    TAIL = 64
    """Spans that are looked at again, beside all since the first ghost that may yet be cut off."""

    def __init__(self, scene: Scene) -> None:
        """Fill ``scene``, which has none yet."""
        self._scene = scene
        self._numbers: list[int] = []
        self._ghosts: list[Stretch] = []
        self._in_order = True
        self._uncut = 0

    def update(
        self, settled: Sequence[AudioSpan], changed: int, queued: Sequence[AudioSpan]
    ) -> None:
        """Show ``settled``, those before number ``changed`` being as before, and ``queued``."""
        base = max(min(changed, self._uncut, len(settled) - self.TAIL), 0)
        kept = bisect_left(self._numbers, base)
        del self._numbers[kept:], self._ghosts[kept:]
        self._numbers += [n for n in range(base, len(settled)) if settled[n].kind == "discarded"]
        spans = [settled[number] for number in self._numbers[kept:]]
        whole = [Stretch(span.start, span.stop, span.at) for span in spans]
        starts = [ghost.at for ghost in self._ghosts[-self.TAIL :]]
        starts += [span.at for span in settled[max(base - self.TAIL, 0) :]]
        self._ghosts += clipped(whole, [*starts, *(span.at for span in queued)])
        latest = max((span.at for span in settled[base:] if span.kind == "heard"), default=0.0)
        self._uncut = next(
            (n for n, g in zip(self._numbers[kept:], whole, strict=True) if g.ends_at > latest),
            len(settled),
        )
        self._publish(kept)
        self._scene.queued = [Stretch(0, span.stop, span.at - span.start / RATE) for span in queued]

    def _publish(self, kept: int) -> None:
        """Put the ghosts in order of time, which nearly always is the order they came in."""
        shown, ghosts = self._scene.discarded, self._ghosts
        around = ghosts[max(kept - 1, 0) :]
        self._in_order = self._in_order and all(a.at <= b.at for a, b in pairwise(around))
        if self._in_order:
            shown[kept:] = ghosts[kept:]
        else:
            shown[:] = sorted(ghosts, key=lambda ghost: ghost.at)


def clipped(ghosts: list[Stretch], starts: list[float]) -> list[Stretch]:
    """Return ``ghosts``, each cut off where the next audio begins, by the moments ``starts``."""
    starts = sorted(starts)
    return [_clipped(ghost, starts) for ghost in ghosts]


def _clipped(ghost: Stretch, starts: list[float]) -> Stretch:
    following = bisect_right(starts, ghost.at + ROUNDING_S)
    if following == len(starts) or starts[following] >= ghost.ends_at:
        return ghost
    room = round((starts[following] - ghost.at) * RATE)
    return replace(ghost, stop=ghost.start + room, whole_stop=ghost.stop)
