"""What a picture is of, and who draws it: the app itself knows no screen. Pure; any thread.

It imports nothing: formats, pictures and those who draw them all go by it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from app.bundles.notes import Marker
    from app.recordings.gaps import Gap
    from app.recordings.recording import Recording

Theme = Literal["light", "dark"]


@dataclass(frozen=True, slots=True)
class Look:
    """How a picture is drawn: its size in pixels, and in which colours."""

    width: int = 1600
    height: int = 500
    theme: Theme = "light"


@dataclass(frozen=True, slots=True)
class Motif:
    """What is to be drawn: session seconds ``[start_s, stop_s)`` of a recording."""

    recording: Recording
    """All of it is worked out."""
    title: str
    start_s: float
    stop_s: float
    markers: Sequence[Marker]
    gaps: Sequence[Gap]


Draw = Callable[[Motif, str, Look], bytes]
"""Returns a motif as the content of a ``png`` or ``svg`` file."""
