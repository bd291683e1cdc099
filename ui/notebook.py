"""What a person writes about what is in view: markers, title, tags, notes. Main thread only.

It is written to the bundle off the main thread, a moment after it was changed, and when the window
closes. What belongs to no bundle of one's own stays in memory. While a session runs, its recorder
alone writes: it puts the notes back where the folder was taken away.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QObject, QTimer, Signal

from app.bundles.notes import Change, Marker, Notes
from app.states import State
from ui.panels.session_page import LONGEST_TITLE
from ui.parts.background import Background
from ui.services import Services

NOT_KEPT = (
    "This is not a recording in a folder of its own: markers and notes are kept only until "
    "another one is opened."
)


class Running(Protocol):
    """A session, as far as its notes go."""

    @property
    def state(self) -> State:
        """What it is doing."""

    @property
    def bundle(self) -> Path | None:
        """The recording's folder, once there is one."""

    def change_notes(self, change: Change) -> bool:
        """Have the recorder change the notes; False where it does not take it any more."""


class NotesFile(QObject):
    """The notes of one recording; what is not yet written of them is shown all the same."""

    changed = Signal()
    ready = Signal()
    """They have been read."""
    written = Signal(Path)
    """They are in this bundle now."""
    failed = Signal(object)
    answered = Signal()
    """Something that was waited for has come."""

    def __init__(
        self,
        services: Services,
        bundle: Path | None,
        session: Running | None,
        is_kept: bool,
        parent: QObject,
    ) -> None:
        """Read the notes in ``bundle``, or go along with those of ``session``.

        Without ``is_kept`` nothing is written.
        """
        super().__init__(parent)
        self.notes = Notes()
        self.is_kept = is_kept
        self._services, self._bundle, self._session = services, bundle, session
        self._waiting: list[Change] = []
        self._being_written = 0
        self._is_handed_over = self._is_asked = False
        self.is_ready = bundle is None
        self._job = Background("notes", self)
        self.read()

    @property
    def has_recorder(self) -> bool:
        """Whether a session's recorder still writes, and nobody else may."""
        return self._session is not None and not self._session.state.over

    def is_about(self, bundle: Path) -> bool:
        """Whether it writes the notes of ``bundle``."""
        own = self._find() if self.is_kept else None
        return own is not None and own.absolute() == bundle.absolute()

    @property
    def is_settled(self) -> bool:
        """Whether nothing of it waits to be read or written."""
        is_at_rest = not self._waiting or not self.is_kept or self._find() is None
        return is_at_rest and not self._is_asked

    def let_go(self) -> None:
        """Keep nothing but the path of what it is about: something else is in view."""
        self._bundle, self._session = self._find(), None

    def read(self) -> None:
        """Read them, unless they are being written, which reads them, too."""
        bundle = self._find()
        if bundle is not None and not self._being_written and not self.has_recorder:
            self._is_asked = True
            self._job.run(lambda: self._services.load_notes(bundle), self._read, self._not_read)

    def change(self, change: Change) -> None:
        """Change them; `save` writes it, where no session's recorder does."""
        self.notes = change(self.notes)
        if self._session is not None and self._session.change_notes(change):
            self._is_handed_over = True
        else:
            self._waiting.append(change)
        self.changed.emit()

    def save(self) -> None:
        """Write what has changed since the last time."""
        bundle = self._find() if self.is_kept else None
        if bundle is None:
            return
        if self._is_handed_over:  # a moment ago: the recorder does not take so long
            self._is_handed_over = False
            self.written.emit(bundle)
        if self.has_recorder or self._being_written or not self._waiting:
            return
        self._is_asked = True
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

    def _find(self) -> Path | None:
        return self._bundle if self._session is None else self._session.bundle

    def _read(self, notes: Notes) -> None:
        self._take(notes)
        self._come_to_rest()

    def _not_read(self, error: Exception) -> None:
        self.failed.emit(error)
        self._come_to_rest()

    def _come_to_rest(self) -> None:
        self._is_asked = False
        if not self.is_ready:
            self.is_ready = True
            self.ready.emit()
        self.answered.emit()

    def _take(self, notes: Notes) -> None:
        shown = changed(notes, self._waiting)
        if shown != self.notes:
            self.notes = shown
            self.changed.emit()

    def _written(self, notes: Notes) -> None:
        self._waiting = self._waiting[self._being_written :]
        self._being_written = 0
        self._take(notes)
        bundle = self._find()
        if bundle is not None:
            self.written.emit(bundle)
        self._come_to_rest()
        self.save()

    def _not_written(self, error: Exception) -> None:
        """Tell; it is tried again with the next change, or at the end."""
        self._being_written = 0
        self.failed.emit(error)
        self._come_to_rest()


class Notebook(QObject):
    """The notes of what is in view, whatever that is.

    Of one bundle there is one `NotesFile` as long as something of it waits, wherever that was
    typed: so what was typed last is written last.
    """

    changed = Signal()
    """Other notes, or other markers."""
    ready = Signal()
    """What was written before is known."""
    written = Signal(Path)
    """What was changed is in this bundle now."""
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
        self._file = self._open(None, None, is_kept=False)
        self._settle = QTimer(self)
        self._settle.setObjectName("notes")
        self._settle.setSingleShot(True)
        self._settle.setInterval(self.SETTLE_MS)
        self._settle.timeout.connect(self.save)

    @property
    def notes(self) -> Notes:
        """What is written, what is not yet on disk included."""
        return self._file.notes

    @property
    def is_ready(self) -> bool:
        """Whether it is known what was written before."""
        return self._file.is_ready

    def show(self, bundle: Path | None, session: Running | None, is_kept: bool) -> None:
        """Turn to the recording in ``bundle``, or to ``session``, whose bundle may come later.

        Without ``is_kept`` nothing is written.
        """
        self.save()
        self._put_away(self._file)
        self._is_told = False
        is_own = session is None and is_kept
        past = _file_about(bundle, self._past) if is_own else None
        if past is None:
            self._file = self._open(bundle, session, is_kept)
        else:
            self._take_out(past)
        self.changed.emit()

    def _put_away(self, file: NotesFile) -> None:
        """Keep it for as long as something of it waits."""
        file.changed.disconnect(self.changed)
        file.ready.disconnect(self.ready)
        file.let_go()
        self._past.append(file)
        file.answered.connect(self._drop_settled)
        self._drop_settled()

    def _take_out(self, file: NotesFile) -> None:
        """Have it in view again, with what of it waits."""
        file.answered.disconnect(self._drop_settled)
        file.changed.connect(self.changed)
        file.ready.connect(self.ready)
        self._past.remove(file)
        self._file = file
        file.read()  # others may have written since
        self._settle.start()  # what could not be written is tried again

    def _drop_settled(self) -> None:
        for file in [each for each in self._past if each.is_settled]:
            self._past.remove(file)
            file.deleteLater()

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

    def describe(self, name: str, value: object) -> None:
        """Give the session another ``title`` (text), other ``tags`` (a tuple) or ``notes``."""
        self.change(lambda notes: replace(notes, **{name: value}))

    def title_of(self, bundle: Path) -> str | None:
        """Return how ``bundle`` is called, as far as it was typed; None where another knows it."""
        file = _file_about(bundle, [self._file, *self._past])
        return file.notes.title if file is not None and file.is_ready else None

    def retitle(self, bundle: Path, title: str) -> bool:
        """Give ``bundle`` a title that was typed elsewhere, at once.

        False where nothing is known of it here, and another has to write it.
        """
        file = _file_about(bundle, [self._file, *self._past])
        if file is None:
            return False
        file.change(lambda notes: replace(notes, title=title[:LONGEST_TITLE]))
        file.save()
        return True

    def save(self) -> None:
        """Write what is not written yet."""
        self._settle.stop()
        self._file.save()
        if self._file.has_recorder and not self._file.is_settled:
            self._settle.start()

    def close(self) -> None:
        """Write what is not written yet, and wait a bounded time for it."""
        self._settle.stop()
        for file in (*self._past, self._file):
            file.finish(self.CLOSE_WITHIN_S)

    def _open(self, bundle: Path | None, session: Running | None, is_kept: bool) -> NotesFile:
        file = NotesFile(self._services, bundle, session, is_kept, self)
        file.changed.connect(self.changed)
        file.ready.connect(self.ready)
        file.written.connect(self.written)
        file.failed.connect(self.failed)
        return file


def _file_about(bundle: Path | None, files: list[NotesFile]) -> NotesFile | None:
    return next((each for each in files if bundle is not None and each.is_about(bundle)), None)


def changed(notes: Notes, changes: list[Change]) -> Notes:
    """Return ``notes`` after ``changes``, in their order."""
    for change in changes:
        notes = change(notes)
    return notes
