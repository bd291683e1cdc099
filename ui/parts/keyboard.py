"""A main window that can be worked by keys alone. Main thread only.

What Qt leaves out: Tab goes past what no one sees (panels behind another tab count as shown), Enter
presses the button that has the focus, and the window's keys are not taken by a text field.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QKeyCombination, QObject, Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QMainWindow,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)

TEXTS = (QLineEdit, QTextEdit, QPlainTextEdit, QAbstractSpinBox)
TAKE_SPACE = (*TEXTS, QAbstractButton, QComboBox)
ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
MOST_STEPS = 100
"""More widgets than this have no part in one round of Tab."""


class KeyboardWindow(QMainWindow):
    """The base of the window; `keep_keys` names the keys that are its own everywhere."""

    def __init__(self) -> None:
        """Keep no keys yet."""
        super().__init__()
        self._kept: tuple[QKeyCombination, ...] = ()
        self._spaced: QAction | None = None
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.focusChanged.connect(self._focus_changed)

    def keep_keys(self, *keys: QKeyCombination) -> None:
        """Keep ``keys`` from the text fields of this window, which have uses of their own."""
        self._kept = keys
        for kind in TEXTS:
            for field in self.findChildren(kind):
                field.installEventFilter(self)

    def give_space(self, action: QAction) -> None:
        """Let the space bar do ``action``, but not where it presses or writes something."""
        self._spaced = action
        self._focus_changed(None, QApplication.focusWidget())

    def _focus_changed(self, _before: QWidget | None, now: QWidget | None) -> None:
        if self._spaced is not None:
            taken = isinstance(now, TAKE_SPACE)
            self._spaced.setShortcut(QKeySequence() if taken else QKeySequence(Qt.Key.Key_Space))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Leave the kept keys to the window's actions."""
        is_key = isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride
        if is_key and event.keyCombination() in self._kept:
            event.ignore()
            return True
        return super().eventFilter(watched, event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Move the focus on to the next widget that can be seen."""
        for _ in range(MOST_STEPS):
            if not super().focusNextPrevChild(forward):
                return False
            if is_seen(QApplication.focusWidget()):
                return True
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let Enter press the button that has the focus, as Space does."""
        button = QApplication.focusWidget()
        if event.key() in ENTER and isinstance(button, QAbstractButton):
            button.animateClick()
        else:
            super().keyPressEvent(event)


def is_seen(widget: QWidget | None) -> bool:
    """Whether any of ``widget`` is within what its window shows."""
    return widget is not None and not widget.visibleRegion().isEmpty()
