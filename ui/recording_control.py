"""Shows where the recording on screen is. Main thread only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget


class RecordingControl(QObject):
    """Opens the folder that ``find_folder`` tells: of an audio file, the one that it is in."""

    told = Signal(str, str)
    """A level and a sentence for the person."""

    def __init__(self, window: QWidget, find_folder: Callable[[], Path | None]) -> None:
        """Begin with nothing to do."""
        super().__init__(window)
        self._find_folder = find_folder

    def show_folder(self) -> None:
        """Open the recording's folder in the desktop's file manager, or say where it is."""
        folder = self._find_folder()
        if folder is not None and not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
            self.told.emit("info", f"The recording is in “{folder}”.")
