"""What can happen in a session, as frozen records.

Every time is in session seconds: seconds since the session began, on the monotonic clock. ``t`` is
kept to the microsecond, which is how a recording holds it, so that figures taken live and from the
recording are the same. Sample positions of agent audio are *received* positions: all agent chunks
back to back, which is also how ``received.wav`` holds them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal

InterruptSource = Literal["agent", "button", "vad", "message", "unknown"]
"""``unknown``: found in a recording that has no events."""
Level = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at ``t``."""

    type: ClassVar[str] = ""
    t: float

    def __post_init__(self) -> None:
        """Keep ``t`` to the microsecond."""
        object.__setattr__(self, "t", round(self.t, 6))

    def to_dict(self) -> dict[str, Any]:
        """Return the event as one line of ``events.jsonl``: ``t``, ``type``, then its fields."""
        fields = asdict(self)
        return {"t": fields.pop("t"), "type": self.type, **fields}


@dataclass(frozen=True, slots=True)
class StateChanged(Event):
    """The session is now in ``state``; ``sentence`` says why where there is a reason."""

    type: ClassVar[str] = "state"
    state: str
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class MessageReceived(Event):
    """A message of the agent. Audio payloads are not in ``payload``: ``bytes`` tells their size."""

    type: ClassVar[str] = "message_received"
    kind: str
    payload: dict[str, Any]
    event_id: int | None = None
    bytes: int = 0
    dropped: str = ""
    """Why the SDK will not play or use it, empty where it will."""


@dataclass(frozen=True, slots=True)
class MessageSent(Event):
    """A message to the agent. Mic chunks show as ``mic_chunk``, not here."""

    type: ClassVar[str] = "message_sent"
    kind: str
    payload: dict[str, Any]
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Alignment:
    """When each character of an agent chunk is spoken, in ms from the start of the chunk."""

    chars: tuple[str, ...]
    start_ms: tuple[int, ...]
    duration_ms: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AgentChunkReceived(Event):
    """Agent audio crossed the contract: received samples ``[start, stop)``."""

    type: ClassVar[str] = "agent_chunk"
    start: int
    stop: int
    event_id: int | None = None
    alignment: Alignment | None = None
    held_back: bool = False
    """True where a manual interrupt holds back the rest of this reply: it is never queued."""


@dataclass(frozen=True, slots=True)
class AgentHeard(Event):
    """Received samples ``[start, stop)`` were played; the first left the speaker at ``at``."""

    type: ClassVar[str] = "heard"
    start: int
    stop: int
    at: float
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class AgentDiscarded(Event):
    """Received samples ``[start, stop)`` will never be played."""

    type: ClassVar[str] = "discarded"
    start: int
    stop: int
    reason: str


@dataclass(frozen=True, slots=True)
class Interrupted(Event):
    """An interrupt emptied the playout queue. ``t`` is the moment of the ``interrupt()`` call."""

    type: ClassVar[str] = "interrupted"
    epoch: int
    source: InterruptSource
    queued_samples: int
    event_id: int | None = None


@dataclass(frozen=True, slots=True)
class Silenced(Event):
    """After interrupt ``epoch`` the last agent sample left the speaker at ``silent_at``.

    None where the speaker was silent already. ``estimated`` where the interface keeps no account.
    """

    type: ClassVar[str] = "silenced"
    epoch: int
    interrupted_at: float
    silent_at: float | None
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class MicChunkSent(Event):
    """A mic chunk went to the agent. Captured from ``captured_at`` to ``completed_at``."""

    type: ClassVar[str] = "mic_chunk"
    start: int
    stop: int
    captured_at: float
    completed_at: float
    sent_s: float
    """How long the callback, and so the network, held the uplink thread."""
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class SpeechStarted(Event):
    """The user began to speak at ``t``, by VAD and sample position; noticed at ``noticed_at``."""

    type: ClassVar[str] = "speech_started"
    noticed_at: float


@dataclass(frozen=True, slots=True)
class SpeechEnded(Event):
    """The user stopped speaking at ``t``, by VAD and sample position; noticed at ``noticed_at``."""

    type: ClassVar[str] = "speech_ended"
    noticed_at: float


@dataclass(frozen=True, slots=True)
class EchoHeard(Event):
    """The user track held the agent's own voice from ``t`` to ``stop``, which VAD takes for speech.

    It came ``delay_ms`` after it had left the speaker, ``level_db`` against its level there;
    ``correlation`` says how much of its course the agent's track explains, 0 to 1. Speech whose
    onset lies in it is none of the user's, told before or after; where the user speaks into it,
    that has an onset of its own.
    """

    type: ClassVar[str] = "echo"
    stop: float
    delay_ms: float
    level_db: float
    correlation: float
    noticed_at: float


@dataclass(frozen=True, slots=True)
class SoundBefore(Event):
    """What the user track held before an interrupt, in ``[t, stop)``, speech or not.

    Fields as in ``app.analysis.turn_records.Sound``.
    """

    type: ClassVar[str] = "sound_before"
    interrupted_at: float
    stop: float
    kind: Literal["silence", "noise", "burst", "echo", "speech"]
    peak_dbfs: float
    noise_dbfs: float
    burst_ms: float
    correlation: float
    echo_delay_ms: float | None = None
    echo_db: float | None = None


@dataclass(frozen=True, slots=True)
class Muted(Event):
    """The microphone was muted or opened again: while muted the agent is sent silence."""

    type: ClassVar[str] = "muted"
    muted: bool


@dataclass(frozen=True, slots=True)
class Trouble(Event):
    """Something went wrong and the session goes on. ``kind`` is one of a few fixed words.

    Kinds: xrun, underrun, dropped, callback, device, recorder, protocol, gap.
    """

    type: ClassVar[str] = "trouble"
    kind: str
    sentence: str
    side: str = ""
    level: Level = "warning"
    data: dict[str, Any] = field(default_factory=dict)


KINDS: dict[str, type[Event]] = {
    kind.type: kind
    for kind in (
        StateChanged,
        MessageReceived,
        MessageSent,
        AgentChunkReceived,
        AgentHeard,
        AgentDiscarded,
        Interrupted,
        Silenced,
        MicChunkSent,
        SpeechStarted,
        SpeechEnded,
        EchoHeard,
        SoundBefore,
        Muted,
        Trouble,
    )
}
