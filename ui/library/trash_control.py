"""Gives recordings up: asks, moves them to the trash, says what came of it. Main thread only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.library.library_entry import Entry
from ui.library.free_space_dialog import FreeSpaceDialog
from ui.library.library_questions import ask_to_trash, trashed_text
from ui.library.library_reader import Listing
from ui.library.trash import Outcome, Trash
from ui.parts.theme import Theme

if TYPE_CHECKING:
    from app.library.library import Library


class TrashControl(QObject):
    """The way to the trash, from the rows of the library or from its dialog."""

    moved = Signal(list)
    """The names of what is in the trash now; empty where nothing could be moved."""
    told = Signal(str, str)
    failed = Signal(object)

    def __init__(self, library: Callable[[], Library], theme: Theme, panel: QWidget) -> None:
        """Move what ``library`` (blocking) says may be moved; ask above ``panel``."""
        super().__init__(panel)
        self._library, self._theme, self._panel = library, theme, panel
        self._trash = Trash(self)
        self._entries: list[Entry] = []
        self._recording: Path | None = None
        self.dialog: FreeSpaceDialog | None = None
        self.told_last = ""
        self._trash.finished.connect(self._finished)

    @property
    def busy(self) -> bool:
        """Whether recordings are being moved."""
        return self._trash.busy

    def set_recording(self, bundle: Path | None) -> None:
        """Say what is never to be moved: the recording that is being written."""
        self._recording = bundle

    def ask(self, chosen: list[Entry]) -> None:
        """Ask whether to move what of ``chosen`` can be moved, and do so."""
        entries = self._allowed(chosen)
        if entries and not self.busy:
            ask_to_trash(self._panel, entries, lambda: self.move(entries))

    def move(self, chosen: list[Entry]) -> None:
        """Move ``chosen``; the index is looked at again before each."""
        library = self._library
        self._entries = self._allowed(chosen)
        seen = {entry.name: entry for entry in self._entries}
        self._trash.move(list(seen), lambda name: library().removable(name, seen[name]))

    def show_dialog(self, listing: Listing) -> None:
        """Let a person choose what to give up."""
        if self.dialog is not None:
            self.dialog.raise_()
        else:
            dialog = self.dialog = FreeSpaceDialog(self._theme, self._panel)
            dialog.agreed.connect(self.move)
            dialog.stop_requested.connect(self._trash.stop)
            dialog.finished.connect(self._dialog_closed)
            self._trash.progressed.connect(dialog.show_progress)
        self.dialog.set_entries(listing.entries, listing.space)
        self.dialog.show()
        self.dialog.activateWindow()

    def close(self) -> None:
        """Move no more, and wait a bounded time for the one that is being moved."""
        self._trash.close()

    def _allowed(self, chosen: list[Entry]) -> list[Entry]:
        ours = self._recording.name if self._recording is not None else None
        return [entry for entry in chosen if entry.can_trash and entry.name != ours]

    def _finished(self, outcome: Outcome) -> None:
        text = trashed_text(self._entries, outcome)
        if self.dialog is not None:
            self.dialog.show_outcome(text)
        elif outcome.moved:
            self.told_last = text
            self.told.emit("info", text)
        for problem in outcome.problems[:1]:  # of many, one says what is wrong
            if isinstance(problem, Exception):
                self.failed.emit(problem)
            else:
                self.told.emit("warning", problem)
        self.moved.emit(outcome.moved)

    def _dialog_closed(self) -> None:
        self.dialog = None
