"""A wave so near that its samples can be told apart: points, joined by lines. Main thread only."""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from ui.lanes.lane_geometry import GUTTER, LaneGeometry
from ui.lanes.scene import RATE

if TYPE_CHECKING:
    from ui.lanes.envelope import View

POINTS_FROM_PX = 6
"""Samples farther apart than this are drawn as points."""


def paint_samples(
    painter: QPainter,
    geometry: LaneGeometry,
    rect: QRect,
    view: View,
    *,
    written: int,
    colour: QColor,
) -> bool:
    """Draw the samples in view, if each has a pixel to itself; say whether that was done.

    ``written`` is how many the track has. It is not done while the view knows only extremes: those
    are for an envelope.
    """
    axis = geometry.axis
    if axis.seconds_per_column * RATE >= 1:
        return False
    first = max(floor(axis.start_s * RATE) - 1, 0)
    stop = min(ceil(axis.stop_s * RATE) + 2, written)
    if stop <= first:
        return True
    low, high = view(first, stop, stop - first)
    if (low != high).any():
        return False
    per_sample = 1 / (axis.seconds_per_column * RATE * geometry.ratio)
    left = GUTTER + (first / RATE / axis.seconds_per_column - axis.first_column) / geometry.ratio
    middle, half = rect.top() + rect.height() / 2, rect.height() / 2 - 1
    heights = (low.astype(float) * (half / 32768)).tolist()
    points = [QPointF(left + n * per_sample, middle - h) for n, h in enumerate(heights)]
    _paint_line(painter, points, colour, with_points=per_sample >= POINTS_FROM_PX)
    return True


def _paint_line(
    painter: QPainter, points: list[QPointF], colour: QColor, with_points: bool
) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(colour, 1.0))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPolyline(QPolygonF(points))
    if with_points:
        painter.setBrush(colour)
        for point in points:
            painter.drawEllipse(QRectF(point.x() - 2, point.y() - 2, 4, 4))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
