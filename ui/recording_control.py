"""What is done with the recording on screen: save its audio, show where it is.

Main thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from ui.background import Background
from ui.services import Services

SAVE_FOLDER = "save_folder"


class RecordingControl(QObject):
    """Acts on the bundle that ``find`` returns; does nothing while there is none.

    ``find_folder`` tells where it is to be seen, which for an audio file is the folder it is in.
    """

    told = Signal(str, str)
    """A level and a sentence for the person."""
    failed = Signal(object)

    def __init__(
        self,
        services: Services,
        window: QWidget,
        *,
        find: Callable[[], Path | None],
        find_folder: Callable[[], Path | None],
    ) -> None:
        """Begin with nothing to do."""
        super().__init__(window)
        self._services, self._window = services, window
        self._find, self._find_folder = find, find_folder
        self._job = Background("saving audio", self)

    def save(self, apart: bool) -> None:
        """Ask where the audio is to go, and write it there; the dialog asks before overwriting."""
        bundle = self._find()
        if bundle is None:
            return
        folder = self._services.settings.screen.get(SAVE_FOLDER) or str(Path.home())
        dialog = QFileDialog(self._window, "Save audio as", folder, "WAV (*.wav)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("wav")
        dialog.selectFile(f"{bundle.name}.wav")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda target: self._chosen(bundle, Path(target), apart))
        dialog.open()

    def _chosen(self, bundle: Path, target: Path, apart: bool) -> None:
        """Ask about the files that the dialog does not know of: those of the tracks apart."""
        parts = [target.with_name(f"{target.stem}-{name}.wav") for name in ("user", "agent")]
        there = [part.name for part in parts if apart and part.exists()]
        if not there:
            self.save_to(bundle, target, apart)
            return
        box = QMessageBox(self._window)
        box.setWindowTitle("Replace?")
        box.setText(f"“{'” and “'.join(there)}” exist already. Replace them?")
        box.setTextFormat(Qt.TextFormat.PlainText)
        replace = box.addButton("Replace", QMessageBox.ButtonRole.AcceptRole)
        box.addButton("Keep", QMessageBox.ButtonRole.RejectRole)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        replace.clicked.connect(lambda: self.save_to(bundle, target, apart))
        box.open()

    def save_to(self, bundle: Path, target: Path, apart: bool) -> None:
        """Write the audio of ``bundle`` to ``target``, off the main thread."""
        self._services.settings.screen[SAVE_FOLDER] = str(target.parent)
        self._job.run(
            lambda: self._services.save_audio(bundle, target, apart), self._saved, self.failed.emit
        )

    def show_folder(self) -> None:
        """Open the recording's folder in the desktop's file manager, or say where it is."""
        folder = self._find_folder()
        if folder is not None and not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
            self.told.emit("info", f"The recording is in “{folder}”.")

    def close(self) -> None:
        """Wait a bounded time for what is being written."""
        self._job.finish(timeout_s=10.0)

    def _saved(self, written: Sequence[Path]) -> None:
        names = " and ".join(f"“{path}”" for path in written)
        self.told.emit("info", f"The audio is saved as {names}.")
