"""What the timeline draws: plain data, filled by the feed once a frame. Main thread only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.bundles.notes import Marker
    from ui.lanes.envelope import View

RATE = 16_000
Turn = tuple[float, float | None]
"""A turn's start and stop in session seconds; no stop while it lasts. Speech, too."""


@dataclass(slots=True)
class Lane:
    """One party's track: its peaks, how many samples there are, its turns and its speech.

    Speech is what VAD found of the user, and what left the speaker of the agent; empty where that
    is not known.
    """

    view: View | None = None
    written: int = 0
    turns: list[Turn] = field(default_factory=list)
    speech: list[Turn] = field(default_factory=list)
    detail: int = 0
    """Raised when the view can tell what it told before in more detail."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Agent audio that was not heard: received samples ``[start, stop)``, drawn from ``at`` on.

    ``whole_stop`` is where the audio itself ends, if other audio covers the rest of it.
    """

    start: int
    stop: int
    at: float
    whole_stop: int | None = None

    @property
    def ends_at(self) -> float:
        """Where the drawing ends, in session seconds."""
        return self.at + (self.stop - self.start) / RATE

    @property
    def length_s(self) -> float:
        """How long the audio is, all of it."""
        stop = self.stop if self.whole_stop is None else self.whole_stop
        return (stop - self.start) / RATE


@dataclass(frozen=True, slots=True)
class Mark:
    """An interruption: called at ``at``, silent at ``silent_at`` (None where it is not known).

    ``onset`` is when the speech began that led to it, ``kind`` its class; either may be unknown.
    """

    number: int
    at: float
    silent_at: float | None
    text: str
    short: str
    onset: float | None = None
    kind: str = ""

    @property
    def begins(self) -> float:
        """Where its band begins."""
        return self.at if self.onset is None else min(self.onset, self.at)


@dataclass(frozen=True, slots=True)
class Both:
    """Both spoke at once, in ``[start, stop)``; no stop while they do.

    ``kind`` is ``missed``, ``backchannel``, ``talked over``, or empty. One that an interruption
    put an end to is not drawn: the interruption's band is in its place.
    """

    start: float
    stop: float | None
    kind: str = ""
    was_interrupted: bool = False

    @property
    def is_missed(self) -> bool:
        """Whether it is an interruption that never came."""
        return self.kind == "missed"


@dataclass(slots=True)
class Scene:
    """Everything on the time axis of one session."""

    user: Lane = field(default_factory=Lane)
    agent: Lane = field(default_factory=Lane)
    received: View | None = None
    discarded: list[Stretch] = field(default_factory=list)
    """In order of ``at``."""
    queued: list[Stretch] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    overlaps: list[Both] = field(default_factory=list)
    """When both spoke at once, in order of time."""
    muted: list[Turn] = field(default_factory=list)
    now_s: float = 0.0
    live: bool = False
    playhead_s: float | None = None
    version: int = 0
    """Raised with every change of turns, marks and stretches."""
    playing: bool = False
    """Whether the recording is being played; the playhead moves then."""
    selection: tuple[float, float] | None = None
    """The selected stretch, in session seconds."""
    markers: Sequence[Marker] = ()
    """In order of time."""
    gaps: list[tuple[float, float]] = field(default_factory=list)
    """Stretches that were not recorded: silence stands there."""
    names: tuple[str, str] = ("You", "Agent")
    is_mono: bool = False
    """Whether there is one lane only."""

    @property
    def duration_s(self) -> float:
        """How long the session is, by the clock and by its tracks."""
        return max(self.now_s, self.user.written / RATE, self.agent.written / RATE)


def peak_text(lane: Lane, t: float, per_column_s: float) -> str:
    """Return the peak of the column at ``t`` in dBFS, or ``–`` where there is no audio."""
    start = round(t * RATE)
    stop = start + max(round(per_column_s * RATE), 1)
    if lane.view is None or start < 0 or stop > lane.written:
        return "–"
    low, high = lane.view(start, stop, 1)
    if low[0] > high[0]:  # before the track's beginning
        return "–"
    peak = max(abs(int(low[0])), abs(int(high[0])))
    return f"{20 * log10(peak / 32768):.0f} dBFS".replace("-", "−") if peak else "−∞ dBFS"
