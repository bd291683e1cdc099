"""The chain of an interruption as bars to scale, one below the other. Main thread only."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from PySide6.QtCore import QEvent, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QColor,
    QFocusEvent,
    QFontMetrics,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
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
    One part is chosen, by the arrows or a click: what it is can be read below. At first it is the
    longest.
    """

    part_chosen = Signal()
    """`told` is another now."""

    def __init__(self, theme: Theme) -> None:
        """Begin with no chain."""
        super().__init__()
        self._theme = theme
        self._parts: Sequence[Part] = ()
        self._estimated = False
        self._chosen = 0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
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
        is_another = [part.start for part in parts] != [part.start for part in self._parts]
        self._parts, self._estimated = tuple(parts), estimated
        if is_another:
            self._chosen = self._longest()
        told = [f"{part.name} {self._figure(part)}" for part in self._parts]
        self.setAccessibleDescription("; ".join(told))
        self.choose(self._chosen)

    @property
    def told(self) -> str:
        """What the chosen part is, as plain text."""
        if not self._parts:
            return ""
        part = self._parts[self._chosen]
        return f"{part.name}, {self._figure(part)}: {part.definition}"

    def choose(self, row: int) -> None:
        """Choose the part in ``row``, or the last one before it that there is."""
        self._chosen = max(min(row, len(self._parts) - 1), 0)
        self.setAccessibleName(f"Chain of the interruption. {self.told}")
        self.part_chosen.emit()
        self.update()

    def _longest(self) -> int:
        lengths = [-1.0 if part.name == LAST else part.ms or 0.0 for part in self._parts]
        return lengths.index(max(lengths)) if lengths else 0

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Choose the next part, or the one before, the first or the last."""
        last = len(self._parts) - 1
        rows = {
            Qt.Key.Key_Down: self._chosen + 1,
            Qt.Key.Key_Up: self._chosen - 1,
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: last,
        }
        row = rows.get(Qt.Key(event.key()))
        if row is None or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            super().keyPressEvent(event)
            return
        self.choose(row)
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.NameChanged))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the part that is clicked."""
        row = int(event.position().y()) // ROW
        if row < len(self._parts):
            self.choose(row)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show which part the arrows go on from."""
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Show it more faintly."""
        super().focusOutEvent(event)
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
        if self._parts:
            self._paint_chosen(painter)
        span = self.span
        if span is not None:
            self._paint_scale(painter, span)
        longest = max((part.ms or 0.0 for part in self._parts if part.name != LAST), default=0.0)
        for row, part in enumerate(self._parts):
            self._paint_part(painter, row, part, part.name != LAST and part.ms == longest > 0)
        painter.end()

    def _paint_chosen(self, painter: QPainter) -> None:
        colours = self._theme.colours
        row = QRect(0, self._chosen * ROW, self.width(), ROW)
        painter.fillRect(row, blend(colours.selection, colours.window, 0.6))
        if self.hasFocus():
            painter.setPen(QPen(QColor(colours.user), 1))
            painter.drawRect(row.adjusted(0, 0, -1, -1))

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
