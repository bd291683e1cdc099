"""Sentences for the person, above the timeline: never modal, never stealing focus.

Main thread only.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ui.parts.icons import Icons
from ui.parts.theme import GRID, Theme
from ui.parts.tips import plain_tip

COLOUR_OF = {"info": "muted", "warning": "warning", "error": "fault"}


@dataclass(frozen=True, slots=True)
class Line:
    """One notice as the bar shows it."""

    level: str
    sentence: str
    details: str = ""


class NoticeBar(QWidget):
    """The last few notices, newest at the bottom; an equal one is not shown twice."""

    SHOWN = 3
    shown_changed = Signal(bool)

    def __init__(self, theme: Theme, icons: Icons) -> None:
        """Begin empty, and so invisible."""
        super().__init__()
        self._theme, self._icons = theme, icons
        self._rows: list[tuple[Line, QFrame]] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, GRID // 2)
        self._column.setSpacing(GRID // 2)
        self.setAccessibleName("Notices")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self._restyle)

    @property
    def lines(self) -> list[Line]:
        """What is shown, oldest first."""
        return [line for line, _ in self._rows]

    def event(self, event: QEvent) -> bool:
        """Take as many lines as the sentences need at this width."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest):
            self._fit()
        return super().event(event)

    def _fit(self) -> None:
        # A tool bar does not ask for a height that depends on the width.
        margins, frames = self._column.contentsMargins(), [frame for _, frame in self._rows]
        height = sum(self._height_of(frame) + self._column.spacing() for frame in frames)
        self.setFixedHeight(height - self._column.spacing() + margins.bottom() if frames else 0)

    def _height_of(self, frame: QFrame) -> int:
        return max(frame.layout().heightForWidth(self.width()), frame.minimumSizeHint().height())

    def add(self, level: str, sentence: str, details: str = "") -> None:
        """Show a notice; the oldest makes room when there are too many."""
        line = Line(level, sentence, details)
        self.dismiss(sentence)
        frame = self._build_row(line)
        self._rows.append((line, frame))
        self._column.addWidget(frame)
        if len(self._rows) > self.SHOWN:
            self.dismiss(self._rows[0][0].sentence)
        self._restyle()
        self._fit()
        self.shown_changed.emit(True)

    def dismiss(self, sentence: str) -> None:
        """Take away the notice with this sentence, if there is one."""
        for row in [row for row in self._rows if row[0].sentence == sentence]:
            self._rows.remove(row)
            self._column.removeWidget(row[1])
            row[1].hide()
            row[1].deleteLater()
        self._fit()
        self.shown_changed.emit(bool(self._rows))

    def clear(self) -> None:
        """Take all notices away."""
        for line in self.lines:
            self.dismiss(line.sentence)

    def _build_row(self, line: Line) -> QFrame:
        frame = QFrame()
        frame.setObjectName("notice")
        row = QHBoxLayout(frame)
        row.setContentsMargins(GRID, 2, 2, 2)
        row.setSpacing(GRID)
        icon = QLabel()
        icon.setAccessibleName(line.level)
        icon.setObjectName("icon")
        row.addWidget(icon)
        text = QLabel(line.sentence)
        text.setTextFormat(Qt.TextFormat.PlainText)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        text.setWordWrap(True)
        row.addWidget(text, 1)
        if line.details:
            row.addWidget(self._details_button(line))
        row.addWidget(self._dismiss_button(line))
        return frame

    def _details_button(self, line: Line) -> QPushButton:
        button = QPushButton("Copy details")
        button.setFlat(True)
        self._icons.put(button, "copy", "muted")
        button.setToolTip(plain_tip(line.details[:1000]))
        text = f"{line.sentence}\n\n{line.details}"
        button.clicked.connect(lambda: QGuiApplication.clipboard().setText(text))
        return button

    def _dismiss_button(self, line: Line) -> QToolButton:
        button = QToolButton()
        button.setAutoRaise(True)
        self._icons.put(button, "close", "muted")
        button.setToolTip("Dismiss")
        button.setAccessibleName("Dismiss")
        button.clicked.connect(lambda: self.dismiss(line.sentence))
        return button

    def _restyle(self) -> None:
        colours = self._theme.colours
        for line, frame in self._rows:
            name = COLOUR_OF.get(line.level, "muted")
            accent = getattr(colours, name)
            frame.setStyleSheet(
                f"QFrame#notice {{ background: {colours.raised}; border: none;"
                f" border-left: 4px solid {accent}; }}"
            )
            icon = frame.findChild(QLabel, "icon")
            drawing = line.level if line.level in COLOUR_OF else "info"
            icon.setPixmap(self._icons.pixmap(drawing, name, 18, self.devicePixelRatioF()))
