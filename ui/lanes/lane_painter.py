"""Draws what stands in the lanes: waves, turns, unheard audio, gaps; with `LaneBands` the rest.

Main thread only. A frame is drawn from at most two values a column; what was drawn is kept and
scrolled. What would be narrower than a few pixels is drawn plainly.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter

from ui.lanes.amplitude import Amplitude
from ui.lanes.ghosts import GhostImages
from ui.lanes.lane_bands import LaneBands, visible_turns
from ui.lanes.lane_geometry import GUTTER, TURN_ROW, LaneGeometry
from ui.lanes.sample_line import paint_samples
from ui.lanes.scene import Lane, Scene, Stretch
from ui.lanes.time_axis import TimeAxis, span_text
from ui.parts.theme import Theme, blend, small, translucent

if TYPE_CHECKING:
    from ui.lanes.envelope import LaneImage, View

PLAIN_PX = 12
"""Unheard audio narrower than this is drawn as a plain bar."""
NAMED_PX = 120
"""Discarded audio wider than this says how long it is."""
LEAST_PX_PER_S = 4.0
"""With fewer pixels to a second turns are drawn without the speech in them."""
OVERLAPPING = 4
"""How many stretches may overlap: one audio that is discarded is cut off where the next begins."""
MOST_HEIGHTS = 8192
"""Stretches of unheard audio whose peaks are kept: a stretch that grows is another each time."""


class LanePainter:
    """Keeps the pictures of the lanes of one `LanesView` and draws them."""

    def __init__(self, geometry: LaneGeometry, amplitude: Amplitude, theme: Theme) -> None:
        """Draw at the places that ``geometry`` tells, as high as ``amplitude`` tells."""
        self._geometry, self._amplitude, self._theme = geometry, amplitude, theme
        self._images: tuple[LaneImage, ...] = ()
        self._ghosts = GhostImages()
        self._bands = LaneBands(geometry, theme)
        self._heights: dict[Stretch, float] = {}

    def forget(self) -> None:
        """Drop all pictures: other samples, or another scale, from now on."""
        self._ghosts.forget()
        self._heights.clear()

    def paint(self, painter: QPainter, scene: Scene) -> None:
        """Draw all that stands between the ruler and the row of interruptions, and that row."""
        colours = self._theme.colours
        self._bands.paint_under(painter, scene)
        self._paint_lane(painter, scene, 0, scene.user, colours.user)
        if not scene.is_mono:
            self._paint_unheard(painter, scene)
            self._paint_lane(painter, scene, 1, scene.agent, colours.agent)
        self._paint_muted(painter, scene)
        self._paint_gaps(painter, scene)
        self._bands.paint_over(painter, scene)

    def _paint_lane(
        self, painter: QPainter, scene: Scene, index: int, lane: Lane, colour: str
    ) -> None:
        rect = self._geometry.lane(index)
        if lane.view is not None:
            self._paint_wave(painter, rect, index, lane, QColor(colour))
        self._paint_turns(painter, scene, rect, lane, QColor(colour))
        below = rect.bottom() + TURN_ROW
        painter.fillRect(GUTTER, below, rect.width(), 1, QColor(self._theme.colours.line))

    def _paint_wave(
        self, painter: QPainter, rect: QRect, index: int, lane: Lane, colour: QColor
    ) -> None:
        view = self._amplitude.of(lane.view)
        if paint_samples(painter, self._geometry, rect, view, written=lane.written, colour=colour):
            return
        if not self._images:
            from ui.lanes.envelope import LaneImage

            self._images = (LaneImage(), LaneImage())
        grid = self._geometry.grid(rect)
        image = self._images[index].update(view, lane.written, grid, colour, lane.detail)
        painter.drawImage(rect.topLeft(), image)

    def _paint_turns(
        self, painter: QPainter, scene: Scene, rect: QRect, lane: Lane, colour: QColor
    ) -> None:
        """Draw the turns, and in each, where it is known, the speech that it is made of."""
        geometry = self._geometry
        # zoomed out the pauses in a turn are too short to be seen
        is_fine = bool(lane.speech) and geometry.px_per_s >= LEAST_PX_PER_S
        pale = blend(colour.name(), self._theme.colours.base, 0.4) if is_fine else colour
        inset, height = (3, 6) if is_fine else (4, 4)
        for left, width in geometry.bars(visible_turns(lane.turns, geometry.axis), scene.now_s):
            painter.fillRect(left, rect.bottom() + inset, width, height, pale)
        if not is_fine:
            return
        for left, width in geometry.bars(visible_turns(lane.speech, geometry.axis), scene.now_s):
            painter.fillRect(left, rect.bottom() + 4, width, 4, colour)

    # --- unheard audio

    def _paint_unheard(self, painter: QPainter, scene: Scene) -> None:
        if scene.received is None:
            return
        view = self._amplitude.of(scene.received)
        self._paint_ghosts(painter, "discarded", scene.discarded, view)
        if scene.queued:
            painter.save()
            geometry = self._geometry
            ahead = QRectF(geometry.x(scene.now_s), 0, geometry.width, geometry.height)
            painter.setClipRect(ahead, Qt.ClipOperation.IntersectClip)
            self._paint_ghosts(painter, "queued", scene.queued, view)
            painter.restore()

    def _paint_ghosts(
        self, painter: QPainter, kind: str, stretches: Sequence[Stretch], received: View
    ) -> None:
        geometry, rect = self._geometry, self._geometry.lane(1)
        grid, colour = geometry.grid(rect), QColor(self._theme.colours.agent)
        # Opaque, for a translucent bar costs five times as much, and there may be hundreds.
        faint = blend(self._theme.colours.agent, self._theme.colours.base, 0.4)
        drawn_to = GUTTER
        for stretch in visible_stretches(stretches, geometry.axis):
            left, right = geometry.x(stretch.at), geometry.x(stretch.ends_at)
            if right <= drawn_to:
                continue
            if right - left < PLAIN_PX:
                half = max(round(self._loudness(stretch, received) * rect.height() / 2), 1)
                drawn_to = max(round(right), round(left) + 1)
                width = drawn_to - round(left)
                painter.fillRect(round(left), rect.center().y() - half, width, 2 * half, faint)
                continue
            for tile in self._ghosts.tiles(kind, stretch, received, grid, colour):
                x = GUTTER + (tile.column - grid.first) / geometry.ratio
                painter.drawImage(QPointF(x, rect.top()), tile.picture)
            if kind == "discarded":
                self._name_ghost(painter, rect, max(left, GUTTER), right, stretch)

    def _name_ghost(
        self, painter: QPainter, rect: QRect, left: float, right: float, stretch: Stretch
    ) -> None:
        """Say what a ghost is, where there is room: it is not heard unless it is clicked."""
        if right - left < NAMED_PX:
            return
        painter.setFont(small(-1.5))
        painter.setPen(QColor(self._theme.colours.agent))
        text = f"discarded {span_text(stretch.length_s)}"
        painter.drawText(QPointF(left + 6, rect.top() + 13), text)

    def _loudness(self, stretch: Stretch, received: View) -> float:
        """Return the peak of unheard audio as a share of a lane's half."""
        if stretch not in self._heights:
            if len(self._heights) >= MOST_HEIGHTS:
                self._heights.clear()
            low, high = received(stretch.start, stretch.stop, 1)
            self._heights[stretch] = max(-int(low[0]), int(high[0]), 0) / 32768
        return self._heights[stretch]

    # --- what happened to the session

    def _paint_muted(self, painter: QPainter, scene: Scene) -> None:
        rect = self._geometry.lane(0)
        colours = self._theme.colours
        for start, stop in visible_turns(scene.muted, self._geometry.axis):
            span = self._geometry.visible(start, scene.now_s if stop is None else stop)
            if span is not None:
                area = QRectF(span.left(), rect.top(), span.width(), rect.height())
                painter.fillRect(area, translucent(colours.muted, 0.14))
                if span.width() > 48:
                    painter.setPen(QColor(colours.muted))
                    painter.drawText(area.adjusted(4, 2, 0, 0), "muted")

    def _paint_gaps(self, painter: QPainter, scene: Scene) -> None:
        geometry, colours = self._geometry, self._theme.colours
        hatch = QBrush(translucent(colours.muted, 0.55), Qt.BrushStyle.BDiagPattern)
        for start, stop in visible_turns(scene.gaps, geometry.axis):
            span = geometry.visible(start, stop)
            if span is None:
                continue
            width = max(span.width(), 2)
            area = QRectF(span.left(), geometry.top, width, geometry.bottom - geometry.top)
            painter.fillRect(area, translucent(colours.muted, 0.12))
            painter.fillRect(area, hatch)
            if width > 88:
                painter.setPen(QColor(colours.text))
                painter.drawText(area.adjusted(4, 2, 0, 0), "not recorded")


def visible_stretches(stretches: Sequence[Stretch], axis: TimeAxis) -> Sequence[Stretch]:
    """Return the stretches that may reach into the visible window; they are in order."""
    first = bisect_left(stretches, axis.start_s, key=lambda stretch: stretch.at)
    last = bisect_left(stretches, axis.stop_s, key=lambda stretch: stretch.at)
    return stretches[max(first - OVERLAPPING, 0) : last]
