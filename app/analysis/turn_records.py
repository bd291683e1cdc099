"""What the turn tracker finds, as frozen records. All times are session seconds, durations ms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from app.timeline.events import InterruptSource
from audio.sample_format import SAMPLE_RATE

Who = Literal["user", "agent"]
SpanKind = Literal["heard", "discarded", "queued"]
InterruptionClass = Literal["barge-in", "button", "message", "false"]
OverlapClass = Literal["missed", "backchannel", "talked over"]
SoundClass = Literal["silence", "noise", "burst", "echo"]


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

    @property
    def until(self) -> float:
        """When its last sample was over, or would have been."""
        return self.at + (self.stop - self.start) / SAMPLE_RATE


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
class Sound:
    """What the user track held in ``[start, stop)``, where no speech of the user's was found.

    ``echo`` is the agent's own voice: it came ``echo_delay_ms`` after it had left the speaker,
    ``echo_db`` against its level there. ``burst`` is a sound of less than a word, as of a cough;
    ``noise`` one that goes on.
    """

    kind: SoundClass
    start: float
    stop: float
    peak_dbfs: float | None
    noise_dbfs: float | None
    burst_ms: float = 0.0
    """How much of it stood out of the noise."""
    correlation: float = 0.0
    """How much of its course the agent's track explains, 0 to 1."""
    echo_delay_ms: float | None = None
    echo_db: float | None = None


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
    chunk_ended_at: float | None = None
    """When the mic chunk that carried the onset was complete."""
    chunk_sent_at: float | None = None
    """When that chunk had been handed to the network."""
    told_at: float | None = None
    """When the agent's own message of the interruption came."""
    mouth_to_silence_ms: float | None = None
    """None as well where the user spoke already when the agent began: that is no barge-in."""
    heard_text: str = ""
    unheard_text: str = ""
    cut_word: str = ""
    """The word in whose middle the agent fell silent; it also stands in one of the two texts."""
    corrected_text: str | None = None
    agent_next_at: float | None = None
    """When the agent spoke next."""
    estimated: bool = False
    """Whether its times are modelled."""
    words_estimated: bool = False
    """Whether heard and unheard words were divided without the agent's alignment."""
    sound: Sound | None = None
    """What the user track held before it, where that was looked at."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """Both parties spoke at once, in ``[start, stop)``; ``stop`` is None while they do.

    ``missed`` and ``backchannel``: the user began over the agent, and no interrupt followed.
    ``talked over``: the agent began while the user was speaking, whatever followed.
    """

    start: float
    stop: float | None
    onset: float
    """When the user's speech began."""
    speech_stop: float | None = None
    kind: OverlapClass | None = None
    """None where an interrupt followed, while it is not certain, and where the user began to
    speak as the agent came to its end."""
    interruption: int | None = None
    """The number of the interruption that followed."""


@dataclass(frozen=True, slots=True)
class Response:
    """One turn of the agent's: how it came about, and how its audio came.

    All but ``heard_at`` are None where they are not known; ``user_stop`` and ``latency_ms`` where
    the turn answers nobody, as a greeting does.
    """

    heard_at: float
    """When its first sample left the speaker."""
    user_stop: float | None = None
    """When the user's speech ended that it answers."""
    endpointed_at: float | None = None
    """When the agent told that it took the user's turn for ended: its final user transcript."""
    first_chunk_at: float | None = None
    """When its first audio arrived."""
    latency_ms: float | None = None
    underruns: int = 0
    """How often the playout queue ran dry inside it."""
    underrun_ms: float = 0.0
    least_lead_ms: float | None = None
    """How far its audio was ahead of playout when a chunk arrived, at the least; from its second
    chunk on."""
    median_lead_ms: float | None = None
    estimated: bool = False
    """Whether its times are modelled."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Agent audio that was never given to the speaker, in messages that follow each other."""

    at: float
    until: float
    ms: float
    event_id: int | None
    """That of the first of them."""
    reason: str
    of_new_reply: bool = False
    """Whether the text of another reply had come since the agent's last interruption: then it was
    no late audio of what had been interrupted."""


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
    mic_chunk_ms: float | None = None
    """How long a mic chunk is."""


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
