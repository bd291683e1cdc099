"""The whole session in one strip, with the stretch that the lanes show marked in it.

Main thread only.
"""

from __future__ import annotations

from enum import Enum, auto
from time import perf_counter

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QBrush,
    QColor,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from ui.lanes.lane_geometry import GUTTER
from ui.lanes.scene import Lane, Scene
from ui.lanes.time_axis import TimeAxis
from ui.parts.theme import CONTROL_HEIGHT, Theme, translucent

EDGE_PX = 6


class Hold(Enum):
    """What is dragged: nothing, the window that the lanes show, or one of its edges."""

    NOTHING = auto()
    WINDOW = auto()
    START = auto()
    STOP = auto()


class Overview(QWidget):
    """Draws the tracks from the beginning to now.

    A click brings a moment into view; the window in it is dragged along, or wider by its edges.
    """

    axis_changed = Signal()
    REDRAW_S = 0.5
    LEAST_S = 30.0
    """A session younger than this is drawn as if it were so long, so that it does not swim."""

    def __init__(self, axis: TimeAxis, theme: Theme) -> None:
        """Share ``axis`` with the lanes."""
        super().__init__()
        self._axis, self._theme = axis, theme
        self._scene = Scene()
        self._picture: QPixmap | None = None
        self._picture_of: tuple[object, ...] = ()
        self._drawn: tuple[object, ...] = ()
        self._drawn_at = 0.0
        self._drawn_s = self.LEAST_S
        self._playhead_px: int | None = None
        self._hold = Hold.NOTHING
        self._from_s = 0.0
        self.setFixedHeight(CONTROL_HEIGHT + 8)
        self.setMouseTracking(True)
        self.setAccessibleName("Overview of the whole session")
        self.setToolTip(
            "The whole session. Click to go there; drag the window, or one of its edges; "
            "the wheel zooms."
        )
        theme.changed.connect(self.refresh)

    def set_scene(self, scene: Scene) -> None:
        """Draw this scene from now on."""
        self._scene = scene
        self.refresh()

    def refresh(self) -> None:
        """Draw the tracks anew at the next paint."""
        self._picture = None
        self.update()

    def advance(self) -> None:
        """Let a session grow, or become clearer: at most twice a second, and only if it did."""
        if perf_counter() - self._drawn_at > self.REDRAW_S and self._tracks() != self._drawn:
            self.refresh()
        playhead_s = self._scene.playhead_s
        place = None if playhead_s is None else round(self._x(playhead_s))
        if place != self._playhead_px:
            self._playhead_px = place
            self.update()

    def _tracks(self) -> tuple[object, ...]:
        scene = self._scene
        lanes = [(lane.written, lane.detail) for lane in (scene.user, scene.agent)]
        return (scene.duration_s, scene.version, *lanes)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Draw anew at the new width."""
        super().resizeEvent(event)
        self.refresh()

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw what stands still from its picture, and over it playhead and window."""
        painter = QPainter(self)
        strip = self._strip()
        painter.drawPixmap(0, 0, self._still_picture())
        if self._scene.user.view is not None:
            if self._scene.playhead_s is not None:
                x = round(self._x(self._scene.playhead_s))
                colour = QColor(self._theme.colours.text)
                painter.fillRect(x - 1, 0, 2, self.height(), colour)
            self._paint_window(painter, strip)
        painter.end()

    def _still_picture(self) -> QPixmap:
        scene = self._scene
        key = (scene.markers, scene.selection, len(scene.gaps))
        if self._picture is None or key != self._picture_of:
            if self._picture is None:
                self._drawn_at, self._drawn = perf_counter(), self._tracks()
            self._picture_of = key
            self._picture = self._draw_still()
        return self._picture

    def _draw_still(self) -> QPixmap:
        scene, colours, ratio = self._scene, self._theme.colours, self.devicePixelRatioF()
        self._drawn_s = max(scene.duration_s, self.LEAST_S if scene.live else 0.001)
        picture = QPixmap(self.size() * ratio)
        picture.setDevicePixelRatio(ratio)
        painter = QPainter(picture)
        strip = self._strip()
        painter.fillRect(self.rect(), QColor(colours.window))
        painter.fillRect(strip, QColor(colours.base))
        if scene.selection is not None:
            left, right = (self._x(t) for t in scene.selection)
            area = QRectF(left, strip.top(), max(right - left, 1), strip.height())
            painter.fillRect(area, QColor(colours.selection))
        lanes = [(scene.user, colours.user), (scene.agent, colours.agent)]
        shown = lanes[:1] if scene.is_mono else lanes
        height = strip.height() / len(shown)
        for index, (lane, colour) in enumerate(shown):
            image = self._draw_wave(lane, colour, height)
            painter.drawImage(QPointF(strip.left(), strip.top() + index * height), image)
        if scene.user.view is not None:
            self._paint_moments(painter, strip)
        painter.end()
        return picture

    def _draw_wave(self, lane: Lane, colour: str, height: float) -> QImage:
        ratio = self.devicePixelRatioF()
        width = round(self._strip().width() * ratio * lane.written / 16_000 / self._drawn_s)
        if lane.view is None or width < 1:
            return QImage()
        from ui.lanes.envelope import coverage, picture

        low, high = lane.view(0, lane.written, width)
        return picture(coverage(low, high, round(height * ratio)), QColor(colour), ratio)

    def _paint_moments(self, painter: QPainter, strip: QRectF) -> None:
        colours, scene = self._theme.colours, self._scene
        hatch = QBrush(translucent(colours.muted, 0.6), Qt.BrushStyle.BDiagPattern)
        for start, stop in scene.gaps:
            left = self._x(start)
            width = max(self._x(stop) - left, 2)
            painter.fillRect(QRectF(left, strip.top(), width, strip.height()), hatch)
        scale = strip.width() / self._drawn_s
        for moments, colour in (
            ((mark.at for mark in scene.marks), colours.interruption),
            ((marker.t for marker in scene.markers), colours.marker),
        ):
            # a marker of a stranger may stand beyond what is drawn, and beyond what Qt can draw
            places = {round(strip.left() + t * scale) for t in moments if 0 <= t <= self._drawn_s}
            for x in places:
                # side by side they would hide the waves behind one wall
                shown = translucent(colour, 0.3) if x - 1 in places else QColor(colour)
                painter.fillRect(x, round(strip.top()), 1, round(strip.height()), shown)

    def _paint_window(self, painter: QPainter, strip: QRectF) -> None:
        colours, window = self._theme.colours, self._window_rect(strip)
        painter.fillRect(window, translucent(colours.muted, 0.20))
        painter.setPen(QPen(QColor(colours.muted), 1))
        painter.drawRect(window.adjusted(0.5, 0.5, -0.5, -0.5))
        grip = QColor(colours.muted)
        for x in (window.left(), window.right() - 3):
            painter.fillRect(QRectF(x, strip.center().y() - 7, 3, 14), grip)

    # --- the mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the window or of an edge; outside, bring the window there first."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        place = event.position()
        self._hold = self._hold_at(place)
        if self._hold is Hold.NOTHING:
            self._hold = Hold.WINDOW
            self._axis.centre(self._t(place.x()))
            self.axis_changed.emit()
        self._from_s = self._t(place.x()) - self._axis.start_s

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag along what is held."""
        t, axis = self._t(event.position().x()), self._axis
        if not event.buttons() & Qt.MouseButton.LeftButton:
            at = self._hold_at(event.position())
            is_edge = at in (Hold.START, Hold.STOP)
            shape = Qt.CursorShape.SizeHorCursor if is_edge else Qt.CursorShape.ArrowCursor
            self.setCursor(shape)
            return
        if self._hold is Hold.WINDOW:
            axis.show(max(t - self._from_s, 0.0), max(t - self._from_s, 0.0) + axis.span_s)
        elif self._hold is Hold.START:
            axis.show(min(max(t, 0.0), axis.stop_s - axis.MIN_SPAN_S), axis.stop_s)
        elif self._hold is Hold.STOP:
            axis.show(axis.start_s, max(t, axis.start_s + axis.MIN_SPAN_S))
        else:
            return
        self.axis_changed.emit()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        self._hold = Hold.NOTHING

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom about the middle of the window."""
        self._axis.zoom(1.25 ** (event.angleDelta().y() / 120), self._axis.width / 2)
        event.accept()
        self.axis_changed.emit()

    def _hold_at(self, place: QPointF) -> Hold:
        window = self._window_rect(self._strip())
        for edge, hold in ((window.left(), Hold.START), (window.right(), Hold.STOP)):
            if abs(place.x() - edge) <= EDGE_PX:
                return hold
        return Hold.WINDOW if window.left() < place.x() < window.right() else Hold.NOTHING

    # --- geometry

    def _strip(self) -> QRectF:
        return QRectF(GUTTER, 0, max(self.width() - GUTTER, 1), self.height())

    def _x(self, t: float) -> float:
        strip = self._strip()
        return strip.left() + t / self._drawn_s * strip.width()

    def _t(self, x: float) -> float:
        strip = self._strip()
        return (x - strip.left()) / strip.width() * self._drawn_s

    def _window_rect(self, strip: QRectF) -> QRectF:
        left = min(max(self._x(self._axis.start_s), strip.left()), strip.right() - 4)
        right = min(max(self._x(self._axis.stop_s), left + 4), strip.right())
        return QRectF(left, strip.top(), right - left, strip.height())
