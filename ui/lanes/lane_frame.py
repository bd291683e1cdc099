"""Draws what frames the lanes: ruler, flags of markers, the gutter with its scale, the playhead.

Main thread only.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPolygonF

from ui.lanes.amplitude import Amplitude
from ui.lanes.lane_geometry import GUTTER, MARKER_ROW, RULER, LaneGeometry
from ui.lanes.scene import Scene
from ui.parts.theme import Theme, blend, small, tabular, translucent

if TYPE_CHECKING:
    from app.bundles.notes import Marker


class LaneFrame:
    """Draws around and across the lanes of one `LanesView`."""

    def __init__(self, geometry: LaneGeometry, amplitude: Amplitude, theme: Theme) -> None:
        """Draw at the places that ``geometry`` tells."""
        self._geometry, self._amplitude, self._theme = geometry, amplitude, theme

    def paint_ground(self, painter: QPainter, scene: Scene) -> None:
        """Draw what lies under the waves: ground, selection, ruler and grid."""
        geometry, colours = self._geometry, self._theme.colours
        painter.fillRect(0, 0, geometry.width, geometry.height, QColor(colours.base))
        painter.fillRect(0, 0, geometry.width, RULER, QColor(colours.window))
        if scene.selection is not None:
            self._paint_selected(painter, scene.selection)
        self._paint_ticks(painter)
        if self._amplitude.is_db:
            self._paint_levels(painter)
        painter.fillRect(0, RULER - 1, geometry.width, 1, QColor(colours.line))

    def paint_over(self, painter: QPainter, scene: Scene) -> None:
        """Draw what lies over the waves: the selection's edges, markers, "now" or the playhead."""
        colours, geometry = self._theme.colours, self._geometry
        for t in scene.selection or ():
            x = round(geometry.x(t))
            painter.fillRect(x, RULER - 6, 1, geometry.bottom - RULER + 6, QColor(colours.user))
        self._paint_markers(painter, scene)
        if scene.live:
            x = round(geometry.x(scene.now_s))
            height = geometry.bottom - RULER + 6
            painter.fillRect(x, RULER - 6, 1, height, QColor(colours.text))
            self._paint_flag(painter, x, "now")
        if scene.playhead_s is not None:
            self._paint_playhead(painter, geometry.x(scene.playhead_s))

    def paint_readout(self, painter: QPainter, x: int, text: str) -> None:
        """Draw the crosshair at ``x`` with ``text`` on the ruler."""
        colours = self._theme.colours
        height = self._geometry.bottom - RULER
        painter.fillRect(x, RULER, 1, height, translucent(colours.muted, 0.7))
        font = tabular(-1.0)
        painter.setFont(font)
        width = QFontMetrics(font).horizontalAdvance(text) + 16
        box = QRect(min(x, self._geometry.width - width), 0, width, RULER - 1)
        self._clear_cut_labels(painter, box)
        painter.fillRect(box, QColor(colours.raised))
        painter.setPen(QColor(colours.text))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _clear_cut_labels(self, painter: QPainter, box: QRect) -> None:
        """Take away each tick's label that ``box`` would cut: half a time is a wrong one."""
        metrics = QFontMetrics(small())
        for x, text in self._tick_labels(metrics):
            label = QRect(x + 4, 0, metrics.horizontalAdvance(text), RULER - 8)
            if label.intersects(box) and not box.contains(label):
                painter.fillRect(label, QColor(self._theme.colours.window))

    def paint_gutter(self, painter: QPainter, scene: Scene) -> None:
        """Draw the names of the lanes, and the scale of each."""
        geometry, colours = self._geometry, self._theme.colours
        painter.fillRect(0, RULER, GUTTER, geometry.height - RULER, QColor(colours.window))
        painter.fillRect(GUTTER - 1, RULER, 1, geometry.height - RULER, QColor(colours.line))
        painter.setFont(small(-2.0))
        painter.setPen(QColor(colours.muted))
        unit = QRect(4, 0, GUTTER - 8, RULER - 1)
        painter.drawText(unit, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom, "dBFS")
        accents = (colours.user, colours.agent)
        for index in range(geometry.lanes):
            self._paint_scale(painter, geometry.lane(index))
        painter.setFont(tabular(0.0, bold=True))
        for index in range(geometry.lanes):
            rect = geometry.lane(index)
            painter.setPen(QColor(accents[index]))
            area = QRect(8, rect.top(), GUTTER - 16, rect.height())
            where = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
            painter.drawText(area, where, scene.names[index])

    def _paint_scale(self, painter: QPainter, rect: QRect) -> None:
        half, middle = rect.height() / 2, rect.top() + rect.height() / 2
        where = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        line = QColor(self._theme.colours.line)
        painter.setPen(QColor(self._theme.colours.muted))
        for level in self._amplitude.levels(half):
            for side in (-1, 1):
                y = round(middle + side * level.share * (half - 1))
                painter.fillRect(GUTTER - 5, y, 4, 1, line)
            y = round(middle - level.share * (half - 1))
            if level.share * half > 16:  # the name of the lane is in the middle
                top = max(y - 7, rect.top())
                painter.drawText(QRect(4, top, GUTTER - 12, 14), where, level.text)

    def _paint_levels(self, painter: QPainter) -> None:
        geometry, colours = self._geometry, self._theme.colours
        faint = blend(colours.line, colours.base, 0.45)
        for index in range(geometry.lanes):
            rect = geometry.lane(index)
            half, middle = rect.height() / 2, rect.top() + rect.height() / 2
            for level in self._amplitude.levels(half):
                for side in (-1, 1):
                    y = round(middle + side * level.share * (half - 1))
                    painter.fillRect(GUTTER, y, rect.width(), 1, faint)

    def _paint_ticks(self, painter: QPainter) -> None:
        geometry, colours = self._geometry, self._theme.colours
        painter.setFont(small())
        painter.setPen(QColor(colours.muted))
        # Opaque and filled, for a translucent or a drawn line costs five times as much.
        strong, faint = QColor(colours.line), blend(colours.line, colours.base, 0.45)
        for tick in geometry.axis.ticks(96 * geometry.ratio):
            x = round(geometry.x(tick.t))
            if x < GUTTER:
                continue
            long = 8 if tick.text else 4
            painter.fillRect(x, RULER - long, 1, long, strong)
            if tick.text:
                painter.fillRect(x, RULER, 1, geometry.bottom - RULER, faint)
        for x, text in self._tick_labels(painter.fontMetrics()):
            painter.drawText(x + 4, RULER - 9, text)

    def _tick_labels(self, metrics: QFontMetrics) -> list[tuple[int, str]]:
        """Return the place of each mark that has a text, and the text: those that are not cut."""
        geometry = self._geometry
        ticks = geometry.axis.ticks(96 * geometry.ratio)
        placed = [(round(geometry.x(tick.t)), tick.text) for tick in ticks if tick.text]
        room = geometry.width - 4
        return [
            (x, text)
            for x, text in placed
            if x >= GUTTER and x + metrics.horizontalAdvance(text) <= room
        ]

    def _paint_selected(self, painter: QPainter, selection: tuple[float, float]) -> None:
        geometry = self._geometry
        span = geometry.visible(*selection)
        if span is not None:
            height = geometry.bottom - RULER + 6
            area = QRectF(span.left(), RULER - 6, max(span.width(), 1), height)
            painter.fillRect(area, QColor(self._theme.colours.selection))

    def _paint_markers(self, painter: QPainter, scene: Scene) -> None:
        geometry, markers = self._geometry, scene.markers
        if not markers:
            return
        ground = QRect(GUTTER, RULER, geometry.width - GUTTER, MARKER_ROW)
        painter.fillRect(ground, QColor(self._theme.colours.window))
        painter.fillRect(
            GUTTER, geometry.top - 1, ground.width(), 1, QColor(self._theme.colours.line)
        )
        font = small(-0.5)
        painter.setFont(font)
        metrics, axis = QFontMetrics(font), geometry.axis
        last = bisect_left(markers, axis.stop_s, key=lambda marker: marker.t)
        places = [round(geometry.x(marker.t)) for marker in markers[:last]]
        for index, (marker, x) in enumerate(zip(markers, places, strict=False)):
            until = places[index + 1] if index + 1 < len(places) else geometry.width
            if max(until, geometry.x(marker.stop or marker.t)) >= GUTTER:
                self._paint_marker(painter, marker, x, until, metrics)

    def _paint_marker(
        self, painter: QPainter, marker: Marker, x: int, until: int, metrics: QFontMetrics
    ) -> None:
        geometry, colours = self._geometry, self._theme.colours
        colour = QColor(colours.marker)
        if marker.stop is not None:
            left, right = max(x, GUTTER), min(geometry.x(marker.stop), geometry.width)
            bar = QRectF(left, geometry.top - 5, max(right - left, 1), 3)
            painter.fillRect(bar, translucent(colours.marker, 0.55))
        painter.fillRect(x, RULER, 1, geometry.bottom - RULER, colour)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        pennant = [QPointF(x, RULER + 1), QPointF(x + 9, RULER + 5), QPointF(x, RULER + 9)]
        painter.drawPolygon(QPolygonF(pennant))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        is_here = x >= GUTTER or (marker.stop is not None and geometry.x(marker.stop) > GUTTER)
        left = max(x, GUTTER - 8) + 12
        room = until - left - 4
        if marker.text and is_here and room > 16:
            painter.setPen(QColor(colours.text))
            shown = metrics.elidedText(marker.text, Qt.TextElideMode.ElideRight, room)
            where = QRect(left, RULER, room, MARKER_ROW - 1)
            flags = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
            painter.drawText(where, flags, shown)

    def _paint_playhead(self, painter: QPainter, place: float) -> None:
        x, colour = round(place), QColor(self._theme.colours.text)
        painter.fillRect(x - 1, RULER - 8, 2, self._geometry.bottom - RULER + 8, colour)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        top = RULER - 10
        head = [QPointF(x - 6, top), QPointF(x + 6, top), QPointF(x, top + 9)]
        painter.drawPolygon(QPolygonF(head))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _paint_flag(self, painter: QPainter, x: int, text: str) -> None:
        """Write ``text`` on the ruler right of ``x``, or left of it where it would be cut."""
        colours = self._theme.colours
        painter.setFont(small())
        width = painter.fontMetrics().horizontalAdvance(text) + 12
        box = QRect(x if x + width <= self._geometry.width else x - width, 2, width, RULER - 6)
        painter.fillRect(box, QColor(colours.text))
        painter.setPen(QColor(colours.base))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
