"""The windows beside the main one: comparisons and exports. Main thread only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QMainWindow, QWidget

from ui.parts.icons import Icons
from ui.parts.theme import Theme
from ui.services import Services


class OtherWindows(QObject):
    """Opens them, and closes those that are left when the main window goes."""

    told = Signal(str, str)
    failed = Signal(object)

    def __init__(self, services: Services, theme: Theme, icons: Icons, window: QMainWindow) -> None:
        """Begin with none."""
        super().__init__(window)
        self._services, self._theme, self._icons = services, theme, icons
        self._window = window
        self._open: list[QWidget] = []

    def compare(self, first: Path, second: Path) -> None:
        """Lay two recordings over each other."""
        from ui.comparison.compare_window import CompareWindow

        window = CompareWindow(self._services, self._theme, self._icons, first, second)
        self._open.append(window)
        window.closed.connect(lambda: self._open.remove(window))
        window.show()

    def export(
        self,
        recording: Path,
        selection: tuple[float, float] | None = None,
        view_picture: Callable[[str], bytes | None] | None = None,
        *,
        swap: bool = False,
        formats: tuple[str, ...] = (),
    ) -> None:
        """Let ``recording``, or a stretch of it, be exported: as ``formats``, if any are named."""
        from ui.export.export_dialog import ExportDialog

        dialog = ExportDialog(
            self._services,
            recording,
            selection,
            view_picture,
            self._window,
            swap=swap,
            formats=formats,
        )
        dialog.told.connect(self.told)
        dialog.failed.connect(self.failed)
        self._open.append(dialog)
        dialog.finished.connect(lambda _: self._open.remove(dialog))
        dialog.show()

    def ask_what_to_compare(self, first: Path) -> None:
        """Ask which recording ``first`` is to be compared with."""
        dialog = QFileDialog(
            self._window, "Compare with another recording: its folder", str(first.parent)
        )
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.compare(first, Path(path)))
        dialog.open()

    def close(self) -> None:
        """Close what is open."""
        for each in list(self._open):
            each.close()
