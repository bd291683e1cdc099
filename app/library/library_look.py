"""A look at a folder of recordings from outside: what is there, and whether it has changed.

Names, sizes and times, nothing is read. No state; the thread that refreshes the library.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from app.bundles.notes import NOTES_NAME
from app.recordings.peaks_cache import FOLDER
from app.recordings.turns_found import ANALYSIS_VERSION, NAME
from audio.wavfile import reason_of

SESSION, EVENTS = "session.json", "events.jsonl"
TURNS = f"{FOLDER}/{NAME}"
TRACKS = ("user.wav", "agent.wav", "received.wav")
AUDIO = frozenset(
    (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au", ".caf", ".w64")
)
"""How the names of loose audio files end that are listed."""


@dataclass(frozen=True, slots=True)
class Look:
    """An item seen from outside: names, sizes and times of its files, nothing read."""

    path: Path
    kind: str
    """``bundle``, ``audio`` or ``foreign``."""
    files: dict[str, os.stat_result] = field(default_factory=dict)
    size_bytes: int = 0
    changed: float = 0.0
    why: str = ""

    @property
    def stamp(self) -> str:
        """A text that differs once anything that `read_entry` reads has changed."""
        tracks = "".join(name[0] for name in TRACKS if name in self.files)
        marks = " ".join(self.mark(name) for name in (SESSION, NOTES_NAME, TURNS))
        return f"{self.kind} {marks} {tracks} {self.why}"

    @property
    def events_stamp(self) -> str:
        """A text that differs once anything that `read_said` reads has changed."""
        if self.kind == "audio":
            return self.mark(self.path.name)
        return f"{ANALYSIS_VERSION} {self.mark(SESSION)} {self.mark(EVENTS)}"

    def mark(self, name: str) -> str:
        """Return size and time of change of the file ``name``."""
        known = self.files.get(name)
        return "-" if known is None else f"{known.st_size}.{known.st_mtime_ns}"

    def still_holds(self) -> bool:
        """Whether what `read_entry` reads is still what was looked at: a few glances, no list."""
        if self.kind == "audio":
            return _identity(_glance(self.path)) == _identity(self.files.get(self.path.name))
        names = (SESSION, NOTES_NAME, TURNS) if self.kind == "bundle" else (SESSION, EVENTS)
        return os.path.lexists(self.path) and all(
            _identity(_glance(self.path / name, follow=False)) == _identity(self.files.get(name))
            for name in names
        )


def _glance(path: Path, *, follow: bool = True) -> os.stat_result | None:
    try:
        return path.stat(follow_symlinks=follow)
    except OSError:
        return None


def _identity(status: os.stat_result | None) -> tuple[int, int, int] | None:
    """Return what differs once a file has changed or another has taken its place."""
    if status is None or not stat.S_ISREG(status.st_mode):
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def look_at_all(folder: Path, stopping: Callable[[], bool] = lambda: False) -> list[Look] | None:
    """Return a look at each item of ``folder``, in no order; None where ``stopping`` said so.

    Raises:
        OSError: the folder cannot be listed.

    """
    looks = []
    with os.scandir(folder) as items:
        for item in items:
            if stopping():
                return None
            seen = None if item.name.startswith(".") else _look(Path(item.path))
            if seen is not None:
                looks.append(seen)
    return looks


def look_at(path: Path) -> Look | None:
    """Return a look at one item; None where it is gone, or nothing that a list shows."""
    return _look(path)


def _look(path: Path) -> Look | None:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            return _look_into(path)
        if stat.S_ISREG(status.st_mode) and path.suffix.lower() in AUDIO:
            files = {path.name: status}
            return Look(path, "audio", files, status.st_size, status.st_mtime)
    except FileNotFoundError:
        return None
    except OSError as error:
        return Look(path, "foreign", why=f"It cannot be looked into: {reason_of(error)}.")
    return None


def _look_into(path: Path) -> Look:
    with os.scandir(path) as items:
        files = _statuses(item for item in items if item.is_file(follow_symlinks=False))
    if SESSION not in files and EVENTS not in files:
        why = "It is no recording: it holds neither session.json nor events.jsonl."
        path.stat()  # an error where it has been moved away meanwhile
        return Look(path, "foreign", why=why)
    size = sum(each.st_size for each in files.values())
    changed = max(each.st_mtime for each in files.values())
    for name, status in _cache(path).items():
        size += status.st_size
        files[name] = status
    # a folder that is reached by a link takes no room here
    size = 0 if path.is_symlink() else size
    return Look(path, "bundle", files, size, changed)


def _cache(path: Path) -> dict[str, os.stat_result]:
    """Return what lies in a bundle's cache, by path from the bundle."""
    try:
        with os.scandir(path / FOLDER) as items:
            found = _statuses(items)
    except OSError:
        return {}
    return {f"{FOLDER}/{name}": status for name, status in found.items()}


def _statuses(items: Iterable[os.DirEntry[str]]) -> dict[str, os.stat_result]:
    """Return what there is to see of each, but for what is gone by now, as a draft is."""
    found = {}
    for item in items:
        with suppress(FileNotFoundError):
            found[item.name] = item.stat(follow_symlinks=False)
    return found
