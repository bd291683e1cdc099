"""What the library tells of a session, and which sessions a person may want to be rid of. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

EntryState = Literal["recording", "ended", "recovered", "unfinished", "broken", "audio", "foreign"]

RECORDINGS = frozenset({"recording", "ended", "recovered", "unfinished", "broken"})
"""The states of what is a recording of ours, in whatever condition."""

STATES: dict[EntryState, tuple[str, str]] = {
    "recording": ("recording", "It is being recorded at the moment"),
    "ended": ("", "The session ended, and all of it was written"),
    "recovered": ("recovered", "The recording was cut short, and has been repaired"),
    "unfinished": ("cut short", "The program ended before the session; opening it repairs it"),
    "broken": ("broken", "Something that belongs to a recording is missing or cannot be read"),
    "audio": ("audio file", "An audio file that lies among the recordings"),
    "foreign": ("no recording", "It lies among the recordings and is none"),
}
"""For each state the word that a list has for it, and what that word means."""

DAY_S = 86_400.0
_UNITS = ("kB", "MB", "GB", "TB", "PB")


class Entry(NamedTuple):
    """One item of the recordings folder. What is not known, or not yet, is None."""

    name: str
    """The name of its folder or file, as the system has it."""
    state: EntryState
    reason: str = ""
    """Why it is in that state, in whole sentences; empty where there is nothing to say."""
    title: str = ""
    agent: str = ""
    began: float | None = None
    """Seconds since 1970, UTC."""
    duration_s: float | None = None
    interruptions: int | None = None
    latency_ms: float | None = None
    """The median response latency."""
    estimated: bool = False
    """Whether playout times, and so the latency, are modelled."""
    size_bytes: int | None = None
    changed: float = 0.0
    """When any of its files was last changed, in seconds since 1970."""
    noted: bool = False
    """Whether a person has given it a title, tags, notes or markers."""

    @property
    def is_recording(self) -> bool:
        """Whether it is a recording of ours; if not, nothing in it is changed."""
        return self.state in RECORDINGS

    @property
    def can_open(self) -> bool:
        """Whether there is anything to be seen or heard in it."""
        return self.is_recording or self.state == "audio"

    @property
    def can_rename(self) -> bool:
        """Whether a title can be written into it; while it is recorded, others write there."""
        return self.is_recording and self.state != "recording"

    @property
    def can_trash(self) -> bool:
        """Whether the library may move it to the trash."""
        return self.can_open and self.state != "recording"


class Progress(NamedTuple):
    """How far a refresh has come: so many of so many items that were new or had changed."""

    done: int
    total: int


class Space(NamedTuple):
    """What recordings take, and what is left on their disk; None where that is not known."""

    sessions: int
    recordings_bytes: int
    free_bytes: int | None


@dataclass(frozen=True, slots=True)
class FreeRule:
    """Which recordings to give up: those that meet every condition that is set, and at least one.

    Foreign folders, loose audio files and what is being recorded are never among them.
    """

    older_than_days: float | None = None
    larger_than_bytes: int | None = None
    shorter_than_s: float | None = None
    broken: bool = False
    """Only what is broken or was cut short."""
    keep_noted: bool = True
    """Keep what a person has given a title, tags, notes or markers."""

    @property
    def is_empty(self) -> bool:
        """Whether no condition is set; it then takes nothing."""
        limits = (self.older_than_days, self.larger_than_bytes, self.shorter_than_s)
        return not self.broken and all(limit is None for limit in limits)

    def takes(self, entry: Entry, now: float) -> bool:
        """Whether ``entry`` is to be given up at the moment ``now`` (seconds since 1970)."""
        if self.is_empty or not (entry.is_recording and entry.can_trash):
            return False
        if self.keep_noted and entry.noted:
            return False
        return self._meets_all(entry, now)

    def _meets_all(self, entry: Entry, now: float) -> bool:
        began = entry.changed if entry.began is None else entry.began
        size, length = entry.size_bytes, entry.duration_s
        if self.older_than_days is not None and now - began <= self.older_than_days * DAY_S:
            return False
        if self.larger_than_bytes is not None and (size or 0) <= self.larger_than_bytes:
            return False
        # an unknown length is not a short one
        if self.shorter_than_s is not None and (length is None or length >= self.shorter_than_s):
            return False
        return not self.broken or entry.state in ("broken", "unfinished")


def size_text(count: int | None) -> str:
    """Return a number of bytes with three figures and its unit, in powers of 1000."""
    if count is None:
        return "–"
    if count < 1000:
        return f"{count} B"
    size, units = count / 1000, list(_UNITS)
    while size >= 999.5 and len(units) > 1:
        size /= 1000
        del units[0]
    return f"{size:.{0 if size >= 99.95 else 1}f} {units[0]}"


def length_text(seconds: float | None) -> str:
    """Return a duration as ``h:mm:ss``, or ``m:ss`` below an hour; ``–`` where it is not known."""
    if seconds is None:
        return "–"
    minutes, rest = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
