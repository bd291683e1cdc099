"""How loud becomes how high: a linear scale or one in dB, and how far quiet audio is raised.

No drawing, no Qt. Heights are shares of a lane's half: 1 is its edge, 0 its middle.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan, log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ui.lanes.envelope import Bounds, View

FULL_SCALE = 32768
LEVEL_STEPS_DB = (6, 10, 20)


@dataclass(frozen=True, slots=True)
class Level:
    """A mark of the scale: ``share`` of a lane's half, and what stands there, in dBFS."""

    share: float
    text: str


class Amplitude:
    """The vertical scale, one for all lanes.

    A lane's edge is at ``-gain_db`` dBFS. In dB its middle is `RANGE_DB` below the edge.
    """

    RANGE_DB = 80
    STEP_DB = 6
    MOST_DB = 60

    def __init__(self) -> None:
        """Begin linear, with full scale at the lane's edges."""
        self.gain_db = 0
        self.is_db = False
        self._heights: NDArray[np.int16] | None = None
        self._wrapped: dict[View, View] = {}

    def zoom(self, steps: int) -> None:
        """Raise quiet audio by ``steps`` of 6 dB, or lower it again: never below full scale."""
        self._set(min(max(self.gain_db + steps * self.STEP_DB, 0), self.MOST_DB), self.is_db)

    def set_db(self, is_db: bool) -> None:
        """Use the scale in dB, or the linear one."""
        self._set(self.gain_db, is_db)

    def reset(self) -> None:
        """Put full scale at the lane's edges again."""
        self._set(0, self.is_db)

    def forget(self) -> None:
        """Let go of the views: another recording's are meant from now on."""
        self._wrapped.clear()

    def of(self, view: View) -> View:
        """Return ``view`` on this scale; the same one for the same view until it changes."""
        if self.gain_db == 0 and not self.is_db:
            return view
        if view not in self._wrapped:
            self._wrapped[view] = self._wrap(view)
        return self._wrapped[view]

    def heights(self, samples: NDArray[np.int16]) -> NDArray[np.int16]:
        """Return how high samples stand, as samples would on the linear scale at full scale.

        Greater samples never stand lower, so the extremes of a column are those of its heights.
        """
        if self._heights is None:
            self._heights = self._table()
        return self._heights[samples.view("uint16")]

    def levels(self, half_px: float, least_px: float = 14.0) -> list[Level]:
        """Return the marks from the lane's edge inwards, at least ``least_px`` apart."""
        if not self.is_db:
            return self._linear_levels(half_px, least_px)
        step = next((s for s in LEVEL_STEPS_DB if s / self.RANGE_DB * half_px >= least_px), 40)
        first = -(-self.gain_db // step) * step
        marks = range(first, self.gain_db + self.RANGE_DB, step)
        return [Level(1 - (db - self.gain_db) / self.RANGE_DB, level_text(-db)) for db in marks]

    def _linear_levels(self, half_px: float, least_px: float) -> list[Level]:
        marks = [Level(1.0, level_text(-self.gain_db))]
        share, db = 0.5, self.gain_db + 6
        while share * half_px >= least_px:
            marks.append(Level(share, level_text(-db)))
            share, db = share / 2, db + 6
        return marks

    def _set(self, gain_db: int, is_db: bool) -> None:
        self.gain_db, self.is_db = gain_db, is_db
        self._heights = None
        self._wrapped.clear()

    def _wrap(self, view: View) -> View:
        def scaled(start: float, stop: float, columns: int) -> Bounds:
            low, high = view(start, stop, columns)
            return self.heights(low), self.heights(high)

        return scaled

    def _table(self) -> NDArray[np.int16]:
        """Return the height of each sample, by its number as an unsigned one."""
        import numpy as np

        value = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.float32)
        size = np.abs(value) / FULL_SCALE
        if self.is_db:
            with np.errstate(divide="ignore"):
                share = (20 * np.log10(size) + self.gain_db) / self.RANGE_DB + 1
        else:
            share = size * 10 ** (self.gain_db / 20)
        return (np.sign(value) * np.clip(share, 0, 1) * 32767).astype(np.int16)


def level_text(dbfs: int) -> str:
    """Return a level as the scale writes it; the unit stands above."""
    return f"{dbfs}".replace("-", "−")


def dbfs_text(share: float) -> str:
    """Return a level, 1 at full scale, in dBFS with one decimal; ``–`` where it is not known."""
    if isnan(share):
        return "–"
    return f"{20 * log10(share):.1f} dBFS".replace("-", "−") if share > 0 else "−∞ dBFS"
