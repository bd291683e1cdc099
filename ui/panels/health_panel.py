"""Audio health: what the devices and queues report, as counters. Main thread only."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from ui.panels.health_tips import TIPS
from ui.parts.theme import GRID, Theme, tabular
from ui.parts.tips import plain_tip

EMPTY = "What the devices and queues report while a session runs appears here."
COLUMN_PAIRS = 3
TIP_CHARS = 64
"""So long a line of a tooltip is quick to read; a plain one is not broken by itself."""


class HealthPanel(QScrollArea):
    """Facts as label and value, in columns."""

    def __init__(self, theme: Theme) -> None:
        """Begin without facts."""
        super().__init__()
        self._theme = theme
        self._values: dict[str, QLabel] = {}
        self._inside = QWidget()
        outer = QVBoxLayout(self._inside)
        outer.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        self._empty = QLabel(EMPTY)
        self._empty.setWordWrap(True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        outer.addWidget(self._empty)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(2 * GRID)
        self._grid.setVerticalSpacing(GRID // 2)
        outer.addLayout(self._grid)
        outer.addStretch(1)
        self.setWidget(self._inside)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setAccessibleName("Audio health")
        theme.changed.connect(self._restyle)
        self._restyle()

    def forget(self, sentence: str = EMPTY) -> None:
        """Show no facts, but ``sentence``: something else is in view."""
        while (item := self._grid.takeAt(0)) is not None:
            item.widget().deleteLater()
        self._values.clear()
        self._empty.setText(sentence)
        self._empty.setVisible(True)

    def show_facts(self, facts: Mapping[str, str]) -> None:
        """Show ``facts``, label to value with its unit; labels stay where they first stood."""
        self._empty.setVisible(not facts)
        for name in [name for name in self._values if name not in facts]:
            self._values[name].setText("–")
        for name, text in facts.items():
            if name not in self._values:
                self._add(name)
            if self._values[name].text() != text:
                self._values[name].setText(text)

    def facts(self) -> dict[str, str]:
        """Return what is shown, label to value."""
        return {name: value.text() for name, value in self._values.items()}

    @property
    def sentence(self) -> str:
        """What is said while there are no facts."""
        return self._empty.text()

    def value(self, name: str) -> str:
        """Return what is shown beside ``name``."""
        return self._values[name].text()

    def _add(self, name: str) -> None:
        row, pair = divmod(len(self._values), COLUMN_PAIRS)
        label, value = QLabel(name), QLabel()
        label.setProperty("caption", True)
        label.setTextFormat(Qt.TextFormat.PlainText)
        value.setTextFormat(Qt.TextFormat.PlainText)
        value.setFont(tabular())
        value.setAccessibleName(name)
        for each in (label, value):
            each.setToolTip(plain_tip(fill(TIPS.get(name, ""), TIP_CHARS)))
        self._grid.addWidget(label, row, 2 * pair)
        self._grid.addWidget(value, row, 2 * pair + 1)
        self._grid.setColumnStretch(2 * pair + 1, 1)
        self._values[name] = value

    def _restyle(self) -> None:
        colours = self._theme.colours
        self._inside.setStyleSheet(f"QLabel[caption='true'] {{ color: {colours.muted}; }}")
        self._empty.setStyleSheet(f"color: {colours.muted};")
