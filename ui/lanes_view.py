"""The two lanes on one time axis: waveforms, turns, interruptions, queued and discarded audio.

Main thread only. A frame is drawn from at most two values a column; what was drawn is kept and
scrolled.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from PySide6.QtCore import QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from ui.envelope import Grid, LaneImage
from ui.ghosts import GhostImages
from ui.scene import RATE, Lane, Mark, Scene, Stretch, Turn, peak_text
from ui.theme import Theme, blend, small, tabular, translucent
from ui.time_axis import TimeAxis, clock_text

GUTTER = 64
RULER = 24
TURN_ROW = 12
MARK_ROW = 24
BY_KEYS = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)


class LanesView(QWidget):
    """Draws a `Scene` over a `TimeAxis`, and turns gestures into changes of that axis."""

    axis_changed = Signal()
    mark_activated = Signal(int)
    """The number of an interruption that was double-clicked."""
    moment_clicked = Signal(float)
    """Session seconds of a place that was clicked, and not dragged."""

    def __init__(self, axis: TimeAxis, theme: Theme) -> None:
        """Draw with ``theme``; the scene is empty until `set_scene`."""
        super().__init__()
        self._axis, self._theme = axis, theme
        self._scene = Scene()
        self._images = (LaneImage(), LaneImage())
        self._ghosts = GhostImages()
        self._hover: QPointF | None = None
        self._drag_from: float | None = None
        self._is_dragged = False
        self._is_reached_by_keys = False
        self.empty_text = ""
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumHeight(RULER + 2 * (56 + TURN_ROW) + MARK_ROW)
        self.setAccessibleName("Timeline")
        self.setAccessibleDescription(
            "User and agent on one time axis. Arrow keys move, plus and minus zoom, "
            "F shows all, Home and End go to the beginning and the end."
        )
        theme.changed.connect(self.update)

    def set_scene(self, scene: Scene) -> None:
        """Draw this scene from now on."""
        self._scene = scene
        self._ghosts.forget()
        self.update()

    @property
    def hover_s(self) -> float | None:
        """Session seconds under the pointer, None where it is not over the lanes."""
        if self._hover is None or self._hover.x() < GUTTER:
            return None
        return self._axis.t_of((self._hover.x() - GUTTER) * self._ratio)

    # --- geometry, in device-independent pixels

    @property
    def _ratio(self) -> float:
        return self.devicePixelRatioF()

    def _lane_rect(self, index: int) -> QRect:
        height = (self.height() - RULER - MARK_ROW) // 2
        return QRect(
            GUTTER, RULER + index * height, max(self.width() - GUTTER, 1), height - TURN_ROW
        )

    def _x(self, t: float) -> float:
        return GUTTER + self._axis.x_of(t) / self._ratio

    def _grid(self, rect: QRect) -> Grid:
        axis, ratio = self._axis, self._ratio
        height = round(rect.height() * ratio)
        return Grid(axis.first_column, axis.width, axis.seconds_per_column * RATE, height, ratio)

    def _visible(self, start: float, stop: float) -> QRectF | None:
        left, right = max(self._x(start), GUTTER), min(self._x(stop), self.width())
        return QRectF(left, 0, right - left, 0) if right > left else None

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the axis its new number of columns."""
        super().resizeEvent(event)
        self._axis.resize(round((self.width() - GUTTER) * self._ratio))
        self.axis_changed.emit()

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw all of it; pictures of the lanes come from their caches."""
        painter = QPainter(self)
        colours = self._theme.colours
        painter.fillRect(self.rect(), QColor(colours.base))
        self._paint_ruler(painter)
        painter.setClipRect(GUTTER, 0, self.width() - GUTTER, self.height())
        self._paint_mark_bands(painter)
        self._paint_lane(painter, 0, self._scene.user, colours.user)
        self._paint_unheard(painter)
        self._paint_lane(painter, 1, self._scene.agent, colours.agent)
        self._paint_muted(painter)
        self._paint_marks(painter)
        self._paint_now(painter)
        self._paint_hover(painter)
        painter.setClipping(False)
        self._paint_gutter(painter)
        if self._is_reached_by_keys and self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QColor(colours.user))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def _paint_ruler(self, painter: QPainter) -> None:
        colours = self._theme.colours
        painter.fillRect(0, 0, self.width(), RULER, QColor(colours.window))
        painter.setFont(small())
        painter.setPen(QColor(colours.muted))
        # Opaque and filled, for a translucent or a drawn line costs five times as much.
        strong, faint = QColor(colours.line), blend(colours.line, colours.base, 0.45)
        height = self.height() - MARK_ROW - RULER
        for tick in self._axis.ticks(96 * self._ratio):
            x = round(self._x(tick.t))
            if x < GUTTER:
                continue
            long = 8 if tick.text else 4
            painter.fillRect(x, RULER - long, 1, long, strong)
            if tick.text:
                painter.fillRect(x, RULER, 1, height, faint)
                painter.drawText(x + 4, RULER - 9, tick.text)
        painter.fillRect(0, RULER - 1, self.width(), 1, strong)

    def _paint_lane(self, painter: QPainter, index: int, lane: Lane, colour: str) -> None:
        rect = self._lane_rect(index)
        if lane.view is not None:
            image = self._images[index].update(
                lane.view, lane.written, self._grid(rect), QColor(colour)
            )
            painter.drawImage(rect.topLeft(), image)
        for start, stop in visible_turns(lane.turns, self._axis):
            span = self._visible(start, self._scene.now_s if stop is None else stop)
            if span is not None:
                bar = QRectF(span.left(), rect.bottom() + 4, max(span.width(), 2), 4)
                painter.fillRect(bar, QColor(colour))
        below = rect.bottom() + TURN_ROW
        painter.fillRect(GUTTER, below, rect.width(), 1, QColor(self._theme.colours.line))

    def _paint_unheard(self, painter: QPainter) -> None:
        self._paint_ghosts(painter, "discarded", self._scene.discarded)
        painter.save()
        ahead = QRectF(self._x(self._scene.now_s), 0, self.width(), self.height())
        painter.setClipRect(ahead, Qt.ClipOperation.IntersectClip)
        self._paint_ghosts(painter, "queued", self._scene.queued)
        painter.restore()

    def _paint_ghosts(self, painter: QPainter, kind: str, stretches: list[Stretch]) -> None:
        rect, received = self._lane_rect(1), self._scene.received
        if received is None:
            return
        grid, colour = self._grid(rect), QColor(self._theme.colours.agent)
        for stretch in stretches:
            if self._visible(stretch.at, stretch.ends_at) is None:
                continue
            for tile in self._ghosts.tiles(kind, stretch, received, grid, colour):
                x = GUTTER + (tile.column - grid.first) / self._ratio
                painter.drawImage(QPointF(x, rect.top()), tile.picture)

    def _paint_muted(self, painter: QPainter) -> None:
        rect = self._lane_rect(0)
        colours = self._theme.colours
        for start, stop in visible_turns(self._scene.muted, self._axis):
            span = self._visible(start, self._scene.now_s if stop is None else stop)
            if span is not None:
                area = QRectF(span.left(), rect.top(), span.width(), rect.height())
                painter.fillRect(area, translucent(colours.muted, 0.14))
                if span.width() > 48:
                    painter.setPen(QColor(colours.muted))
                    painter.drawText(area.adjusted(4, 2, 0, 0), "muted")

    def _paint_mark_bands(self, painter: QPainter) -> None:
        bottom = self.height() - MARK_ROW
        wash = translucent(self._theme.colours.interruption, 0.22)
        for mark in visible_marks(self._scene.marks, self._axis):
            if mark.silent_at is not None:
                span = self._visible(mark.at, mark.silent_at)
                if span is not None and span.width() > 1:
                    painter.fillRect(QRectF(span.left(), RULER, span.width(), bottom - RULER), wash)

    def _paint_marks(self, painter: QPainter) -> None:
        colour = QColor(self._theme.colours.interruption)
        font = tabular(-1.0, bold=True)
        painter.setFont(font)
        painter.setPen(colour)
        painter.setBrush(colour)
        metrics = QFontMetrics(font)
        marks = visible_marks(self._scene.marks, self._axis)
        top = self.height() - MARK_ROW
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for index, mark in enumerate(marks):
            x = round(self._x(mark.at))
            painter.fillRect(x - 1, RULER, 2, top + 4 - RULER, colour)
            painter.drawPolygon(
                QPolygonF([QPointF(x - 4, RULER), QPointF(x + 4, RULER), QPointF(x, RULER + 6)])
            )
            until = self._x(marks[index + 1].at) if index + 1 < len(marks) else self.width()
            room = min(until, self.width()) - x - 8
            text = fitting_text(mark, metrics, room) if x >= GUTTER else ""
            painter.drawText(QPointF(x + 4, top + 16), text)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _paint_now(self, painter: QPainter) -> None:
        colours, bottom = self._theme.colours, self.height() - MARK_ROW
        if self._scene.live:
            x = round(self._x(self._scene.now_s))
            painter.fillRect(x, RULER - 6, 1, bottom - RULER + 6, QColor(colours.text))
            self._paint_flag(painter, x, "now")
        if self._scene.playhead_s is not None:
            x = round(self._x(self._scene.playhead_s))
            painter.setPen(QPen(QColor(colours.text), 2))
            painter.drawLine(x, RULER - 8, x, bottom)

    def _paint_flag(self, painter: QPainter, x: int, text: str) -> None:
        """Write ``text`` on the ruler right of ``x``, or left of it where it would be cut."""
        colours = self._theme.colours
        painter.setFont(small())
        width = painter.fontMetrics().horizontalAdvance(text) + 12
        box = QRect(x if x + width <= self.width() else x - width, 2, width, RULER - 6)
        painter.fillRect(box, QColor(colours.text))
        painter.setPen(QColor(colours.base))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_hover(self, painter: QPainter) -> None:
        t = self.hover_s
        if self._hover is None or t is None or t < 0 or self._drag_from is not None:
            return
        colours = self._theme.colours
        x = round(self._hover.x())
        painter.setPen(translucent(colours.muted, 0.7))
        painter.drawLine(x, RULER, x, self.height() - MARK_ROW)
        text = self._readout(t)
        font = tabular(-1.0)
        painter.setFont(font)
        width = QFontMetrics(font).horizontalAdvance(text) + 16
        box = QRect(min(x, self.width() - width), 0, width, RULER - 1)
        painter.fillRect(box, QColor(colours.raised))
        painter.setPen(QColor(colours.text))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _readout(self, t: float) -> str:
        per_column = self._axis.seconds_per_column
        you = peak_text(self._scene.user, t, per_column)
        agent = peak_text(self._scene.agent, t, per_column)
        return f"{clock_text(t, 3)}   You {you}   Agent {agent}"

    def _paint_gutter(self, painter: QPainter) -> None:
        colours = self._theme.colours
        painter.fillRect(0, RULER, GUTTER, self.height() - RULER, QColor(colours.window))
        painter.setPen(QColor(colours.line))
        painter.drawLine(GUTTER - 1, RULER, GUTTER - 1, self.height())
        painter.setFont(tabular(0.0, bold=True))
        for index, (name, colour) in enumerate((("You", colours.user), ("Agent", colours.agent))):
            rect = self._lane_rect(index)
            painter.setPen(QColor(colour))
            area = QRect(8, rect.top(), GUTTER - 16, rect.height())
            painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, name)
        if self.empty_text:
            painter.setFont(tabular())
            painter.setPen(QColor(colours.muted))
            painter.drawText(self._lane_rect(0), Qt.AlignmentFlag.AlignCenter, self.empty_text)

    # --- gestures

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the pointer; with Shift, or sideways, move."""
        delta, x = event.angleDelta(), (event.position().x() - GUTTER) * self._ratio
        if delta.x() or event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._axis.pan(-(delta.x() or delta.y()) / 120 * self._axis.width / 10)
        else:
            self._axis.zoom(1.25 ** (delta.y() / 120), max(x, 0))
        event.accept()
        self.axis_changed.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the time axis."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._drag_from = event.position().x()
            self._is_dragged = False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag the axis along, or move the crosshair."""
        self._hover = event.position()
        if self._drag_from is not None and abs(self._drag_from - self._hover.x()) >= 1:
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            self._axis.pan((self._drag_from - self._hover.x()) * self._ratio)
            self._drag_from = self._hover.x()
            self._is_dragged = True
            self.axis_changed.emit()
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go; what was not dragged was clicked."""
        if self._drag_from is not None and not self._is_dragged:
            x = event.position().x() - GUTTER
            if x >= 0:
                self.moment_clicked.emit(max(self._axis.t_of(x * self._ratio), 0.0))
        self._drag_from = None
        self.unsetCursor()
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Open the interruption nearest to the pointer, if it is within 12 pixels."""
        near = [(abs(self._x(m.at) - event.position().x()), m.number) for m in self._scene.marks]
        if near and min(near)[0] <= 12:
            self.mark_activated.emit(min(near)[1])

    def leaveEvent(self, event: object) -> None:
        """Hide the crosshair."""
        self._hover = None
        self.update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show that the keys act here, if it was by keys that they came."""
        super().focusInEvent(event)
        self._is_reached_by_keys = event.reason() in BY_KEYS
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move and zoom by keys."""
        key, axis = event.key(), self._axis
        step = axis.width / (2 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 10)
        if key == Qt.Key.Key_Left:
            axis.pan(-step)
        elif key == Qt.Key.Key_Right:
            axis.pan(step)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Up):
            axis.zoom(1.5, axis.width / 2)
        elif key in (Qt.Key.Key_Minus, Qt.Key.Key_Down):
            axis.zoom(1 / 1.5, axis.width / 2)
        elif key == Qt.Key.Key_Home:
            axis.show(0.0, axis.span_s)
        elif key == Qt.Key.Key_End:
            axis.show(max(0.0, self._scene.duration_s - axis.span_s), self._scene.duration_s)
        else:
            super().keyPressEvent(event)
            return
        self.axis_changed.emit()


def visible_turns(turns: list[Turn], axis: TimeAxis) -> Iterable[Turn]:
    """Return the turns that reach into the visible window; ``turns`` is in order."""
    first = max(bisect_left(turns, (axis.start_s,)) - 1, 0)
    last = bisect_left(turns, (axis.stop_s,))
    return turns[first:last]


def visible_marks(marks: list[Mark], axis: TimeAxis) -> list[Mark]:
    """Return the marks in, or just left of, the visible window; ``marks`` is in order."""
    first = bisect_left(marks, axis.start_s - axis.span_s / 4, key=lambda mark: mark.at)
    last = bisect_left(marks, axis.stop_s, key=lambda mark: mark.at)
    return marks[first:last]


def fitting_text(mark: Mark, metrics: QFontMetrics, room: float) -> str:
    """Return as much of a mark's text as there is room for before the next one."""
    number = f"#{mark.number}"
    for text in (f"{number} {mark.text}", f"{number} {mark.short}", number):
        if metrics.horizontalAdvance(text) <= room:
            return text
    return ""
