"""The whole session in one strip, with the stretch that the lanes show marked in it.

Main thread only.
"""

from __future__ import annotations

from time import perf_counter

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QWidget

from ui.envelope import coverage, picture
from ui.scene import Lane, Scene
from ui.theme import CONTROL_HEIGHT, Theme, translucent
from ui.time_axis import TimeAxis

GUTTER = 64


class Overview(QWidget):
    """Draws both tracks from the beginning to now; click or drag to bring a moment into view."""

    axis_changed = Signal()
    REDRAW_S = 0.5
    LEAST_S = 30.0
    """A session younger than this is drawn as if it were so long, so that it does not swim."""

    def __init__(self, axis: TimeAxis, theme: Theme) -> None:
        """Share ``axis`` with the lanes."""
        super().__init__()
        self._axis, self._theme = axis, theme
        self._scene = Scene()
        self._pictures: tuple[QImage, QImage] | None = None
        self._drawn_at = 0.0
        self._drawn_s = self.LEAST_S
        self.setFixedHeight(CONTROL_HEIGHT + 8)
        self.setAccessibleName("Overview of the whole session")
        self.setToolTip("The whole session. Click or drag to move the lanes there.")
        theme.changed.connect(self.refresh)

    def set_scene(self, scene: Scene) -> None:
        """Draw this scene from now on."""
        self._scene = scene
        self.refresh()

    def refresh(self) -> None:
        """Draw the tracks anew at the next paint."""
        self._pictures = None
        self.update()

    def advance(self) -> None:
        """Let a live session grow: the tracks are drawn anew twice a second."""
        if perf_counter() - self._drawn_at > self.REDRAW_S:
            self.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Draw anew at the new width."""
        super().resizeEvent(event)
        self.refresh()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw tracks, interruptions and the window."""
        painter = QPainter(self)
        colours = self._theme.colours
        strip = self._strip()
        painter.fillRect(self.rect(), QColor(colours.window))
        painter.fillRect(strip, QColor(colours.base))
        for index, image in enumerate(self._images()):
            painter.drawImage(strip.left(), strip.top() + index * strip.height() / 2, image)
        if self._scene.user.view is None:
            return
        painter.fillRect(self._window_rect(strip), translucent(colours.muted, 0.20))
        painter.setPen(QColor(colours.interruption))
        for mark in self._scene.marks:
            x = round(self._x(mark.at))
            painter.drawLine(x, round(strip.top()), x, round(strip.bottom()))
        painter.setPen(QPen(QColor(colours.muted), 1))
        painter.drawRect(self._window_rect(strip).adjusted(0.5, 0.5, -0.5, -0.5))
        if self._scene.playhead_s is not None:
            painter.setPen(QPen(QColor(colours.text), 2))
            x = self._x(self._scene.playhead_s)
            painter.drawLine(round(x), round(strip.top()), round(x), round(strip.bottom()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go there."""
        self._go(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go along."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._go(event.position().x())

    def _go(self, x: float) -> None:
        strip = self._strip()
        self._axis.centre((x - strip.left()) / strip.width() * self._drawn_s)
        self.axis_changed.emit()

    def _strip(self) -> QRectF:
        return QRectF(GUTTER, 0, max(self.width() - GUTTER, 1), self.height())

    def _x(self, t: float) -> float:
        strip = self._strip()
        return strip.left() + t / self._drawn_s * strip.width()

    def _window_rect(self, strip: QRectF) -> QRectF:
        left = max(self._x(self._axis.start_s), strip.left())
        right = min(max(self._x(self._axis.stop_s), left + 4), strip.right())
        return QRectF(left, strip.top(), right - left, strip.height())

    def _images(self) -> tuple[QImage, QImage]:
        if self._pictures is None:
            self._drawn_at = perf_counter()
            self._drawn_s = max(self._scene.duration_s, self.LEAST_S)
            colours = self._theme.colours
            self._pictures = (
                self._draw(self._scene.user, colours.user),
                self._draw(self._scene.agent, colours.agent),
            )
        return self._pictures

    def _draw(self, lane: Lane, colour: str) -> QImage:
        ratio, strip = self.devicePixelRatioF(), self._strip()
        width = round(strip.width() * ratio * lane.written / 16_000 / self._drawn_s)
        if lane.view is None or width < 1:
            return QImage()
        low, high = lane.view(0, lane.written, width)
        shades = coverage(low, high, round(strip.height() / 2 * ratio))
        return picture(shades, QColor(colour), ratio)
