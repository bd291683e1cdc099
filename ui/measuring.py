"""How loud the selection is: worked out off the main thread, a moment after it was made.

Main thread only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from ui.lanes.selection_bar import LaneLevels
from ui.lanes.timeline_view import TimelineView
from ui.parts.background import Background
from ui.services import Services

if TYPE_CHECKING:
    from app.analysis.viewed import Viewed

Measured = Sequence[tuple[float, float] | None]


class Measuring(QObject):
    """Keeps the figures below the timeline in step with the selection."""

    failed = Signal(object)

    SETTLE_MS = 120

    def __init__(self, services: Services, timeline: TimelineView, parent: QObject) -> None:
        """Measure what is selected in ``timeline``."""
        super().__init__(parent)
        self._services, self._timeline = services, timeline
        self._viewed: Viewed | None = None
        self._job = Background("levels", self)
        self._settle = QTimer(self)
        self._settle.setObjectName("levels")
        self._settle.setSingleShot(True)
        self._settle.setInterval(self.SETTLE_MS)
        self._settle.timeout.connect(self._measure)
        timeline.selection_changed.connect(self._settle.start)

    def show(self, viewed: Viewed) -> None:
        """Measure another recording from now on."""
        self._viewed = viewed
        self._settle.stop()

    def close(self) -> None:
        """Wait a bounded time for what is being measured."""
        self._settle.stop()
        self._job.close()

    def _measure(self) -> None:
        viewed, selection = self._viewed, self._timeline.scene.selection
        if viewed is None or selection is None:
            return
        self._job.run(
            lambda: self._services.measure(viewed, *selection),
            lambda measured: self._show(selection, measured),
            self.failed.emit,
        )

    def _show(self, selection: tuple[float, float], measured: Measured) -> None:
        scene = self._timeline.scene
        if scene.selection == selection:
            lanes = zip(scene.names, measured, strict=True)
            known = [LaneLevels(name, *levels) for name, levels in lanes if levels is not None]
            self._timeline.selection_bar.show_levels(known)
