"""Reads the library off the main thread: what its index has at once, then what has changed.

Main thread only, but for what the jobs run: `_read`, `_make_changes`, `_list`.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QObject, Qt, Signal

from app.library.library_entry import Entry, Progress, Space
from ui.parts.background import Background
from ui.services import Services

if TYPE_CHECKING:
    from app.library.library import Library

AGAIN_S = 1.0
"""While much is read, what has come so far is shown so often."""


class Listing(NamedTuple):
    """The library as it was; ``progress`` is None once it is up to date.

    Of two listings the one with the higher number was read later.
    """

    folder: Path
    entries: list[Entry]
    space: Space
    progress: Progress | None
    number: int


class LibraryReader(QObject):
    """Lists, searches and renames; the latest request of each kind wins."""

    listed = Signal(object)
    """A `Listing`."""
    found = Signal(object)
    """The names that a search has found, as a frozen set."""
    renamed = Signal(str)
    """A title has been written into this one, or could not be."""
    failed = Signal(object)
    _came = Signal(object, object)
    _has_renamed = Signal(str)
    _has_failed = Signal(object)

    def __init__(self, services: Services, parent: QObject | None = None) -> None:
        """Read nothing yet."""
        super().__init__(parent)
        self._services = services
        self._stopping = threading.Event()
        self._reading = Background("library", self)
        self._searching = Background("library search", self)
        self._changing = Background("library change", self)
        self._changes: deque[Callable[[Library], None]] = deque()
        self._progress: Progress | None = None
        # Guards `_read_last`: numbers are given in the order in which the index was read.
        self._lock = threading.Lock()
        self._read_last = 0
        self._told: Listing | None = None
        """What was said last."""
        self._titles: dict[str, str] = {}
        """By names, the titles that are still being written, here or elsewhere."""
        self._naming: Counter[str] = Counter()
        """How many titles are still to be written here, by names."""
        queued = Qt.ConnectionType.QueuedConnection
        self._came.connect(self._show, queued)
        self._has_renamed.connect(self._tell_renamed, queued)
        self._has_failed.connect(self.failed, queued)

    @property
    def folder(self) -> Path:
        """The folder that is listed."""
        return self._services.settings.recordings_folder

    def refresh(self, *, with_events: bool) -> None:
        """Say what the index has, then what has changed, batch by batch.

        A refresh that is going on ends; what it has read is kept. Events are left unread where the
        processor is needed for something better.
        """
        self._stopping.set()
        stopping = self._stopping = threading.Event()
        self._reading.run(
            lambda: self._read(stopping, with_events),
            lambda listing: self._show(stopping, listing),
            self.failed.emit,
        )

    def stop(self) -> None:
        """Read no further."""
        self._stopping.set()

    def search(self, text: str) -> None:
        """Look for ``text``; the answer comes in `found`."""
        self._searching.run(
            lambda: frozenset(self.library().search(text)), self.found.emit, self.failed.emit
        )

    def update(self, names: list[str]) -> None:
        """Read some entries again."""
        self._change(lambda library: library.update(names))

    def forget(self, names: list[str]) -> None:
        """Take entries out of the index that have been moved away."""
        self._change(lambda library: library.forget(names))

    def rename(self, name: str, title: str) -> None:
        """Write a title into a recording; `renamed` once it is there, or cannot be."""

        def change(library: Library) -> None:
            try:
                library.rename(name, title)
            finally:
                self._has_renamed.emit(name)

        self._titles[name] = title
        self._naming[name] += 1
        self._change(change)

    def is_naming(self, name: str) -> bool:
        """Say whether a title is still to be written into this one."""
        return self._naming[name] > 0

    def expect(self, name: str, title: str) -> None:
        """List it with the title that another is writing, until `drop_expected` or an update."""
        self._titles[name] = title

    def drop_expected(self, name: str) -> None:
        """List it with the title that was read: the other has written it."""
        if not self.is_naming(name):
            self._titles.pop(name, None)

    def _tell_renamed(self, name: str) -> None:
        self._naming[name] -= 1
        self._naming = +self._naming
        self.renamed.emit(name)

    def close(self) -> None:
        """Stop, and wait a bounded time for what is being written."""
        self.stop()
        self._searching.close()
        self._changing.finish()
        self._reading.close()

    def _change(self, change: Callable[[Library], None]) -> None:
        self._changes.append(change)
        self._changing.run(self._make_changes, self._show_change, self._fail_change)

    def _make_changes(self) -> Listing:
        """Make all that wait: a job that another has taken the place of leaves its own here."""
        library = self.library()
        while self._changes:
            change = self._changes.popleft()
            try:
                change(library)
            except Exception as error:  # noqa: BLE001 - told; the changes after it are made
                self._has_failed.emit(error)
        return self._list(library, None)

    def library(self) -> Library:
        """Return the library of that folder (blocking)."""
        return self._services.library(self.folder)

    def _show(self, stopping: threading.Event, listing: Listing) -> None:
        if stopping is self._stopping:
            self._progress = listing.progress
            self._tell(listing)

    def _show_change(self, listing: Listing) -> None:
        """Show what was changed, whatever refresh has begun since: that may have read before it.

        It is the answer to the latest change, and those before it have been made as well.
        """
        self._titles.clear()
        if listing.folder == self.folder:
            self._tell(listing._replace(progress=self._progress))

    def _fail_change(self, error: Exception) -> None:
        self._titles.clear()
        self.failed.emit(error)

    def _tell(self, listing: Listing) -> None:
        """Say it, but for rows that are older than those shown; how far a refresh is holds."""
        told = self._told
        if told is not None and listing.number < told.number and listing.folder == told.folder:
            listing = told._replace(progress=listing.progress)
        self._told = listing
        titles = self._titles
        if titles:
            entries = [e._replace(title=titles.get(e.name, e.title)) for e in listing.entries]
            listing = listing._replace(entries=entries)
        self.listed.emit(listing)

    def _read(self, stopping: threading.Event, with_events: bool) -> Listing:
        library = self.library()
        self._came.emit(stopping, self._list(library, Progress(0, 0)))
        told_at = time.monotonic()

        def report(progress: Progress) -> None:
            nonlocal told_at
            if time.monotonic() - told_at >= AGAIN_S and not stopping.is_set():
                self._came.emit(stopping, self._list(library, progress))
                told_at = time.monotonic()

        library.refresh(report, stopping.is_set, with_events=with_events)
        return self._list(library, None)

    def _list(self, library: Library, progress: Progress | None) -> Listing:
        with self._lock:
            entries = library.entries()
            self._read_last += 1
            number = self._read_last
        return Listing(library.folder, entries, library.space(entries), progress, number)
