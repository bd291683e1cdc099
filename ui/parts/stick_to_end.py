"""A list that grows stays at its end if that is where it was. Main thread only."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QScrollBar
from shiboken6 import isValid

NEAR = 4


class StickToEnd(QObject):
    """Keeps a scroll bar at its end while it grows or shrinks, until the person scrolls away."""

    def __init__(self, bar: QScrollBar) -> None:
        """Watch ``bar``, which owns this from now on."""
        super().__init__(bar)
        self._bar = bar
        self._at_end = True
        bar.valueChanged.connect(self._moved)
        bar.rangeChanged.connect(self._grown)

    @property
    def at_end(self) -> bool:
        """Whether the bar is at its end."""
        return self._at_end

    def stick(self, at_end: bool) -> None:
        """Go to the end and stay there; or to the beginning, for what is shown grows no more."""
        self._at_end = at_end
        self._bar.setValue(self._bar.maximum() if at_end else 0)
        self._at_end = at_end

    def _moved(self, value: int) -> None:
        self._at_end = value >= self._bar.maximum() - NEAR

    def _grown(self, _least: int, most: int) -> None:
        # A view that is being deleted still tells of its range.
        if self._at_end and isValid(self._bar):
            self._bar.setValue(most)
