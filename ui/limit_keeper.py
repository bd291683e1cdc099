"""The limits that a person has set: kept in the settings, told to whoever colours by them.

Main thread only.
"""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from app.analysis.limits import Limits
from ui.services import Services

KEPT = "limits"
"""What they are called in the settings of the screen."""


class LimitKeeper(QObject):
    """Holds the one set of limits of the window."""

    changed = Signal(object)
    """The `Limits` that hold from now on."""

    def __init__(self, services: Services, parent: QObject) -> None:
        """Begin with those that were kept."""
        super().__init__(parent)
        self._services = services
        kept = services.settings.screen.get(KEPT)
        self.limits = Limits.of(kept if isinstance(kept, dict) else {})

    def set(self, field: str, value: float) -> None:
        """Let the limit ``field`` be ``value``, in its unit."""
        limits = replace(self.limits, **{field: value})
        if limits != self.limits:
            self.limits = limits
            self._services.settings.screen[KEPT] = limits.to_dict()
            self.changed.emit(limits)
