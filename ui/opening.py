"""Opening recordings: by menu, by dropping them on the window, from the list of recent ones.

Main thread only; the disk is waited for elsewhere.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QObject, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from ui.parts.background import Background
from ui.parts.device_picker import AUDIO_FILES
from ui.services import RecoveryOutcome, Services

if TYPE_CHECKING:
    from app.recordings.recording import Recording

RECENT = "recent"
FOLDER = "open_folder"
UNRECOVERABLE = "unrecoverable"
"""What could not be recovered, by the paths of the folders, and why."""
MOST_RECENT = 10
ZIP_FILES = "Recordings as zip (*.zip)"


class Opening(QObject):
    """Opens one recording at a time; the latest wish wins."""

    opened = Signal(object)
    failed = Signal(object)
    told = Signal(str, str)
    recovered = Signal(list)
    """What to tell of recordings that were cut short and have been made whole."""
    changed = Signal()
    """Something is being opened, or is no more; or other recordings are recent."""

    CLOSE_WITHIN_S = 5.0

    def __init__(self, services: Services, is_busy: Callable[[], bool], window: QWidget) -> None:
        """Refuse while ``is_busy``: a session runs."""
        super().__init__(window)
        self._services, self._is_busy, self._window = services, is_busy, window
        self._wished: Path | None = None
        self._job = Background("opening", self)
        self._closing = Background("closing recordings", self)
        self._recovery = Background("recovery", self)
        self._is_recovered = False
        self._past: deque[Recording] = deque()
        """To be closed, by any thread."""
        self._untaken: deque[Recording] = deque()
        """What has been opened last, until somebody takes it: its answer may be dropped."""

    @property
    def wished(self) -> Path | None:
        """What is being opened."""
        return self._wished

    @property
    def recent(self) -> list[Path]:
        """What was opened before, the latest first."""
        kept = self._services.settings.screen.get(RECENT)
        return [Path(each) for each in kept if isinstance(each, str)] if _is_list(kept) else []

    def recover(self) -> None:
        """Make whole what an end of the program has cut short; once."""
        if self._is_recovered:
            return
        self._is_recovered = True
        folder = self._services.settings.recordings_folder
        told = self._told_problems()
        self._recovery.run(
            lambda: self._services.recover_recordings(folder, told),
            self._is_made_whole,
            self.failed.emit,
        )

    def _told_problems(self) -> dict[str, str]:
        kept = self._services.settings.screen.get(UNRECOVERABLE)
        return dict(kept) if isinstance(kept, dict) else {}

    def _is_made_whole(self, outcome: RecoveryOutcome) -> None:
        # what cannot be recovered lies there at every start: it is told of once
        self._services.settings.screen[UNRECOVERABLE] = dict(outcome.problems)
        self.recovered.emit(list(outcome.notices))

    def open(self, path: Path, swap: bool = False) -> None:
        """Open a bundle's folder, a zip of one, or an audio file."""
        if self._is_busy():
            self.told.emit("warning", f"A session is running: end it first, then open “{path}”.")
            return
        self._wished = path
        self._job.run(
            lambda: self._open(path, swap), self._opened, lambda error: self._failed(path, error)
        )
        self.changed.emit()

    def open_dropped(self, data: QMimeData) -> None:
        """Open what was dropped; of several things the first."""
        paths = dropped_paths(data)
        if paths:
            self.open(paths[0])
        if len(paths) > 1:
            self.told.emit("info", f"One recording is shown at a time: “{paths[0].name}”.")

    def ask_folder(self) -> None:
        """Ask which bundle to open."""
        dialog = self._dialog("Open a recording: the folder of a session")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.open()

    def ask_file(self) -> None:
        """Ask which audio file, or which zip, to open."""
        dialog = self._dialog("Open an audio file")
        dialog.setNameFilters([*AUDIO_FILES.split(";;"), ZIP_FILES, "All files (*)"])
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.open()

    def put_away(self, recording: Recording) -> None:
        """Close a recording that is not shown any more, off the main thread."""
        self._past.append(recording)
        self._closing.run(self._close_past, lambda _: None)

    def forget(self) -> None:
        """Open nothing after all: a session begins."""
        if self._wished is not None:
            self._wished = None
            self._job.close(0.0)
            self._closing.run(self._close_untaken, lambda _: None)
            self.changed.emit()

    def close(self) -> None:
        """Close what is left, and wait a bounded time for it; nothing is begun any more."""
        self._is_recovered = True
        self._wished = None
        self._job.close(self.CLOSE_WITHIN_S)
        self._closing.run(self._close_untaken, lambda _: None)
        self._closing.finish(self.CLOSE_WITHIN_S)
        self._recovery.finish(self.CLOSE_WITHIN_S)

    def _open(self, path: Path, swap: bool) -> Recording:
        self._close_untaken()  # nobody will: this wish has come after it
        recording = self._services.open_recording(path, swap)
        self._untaken.append(recording)
        if self._wished is None:
            self._close_untaken()
        return recording

    def _opened(self, recording: Recording) -> None:
        if self._wished is None:
            self._closing.run(self._close_untaken, lambda _: None)
            return
        self._untaken.clear()
        self._keep_recent(self._wished)
        self._wished = None
        self.opened.emit(recording)
        self.changed.emit()

    def _failed(self, path: Path, error: Exception) -> None:
        self._wished = None
        self._keep([each for each in self.recent if each != path])
        self.failed.emit(error)
        self.changed.emit()

    def _close_past(self) -> None:
        _close_all(self._past)

    def _close_untaken(self) -> None:
        _close_all(self._untaken)
        _close_all(self._past)

    def _keep_recent(self, path: Path) -> None:
        path = path.absolute()
        self._services.settings.screen[FOLDER] = str(path.parent)
        self._keep([path, *(each for each in self.recent if each != path)])

    def _keep(self, paths: list[Path]) -> None:
        self._services.settings.screen[RECENT] = [str(each) for each in paths[:MOST_RECENT]]

    def _dialog(self, title: str) -> QFileDialog:
        kept = self._services.settings.screen.get(FOLDER)
        known = kept if isinstance(kept, str) else str(self._services.settings.recordings_folder)
        dialog = QFileDialog(self._window, title, known)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.open(Path(path)))
        return dialog


def dropped_paths(data: QMimeData) -> list[Path]:
    """Return the files and folders of this machine that are dragged."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]


def _close_all(recordings: deque[Recording]) -> None:
    while True:
        try:
            recording = recordings.popleft()
        except IndexError:
            return
        recording.close()


def _is_list(kept: object) -> bool:
    return isinstance(kept, list)
