"""Draws what happened between the parties: both speaking at once, interruptions, missed ones.

Main thread only. A missed interruption has no number, for no interrupt came.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import NamedTuple

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFontMetrics, QPainter, QPolygonF

from ui.lanes.lane_geometry import GUTTER, LaneGeometry
from ui.lanes.scene import Both, Mark, Scene, Turn
from ui.lanes.time_axis import TimeAxis, span_text
from ui.parts.theme import Theme, blend, tabular, translucent

NEAR_PX = 8
"""Interruptions nearer to each other than this share an arrow."""
CROWDED_PX = 4
"""One that follows another so closely has no line: the waves are to be seen behind it."""
TICK = 4
LONGEST_BAND_S = 60.0
"""How far from its call a band is looked for: so long a user may speak before the agent stops."""
MOST_TRANSLUCENT = 8
"""More bands than this are drawn without seeing through them, which costs a fifth."""

WRONG = ("late", "false")
"""The classes of interruptions that are named, for something went wrong."""


class Label(NamedTuple):
    """What is named in the row of interruptions from ``x`` on."""

    x: int
    of: Mark | Both


class LaneBands:
    """Draws the bands under the waves, and the lines and texts over them."""

    def __init__(self, geometry: LaneGeometry, theme: Theme) -> None:
        """Draw at the places that ``geometry`` tells."""
        self._geometry, self._theme = geometry, theme
        self._red = QColor()

    def paint_under(self, painter: QPainter, scene: Scene) -> None:
        """Draw what lies under the waves."""
        if not scene.is_mono:
            self._paint_overlaps(painter, scene)
        self._paint_mark_bands(painter, scene)

    def paint_over(self, painter: QPainter, scene: Scene) -> None:
        """Draw the interruptions' lines, and what the row below the lanes says of them."""
        colour = QColor(self._theme.colours.interruption)
        font = tabular(-1.0, bold=True)
        painter.setFont(font)
        painter.setPen(colour)
        painter.setBrush(colour)
        metrics = QFontMetrics(font)
        x = self._geometry.x
        marks = visible_marks(scene.marks, self._geometry.axis)
        drawn = -NEAR_PX
        labels = [Label(round(x(mark.at)), mark) for mark in marks]
        for place in sorted({label.x for label in labels}):
            if place - drawn > CROWDED_PX:
                self._paint_line(painter, place, colour, place - drawn > NEAR_PX)
            else:  # lines side by side would hide the waves behind one red wall
                self._paint_ticks(painter, place)
            drawn = place
        if not scene.is_mono:
            missed = visible_overlaps(scene.overlaps, self._geometry.axis)
            labels += [Label(round(x(each.start)), each) for each in missed if each.is_missed]
            labels.sort(key=itemgetter(0))
        self._paint_texts(painter, labels, metrics)

    # --- under the waves

    def _paint_overlaps(self, painter: QPainter, scene: Scene) -> None:
        geometry, colours = self._geometry, self._theme.colours
        least_s = 1 / geometry.px_per_s
        shown = [
            each
            for each in visible_overlaps(scene.overlaps, geometry.axis)
            if not each.was_interrupted
            and (each.is_missed or each.stop is None or each.stop - each.start > least_s)
        ]
        top, height = geometry.top, geometry.bottom - geometry.top
        wash = self._wash(colours.muted, 0.14, len(shown))
        for left, width in geometry.bars(((each.start, each.stop) for each in shown), scene.now_s):
            painter.fillRect(left, top, width, height, wash)
        missed = [(each.start, each.stop) for each in shown if each.is_missed]
        if not missed:
            return
        hatch = QBrush(translucent(colours.interruption, 0.45), Qt.BrushStyle.FDiagPattern)
        edge = QColor(colours.interruption)
        for left, width in geometry.bars(missed, scene.now_s):
            painter.fillRect(QRectF(left, top, width, height), hatch)
            painter.fillRect(left, geometry.bottom, width, 2, edge)

    def _paint_mark_bands(self, painter: QPainter, scene: Scene) -> None:
        """Wash each interruption from the onset of speech to silence, stronger from its call."""
        colours, axis = self._theme.colours, self._geometry.axis
        marks = visible_marks(scene.marks, axis)
        strong = self._wash(colours.interruption, 0.24, len(marks))
        light = self._wash(colours.interruption, 0.12, len(marks))
        least_s = 1 / self._geometry.px_per_s
        self._red = QColor(colours.interruption)
        for mark in marks:
            at, onset, silent_at = mark.at, mark.onset, mark.silent_at
            if onset is not None and at - onset > least_s:
                self._paint_band(painter, onset, at, light)
            if silent_at is not None and silent_at - at > least_s:
                self._paint_band(painter, at, silent_at, strong)

    def _wash(self, colour: str, share: float, count: int) -> QColor:
        """Return a wash for ``count`` bands."""
        if count > MOST_TRANSLUCENT:
            return blend(colour, self._theme.colours.base, share)
        return translucent(colour, share)

    def _paint_band(self, painter: QPainter, start: float, stop: float, wash: QColor) -> None:
        geometry = self._geometry
        left = round(max(geometry.x(start), GUTTER))
        width = round(min(geometry.x(stop), geometry.width)) - left
        if width > 0:
            bottom = geometry.bottom
            painter.fillRect(left, geometry.top, width, bottom - geometry.top, wash)
            painter.fillRect(left, bottom, width, 2, self._red)

    # --- over them

    def _paint_texts(
        self, painter: QPainter, labels: Sequence[Label], metrics: QFontMetrics
    ) -> None:
        geometry = self._geometry
        least = metrics.horizontalAdvance("#1")
        for index, label in enumerate(labels):
            until = labels[index + 1].x if index + 1 < len(labels) else geometry.width
            room = min(until, geometry.width) - label.x - 8
            if label.x >= GUTTER and room >= least:
                at = QPointF(label.x + 4, geometry.bottom + 16)
                painter.drawText(at, fitting_text(texts_of(label.of), metrics, room))

    def _paint_line(self, painter: QPainter, x: int, colour: QColor, with_arrow: bool) -> None:
        geometry = self._geometry
        top = geometry.top
        painter.fillRect(x - 1, top, 2, geometry.bottom + 4 - top, colour)
        if not with_arrow:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.drawPolygon(
            QPolygonF([QPointF(x - 4, top), QPointF(x + 4, top), QPointF(x, top + 6)])
        )
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _paint_ticks(self, painter: QPainter, x: int) -> None:
        geometry = self._geometry
        for top in (geometry.top, geometry.bottom):
            painter.fillRect(x, top, 1, TICK, self._red)


def visible_turns(turns: Sequence[Turn], axis: TimeAxis) -> Iterable[Turn]:
    """Return the turns that reach into the visible window; ``turns`` is in order."""
    first = max(bisect_left(turns, (axis.start_s,)) - 1, 0)
    last = bisect_left(turns, (axis.stop_s,))
    return turns[first:last]


def visible_overlaps(overlaps: Sequence[Both], axis: TimeAxis) -> Sequence[Both]:
    """Return the overlaps that may reach into the visible window; they are in order."""
    first = bisect_left(overlaps, axis.start_s, key=lambda each: each.start)
    last = bisect_left(overlaps, axis.stop_s, key=lambda each: each.start)
    return overlaps[max(first - 2, 0) : last]


def visible_marks(marks: Sequence[Mark], axis: TimeAxis) -> list[Mark]:
    """Return the marks in, or near, the visible window; ``marks`` is in order."""
    # text reaches to the right of one, and a band to either side
    before_s = max(axis.span_s / 4, LONGEST_BAND_S)
    first = bisect_left(marks, axis.start_s - before_s, key=lambda mark: mark.at)
    last = bisect_left(marks, axis.stop_s + LONGEST_BAND_S, key=lambda mark: mark.at)
    return list(marks[first:last])


def texts_of(what: Mark | Both) -> tuple[str, ...]:
    """Return what is said of an interruption, or of one that never came; the longest first."""
    if isinstance(what, Mark):
        number = f"#{what.number}"
        if what.kind in WRONG:
            named = f"{number} {what.kind}"
            return (f"{named}, {what.text}", f"{named}, {what.short}", named, number)
        return (f"{number} {what.text}", f"{number} {what.short}", number)
    if what.stop is None:
        return ("missed",)
    return (f"missed, {span_text(what.stop - what.start)}", "missed")


def fitting_text(texts: Iterable[str], metrics: QFontMetrics, room: float) -> str:
    """Return the first of ``texts`` for which there is room; nothing where there is for none."""
    return next((text for text in texts if metrics.horizontalAdvance(text) <= room), "")
