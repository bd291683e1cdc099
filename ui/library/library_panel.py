"""The library: all recordings in a table, with what can be done to them. Main thread only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QItemSelection, QItemSelectionModel, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.library.library_entry import Entry
from app.plain import printable
from ui.library.free_space_dialog import FreeSpaceDialog
from ui.library.library_actions import LibraryActions
from ui.library.library_model import COLUMNS, DATE, FILTERS, TITLE, LibraryModel
from ui.library.library_questions import empty_text, progress_text, say_when_empty, space_text
from ui.library.library_reader import LibraryReader, Listing
from ui.library.trash_control import TrashControl
from ui.parts.icons import Icons
from ui.parts.tables import find_by_key, fixed_table
from ui.parts.theme import GRID, Theme, small
from ui.services import Services

NOTHING_FOUND = "No recording matches what is searched for."
COUNT_ON_MS = 500
LOOK_AGAIN_MS = 5000
"""What others are recording is looked at so often, to see whether it has ended."""


class TitleKeeper(Protocol):
    """Who writes titles, too, and must not be overtaken: the notes of what is in view."""

    def title_of(self, bundle: Path) -> str | None:
        """Return the title that was typed there; None where nothing is known of ``bundle``."""

    def retitle(self, bundle: Path, title: str) -> bool:
        """Write a title that was typed here; False where nothing is known of ``bundle``."""


class LibraryPanel(QWidget):
    """Lists the recordings folder of the settings; it is read when the panel is first seen."""

    open_requested = Signal(Path)
    replay_requested = Signal(Path)
    compare_requested = Signal(Path, Path)
    export_requested = Signal(Path)
    renamed = Signal(Path)
    """A title has been written into a recording, or could not be."""
    trashed = Signal(list)
    """The paths of what has just been moved to the trash."""
    told = Signal(str, str)
    """A level and a sentence for the person."""
    failed = Signal(object)

    def __init__(self, services: Services, theme: Theme, icons: Icons) -> None:
        """Begin empty."""
        super().__init__()
        self.model = LibraryModel(theme, self)
        self.table = fixed_table(self.model, "Recordings", "", [c.width for c in COLUMNS])
        self.actions_of_rows = LibraryActions(self.table)
        self.search = QLineEdit(self)
        self.kind = QComboBox(self)
        self.figures, self.free_button = QLabel(), QPushButton("Free space…")
        self._reader = LibraryReader(services, self)
        self._trash = TrashControl(self._reader.library, theme, self)
        self.listing: Listing | None = None
        """What is shown; None before the first."""
        self.waiting: Listing | None = None
        """What is shown as soon as no title is being typed."""
        self.keeper: TitleKeeper | None = None
        self._recording: Path | None = None
        self._in_view: Path | None = None
        self._settle, self._again, self._counting = QTimer(self), QTimer(self), QTimer(self)
        self._build(icons)
        self._connect()
        theme.changed.connect(self.table.viewport().update)

    @property
    def told_of_trash(self) -> str:
        """What was told last of recordings that were moved to the trash."""
        return self._trash.told_last

    @property
    def free_space_dialog(self) -> FreeSpaceDialog | None:
        """The dialog that frees space, while it is open."""
        return self._trash.dialog

    def title_widgets(self) -> list[QWidget]:
        """Return what belongs in the title bar: the filter and the search."""
        return [self.kind, self.search]

    def refresh(self) -> None:
        """Bring the list up to date, off the main thread; at once if the panel is seen."""
        if self.isVisible():
            self._reader.refresh(with_events=self._recording is None)

    def read_again(self, bundle: Path) -> None:
        """Take in what was written about a recording elsewhere, if the panel is seen."""
        if not self._lists(bundle):
            return
        if self.isVisible():
            self._reader.update([bundle.name])
        else:
            self._reader.drop_expected(bundle.name)

    def is_naming(self, bundle: Path) -> bool:
        """Say whether a title that was typed here is still to be written into ``bundle``."""
        return self._lists(bundle) and self._reader.is_naming(bundle.name)

    def _lists(self, path: Path) -> bool:
        return path.absolute().parent == self._reader.folder.absolute()

    def set_recording(self, bundle: Path | None) -> None:
        """Say which recording is being written by this window, None where none is.

        It cannot be moved to the trash. While there is one, events are not read: that would take
        the processor from the session.
        """
        if bundle != self._recording:
            self._recording = bundle
            self._trash.set_recording(bundle)
            self._reader.stop()
            self.refresh()

    def set_in_view(self, path: Path | None) -> None:
        """Mark the recording that the window shows, if it is one of these; None: it shows none."""
        if path != self._in_view:
            self._in_view = path
            self._mark_in_view()

    def _mark_in_view(self) -> None:
        path = self._in_view
        is_here = path is not None and self._lists(path)
        self.model.set_in_view(path.name if path is not None and is_here else "")

    def close_jobs(self) -> None:
        """End what runs in the background; waits a bounded time."""
        self._again.stop()
        self._counting.stop()
        self._trash.close()
        self._reader.close()

    def showEvent(self, event: QShowEvent) -> None:
        """Bring the list up to date whenever it comes into sight."""
        super().showEvent(event)
        # not at once: while docks are put in their places each of them is shown for a moment
        QTimer.singleShot(0, self, self._refresh_if_seen)

    def _refresh_if_seen(self) -> None:
        if self.isVisible():
            self.refresh()

    # --- what is shown

    def _show(self, listing: Listing) -> None:
        if self.table.state() == QAbstractItemView.State.EditingState:
            self.waiting = listing  # a new list would take the field away that is typed in
            return
        self.listing, self.waiting = listing, None
        self._mark_in_view()
        self._keeping_choice(lambda: self.model.set_entries(listing.entries))
        if self._trash.dialog is not None:
            self._trash.dialog.set_entries(listing.entries, listing.space)
        if listing.progress is None:
            self._search_again()
            self._look_again(listing)
            self._count_on()
        self._show_figures()

    def _show_figures(self) -> None:
        listing = self.listing
        if listing is None:
            return
        shown, total = self.model.rowCount(), len(listing.entries)
        parts = (
            f"{shown:,} of {total:,} shown".replace(",", "\u202f") if shown != total else "",
            space_text(listing.space),
            progress_text(listing),
        )
        self.figures.setText(" · ".join(part for part in parts if part))
        text = NOTHING_FOUND if self.model.entries else empty_text(listing.folder)
        if listing.progress is not None and not listing.entries:
            text = "Reading…"
        say_when_empty(self.table, text)
        self.free_button.setEnabled(listing.space.sessions > 0 and not self._trash.busy)

    def _show_waiting(self) -> None:
        waiting, self.waiting = self.waiting, None
        if waiting is not None:
            self._show(waiting)

    def _look_again(self, listing: Listing) -> None:
        ours = self._recording.name if self._recording is not None else None
        others = [e.name for e in listing.entries if e.state == "recording" and e.name != ours]
        if others and self.isVisible():
            self._again.start()

    def _update_recording(self) -> None:
        names = [entry.name for entry in self.model.entries if entry.state == "recording"]
        if names and self.isVisible():
            self._reader.update(names)

    def _count_on(self) -> None:
        """Let the length of what is being recorded grow, while it can be seen."""
        if self.isVisible() and self.model.count_on():
            self._counting.start()

    def _keeping_choice(self, change: Callable[[], object]) -> None:
        """Make a change to the rows, and choose again what was chosen, in the same place.

        Where nothing of it is left, the row is chosen that stands there now: Enter, Del and the
        rest always have something to act on.
        """
        chosen, current = {e.name for e in self.chosen()}, self._current()
        stood = max(self.table.currentIndex().row(), 0)
        at = self.table.verticalScrollBar().value()
        change()
        selection = QItemSelection()
        for row in range(self.model.rowCount()) if chosen else ():
            if self.model.entry(row).name in chosen:
                index = self.model.index(row, 0)
                selection.select(index, index)
        choice, flags = self.table.selectionModel(), QItemSelectionModel.SelectionFlag
        row = self.model.row_of(current) if current else -1
        if selection.isEmpty() and self.model.rowCount():
            row = row if row >= 0 else min(stood, self.model.rowCount() - 1)
            selection.select(self.model.index(row, 0), self.model.index(row, 0))
        if row >= 0:
            choice.setCurrentIndex(self.model.index(row, TITLE), flags.NoUpdate)
        choice.select(selection, flags.ClearAndSelect | flags.Rows)
        self.table.verticalScrollBar().setValue(at)
        self._show_chosen()

    def _search_again(self) -> None:
        self._settle.stop()
        if self.search.text().strip():
            self._reader.search(self.search.text())
        else:
            self._filter(None)

    def _filter(self, found: frozenset[str] | None) -> None:
        if found is not None and not self.search.text().strip():
            return  # the answer to what has been deleted since
        kind = self.kind.currentData()
        self._keeping_choice(lambda: self.model.set_filter(kind, found))
        self._show_figures()

    # --- what is chosen

    def chosen(self) -> list[Entry]:
        """Return the entries of the rows that are chosen, from the top down."""
        rows = sorted(index.row() for index in self.table.selectionModel().selectedRows())
        return [self.model.entry(row) for row in rows]

    def _current(self) -> str:
        index = self.table.currentIndex()
        return self.model.entry(index.row()).name if index.isValid() else ""

    def _path(self, entry: Entry) -> Path:
        return (self.listing.folder if self.listing else Path()) / entry.name

    def _show_chosen(self) -> None:
        self.actions_of_rows.show_chosen(self.chosen())

    def _send(self, signal: Callable[..., None], count: int = 1) -> None:
        chosen = self.chosen()
        if len(chosen) == count:
            signal(*(self._path(entry) for entry in chosen))

    def _open(self) -> None:
        chosen = self.chosen()
        if len(chosen) == 1 and not chosen[0].can_open:
            name = printable(chosen[0].name)
            self.told.emit("info", f"“{name}” cannot be opened. {chosen[0].reason}")
        else:
            self._send(self.open_requested.emit)

    def _rename(self) -> None:
        row = self.table.selectionModel().selectedRows()[0].row()
        typed = self.keeper.title_of(self._path(self.model.entry(row))) if self.keeper else None
        if typed is not None:  # which the list may not have yet
            self.model.set_title(row, typed)
        self.table.edit(self.model.index(row, TITLE))

    def _write_title(self, name: str, title: str) -> None:
        self.waiting = None  # it has the old title; a listing with the new one will come
        bundle = self._reader.folder / name
        # What is still to be written from here comes first, so this has to wait behind it.
        is_kept = self.keeper is not None and not self._reader.is_naming(name)
        if is_kept and self.keeper is not None and self.keeper.retitle(bundle, title):
            self._reader.expect(name, title)
        else:
            self._reader.rename(name, title)

    def _reveal(self) -> None:
        """Show a folder in the file manager; of a file, the folder that it is in."""
        entry = self.chosen()[0]
        path = self._path(entry)
        folder = path if entry.is_recording else path.parent
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
            self.told.emit("info", f"It is “{path}”.")

    # --- the trash

    def _moved(self, names: list[str]) -> None:
        self._reader.forget(names)
        folder = self._reader.folder
        self.trashed.emit([folder / name for name in names])
        self._show_figures()

    def _free_space(self) -> None:
        if self.listing is not None:
            self._trash.show_dialog(self.listing)

    # --- how it is built

    def _build(self, icons: Icons) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID // 2)
        column.addWidget(self.table)
        footer = QHBoxLayout()
        footer.setContentsMargins(GRID, 0, 0, 0)
        footer.addWidget(self.figures, 1)
        footer.addWidget(self.free_button)
        column.addLayout(footer)
        self.figures.setFont(small())
        self.figures.setTextFormat(Qt.TextFormat.PlainText)
        self.free_button.setToolTip(
            "Choose recordings by age, size or length, and move them to the trash"
        )
        self.free_button.setEnabled(False)
        self.free_button.setFont(small())
        self._build_table()
        self.search.setPlaceholderText("Search titles, notes and transcripts")
        self.search.setToolTip(
            "Every word has to occur, in whole or in part; words in quotes go together (Ctrl+F)"
        )
        self.search.setAccessibleName("Search the recordings")
        self.search.setClearButtonEnabled(True)
        self.search.setFixedWidth(256)
        self.kind.setAccessibleName("Which recordings are listed")
        self.kind.setMinimumWidth(168)
        for name, (text, _) in FILTERS.items():
            self.kind.addItem(text, name)

    def _build_table(self) -> None:
        table, header = self.table, self.table.horizontalHeader()
        table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        header.setStretchLastSection(False)
        header.setSectionResizeMode(TITLE, QHeaderView.ResizeMode.Stretch)
        header.setSortIndicator(DATE, Qt.SortOrder.DescendingOrder)
        table.setSortingEnabled(True)

    def _connect(self) -> None:
        self._connect_rows()
        self._settle.setObjectName("library search")
        self._settle.setSingleShot(True)
        self._settle.setInterval(150)
        self._settle.timeout.connect(self._search_again)
        self._again.setObjectName("library look again")
        self._again.setSingleShot(True)
        self._again.setInterval(LOOK_AGAIN_MS)
        self._again.timeout.connect(self._update_recording)
        self._counting.setObjectName("library count on")
        self._counting.setSingleShot(True)
        self._counting.setInterval(COUNT_ON_MS)
        self._counting.timeout.connect(self._count_on)
        self.search.textChanged.connect(lambda _: self._settle.start())
        self.kind.currentIndexChanged.connect(lambda _: self._search_again())
        self._reader.listed.connect(self._show)
        self._reader.found.connect(self._filter)
        self._reader.failed.connect(self.failed)
        self._reader.renamed.connect(lambda name: self.renamed.emit(self._reader.folder / name))
        self._trash.moved.connect(self._moved)
        self._trash.told.connect(self.told)
        self._trash.failed.connect(self.failed)
        self.free_button.clicked.connect(self._free_space)
        self.model.renamed.connect(self._write_title)
        find_by_key(self.table, self.search)

    def _connect_rows(self) -> None:
        rows = self.actions_of_rows
        pairs: tuple[tuple[object, Callable[[], object]], ...] = (
            (rows.open, self._open),
            (rows.rename, self._rename),
            (rows.replay, lambda: self._send(self.replay_requested.emit)),
            (rows.compare, lambda: self._send(self.compare_requested.emit, 2)),
            (rows.export, lambda: self._send(self.export_requested.emit)),
            (rows.reveal, self._reveal),
            (rows.trash, lambda: self._trash.ask(self.chosen())),
            (rows.refresh, self.refresh),
        )
        for action, do in pairs:
            action.triggered.connect(lambda _checked=False, do=do: do())
        self.table.activated.connect(lambda _: self._open())
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._show_chosen())
        self.table.itemDelegate().closeEditor.connect(
            lambda *_: QTimer.singleShot(0, self, self._show_waiting)
        )
