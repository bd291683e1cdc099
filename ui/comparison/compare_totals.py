"""Both sessions as a whole, in a strip: a few figures, each with its change. Main thread only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from ui.comparison.compare_table import verdict_colour
from ui.parts.theme import GRID, Theme, small, tabular
from ui.parts.tips import plain_tip

if TYPE_CHECKING:
    from app.comparison.compare import Total

SHOWN = (
    "user turns",
    "agent turns",
    "interruptions",
    "response latency, median",
    "time to silence, median",
    "mouth to silence, median",
)


class CompareTotals(QWidget):
    """Names, values of both, and what has changed."""

    def __init__(self, theme: Theme) -> None:
        """Begin with dashes."""
        super().__init__()
        self._theme = theme
        self._totals: Sequence[Total] = ()
        self._cells = [(QLabel(), QLabel(), QLabel()) for _ in SHOWN]
        grid = QGridLayout(self)
        grid.setContentsMargins(0, GRID, 0, GRID)
        grid.setHorizontalSpacing(3 * GRID)
        grid.setVerticalSpacing(0)
        for column, (cells, name) in enumerate(zip(self._cells, SHOWN, strict=True)):
            for line, cell in enumerate(cells):
                cell.setTextFormat(Qt.TextFormat.PlainText)
                cell.setFont(tabular(1.0, bold=True) if line == 1 else small())
                grid.addWidget(cell, line, column)
            cells[0].setText(name[0].upper() + name[1:])
        grid.setColumnStretch(len(SHOWN), 1)
        self.setAccessibleName("Both sessions as a whole")
        self.show_totals([])
        theme.changed.connect(self._colour)

    def show_totals(self, totals: Sequence[Total]) -> None:
        """Show these; dashes for what is not among them."""
        from app.comparison.comparison_text import total_texts

        self._totals = totals
        texts = {total.name: total_texts(total) for total in totals}
        for (_, values, change), name in zip(self._cells, SHOWN, strict=True):
            first, second, difference = texts.get(name, ("–", "–", "–"))
            values.setText(f"{first} → {second}")
            change.setText(difference)
        everything = [f"{name}: {a} → {b} ({change})" for name, (a, b, change) in texts.items()]
        self.setToolTip(plain_tip("\n".join(everything)))
        self._colour()

    def _colour(self) -> None:
        verdicts = {total.name: total.verdict for total in self._totals}
        for (name_cell, _, change), name in zip(self._cells, SHOWN, strict=True):
            muted = verdict_colour(self._theme, "same")
            _paint(name_cell, muted)
            _paint(change, verdict_colour(self._theme, verdicts.get(name, "")) or muted)


def _paint(label: QLabel, colour: object) -> None:
    palette = label.palette()
    palette.setColor(QPalette.ColorRole.WindowText, colour)  # type: ignore[arg-type]
    label.setPalette(palette)
