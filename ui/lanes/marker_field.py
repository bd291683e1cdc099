"""The field in which a marker's text is typed, at its flag in the lanes. Main thread only."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from ui.lanes.lane_geometry import GUTTER, MARKER_ROW, RULER
from ui.parts.theme import small

LONGEST = 500
WIDTH = 240


class MarkerField(QLineEdit):
    """Shown while a text is typed; nothing else stops meanwhile.

    Return, or leaving the field, keeps the text; Esc takes the marker back.
    """

    finished = Signal(str)
    cancelled = Signal()

    def __init__(self, lanes: QWidget) -> None:
        """Stay hidden until `begin`."""
        super().__init__(lanes)
        self._lanes = lanes
        self._is_open = False
        self.setMaxLength(LONGEST)
        self.setFont(small(-0.5))
        self.setPlaceholderText("Text of the marker; Return keeps it, Esc takes it back")
        self.setAccessibleName("Text of the marker")
        self.setFixedSize(WIDTH, MARKER_ROW + 4)
        self.hide()

    @property
    def active(self) -> bool:
        """Whether a text is being typed."""
        return self._is_open

    def begin(self, x: float, text: str = "") -> None:
        """Take the keyboard, at ``x`` of the lanes."""
        self._is_open = True
        self.setText(text)
        self.place(x)
        self.show()
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def place(self, x: float) -> None:
        """Stand at ``x``, as far as there is room."""
        most = self._lanes.width() - self.width()
        self.move(round(min(max(x + 10, GUTTER), max(most, GUTTER))), RULER - 1)

    def finish(self) -> None:
        """Keep what was typed."""
        if self._is_open:
            self._close()
            self.finished.emit(self.text().strip())

    def _close(self) -> None:
        self._is_open = False
        had_focus = self.hasFocus()
        self.hide()
        if had_focus:
            self._lanes.setFocus()

    def event(self, event: QEvent) -> bool:
        """Keep Esc from the window, where it silences the agent."""
        is_escape = isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape
        if is_escape and event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keep the text, or take the marker back."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.finish()
        elif event.key() == Qt.Key.Key_Escape:
            self._close()
            self.cancelled.emit()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Keep what was typed, unless it is another window that took the keyboard."""
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.ActiveWindowFocusReason:
            self.finish()
