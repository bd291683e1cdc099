"""What there is to act on now: menus and buttons are enabled by it. No Qt."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Available:
    """What there is to act on."""

    state: str = "idle"
    busy: bool = False
    """Whether a session runs, or is being made."""
    anything: bool = False
    """Whether something is in view."""
    recorded: bool = False
    """Whether what is in view is on disk."""
    bundled: bool = False
    """Whether it is there as a session's recording, and no mere audio file."""
    playing: bool = False
    selected: bool = False
    marked: bool = False
    """Whether there are markers."""
    interrupted: bool = False
    """Whether there are interruptions, or overlaps."""
    inspected: bool = False
    """Whether one of them is looked at."""
    swappable: bool = False
    """Whether it is an audio file with two channels."""
