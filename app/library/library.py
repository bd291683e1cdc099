"""The library: all recordings in one folder, listed from an index and found by their words.

Every method blocks on the disk and may be called from any thread, several at once; several
processes may have a library of the same folder. A refresh compares the folder with the index and
brings the index up to date, the latest recordings first, in transactions of a few milliseconds.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

from app.bundles.notes import edit_notes
from app.library.library_entry import Entry, Progress, Space
from app.library.library_index import Index, Row, Written
from app.library.library_look import Look, look_at, look_at_all
from app.library.library_read import Facts, read_entry, read_said
from app.notices import AppError
from audio.wavfile import reason_of

T = TypeVar("T")

Report = Callable[[Progress], None]
Stopping = Callable[[], bool]
_Told = tuple[str, str, dict[str, object], str]

BATCH = 100
"""So many items are written at once."""
WRITE_EVERY_S = 0.5
"""What has been read is written after so long, even if it is little."""
ATTEMPTS = 5
"""What changes while it is read is read so often; after that it waits for the next refresh."""
TITLE_LIMIT = 200


class LibraryError(AppError):
    """Something cannot be done to a recording, or the folder cannot be read."""


def _never() -> bool:
    return False


def _to_nobody(_progress: Progress) -> None:
    pass


class Library:
    """The recordings in ``folder``. A folder that is not there has none, and keeps its index."""

    def __init__(self, folder: Path, cache: Path | None = None) -> None:
        """List ``folder``; the index is a file in ``cache``, else in the system's place for it."""
        self.folder = folder
        self.index = Index(folder, cache)

    # -- what is known -------------------------------------------------------------------------

    def entries(self) -> list[Entry]:
        """Return what the index has, in no order, as it was at the last refresh."""
        return self.index.entries() if self.folder.is_dir() else []

    def search(self, text: str) -> set[str]:
        """Return the names of items in which every word of ``text`` occurs.

        Titles, tags, notes, markers, transcripts, agents and folder names are looked through, for
        any part of a word. Case and accents make no difference; words in quotes go together.
        """
        return self.index.search(text)

    def space(self, entries: Iterable[Entry] | None = None) -> Space:
        """Return what ``entries`` take, or all by the index, and what is free on their disk."""
        listed = self.entries() if entries is None else entries
        recordings = [entry for entry in listed if entry.is_recording]
        free = None
        with suppress(OSError):
            free = shutil.disk_usage(_first_there(self.folder)).free
        return Space(len(recordings), sum(each.size_bytes or 0 for each in recordings), free)

    # -- bringing the index up to date ---------------------------------------------------------

    def refresh(
        self,
        report: Report = _to_nobody,
        stopping: Stopping = _never,
        *,
        with_events: bool = True,
    ) -> bool:
        """Bring the index up to date with the folder; False where ``stopping`` said so before.

        What the small files say comes first, for all items; then events are read for transcripts,
        and for figures where a session has none written down. Without ``with_events`` that is left
        to another time: reading them takes the processor, which a running session needs.
        ``report`` is called after each batch, once it can be read.

        Raises:
            LibraryError: the folder is there and cannot be listed.

        """
        done = False
        for _ in range(2):
            begun = self.index.begun
            done = self._refresh_files(report, stopping)
            done = done and (not with_events or self._read_events(report, stopping))
            if begun == self.index.begun:
                break  # else it was begun anew meanwhile, and what was known is not
        return done

    def update(self, names: Iterable[str]) -> None:
        """Bring some items up to date, events included; those that are gone are forgotten."""
        for name in names:
            look = look_at(self.path_of(name))
            if look is None:
                self.index.remove([name])
                continue
            self._write([look])
            row = self.index.row(name)
            if row is not None and row.needs:
                self.index.write_said(self._read_said(name, row.needs, _never))

    def _refresh_files(self, report: Report, stopping: Stopping) -> bool:
        known = self.index.rows()
        try:
            looks = look_at_all(self.folder, stopping)
        except FileNotFoundError:
            return True
        except OSError as error:
            sentence = f"The recordings in “{self.folder}” cannot be listed: {reason_of(error)}."
            raise LibraryError(sentence, "Choose another folder for recordings.") from error
        if looks is None:
            return False
        gone = known.keys() - {look.path.name for look in looks}
        self.index.remove(name for name in gone if look_at(self.folder / name) is None)
        changed = [look for look in looks if _has_changed(look, known.get(look.path.name))]
        changed.sort(key=lambda look: look.path.name, reverse=True)
        done = 0
        for batch in _batches(changed, BATCH):
            if stopping():
                return False
            self._write(batch)
            done += len(batch)
            report(Progress(done, len(changed)))
        return True

    def _write(self, looks: Sequence[Look]) -> None:
        """Write what the files of some items say into the index.

        Others may change them, a title above all, and write that into the index before this is
        written. What has changed since it was looked at is therefore not written but read again.
        """
        for attempt in range(1, ATTEMPTS + 1):
            looks = self._write_what_holds(looks, all_of_it=attempt == ATTEMPTS)
            if not looks:
                return

    def _write_what_holds(self, looks: Sequence[Look], *, all_of_it: bool) -> list[Look]:
        """Write what is still as it was looked at; return new looks at the rest."""
        stale: dict[str, Path] = {}

        def make(look: Look, facts: Facts, row: Row | None) -> Written | None:
            if all_of_it or look.still_holds():
                return _written(look, facts, row)
            stale[look.path.name] = look.path
            return None

        read = [(look, read_entry(look)) for look in looks]
        self.index.write((look.path.name, partial(make, look, facts)) for look, facts in read)
        # what is gone by now is forgotten by whoever took it away
        return [look for path in stale.values() if (look := look_at(path)) is not None]

    def _read_events(self, report: Report, stopping: Stopping) -> bool:
        pending = self.index.pending()
        said: list[_Told] = []
        written_at = time.monotonic()
        for number, (name, needs) in enumerate(pending, 1):
            said += self._read_said(name, needs, stopping)
            is_due = time.monotonic() - written_at >= WRITE_EVERY_S or len(said) >= BATCH
            if is_due or number == len(pending) or stopping():
                self.index.write_said(said)
                said, written_at = [], time.monotonic()
                report(Progress(number, len(pending)))
            if stopping():
                return False
        return True

    def _read_said(self, name: str, needs: int, stopping: Stopping) -> list[_Told]:
        look = look_at(self.path_of(name))  # before the events: what comes after is read again
        said = None if look is None else read_said(look.path, needs, stopping)
        if look is None or said is None:
            return []
        found = {
            "interruptions": said.interruptions,
            "latency_ms": said.latency_ms,
            "duration_s": said.duration_s,
            "state": said.state,
        }
        columns = {column: value for column, value in found.items() if value is not None}
        return [(name, look.events_stamp, {**columns, "said_reason": said.reason}, said.words)]

    # -- what can be done ----------------------------------------------------------------------

    def path_of(self, name: str) -> Path:
        """Return the path of the item ``name``.

        Raises:
            LibraryError: the name leads out of the folder.

        """
        if name in ("", ".", "..") or Path(name).name != name:
            raise LibraryError(f"“{name}” is no recording in “{self.folder}”.")
        return self.folder / name

    def rename(self, name: str, title: str) -> None:
        """Write ``title`` into the notes of a recording; an empty one takes the title away.

        Raises:
            LibraryError: it is no recording, or is being recorded.
            OSError: its notes cannot be written.

        """
        path = self.path_of(name)
        entry = self._read(path)
        if not entry.can_rename:
            raise LibraryError(f"“{name}” cannot be renamed: {_why_not(entry)}.")
        title = " ".join(title.split())[:TITLE_LIMIT]
        edit_notes(path, lambda notes: replace(notes, title=title))
        self.update([name])

    def removable(self, name: str, seen: Entry | None = None) -> Path:
        """Return the path of what may be moved to the trash now.

        ``seen`` is what it was when a person chose it.

        Raises:
            LibraryError: it is being recorded, is no recording, or is gone; or it is not what was
                chosen any more, for somebody has noted something, or it was recovered.

        """
        path = self.path_of(name)
        entry = self._read(path)
        if not entry.can_trash:
            raise LibraryError(f"“{name}” stays where it is: {_why_not(entry)}.")
        if seen is not None and (entry.state != seen.state or entry.noted > seen.noted):
            sentence = f"“{name}” stays where it is: it has changed since it was listed."
            raise LibraryError(sentence, "Refresh the library, and choose again.")
        return path

    def forget(self, names: Iterable[str]) -> None:
        """Take items out of the index that have been moved away."""
        self.index.remove(names)

    def _read(self, path: Path) -> Entry:
        """Read an item afresh: what the index has of it may be long past."""
        look = look_at(path)
        if look is None:
            raise LibraryError(f"“{path.name}” is not there any more.", "Refresh the library.")
        return read_entry(look).entry


def _why_not(entry: Entry) -> str:
    if entry.state == "recording":
        return "it is being recorded"
    return "it is no recording of this program"


def _has_changed(look: Look, row: Row | None) -> bool:
    if row is None or row.entry.state == "recording":
        return True  # a recording that stops growing looks as it did, and is cut short
    return (row.stamp, row.events_stamp, row.entry.size_bytes or 0) != (
        look.stamp,
        look.events_stamp,
        look.size_bytes,
    )


def _written(look: Look, facts: Facts, row: Row | None) -> Written:
    """Return what to write of an item; what its events told holds while they are the same."""
    if row is None or row.events_stamp != look.events_stamp or row.entry.state == "recording":
        new = Row(facts.entry, look.stamp, look.events_stamp, facts.needs, "")
        return Written(new, facts.heading, "")
    return Written(_with_what_was_said(facts, look, row), facts.heading)


def _with_what_was_said(facts: Facts, look: Look, row: Row) -> Row:
    entry, before = facts.entry, row.entry
    kept = {
        name: getattr(before, name)
        for name in ("interruptions", "latency_ms", "duration_s")
        if getattr(entry, name) is None
    }
    if look.kind == "audio":
        kept["state"] = before.state
    return Row(entry._replace(**kept), look.stamp, look.events_stamp, row.needs, row.said_reason)


def _batches(items: Sequence[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def _first_there(path: Path) -> Path:
    """Return the folder, or the nearest above it that exists."""
    return next((each for each in (path, *path.parents) if each.is_dir()), path)
