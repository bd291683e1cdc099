"""The list of formats in the export window: what each is, how large it gets. Main thread only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QCheckBox, QGridLayout, QLabel, QSizePolicy, QWidget

from app.export.formats import FORMATS, Format
from ui.parts.theme import GRID, small, tabular
from ui.parts.tips import plain_tip

GROUPS = {
    "audio": "Audio",
    "text": "Text and tables",
    "data": "Data",
    "picture": "Picture",
}
SIZE_WIDTH = 10 * GRID


class FormatList(QWidget):
    """A box to tick for each format, with a sentence and a size beside it."""

    changed = Signal()

    def __init__(self) -> None:
        """Offer all formats, none of them ticked."""
        super().__init__()
        self.boxes: dict[str, QCheckBox] = {}
        self._sentences: dict[str, QLabel] = {}
        self._sizes: dict[str, QLabel] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(GRID // 2)
        grid.setColumnStretch(1, 1)
        grid.setColumnMinimumWidth(2, SIZE_WIDTH)
        group = ""
        for each in FORMATS:
            if each.group != group:
                group = each.group
                self._add_heading(grid, GROUPS[group])
            self._add(grid, each)
        grid.setRowStretch(grid.rowCount(), 1)

    @property
    def ticked(self) -> tuple[str, ...]:
        """The formats that are ticked and can be had, in the list's order."""
        return tuple(
            kind for kind, box in self.boxes.items() if box.isChecked() and box.isEnabledTo(self)
        )

    def tick(self, kinds: Iterable[str]) -> None:
        """Tick these and no others."""
        wanted = set(kinds)
        for kind, box in self.boxes.items():
            box.setChecked(kind in wanted)

    def show_facts(self, refusals: Mapping[str, str], sizes: Mapping[str, str]) -> None:
        """Show why some cannot be had, in place of their sentence, and how large the others get."""
        for each in FORMATS:
            why = refusals.get(each.id, "")
            self.boxes[each.id].setEnabled(not why)
            text = why or each.sentence
            self._sentences[each.id].setText(text)
            self._sentences[each.id].setToolTip(plain_tip(text))
            self.boxes[each.id].setAccessibleDescription(text)
            self._sizes[each.id].setText(sizes.get(each.id, ""))

    def _add_heading(self, grid: QGridLayout, text: str) -> None:
        row = grid.rowCount()
        heading = QLabel(text)
        heading.setFont(tabular(0.0, bold=True))
        if row > 1:
            heading.setContentsMargins(0, GRID, 0, 0)
        grid.addWidget(heading, row, 0, 1, 3)

    def _add(self, grid: QGridLayout, each: Format) -> None:
        row = grid.rowCount()
        box = QCheckBox(each.name)
        box.setToolTip(each.sentence)
        box.toggled.connect(lambda _checked: self.changed.emit())
        self.boxes[each.id] = box
        self._sentences[each.id] = sentence = Elided(each.sentence)
        self._sizes[each.id] = size = QLabel()
        for label in (sentence, size):
            label.setFont(small())
            label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
            label.setTextFormat(Qt.TextFormat.PlainText)
        size.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        grid.addWidget(box, row, 0)
        grid.addWidget(sentence, row, 1)
        grid.addWidget(size, row, 2)


class Elided(QLabel):
    """A line of text that gives way where there is no room for it; its tooltip has all of it."""

    def __init__(self, text: str) -> None:
        """Show ``text``."""
        super().__init__(text)
        self.setToolTip(plain_tip(text))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw as much of it as there is room for."""
        painter = QPainter(self)
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter, text)
        painter.end()
