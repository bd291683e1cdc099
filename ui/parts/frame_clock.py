"""The one timer of the window: drives every frame, and keeps how long each one took.

Main thread only. While sound can move it ticks 60 times a second, for a hidden window a few times a
second (so that readers do not fall behind), and otherwise not at all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


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
        self._drawn: deque[tuple[float, float]] = deque(maxlen=self.KEPT)
        """When each of the last frames began, in seconds, and how long it took, in ms."""
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
        self._drawn.append((began, (perf_counter() - began) * 1e3))
        self.frames += 1

    def durations_ms(self) -> NDArray[np.float64]:
        """Return the durations of the last frames, at most `KEPT`, in ms, oldest first."""
        import numpy as np

        return np.array([took for _, took in self._drawn], np.float64)

    def starts_s(self) -> NDArray[np.float64]:
        """Return when the last frames began, in seconds of ``perf_counter``, oldest first."""
        import numpy as np

        return np.array([began for began, _ in self._drawn], np.float64)

    def forget(self) -> None:
        """Begin the record of durations anew."""
        self.frames = 0
        self._drawn.clear()
