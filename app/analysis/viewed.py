"""What can be looked at: a session that runs, and a recording that was opened, alike.

The window reads either through these protocols, so that the live view and the review are one view.
Nothing in them waits, and any thread may read. Times are session seconds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from app.analysis.turn_records import (
    AudioSpan,
    Interruption,
    Line,
    Overlap,
    Refused,
    Response,
    Summary,
    Turn,
)
from app.states import State
from app.timeline.events import Event
from audio.peaks import Envelope


class EventSource(Protocol):
    """Events in the order in which they were noticed, each with a number that never changes."""

    @property
    def first(self) -> int:
        """The number of the oldest event that is still kept."""

    @property
    def appended(self) -> int:
        """How many events there ever were: the next one gets this number."""

    def read(self, cursor: int = 0, limit: int | None = None) -> tuple[list[Event], int, int]:
        """Return ``(events, next_cursor, lost)`` since ``cursor``, at most ``limit`` of them."""

    def slice(self, start: int, stop: int) -> list[Event]:
        """Return the events numbered ``[start, stop)``, as far as they are kept."""


class PeakView(Protocol):
    """The extremes of a track, to draw any span of it."""

    @property
    def version(self) -> int:
        """Raised when spans that were viewed already can be told in more detail than before."""

    def __len__(self) -> int:
        """Samples so far."""

    def view(self, start: float, stop: float, columns: int) -> Envelope:
        """Return the extremes of samples ``[start, stop)`` in ``columns`` columns."""


class TrackView(Protocol):
    """One party's track."""

    @property
    def peaks(self) -> PeakView:
        """Its extremes."""


class TracksView(Protocol):
    """The tracks; one that a recording lacks is empty."""

    @property
    def user(self) -> TrackView:
        """What the agent was sent."""

    @property
    def agent(self) -> TrackView:
        """What was heard of the agent."""

    @property
    def received(self) -> TrackView:
        """All that the agent sent, back to back."""


class TurnView(Protocol):
    """What the events say of turns: a tracker that goes on, or what one has found."""

    @property
    def user_turns(self) -> list[Turn]:
        """The user's turns."""

    @property
    def agent_turns(self) -> list[Turn]:
        """The agent's turns."""

    @property
    def response_latencies_ms(self) -> list[float]:
        """How long the agent took to answer."""

    @property
    def spans(self) -> list[AudioSpan]:
        """What became of the received audio."""

    @property
    def interruptions(self) -> list[Interruption]:
        """The interruptions."""

    @property
    def overlaps(self) -> list[Overlap]:
        """When both spoke at once."""

    @property
    def responses(self) -> list[Response]:
        """The agent's turns, each with how it came about."""

    @property
    def refused(self) -> list[Refused]:
        """Agent audio that was never given to the speaker."""

    @property
    def transcript(self) -> list[Line]:
        """The lines."""

    def summary(self) -> Summary:
        """Return it all in figures."""


class Viewed(Protocol):
    """A session or a recording, as the window sees it."""

    @property
    def timeline(self) -> EventSource:
        """What happened."""

    @property
    def tracks(self) -> TracksView:
        """What was said."""

    @property
    def state(self) -> State:
        """What it is doing; a recording has ended."""

    @property
    def bundle(self) -> Path | None:
        """The recording's folder; None where nothing is recorded, and for an audio file."""

    def now(self) -> float:
        """Return the session's seconds: its duration once it is over."""

    def health(self) -> dict[str, int]:
        """Return counters by name; empty where they are not known."""
