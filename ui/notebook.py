"""What a person writes about what is in view: markers, title, tags, notes. Main thread only.

It is written to the bundle off the main thread, a moment after it was changed, and when the window
closes. What belongs to no bundle of one's own stays in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app.notes import Change, Marker, Notes
from ui.background import Background
from ui.services import Services

NOT_KEPT = (
    "This is not a recording in a folder of its own: markers and notes are kept only until "
    "another one is opened."
)
FindBundle = Callable[[], Path | None]


class NotesFile(QObject):
    """The notes of one recording; what is not yet written of them is shown all the same."""

    changed = Signal()
    failed = Signal(object)

    def __init__(
        self, services: Services, find: FindBundle, is_kept: bool, parent: QObject
    ) -> None:
        """Read the notes of the bundle that ``find`` tells, which may come to be later.

        Without ``is_kept`` nothing is written.
        """
        super().__init__(parent)
        self.notes = Notes()
        self.is_kept = is_kept
        self._services, self._find = services, find
        self._waiting: list[Change] = []
        self._being_written = 0
        self._job = Background("notes", self)
        self.read()

    def read(self) -> None:
        """Read them, unless they are being written, which reads them, too."""
        bundle = self._find()
        if bundle is not None and not self._being_written:
            self._job.run(lambda: self._services.load_notes(bundle), self._take, self.failed.emit)

    def change(self, change: Change) -> None:
        """Change them; `save` writes it."""
        self.notes = change(self.notes)
        self._waiting.append(change)
        self.changed.emit()

    def save(self) -> None:
        """Write what has changed since the last time."""
        bundle = self._find() if self.is_kept else None
        if bundle is None or self._being_written or not self._waiting:
            return
        changes = list(self._waiting)
        self._being_written = len(changes)
        self._job.run(
            lambda: self._services.edit_notes(bundle, lambda notes: changed(notes, changes)),
            self._written,
            self._not_written,
        )

    def finish(self, timeout_s: float) -> None:
        """Write the rest without waiting for an answer to what is written now."""
        bundle, changes = self._find(), self._waiting[self._being_written :]
        if self.is_kept and bundle is not None and changes:
            self._waiting, self._being_written = [], 0
            self._job.run(
                lambda: self._services.edit_notes(bundle, lambda notes: changed(notes, changes)),
                lambda _: None,
                self.failed.emit,
            )
        self._job.finish(timeout_s)

    def _take(self, notes: Notes) -> None:
        shown = changed(notes, self._waiting)
        if shown != self.notes:
            self.notes = shown
            self.changed.emit()

    def _written(self, notes: Notes) -> None:
        self._waiting = self._waiting[self._being_written :]
        self._being_written = 0
        self._take(notes)
        self.save()

    def _not_written(self, error: Exception) -> None:
        """Tell; it is tried again with the next change, or at the end."""
        self._being_written = 0
        self.failed.emit(error)


class Notebook(QObject):
    """The notes of what is in view, whatever that is."""

    changed = Signal()
    """Other notes, or other markers."""
    told = Signal(str, str)
    failed = Signal(object)

    SETTLE_MS = 700
    CLOSE_WITHIN_S = 5.0

    def __init__(self, services: Services, parent: QObject) -> None:
        """Begin with nothing in view."""
        super().__init__(parent)
        self._services = services
        self._past: list[NotesFile] = []
        self._is_told = False
        self._file = self._open(lambda: None, is_kept=False)
        self._settle = QTimer(self)
        self._settle.setObjectName("notes")
        self._settle.setSingleShot(True)
        self._settle.setInterval(self.SETTLE_MS)
        self._settle.timeout.connect(self.save)

    @property
    def notes(self) -> Notes:
        """What is written, what is not yet on disk included."""
        return self._file.notes

    def show(self, find: FindBundle, is_kept: bool) -> None:
        """Turn to another recording; ``find`` tells its bundle, once there is one.

        Without ``is_kept`` nothing is written.
        """
        self.save()
        self._file.changed.disconnect(self.changed)
        self._past.append(self._file)
        self._is_told = False
        self._file = self._open(find, is_kept)
        self.changed.emit()

    def read_again(self) -> None:
        """Take in what was written elsewhere."""
        self._file.read()

    def change(self, change: Change) -> None:
        """Change the notes now, and those of the bundle soon."""
        if not self._file.is_kept and not self._is_told:
            self._is_told = True
            self.told.emit("info", NOT_KEPT)
        self._file.change(change)
        self._settle.start()

    def mark(self, marker: Marker) -> None:
        """Add a marker."""
        self.change(lambda notes: notes.marked(marker))

    def unmark(self, marker: Marker) -> None:
        """Take a marker away."""
        self.change(lambda notes: notes.unmarked(marker))

    def rename(self, marker: Marker, text: str) -> None:
        """Give a marker another text."""
        renamed = replace(marker, text=text)
        if renamed != marker:
            self.change(lambda notes: notes.unmarked(marker).marked(renamed))

    def describe(self, title: str, tags: tuple[str, ...], text: str) -> None:
        """Give the session another title, other tags and other notes."""
        self.change(lambda notes: replace(notes, title=title, tags=tags, notes=text))

    def save(self) -> None:
        """Write what is not written yet."""
        self._settle.stop()
        self._file.save()

    def close(self) -> None:
        """Write what is not written yet, and wait a bounded time for it."""
        self._settle.stop()
        for file in (*self._past, self._file):
            file.finish(self.CLOSE_WITHIN_S)

    def _open(self, find: FindBundle, is_kept: bool) -> NotesFile:
        file = NotesFile(self._services, find, is_kept, self)
        file.changed.connect(self.changed)
        file.failed.connect(self.failed)
        return file


def changed(notes: Notes, changes: list[Change]) -> Notes:
    """Return ``notes`` after ``changes``, in their order."""
    for change in changes:
        notes = change(notes)
    return notes
