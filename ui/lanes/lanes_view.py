"""The lanes on one time axis: shows a scene, and turns mouse and keys into wishes and movements.

Main thread only.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QToolTip, QWidget

from ui.lanes.amplitude import Amplitude
from ui.lanes.gestures import Gestures
from ui.lanes.lane_frame import LaneFrame
from ui.lanes.lane_geometry import (
    GUTTER,
    LEAST_LANE,
    MARK_ROW,
    MARKER_ROW,
    RULER,
    TURN_ROW,
    LaneGeometry,
)
from ui.lanes.lane_painter import LanePainter
from ui.lanes.lane_tips import ghost_at, in_lines, overlap_at, tip_at
from ui.lanes.scene import RATE, Scene, peak_text
from ui.lanes.time_axis import TimeAxis, clock_text
from ui.parts.theme import Theme, tabular

BY_KEYS = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
SHIFT = Qt.KeyboardModifier.ShiftModifier
CONTROL = Qt.KeyboardModifier.ControlModifier
ALT = Qt.KeyboardModifier.AltModifier
STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
STEP = 1 / 100
"""Of the width in view: how far a key moves the playhead or an edge of the selection."""


class LanesView(QWidget):
    """Draws a `Scene` over a `TimeAxis`; what it only wishes for is done by others."""

    axis_changed = Signal()
    amplitude_changed = Signal()
    mark_activated = Signal(int)
    """The number of an interruption that was double-clicked."""
    overlap_activated = Signal(float)
    """Session seconds where an overlap begins that was double-clicked."""
    ghost_clicked = Signal(object)
    """The `Stretch` of discarded audio that was clicked, and not dragged."""
    moment_clicked = Signal(float)
    """Session seconds of a place that was clicked, and not dragged."""
    playhead_wished = Signal(float)
    """Session seconds to which the playhead was moved by keys."""
    selection_wished = Signal(object)
    """A stretch ``(start, stop)`` to select."""

    def __init__(self, axis: TimeAxis, theme: Theme) -> None:
        """Draw with ``theme``; the scene is empty until `set_scene`."""
        super().__init__()
        self._axis, self._theme = axis, theme
        self._scene = Scene()
        self.amplitude = Amplitude()
        self.geometry_of = LaneGeometry(axis)
        self._painter = LanePainter(self.geometry_of, self.amplitude, theme)
        self._frame = LaneFrame(self.geometry_of, self.amplitude, theme)
        self._gestures = Gestures(self.geometry_of, self)
        self._hover: QPointF | None = None
        self._released = QPoint()
        self._is_reached_by_keys = False
        self.empty_text = ""
        self._build()
        self._gestures.clicked.connect(self._clicked)
        self._gestures.selected.connect(lambda a, b: self.selection_wished.emit((a, b)))
        self._gestures.axis_dragged.connect(self.axis_changed)
        theme.changed.connect(self.update)

    def _build(self) -> None:
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumHeight(RULER + MARKER_ROW + 2 * (LEAST_LANE + TURN_ROW) + MARK_ROW)
        self.setAccessibleName("Timeline")
        self.setAccessibleDescription(
            "User and agent on one time axis. Arrow keys move, plus and minus zoom, with Shift the "
            "arrows select, with Alt they move the playhead, Home and End go to the "
            "beginning and the end."
        )

    def set_scene(self, scene: Scene) -> None:
        """Draw this scene from now on."""
        self._scene = scene
        self.amplitude.forget()
        self._painter.forget()
        self._fit()
        self.update()

    def show_amplitude(self, *, steps: int = 0, is_db: bool | None = None) -> None:
        """Raise quiet audio by ``steps``, and use the scale in dB or the linear one."""
        if steps:
            self.amplitude.zoom(steps)
        if is_db is not None:
            self.amplitude.set_db(is_db)
        self._amplitude_moved()

    def reset_amplitude(self) -> None:
        """Put full scale at the lanes' edges again."""
        self.amplitude.reset()
        self._amplitude_moved()

    def _amplitude_moved(self) -> None:
        self._painter.forget()
        self.update()
        self.amplitude_changed.emit()

    @property
    def hover_s(self) -> float | None:
        """Session seconds under the pointer, None where it is not over the lanes."""
        if self._hover is None or self._hover.x() < GUTTER:
            return None
        return self._axis.t_of(self.geometry_of.column(self._hover.x()))

    def x_of(self, t: float) -> float:
        """Return where session second ``t`` is drawn, in device-independent pixels."""
        self._fit()
        return self.geometry_of.x(t)

    def _fit(self) -> None:
        self.geometry_of.fit(self.width(), self.height(), self.devicePixelRatioF(), self._scene)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the axis its new number of columns."""
        super().resizeEvent(event)
        self._fit()
        self._axis.resize(self.geometry_of.columns)
        self.axis_changed.emit()

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw all of it; pictures of the waves come from their caches."""
        self._fit()
        painter = QPainter(self)
        scene = self._scene
        self._frame.paint_ground(painter, scene)
        painter.setClipRect(GUTTER, 0, self.width() - GUTTER, self.height())
        self._painter.paint(painter, scene)
        self._frame.paint_over(painter, scene)
        self._paint_hover(painter)
        painter.setClipping(False)
        self._frame.paint_gutter(painter, scene)
        self._paint_empty(painter)
        if self._is_reached_by_keys and self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QColor(self._theme.colours.user))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def _paint_hover(self, painter: QPainter) -> None:
        t = self.hover_s
        if self._hover is None or t is None or t < 0 or self._gestures.active:
            return
        self._frame.paint_readout(painter, round(self._hover.x()), self._readout(t))

    def _readout(self, t: float) -> str:
        per_column, scene = self._axis.seconds_per_column, self._scene
        levels = [f"{scene.names[0]} {peak_text(scene.user, t, per_column)}"]
        if not scene.is_mono:
            levels.append(f"{scene.names[1]} {peak_text(scene.agent, t, per_column)}")
        where = clock_text(t, 3)
        if per_column * RATE < 1:
            where = f"{clock_text(t, 5)}   sample {round(t * RATE)}"
        return "   ".join([where, *levels])

    def _paint_empty(self, painter: QPainter) -> None:
        if not self.empty_text:
            return
        painter.setFont(tabular())
        painter.setPen(QColor(self._theme.colours.muted))
        area = QRectF(self.geometry_of.lane(0)).adjusted(16, 0, -16, 0)
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(area, flags, self.empty_text)

    # --- the mouse

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the pointer; with Shift, or sideways, move; with Alt, raise quiet audio.

        So do Ctrl and Shift together, for Alt is the window manager's on some systems, and the
        wheel over the scale.
        """
        delta, held = event.angleDelta(), event.modifiers()
        event.accept()
        is_on_scale = event.position().x() < GUTTER
        if is_on_scale or held & ALT or held & (CONTROL | SHIFT) == CONTROL | SHIFT:
            # some systems turn the wheel sideways then
            steps = (delta.y() or delta.x()) / 120
            self.show_amplitude(steps=round(steps) or (1 if steps > 0 else -1))
            return
        if delta.x() or held & SHIFT:
            self._axis.pan(-(delta.x() or delta.y()) / 120 * self._axis.width / 10)
        else:
            x = self.geometry_of.column(event.position().x())
            self._axis.zoom(1.25 ** (delta.y() / 120), max(x, 0))
        self.axis_changed.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the axis, of a place, or of the selection's edge."""
        self._gestures.press(event, self._scene)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag, or move the crosshair."""
        self._hover = event.position()
        self._gestures.move(event, self._scene)
        self._show_cursor(event.position())
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go; what was not dragged was clicked."""
        self._released = event.position().toPoint()
        self._gestures.release(event)
        self._show_cursor(event.position())
        self.update()

    def _clicked(self, t: float) -> None:
        ghost = ghost_at(self._released, self.geometry_of, self._scene)
        if ghost is not None:
            self.ghost_clicked.emit(ghost)
        else:
            self.moment_clicked.emit(t)

    def _show_cursor(self, place: QPointF) -> None:
        shape = self._gestures.cursor_at(place, self._scene)
        is_free = shape == Qt.CursorShape.ArrowCursor
        if is_free and ghost_at(place.toPoint(), self.geometry_of, self._scene) is not None:
            shape = Qt.CursorShape.PointingHandCursor
        self.setCursor(shape)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Open the interruption nearest to the pointer, if it is within 12 pixels; or an overlap.

        What is missed has a line of its own only where it begins.
        """
        x = event.position().x()
        near = [(abs(self.x_of(mark.at) - x), mark.number) for mark in self._scene.marks]
        if near and min(near)[0] <= 12:
            self.mark_activated.emit(min(near)[1])
            return
        both = overlap_at(self.geometry_of.t(x), self._scene)
        if both is not None:
            self.overlap_activated.emit(both.start)

    def leaveEvent(self, event: object) -> None:
        """Hide the crosshair."""
        self._hover = None
        self.update()

    def event(self, event: QEvent) -> bool:
        """Tell what stands under the pointer."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            text = tip_at(event.pos(), self.geometry_of, self._scene)
            QToolTip.showText(event.globalPos(), in_lines(text), self)
            return True
        return super().event(event)

    # --- the keyboard

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show that the keys act here, if it was by keys that they came."""
        super().focusInEvent(event)
        self._is_reached_by_keys = event.reason() in BY_KEYS
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move, zoom and select by keys."""
        acts = self._select_by_key if event.modifiers() & SHIFT else self._move_by_key
        if not acts(Qt.Key(event.key()), event.modifiers()):
            super().keyPressEvent(event)

    def _move_by_key(self, key: Qt.Key, held: Qt.KeyboardModifier) -> bool:
        axis, end_s = self._axis, self._scene.duration_s
        page = axis.width / (2 if held & CONTROL else 10)
        acts = {
            Qt.Key.Key_Left: lambda: axis.pan(-page),
            Qt.Key.Key_Right: lambda: axis.pan(page),
            Qt.Key.Key_PageUp: lambda: axis.pan(-axis.width),
            Qt.Key.Key_PageDown: lambda: axis.pan(axis.width),
            Qt.Key.Key_Plus: lambda: self.zoom(1.5),
            Qt.Key.Key_Equal: lambda: self.zoom(1.5),
            Qt.Key.Key_Up: lambda: self.zoom(1.5),
            Qt.Key.Key_Minus: lambda: self.zoom(1 / 1.5),
            Qt.Key.Key_Down: lambda: self.zoom(1 / 1.5),
            Qt.Key.Key_Home: lambda: axis.show(0.0, axis.span_s),
            Qt.Key.Key_End: lambda: axis.show(max(0.0, end_s - axis.span_s), end_s),
        }
        if held & ALT:
            return key in STEPS and self._step_playhead(STEPS[key], held)
        if key not in acts:
            return False
        acts[key]()
        self.axis_changed.emit()
        return True

    def zoom(self, factor: float) -> None:
        """Zoom about the playhead if it is in view, else about the middle."""
        axis, playhead = self._axis, self._scene.playhead_s
        x = axis.width / 2
        if playhead is not None and axis.start_s <= playhead <= axis.stop_s:
            x = axis.x_of(playhead)
        axis.zoom(factor, x)

    def _step_playhead(self, steps: int, held: Qt.KeyboardModifier) -> bool:
        playhead = self._scene.playhead_s
        if playhead is None:
            return False
        t = playhead + steps * self._step_s(held)
        self.playhead_wished.emit(min(max(t, 0.0), self._scene.duration_s))
        return True

    def _step_s(self, held: Qt.KeyboardModifier) -> float:
        """Return how far a key moves something: with Ctrl by one column, or by one sample."""
        if held & CONTROL:
            return max(self._axis.seconds_per_column, 1 / RATE)
        return max(self._axis.span_s * STEP, 1 / RATE)

    def _select_by_key(self, key: Qt.Key, held: Qt.KeyboardModifier) -> bool:
        """Move the later edge of the selection; one begins at the playhead, or in the middle."""
        if key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            return self._move_by_key(key, held)
        scene, axis = self._scene, self._axis
        middle = (axis.start_s + axis.stop_s) / 2
        here = scene.playhead_s if scene.playhead_s is not None else middle
        start, stop = scene.selection or (here, here)
        step = self._step_s(held)
        moves = {
            Qt.Key.Key_Left: (start, stop - step),
            Qt.Key.Key_Right: (start, stop + step),
            Qt.Key.Key_Home: (0.0, stop),
            Qt.Key.Key_End: (start, scene.duration_s),
        }
        if key not in moves:
            return False
        ends = sorted(min(max(t, 0.0), scene.duration_s) for t in moves[key])
        self.selection_wished.emit((ends[0], ends[1]))
        return True
