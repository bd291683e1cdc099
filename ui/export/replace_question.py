"""Asks about each file that is there already whether to replace it. Main thread only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QAbstractButton, QMessageBox, QWidget

from app.export.formats import Order
from app.plain import printable


class ReplaceQuestion(QObject):
    """Goes through files one by one; in the end the order says what is to become of each."""

    answered = Signal(object)
    """The order, with all answers in it."""
    given_up = Signal()

    def __init__(self, order: Order, paths: Sequence[Path], parent: QWidget) -> None:
        """Ask about ``paths``, when told to."""
        super().__init__(parent)
        self._order, self._left, self._parent = order, list(paths), parent

    def ask(self) -> None:
        """Ask about the next file, or come to the end."""
        if not self._left:
            self.answered.emit(self._order)
            self.deleteLater()
            return
        path = self._left[0]
        box = QMessageBox(self._parent)
        box.setWindowTitle("Replace?")
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setText(f"“{printable(path.name)}” exists already. Replace it?")
        box.setInformativeText(f"It is in “{printable(str(path.parent))}”.")
        once = box.addButton("&Replace", QMessageBox.ButtonRole.AcceptRole)
        every = None
        if len(self._left) > 1:
            every = box.addButton("Replace &all", QMessageBox.ButtonRole.AcceptRole)
        keep = box.addButton("&Keep", QMessageBox.ButtonRole.DestructiveRole)
        cancel = box.addButton("Cancel", QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(keep)
        box.setEscapeButton(cancel)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

        def answer(button: QAbstractButton) -> None:
            if button is once:
                self._take(1, replaced=True)
            elif every is not None and button is every:
                self._take(len(self._left), replaced=True)
            elif button is keep:
                self._take(1, replaced=False)
            else:
                self.given_up.emit()
                self.deleteLater()

        box.buttonClicked.connect(answer)
        box.open()

    def _take(self, count: int, *, replaced: bool) -> None:
        paths = frozenset(self._left[:count])
        del self._left[:count]
        if replaced:
            self._order = replace(self._order, replace=self._order.replace | paths)
        else:
            self._order = replace(self._order, skip=self._order.skip | paths)
        self.ask()
