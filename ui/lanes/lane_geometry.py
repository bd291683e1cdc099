"""Where everything stands in the lanes, in device-independent pixels. No drawing.

From top to bottom: the ruler, a row for markers where there are any, one lane for each party with
a row for its turns, and a row for what is said of interruptions. A gutter is at the left of all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from PySide6.QtCore import QRect, QRectF

from ui.lanes.grid import Grid
from ui.lanes.scene import RATE, Scene, Turn
from ui.lanes.time_axis import TimeAxis

GUTTER = 72
RULER = 24
MARKER_ROW = 18
TURN_ROW = 12
MARK_ROW = 24
LEAST_LANE = 56


class LaneGeometry:
    """The places of one `Scene` in a widget of a given size, over a `TimeAxis`."""

    def __init__(self, axis: TimeAxis) -> None:
        """Begin with no size."""
        self.axis = axis
        self.width = self.height = 1
        self.ratio = 1.0
        self.lanes = 2
        self.top = RULER
        self._px_per_s = self._zero_px = 0.0

    def fit(self, width: int, height: int, ratio: float, scene: Scene) -> None:
        """Take the widget's size, its device pixels to one of Qt's, and what ``scene`` needs.

        The places of moments hold until the axis moves: they are asked for by the thousand.
        """
        self.width, self.height, self.ratio = width, height, ratio
        self.lanes = 1 if scene.is_mono else 2
        self.top = RULER + (MARKER_ROW if scene.markers else 0)
        self._px_per_s = 1 / (self.axis.seconds_per_column * ratio)
        self._zero_px = GUTTER - self.axis.first_column / ratio

    @property
    def bottom(self) -> int:
        """Where the lanes end and the row of interruptions begins."""
        return self.height - MARK_ROW

    @property
    def columns(self) -> int:
        """How many columns of the axis there is room for."""
        return round((self.width - GUTTER) * self.ratio)

    def lane(self, index: int) -> QRect:
        """Return where a lane's wave is drawn; its turns stand below."""
        height = (self.bottom - self.top) // self.lanes
        width = max(self.width - GUTTER, 1)
        return QRect(GUTTER, self.top + index * height, width, height - TURN_ROW)

    def x(self, t: float) -> float:
        """Return where session second ``t`` is; outside the lanes it is left or right of them."""
        return self._zero_px + t * self._px_per_s

    def t(self, x: float) -> float:
        """Return the session second at ``x``, never before the session began."""
        return max(self.axis.t_of(self.column(x)), 0.0)

    def column(self, x: float) -> float:
        """Return the column of the axis at ``x``, counted from the left of the lanes."""
        return (x - GUTTER) * self.ratio

    def grid(self, rect: QRect) -> Grid:
        """Return what a lane's picture in ``rect`` is drawn on."""
        axis, ratio = self.axis, self.ratio
        height = round(rect.height() * ratio)
        return Grid(axis.first_column, axis.width, axis.seconds_per_column * RATE, height, ratio)

    @property
    def px_per_s(self) -> float:
        """How wide a second is."""
        return self._px_per_s

    def visible(self, start: float, stop: float) -> QRectF | None:
        """Return the horizontal extent of a stretch of time as far as it can be seen."""
        left, right = max(self.x(start), GUTTER), min(self.x(stop), self.width)
        return QRectF(left, 0, right - left, 0) if right > left else None

    def bars(self, turns: Iterable[Turn], now_s: float) -> Iterator[tuple[int, int]]:
        """Yield left and width of what can be seen of turns, those that touch each other as one.

        Zoomed out, hundreds of them share a few pixels.
        """
        zero, scale, most = self._zero_px, self._px_per_s, self.width
        left = right = -1
        for start, stop in turns:
            begins = round(max(zero + start * scale, GUTTER))
            ends = round(min(zero + (now_s if stop is None else stop) * scale, most))
            if ends < GUTTER or begins >= most:
                continue
            if begins > right:
                if right > left:
                    yield left, right - left
                left, right = begins, begins
            right = max(right, ends, begins + 2)
        if right > left:
            yield left, right - left
