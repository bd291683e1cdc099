"""What the turn tracker finds, as frozen records. All times are session seconds, durations ms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from app.events import InterruptSource

Who = Literal["user", "agent"]
SpanKind = Literal["heard", "discarded", "queued"]
InterruptionClass = Literal["barge-in", "button", "message", "false"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One party's speech. ``stop`` is None while it goes on."""

    who: Who
    start: float
    stop: float | None = None


@dataclass(frozen=True, slots=True)
class AudioSpan:
    """What became of received samples ``[start, stop)``.

    ``at`` is when the first of them was heard; for discarded and queued audio, where it would have
    been heard.
    """

    kind: SpanKind
    start: int
    stop: int
    at: float


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the transcript; ``at`` is when it was spoken, as well as is known.

    Of an agent's line the words are in one of three: heard, waiting to be heard, and unheard for
    good. ``estimated`` says that they were divided without the agent's alignment.
    """

    who: Who
    text: str
    at: float
    heard_text: str = ""
    waiting_text: str = ""
    unheard_text: str = ""
    corrected_text: str | None = None
    tentative: bool = False
    estimated: bool = False
    typed: bool = False
    """True where the user typed it."""


@dataclass(frozen=True, slots=True)
class Interruption:
    """One interrupt and what it did. What is not known, or not yet, is None."""

    number: int
    """1 for the first of the session."""
    at: float
    source: InterruptSource
    event_id: int | None = None
    kind: InterruptionClass | None = None
    queued_ms: float = 0.0
    discarded_ms: float = 0.0
    held_back_ms: float = 0.0
    """Audio of the same reply that came after a manual interrupt and was never queued."""
    silent_at: float | None = None
    """When the last agent sample left the speaker; None where it was silent already."""
    time_to_silence_ms: float | None = None
    was_silent: bool = False
    """Whether no agent sample left the speaker after it: there was nothing to silence."""
    user_onset: float | None = None
    mouth_to_silence_ms: float | None = None
    heard_text: str = ""
    unheard_text: str = ""
    corrected_text: str | None = None
    agent_next_at: float | None = None
    """When the agent spoke next."""
    estimated: bool = False
    """Whether its times are modelled."""
    words_estimated: bool = False
    """Whether heard and unheard words were divided without the agent's alignment."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How many values there are, their median and 95th percentile (linear), and the greatest."""

    count: int = 0
    p50: float | None = None
    p95: float | None = None
    greatest: float | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """A session in figures."""

    duration_s: float
    user_turns: int
    agent_turns: int
    interruptions: int
    time_to_silence_ms: Spread
    mouth_to_silence_ms: Spread
    response_latency_ms: Spread
    received_ms: float
    heard_ms: float
    discarded_ms: float
    mic_chunks: int
    troubles: dict[str, int] = field(default_factory=dict)
    """How often each kind of trouble was told of."""


def spread(values: list[float]) -> Spread:
    """Return the spread of ``values``."""
    if not values:
        return Spread()
    ordered = sorted(values)
    return Spread(len(ordered), _quantile(ordered, 0.5), _quantile(ordered, 0.95), ordered[-1])


def _quantile(ordered: list[float], part: float) -> float:
    place = part * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
