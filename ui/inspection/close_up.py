"""Both waveforms around one interruption, from onset to silence and a little on both sides.

Main thread only. Drawn from at most two values a column, and only when there is something new.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.inspection.moments import Moment, close_up_of
from ui.inspection.waterfall import step_of
from ui.lanes.scene import RATE, Lane, Scene, Stretch
from ui.parts.theme import Theme, blend, tabular, translucent

if TYPE_CHECKING:
    from ui.lanes.envelope import View

LANE = 34
GUTTER = 40
AXIS = 16
SPACE = 4
"""Pixels between two times, at the least."""


class CloseUp(QWidget):
    """A still picture of a stretch of a `Scene`; the playhead goes through it."""

    def __init__(self, theme: Theme) -> None:
        """Begin with nothing."""
        super().__init__()
        self._theme = theme
        self._scene = Scene()
        self._moment: Moment | None = None
        self._picture: QPixmap | None = None
        self._drawn: tuple[object, ...] = ()
        self._playhead_px: int | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Both waveforms around the interruption")
        self.setToolTip(
            "You above, the agent below, around the interruption. Shaded: from the onset of "
            "speech to silence; hatched: what was discarded."
        )
        theme.changed.connect(self._forget)

    def sizeHint(self) -> QSize:
        """Return room for two lanes and a scale."""
        return QSize(240, 2 * LANE + AXIS)

    def minimumSizeHint(self) -> QSize:
        """Return the same, as narrow as it can be read."""
        return QSize(160, 2 * LANE + AXIS)

    def show_moment(self, moment: Moment | None, scene: Scene) -> None:
        """Show the stretch around ``moment`` of ``scene``."""
        self._moment, self._scene = moment, scene
        self.advance()

    def advance(self) -> None:
        """Draw anew if there is something new in the stretch, or the playhead has moved in it."""
        state = self._state()
        if state != self._drawn:
            self._drawn = state
            self._forget()
        place = self._playhead_place()
        if place != self._playhead_px:
            self._playhead_px = place
            self.update()

    def _forget(self) -> None:
        self._picture = None
        self.update()

    def _state(self) -> tuple[object, ...]:
        scene, moment = self._scene, self._moment
        if moment is None:
            return ()
        stop = close_up_of(moment)[1] * RATE
        lanes = [(min(lane.written, stop), lane.detail) for lane in (scene.user, scene.agent)]
        return (moment, *lanes, len(scene.discarded), scene.received is None)

    def _playhead_place(self) -> int | None:
        at = self._scene.playhead_s
        if at is None or self._moment is None or not self._scene.playing:
            return None
        start, stop = close_up_of(self._moment)
        return round(self._x(at)) if start <= at <= stop else None

    def _x(self, t: float) -> float:
        start, stop = close_up_of(self._moment) if self._moment is not None else (0.0, 1.0)
        return GUTTER + (t - start) / (stop - start) * (self.width() - GUTTER)

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the picture, and over it the playhead."""
        painter = QPainter(self)
        if self._moment is not None:
            ratio = self.devicePixelRatioF()
            if self._picture is None or self._picture.size() != self.size() * ratio:
                self._picture = self._draw(self._moment)
            painter.drawPixmap(0, 0, self._picture)
            if self._playhead_px is not None:
                colour = QColor(self._theme.colours.text)
                painter.fillRect(self._playhead_px - 1, 0, 2, 2 * LANE, colour)
        painter.end()

    def _draw(self, moment: Moment) -> QPixmap:
        ratio, colours = self.devicePixelRatioF(), self._theme.colours
        result = QPixmap(self.size() * ratio)
        result.setDevicePixelRatio(ratio)
        result.fill(QColor(colours.window))
        painter = QPainter(result)
        lanes = QRect(GUTTER, 0, self.width() - GUTTER, 2 * LANE)
        painter.fillRect(lanes, QColor(colours.base))
        self._paint_bands(painter, moment)
        self._paint_lane(painter, self._scene.user, 0, colours.user)
        self._paint_ghosts(painter)
        self._paint_lane(painter, self._scene.agent, 1, colours.agent)
        painter.fillRect(GUTTER, LANE, lanes.width(), 1, QColor(colours.line))
        painter.fillRect(GUTTER, 2 * LANE, lanes.width(), 1, QColor(colours.line))
        self._paint_names(painter)
        self._paint_times(painter, moment)
        painter.end()
        return result

    def _paint_bands(self, painter: QPainter, moment: Moment) -> None:
        colours = self._theme.colours
        if moment.cut is None:
            is_missed = moment.kind == "missed"
            colour = colours.interruption if is_missed else colours.muted
            self._paint_band(painter, moment.at, moment.ends, translucent(colour, 0.18))
            return
        red = colours.interruption
        self._paint_band(painter, moment.begins, moment.at, translucent(red, 0.10))
        self._paint_band(painter, moment.at, moment.ends, translucent(red, 0.24))
        painter.fillRect(round(self._x(moment.at)) - 1, 0, 2, 2 * LANE, QColor(red))

    def _paint_band(self, painter: QPainter, start: float, stop: float, wash: QColor) -> None:
        left, right = (min(max(self._x(t), GUTTER), self.width()) for t in (start, stop))
        if right > left:
            painter.fillRect(QRectF(left, 0, right - left, 2 * LANE), wash)

    def _paint_lane(self, painter: QPainter, lane: Lane, index: int, colour: str) -> None:
        if lane.view is None or self._moment is None:
            return
        start, stop = (t * RATE for t in close_up_of(self._moment))
        stop = min(stop, lane.written)
        if stop > start:
            image = self._wave(lane.view, start, stop, colour)
            painter.drawImage(QPoint(GUTTER, index * LANE), image)

    def _wave(
        self, view: View, start: float, stop: float, colour: str, *, ghost: bool = False
    ) -> QImage:
        from ui.lanes.envelope import coverage, hatched, picture

        ratio = self.devicePixelRatioF()
        first, last = close_up_of(self._moment) if self._moment is not None else (0.0, 1.0)
        per_sample = (self.width() - GUTTER) * ratio / ((last - first) * RATE)
        low, high = view(start, stop, max(round((stop - start) * per_sample), 1))
        height = round((LANE - 1) * ratio)
        shades = hatched(low, high, height) if ghost else coverage(low, high, height)
        return picture(shades, QColor(colour), ratio)

    def _paint_ghosts(self, painter: QPainter) -> None:
        if self._scene.received is None or self._moment is None:
            return
        first, last = close_up_of(self._moment)
        for ghost in self._scene.discarded:
            if ghost.at < last and ghost.ends_at > first:
                self._paint_ghost(painter, ghost, first, last)

    def _paint_ghost(self, painter: QPainter, ghost: Stretch, first: float, last: float) -> None:
        start = ghost.start + max(first - ghost.at, 0.0) * RATE
        stop = min(ghost.stop, ghost.start + (last - ghost.at) * RATE)
        if stop <= start or self._scene.received is None:
            return
        colour = self._theme.colours.agent
        image = self._wave(self._scene.received, start, stop, colour, ghost=True)
        painter.drawImage(QPoint(round(self._x(max(ghost.at, first))), LANE), image)

    def _paint_names(self, painter: QPainter) -> None:
        colours = self._theme.colours
        painter.setFont(tabular(-1.5, bold=True))
        where = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        for index, colour in enumerate((colours.user, colours.agent)):
            painter.setPen(QColor(colour))
            area = QRect(0, index * LANE, GUTTER - 2, LANE)
            name = self._scene.names[index]
            painter.drawText(area, where, name)

    def _paint_times(self, painter: QPainter, moment: Moment) -> None:
        """Draw half seconds, or what there is room for, from the moment itself, which is 0."""
        colours = self._theme.colours
        painter.setFont(tabular(-2.0))
        start, stop = close_up_of(moment)
        seconds = stop - start
        step = 0.5 if seconds <= 4 else 1.0 if seconds <= 8 else float(step_of(seconds / 8))
        faint = blend(colours.line, colours.base, 0.5)
        metrics = painter.fontMetrics()
        number, free_from = -int((moment.at - start) / step), 0
        while moment.at + number * step <= stop:
            x = round(self._x(moment.at + number * step))
            painter.fillRect(x, 2 * LANE, 1, 4, faint)
            text = f"{number * step:+.1f} s".replace("-", "−") if number else "0"
            width = metrics.horizontalAdvance(text)
            painter.setPen(QColor(colours.muted))
            left = min(max(x - width // 2, GUTTER), self.width() - width)
            if left >= free_from:
                painter.drawText(left, 2 * LANE + 4 + metrics.ascent(), text)
                free_from = left + width + SPACE
            number += 1
