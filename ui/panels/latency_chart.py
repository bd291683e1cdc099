"""The response latency of each turn over the session, a dot each. Main thread only."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from math import ceil, log10

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QWidget

from app.analysis.limits import exceeds
from ui.lanes.time_axis import clock_text, ruler_text
from ui.panels.latencies import Dot
from ui.parts.differing import first_difference
from ui.parts.tables import milliseconds
from ui.parts.theme import GRID, Theme, small

EMPTY = "The response latency of every turn of the agent's appears here."
TIP = "Response latency over the session, one dot for each turn; a click shows it in the timeline."
LEFT, BOTTOM, TOP, RIGHT = 56, 20, 10, 12
LABEL = 16
RADIUS = 3.0
DIAMOND = [
    QPointF(x * (RADIUS + 1.5), y * (RADIUS + 1.5)) for x, y in ((0, -1), (1, 0), (0, 1), (-1, 0))
]
NEAR = 9.0
"""Pixels from a dot at which the mouse means it."""


def nice_top(most: float) -> float:
    """Return a round number at or a little above ``most``, for the end of an axis."""
    if most <= 0:
        return 1.0
    unit = 10.0 ** (ceil(log10(most)) - 1)
    steps = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
    return next(step * unit for step in steps if step * unit >= most * (1 - 1e-9))


class LatencyChart(QWidget):
    """Dots over time; one above the limit is a diamond in another colour."""

    moment_chosen = Signal(float)
    """Session seconds at which the turn of a dot began."""

    def __init__(self, theme: Theme) -> None:
        """Begin without dots."""
        super().__init__()
        self._theme = theme
        self._dots: list[Dot] = []
        self._times: list[float] = []
        self._latencies_ms: list[float] = []
        self._most_ms = 0.0
        self._limit_ms = 0.0
        self._duration_s = 0.0
        self._chosen: int | None = None
        self._hovered: int | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Response latency over the session")
        self.setToolTip(TIP)
        self.setMinimumSize(160, 72)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """Ask for enough to tell dots apart."""
        return QSize(320, 160)

    def show_dots(self, dots: Sequence[Dot], limit_ms: float, duration_s: float) -> None:
        """Show ``dots``, in order of time, and the limit; the axis goes to ``duration_s``."""
        dots = list(dots)
        same = first_difference(self._dots, dots)
        are_same = same == len(self._dots) == len(dots)
        if are_same and (limit_ms, duration_s) == (self._limit_ms, self._duration_s):
            return
        if not are_same:
            self._dots = dots
            self._times[same:] = [dot.t for dot in dots[same:]]
            self._latencies_ms[same:] = [dot.ms for dot in dots[same:]]
            self._most_ms = max(self._latencies_ms, default=0.0)
            if self._chosen is not None and self._chosen >= len(dots):
                self._chosen = None
            self._hovered = None
        self._limit_ms = limit_ms
        self._duration_s = duration_s
        self.update()

    # --- where things are

    @property
    def top_ms(self) -> float:
        """The end of the vertical axis."""
        return nice_top(max(self._most_ms, self._limit_ms) * 1.05)

    def place_of(self, dot: Dot) -> QPointF:
        """Return where a dot is."""
        area = self._area()
        x = area.left() + area.width() * min(dot.t / self._end_s, 1.0)
        return QPointF(x, self._y_of(dot.ms))

    @property
    def _end_s(self) -> float:
        return max(self._duration_s, self._times[-1] if self._times else 0.0, 1.0)

    def _y_of(self, ms: float) -> float:
        area = self._area()
        return area.bottom() - area.height() * max(ms, 0.0) / self.top_ms

    def _area(self) -> QRectF:
        return QRectF(LEFT, TOP, self.width() - LEFT - RIGHT, self.height() - TOP - BOTTOM)

    def dot_at(self, place: QPointF) -> int | None:
        """Return the number of the dot that ``place`` means, the nearest one."""
        area = self._area()
        per_px = self._end_s / max(area.width(), 1.0)
        t = (place.x() - area.left()) * per_px
        first = bisect_left(self._times, t - NEAR * per_px)
        stop = bisect_left(self._times, t + NEAR * per_px)
        best, least = None, NEAR
        for number in range(first, stop):
            away = place - self.place_of(self._dots[number])
            distance = (away.x() ** 2 + away.y() ** 2) ** 0.5
            if distance <= least:
                best, least = number, distance
        return best

    # --- drawing

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw axis, limit and dots."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(small())
        colours = self._theme.colours
        painter.fillRect(self.rect(), QColor(colours.base))
        if not self._dots:
            painter.setPen(QColor(colours.muted))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(GRID, 0, -GRID, 0), flags, EMPTY)
        else:
            self._draw_axes(painter)
            self._draw_dots(painter)
            self._draw_told(painter)
        if self.hasFocus():
            painter.setPen(QColor(colours.user))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))
        painter.end()

    def _draw_axes(self, painter: QPainter) -> None:
        colours, area = self._theme.colours, self._area()
        limit_y = round(self._y_of(self._limit_ms)) + 0.5
        for ms in (0.0, self.top_ms / 2, self.top_ms):
            y = round(self._y_of(ms)) + 0.5
            painter.setPen(QColor(colours.line))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            if abs(y - limit_y) >= LABEL:
                painter.setPen(QColor(colours.muted))
                beside = QRectF(0, y - LABEL / 2, LEFT - 6, LABEL)
                self._label(painter, beside, Qt.AlignmentFlag.AlignRight, milliseconds(ms))
        y = limit_y
        painter.setPen(QPen(QColor(colours.warning), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
        painter.setPen(QColor(colours.warning))
        beside = QRectF(0, y - LABEL / 2, LEFT - 6, LABEL)
        self._label(painter, beside, Qt.AlignmentFlag.AlignRight, "limit")
        painter.setPen(QColor(colours.muted))
        below = QRectF(area.left(), area.bottom() + 3, area.width(), 16)
        self._label(painter, below, Qt.AlignmentFlag.AlignLeft, "0:00")
        end = ruler_text(self._end_s, 1)
        self._label(painter, below, Qt.AlignmentFlag.AlignRight, end)

    @staticmethod
    def _label(painter: QPainter, area: QRectF, side: Qt.AlignmentFlag, text: str) -> None:
        painter.drawText(area, side | Qt.AlignmentFlag.AlignVCenter, text)

    def _draw_dots(self, painter: QPainter) -> None:
        """Draw every dot once: of those that fall on the same pixel, one."""
        within, over = self._pixels()
        dot = QPen(QColor(self._theme.colours.agent), 2 * RADIUS)
        dot.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(dot)
        painter.drawPoints(QPolygonF([QPointF(*place) for place in within]))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.colours.warning))
        for place in over:
            painter.drawConvexPolygon(QPolygonF(DIAMOND).translated(*place))
        for number, width in ((self._chosen, 2.0), (self._hovered, 1.0)):
            if number is not None and number < len(self._dots):
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(QPen(QColor(self._theme.colours.text), width))
                painter.drawEllipse(self.place_of(self._dots[number]), RADIUS + 3, RADIUS + 3)

    def _draw_told(self, painter: QPainter) -> None:
        """Say beside the axis which dot the mouse or the keyboard is on."""
        number = self._chosen if self._hovered is None else self._hovered
        if number is None:
            return
        dot, area = self._dots[number], self._area()
        painter.setPen(QColor(self._theme.colours.text))
        text = f"{clock_text(dot.t, 1)}  {milliseconds(dot.ms, dot.estimated)}"
        below = QRectF(area.left(), area.bottom() + 3, area.width(), 16)
        self._label(painter, below, Qt.AlignmentFlag.AlignHCenter, text)

    def _pixels(self) -> tuple[list[list[int]], list[list[int]]]:
        """Return on which pixels there are dots within the limit, and over it."""
        import numpy as np  # not before there are dots: an empty window needs no arrays

        area = self._area()
        ms = np.array(self._latencies_ms)
        x = area.left() + np.array(self._times) * (area.width() / self._end_s)
        y = area.bottom() - np.maximum(ms, 0.0) * (area.height() / self.top_ms)
        pixels = np.rint(np.column_stack((x, y))).astype(np.int64)
        are_over = np.rint(ms) > self._limit_ms
        within, over = (
            np.unique(pixels[which], axis=0).tolist() for which in (~are_over, are_over)
        )
        return within, over

    # --- mouse and keyboard

    def tip_of(self, number: int) -> str:
        """Return what a dot says."""
        dot = self._dots[number]
        over = ", over the limit" if exceeds(dot.ms, self._limit_ms) else ""
        return (
            f"{clock_text(dot.t, 3)}: response latency {milliseconds(dot.ms, dot.estimated)}{over}"
        )

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Mark the dot that a click would mean."""
        number = self.dot_at(event.position())
        if number != self._hovered:
            self._hovered = number
            shape = Qt.CursorShape.ArrowCursor
            self.setCursor(shape if number is None else Qt.CursorShape.PointingHandCursor)
            self.setToolTip(TIP if number is None else self.tip_of(number))
            self.update()

    def leaveEvent(self, event: QEvent) -> None:
        """Mark none."""
        self._hovered = None
        self.update()
        super().leaveEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the turn of the dot that is clicked."""
        number = self.dot_at(event.position())
        if number is not None and event.button() == Qt.MouseButton.LeftButton:
            self._chosen = number
            self._go()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Walk from dot to dot with the arrows; Enter goes to the turn."""
        last, now = len(self._dots) - 1, self._chosen
        goals = {
            Qt.Key.Key_Left: 0 if now is None else max(now - 1, 0),
            Qt.Key.Key_Right: 0 if now is None else min(now + 1, last),
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: last,
        }
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and now is not None:
            self._go()
        elif event.key() in goals and self._dots:
            self._chosen = goals[Qt.Key(event.key())]
            self.setAccessibleDescription(self.tip_of(self._chosen))
            self.update()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show that the keyboard is here."""
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Show that it is elsewhere."""
        super().focusOutEvent(event)
        self.update()

    def _go(self) -> None:
        if self._chosen is not None:
            self.moment_chosen.emit(self._dots[self._chosen].t)
        self.update()
