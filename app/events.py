"""What can happen in a session, as frozen records, and the bounded timeline that keeps them.

Every time is in session seconds: seconds since the session began, on the monotonic clock. Sample
positions of agent audio are *received* positions: all agent chunks back to back, which is also
how ``received.wav`` holds them.

Any thread appends to a timeline; any thread reads it with a cursor of its own.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from typing import Any, ClassVar, Literal, Union, get_args, get_origin, get_type_hints

from audio.journal import Journal

InterruptSource = Literal["agent", "button", "vad", "message"]
Level = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at ``t``."""

    type: ClassVar[str] = ""
    t: float

    def to_dict(self) -> dict[str, Any]:
        """Return the event as one line of ``events.jsonl``: ``t``, ``type``, then its fields."""
        fields = asdict(self)
        return {"t": round(fields.pop("t"), 6), "type": self.type, **fields}


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


class EventError(ValueError):
    """A record that should be an event is none; ``str()`` says why."""


def event_from_dict(record: Mapping[str, Any]) -> Event | None:
    """Read back ``to_dict``; None for a type that this version does not know.

    Fields that are not known are passed over, and missing ones take their default.

    Raises:
        EventError: a field is missing that has no default, or is of the wrong type.

    """
    kind = _KINDS.get(str(record.get("type")))
    if kind is None:
        return None
    values = {}
    for name, (read, has_default) in _readers(kind).items():
        if name in record:
            values[name] = _read_field(record, name, read)
        elif not has_default:
            raise EventError(f"“{kind.type}” has no “{name}”.")
    return kind(**values)


_Read = Callable[[Any], Any]
_readers_of: dict[type[Any], dict[str, tuple[_Read, bool]]] = {}


def _read_field(record: Mapping[str, Any], name: str, read: _Read) -> Any:
    try:
        return read(record[name])
    except (TypeError, ValueError, OverflowError) as error:
        raise EventError(f"“{name}” cannot be {str(record[name])[:40]!r}.") from error


def _readers(kind: type[Any]) -> dict[str, tuple[_Read, bool]]:
    """Return for each field of ``kind`` what reads its value, and whether it has a default."""
    if kind in _readers_of:
        return _readers_of[kind]
    hints = get_type_hints(kind)
    _readers_of[kind] = {
        item.name: (
            _reader(hints[item.name]),
            item.default is not MISSING or item.default_factory is not MISSING,
        )
        for item in fields(kind)
    }
    return _readers_of[kind]


def _reader(hint: Any) -> _Read:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        inner = _reader(next(arg for arg in get_args(hint) if arg is not type(None)))
        return lambda value: None if value is None else inner(value)
    if origin is Literal:
        return _one_of(get_args(hint))
    if origin is tuple:
        item = _reader(get_args(hint)[0])
        return lambda value: tuple(item(each) for each in _instance((list, tuple))(value))
    if hint is Alignment:
        return _read_alignment
    if hint is float:
        return _read_float
    return _instance(origin or hint)


def _one_of(choices: tuple[Any, ...]) -> _Read:
    def read(value: Any) -> Any:
        if value not in choices:
            raise ValueError(value)
        return value

    return read


def _instance(kind: type | tuple[type, ...]) -> _Read:
    def read(value: Any) -> Any:
        # True is an int to Python, and no sample position to us
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise TypeError(value)
        return value

    return read


def _read_float(value: Any) -> float:
    number = float(_instance(int)(value) if not isinstance(value, float) else value)
    if not math.isfinite(number):
        raise ValueError(value)
    return number


def _read_alignment(value: Any) -> Alignment:
    readers = _readers(Alignment)
    return Alignment(**{name: readers[name][0](value[name]) for name in readers})


_KINDS: dict[str, type[Event]] = {
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
        Muted,
        Trouble,
    )
}


class Timeline:
    """The session's events, bounded: the oldest go first, and each reader is told how many."""

    CAPACITY = 400_000

    def __init__(self, capacity: int = CAPACITY) -> None:
        """Keep the last ``capacity`` events."""
        self._journal: Journal[Event] = Journal(capacity)

    def append(self, event: Event) -> None:
        """Add an event, from any thread."""
        self._journal.append(event)

    def read(self, cursor: int = 0) -> tuple[list[Event], int, int]:
        """Return ``(events, next_cursor, lost)`` since ``cursor``."""
        return self._journal.read(cursor)

    @property
    def appended(self) -> int:
        """How many events were ever appended."""
        return self._journal.appended
