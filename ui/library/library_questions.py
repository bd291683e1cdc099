"""What the library says of recordings, and what it asks before it moves any to the trash.

Main thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from app.library.library_entry import Entry, Space, size_text
from app.plain import printable
from ui.library.library_reader import Listing
from ui.library.trash import Outcome
from ui.parts.tables import Table

UNTIL_EMPTIED = "Their space is free once the trash has been emptied."


def count_text(count: int, of: str = "recording") -> str:
    """Return a number of things, in words that agree."""
    return f"{count:,} {of}{'' if count == 1 else 's'}".replace(",", "\u202f")


def total_size(entries: Sequence[Entry]) -> int:
    """Return what some entries take, in bytes."""
    return sum(entry.size_bytes or 0 for entry in entries)


def name_of(entry: Entry) -> str:
    """Return what a person knows a recording by."""
    if entry.title or entry.began is None:
        return f"“{entry.title or printable(entry.name)}”"
    return f"the recording of {datetime.fromtimestamp(entry.began):%Y-%m-%d %H:%M:%S}"


def ask_to_trash(parent: QWidget, entries: Sequence[Entry], agreed: Callable[[], object]) -> None:
    """Ask whether to move ``entries`` to the trash; ``agreed`` is called if so."""
    what = name_of(entries[0]) if len(entries) == 1 else f"{count_text(len(entries))}"
    box = QMessageBox(parent)
    box.setWindowTitle("Move to trash?")
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(f"Move {what} ({size_text(total_size(entries))}) to the trash?")
    trash = box.addButton("Move to trash", QMessageBox.ButtonRole.AcceptRole)
    keep = box.addButton("Keep", QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(keep)
    box.setEscapeButton(keep)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    trash.clicked.connect(lambda _checked: agreed())
    box.open()


def trashed_text(entries: Sequence[Entry], outcome: Outcome) -> str:
    """Return what has come of moving ``entries``."""
    moved = [entry for entry in entries if entry.name in set(outcome.moved)]
    if not moved:
        return "Nothing was moved to the trash."
    size = size_text(total_size(moved))
    verb = "is" if len(moved) == 1 else "are"
    text = f"{count_text(len(moved))} ({size}) {verb} in the trash now."
    return f"{text} {UNTIL_EMPTIED}" if len(moved) > 1 else text


def space_text(space: Space) -> str:
    """Return how much room the recordings take and have."""
    taken = f"{count_text(space.sessions)}, {size_text(space.recordings_bytes)}"
    return f"{taken} · {size_text(space.free_bytes)} free on this disk"


def say_when_empty(table: Table, text: str) -> None:
    """Have ``table`` say ``text`` while it has no rows, in place of what it said before."""
    table._empty_text = text
    table.viewport().update()


def empty_text(folder: Path) -> str:
    """Return how recordings come to be listed."""
    return (
        "Your sessions will be listed here: press Start and speak. Each is recorded in a folder "
        f"of its own in “{printable(str(folder))}”."
    )


def progress_text(listing: Listing) -> str:
    """Return how far reading has come; nothing where all is read."""
    progress = listing.progress
    if progress is None or not progress.total:
        return ""
    return f"reading {progress.done:,} of {progress.total:,}".replace(",", "\u202f")
