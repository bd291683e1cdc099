"""The chain of an interruption as bars to scale, one below the other. Main thread only."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.analysis.chain import Part
from ui.parts.tables import milliseconds
from ui.parts.theme import GRID, Theme, blend, tabular

ROW = 18
AXIS = 16
BAR = 10
LAST = "pause"
"""The part that is no part of the way to silence: it is not to scale where it would not fit."""
COLOURS = {
    "mic chunk": "user",
    "sending": "user",
    "agent": "agent",
    "flush": "interruption",
    "playout": "interruption",
    "pause": "muted",
}
LEAST_STEP = 40
"""Pixels between two lines of the scale."""


class Waterfall(QWidget):
    """Bars from the onset of the user's speech, or the first moment known, to silence.

    A part that is not known has no bar but a dash. What follows silence is cut off at the edge.
    """

    def __init__(self, theme: Theme) -> None:
        """Begin with no chain."""
        super().__init__()
        self._theme = theme
        self._parts: Sequence[Part] = ()
        self._estimated = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        self.setAccessibleName("Chain of the interruption")
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """Return room for every part and the scale."""
        return QSize(240, max(len(self._parts), 6) * ROW + AXIS)

    def minimumSizeHint(self) -> QSize:
        """Return the same, as narrow as it can be read."""
        return QSize(200, self.sizeHint().height())

    def show_parts(self, parts: Sequence[Part], *, estimated: bool = False) -> None:
        """Show ``parts``; ``estimated`` marks their figures."""
        if tuple(parts) == tuple(self._parts) and estimated == self._estimated:
            return
        self._parts, self._estimated = tuple(parts), estimated
        told = [f"{part.name} {self._figure(part)}" for part in self._parts]
        self.setAccessibleDescription("; ".join(told))
        self.update()

    def _figure(self, part: Part) -> str:
        return milliseconds(part.ms, self._estimated)

    @property
    def span(self) -> tuple[float, float] | None:
        """From when to when the bars go, in session seconds; None where nothing is known."""
        ends = [
            t
            for part in self._parts
            if part.name != LAST
            for t in (part.start, part.stop)
            if t is not None
        ]
        if not ends or max(ends) <= min(ends):
            return None
        return min(ends), max(ends)

    def bar_of(self, part: Part) -> QRect | None:
        """Return where a part's bar is; None where it has none."""
        span, row = self.span, self._parts.index(part)
        if span is None or part.ms is None or part.start is None or part.stop is None:
            return None
        area = self._area()
        scale = area.width() / (span[1] - span[0])
        left = area.left() + (part.start - span[0]) * scale
        right = area.left() + (part.stop - span[0]) * scale
        left, right = (min(max(x, area.left()), self.width() - 1) for x in (left, right))
        top = row * ROW + (ROW - BAR) // 2
        # two pixels at the least: what took no time took place, too
        return QRect(round(left), top, max(round(right - left), 2), BAR)

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw names, bars, figures and the scale."""
        painter = QPainter(self)
        span = self.span
        if span is not None:
            self._paint_scale(painter, span)
        longest = max((part.ms or 0.0 for part in self._parts if part.name != LAST), default=0.0)
        for row, part in enumerate(self._parts):
            self._paint_part(painter, row, part, part.name != LAST and part.ms == longest > 0)
        painter.end()

    def _paint_part(self, painter: QPainter, row: int, part: Part, is_longest: bool) -> None:
        colours = self._theme.colours
        painter.setFont(tabular(-1.0, bold=is_longest))
        known = part.ms is not None
        painter.setPen(QColor(colours.text if known else colours.muted))
        middle = Qt.AlignmentFlag.AlignVCenter
        name = QRect(0, row * ROW, self._name_width(), ROW)
        painter.drawText(name, middle | Qt.AlignmentFlag.AlignLeft, part.name)
        figure = QRect(self._area().right() + GRID, row * ROW, self._figure_width(), ROW)
        painter.drawText(figure, middle | Qt.AlignmentFlag.AlignRight, self._figure(part))
        bar = self.bar_of(part)
        if bar is None:
            return
        colour = QColor(getattr(colours, COLOURS.get(part.name, "muted")))
        area = self._area()
        if part.name == LAST:
            # to the edge and faint: it goes on beyond the scale
            edge = area.right() + GRID - 2
            bar = QRect(area.right() - 1, bar.top(), edge - area.right() + 1, BAR)
            colour = blend(colours.muted, colours.window, 0.5)
        painter.fillRect(bar, colour)

    def _paint_scale(self, painter: QPainter, span: tuple[float, float]) -> None:
        colours, area = self._theme.colours, self._area()
        whole_ms = (span[1] - span[0]) * 1e3
        step = step_of(LEAST_STEP * whole_ms / area.width())
        painter.setFont(tabular(-2.0))
        bottom = len(self._parts) * ROW
        faint = blend(colours.line, colours.window, 0.6)
        for number in range(int(whole_ms // step) + 1):
            x = round(area.left() + number * step * area.width() / whole_ms)
            painter.fillRect(x, 0, 1, bottom, faint)
            painter.setPen(QColor(colours.muted))
            text = f"{number * step}" + (" ms" if number == 0 else "")
            metrics = painter.fontMetrics()
            width = metrics.horizontalAdvance(text)
            painter.drawText(min(x - (width // 2 if number else 0), area.right() - width // 2),
                             bottom + metrics.ascent(), text)  # fmt: skip

    # --- geometry

    def _name_width(self) -> int:
        return QFontMetrics(tabular(-1.0, bold=True)).horizontalAdvance("mic chunk") + GRID

    def _figure_width(self) -> int:
        return QFontMetrics(tabular(-1.0, bold=True)).horizontalAdvance("≈ 0000 ms")

    def _area(self) -> QRect:
        left = self._name_width()
        width = self.width() - left - self._figure_width() - GRID
        return QRect(left, 0, max(width, 16), len(self._parts) * ROW)

    def tip_at(self, y: int) -> str:
        """Return what the part at height ``y`` is, as plain text."""
        row = y // ROW
        if not 0 <= row < len(self._parts):
            return ""
        part = self._parts[row]
        return f"{part.name}: {self._figure(part)}\n{part.definition}"

    def event(self, event: QEvent) -> bool:
        """Tell what the part under the pointer is."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self.tip_at(event.pos().y()), self)
            return True
        return super().event(event)


def step_of(least_ms: float) -> int:
    """Return the first of 1, 2, 5, 10, 20, 50 and so on that is ``least_ms`` at the least."""
    steps = (digit * 10**power for power in count() for digit in (1, 2, 5))
    return next(step for step in steps if step >= least_ms)
