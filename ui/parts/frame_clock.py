"""The one timer of the window: drives every frame, and keeps how long each one took.

Main thread only. While sound can move it ticks 60 times a second, for a hidden window a few times a
second (so that readers do not fall behind), and otherwise not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QWidget


class FrameClock(QObject):
    """Calls ``draw`` once a frame while running, then has the window painted within the same frame.

    ``durations_ms`` therefore covers all of a frame: reading, laying out, painting, flushing.
    """

    FRAME_MS = 16
    HIDDEN_MS = 250
    KEPT = 1000

    def __init__(self, window: QWidget, draw: Callable[[], None]) -> None:
        """Drive ``draw`` for ``window``; stopped until `set_running`."""
        super().__init__(window)
        self._window = window
        self._draw = draw
        self._durations = np.zeros(self.KEPT, np.float64)
        self._starts = np.zeros(self.KEPT, np.float64)
        self.frames = 0
        self._timer = QTimer(self)
        self._timer.setObjectName("frame clock")
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.tick)

    @property
    def running(self) -> bool:
        """Whether frames are being drawn by themselves."""
        return self._timer.isActive()

    def set_running(self, running: bool) -> None:
        """Begin or cease to tick; beginning twice changes nothing."""
        if running and not self._timer.isActive():
            self.visibility_changed()
            self._timer.start()
        elif not running:
            self._timer.stop()

    def visibility_changed(self) -> None:
        """Take the pace that suits the window: slow while nobody can see it."""
        seen = self._window.isVisible() and not self._window.isMinimized()
        self._timer.setInterval(self.FRAME_MS if seen else self.HIDDEN_MS)

    def tick(self) -> None:
        """Draw one frame now and record how long it took."""
        began = perf_counter()
        self._draw()
        QCoreApplication.sendPostedEvents(self._window, QEvent.Type.UpdateRequest)
        slot = self.frames % self.KEPT
        self._durations[slot] = (perf_counter() - began) * 1e3
        self._starts[slot] = began
        self.frames += 1

    def durations_ms(self) -> NDArray[np.float64]:
        """Return the durations of the last frames, at most `KEPT`, in ms, in no order."""
        return self._durations[: min(self.frames, self.KEPT)].copy()

    def starts_s(self) -> NDArray[np.float64]:
        """Return when the last frames began, in seconds of ``perf_counter``, oldest first."""
        return np.sort(self._starts[: min(self.frames, self.KEPT)])

    def forget(self) -> None:
        """Begin the record of durations anew."""
        self.frames = 0
