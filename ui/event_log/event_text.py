"""What an event says in one row of the log, and its payload as text. No Qt."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import Any

from app.timeline.events import (
    AgentChunkReceived,
    AgentDiscarded,
    AgentHeard,
    EchoHeard,
    Event,
    Interrupted,
    MessageReceived,
    MessageSent,
    MicChunkSent,
    Muted,
    Silenced,
    SoundBefore,
    SpeechEnded,
    SpeechStarted,
    StateChanged,
    Trouble,
)

RATE_PER_MS = 16
METADATA = "conversation_initiation_metadata"
BYTES_A_SAMPLE = {"pcm": 2, "ulaw": 1}
LONGEST = 300
"""Characters of a row; the detail pane has the rest."""
LONGEST_KIND = 80
"""Characters of a message's type: an agent may name as it likes."""
LONGEST_DETAIL = 200_000
DEEPEST = 100
"""Lists in lists, or objects in objects, that are written out."""
LONGEST_PLAIN = 256
"""Text of a payload that may be longer without being looked at for base64."""
BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")


def samples_ms(start: int, stop: int) -> str:
    """Return the length of a range of samples in ms."""
    return f"{(stop - start) / RATE_PER_MS:.0f} ms"


def event_kind(event: Event) -> str:
    """Return what the type filter calls this event: a message goes by its own type."""
    if isinstance(event, (MessageReceived, MessageSent)):
        return event.kind[:LONGEST_KIND] or event.type
    return event.type


def direction(event: Event) -> str:
    """Return an arrow: from the agent, to the agent, or neither."""
    if isinstance(event, (MessageReceived, AgentChunkReceived)):
        return "←"
    if isinstance(event, (MessageSent, MicChunkSent)):
        return "→"
    return ""


def audio_bytes_per_ms(event: Event) -> float | None:
    """Return how much audio a ms is in the agent's messages, where ``event`` tells their format."""
    if not isinstance(event, MessageReceived) or event.kind != METADATA:
        return None
    body = event.payload.get(f"{METADATA}_event")
    told = body.get("agent_output_audio_format") if isinstance(body, dict) else None
    name, _, rate = told.partition("_") if isinstance(told, str) else ("", "", "")
    if name not in BYTES_A_SAMPLE or not re.fullmatch(r"[0-9]{4,6}", rate):
        return None
    return BYTES_A_SAMPLE[name] * int(rate) / 1000


def summary(event: Event, bytes_per_ms: float | None = None) -> str:
    """Return what happened, in one line of at most `LONGEST` characters.

    ``bytes_per_ms`` is how much audio of a message is a ms; None where that is not known.
    """
    text = _summary(event, bytes_per_ms)
    flat = " ".join(text[: 2 * LONGEST].split())
    return flat if len(flat) <= LONGEST else flat[: LONGEST - 1] + "…"


def _summary(event: Event, bytes_per_ms: float | None) -> str:
    if isinstance(event, MessageReceived) and event.bytes and bytes_per_ms:
        return f"{event.bytes / bytes_per_ms:.0f} ms of audio · {_message(event)}"
    for kinds, tell in _TELL:
        if isinstance(event, kinds):
            return tell(event)
    return json.dumps(_beginning(event.to_dict()), default=str)


def _message(event: MessageReceived | MessageSent) -> str:
    parts = []
    if event.bytes:
        what = "bytes of audio" if isinstance(event, MessageReceived) else "bytes"
        parts.append(f"{event.bytes:,} {what}".replace(",", " "))
    if isinstance(event, MessageReceived):
        if event.event_id is not None:
            parts.append(f"event {event.event_id}")
        if event.dropped:
            parts.append(f"dropped: {event.dropped}")
    if event.payload:
        payload = _beginning(event.payload)
        parts.append(json.dumps(payload, ensure_ascii=False, default=str))
    return " · ".join(parts)


def _agent_audio(event: AgentChunkReceived | AgentDiscarded | AgentHeard) -> str:
    length = samples_ms(event.start, event.stop)
    place = f"received samples {event.start}–{event.stop}"
    if isinstance(event, AgentChunkReceived):
        held = ", held back" if event.held_back else ""
        number = "" if event.event_id is None else f" · event {event.event_id}"
        return f"{length} of agent audio arrived{held}{number} · {place}"
    if isinstance(event, AgentHeard):
        about = "about " if event.estimated else ""
        return f"{length} heard from {about}{event.at:.3f} s on · {place}"
    return f"{length} discarded by {event.reason} · {place}"


def _interrupt(event: Interrupted | Silenced) -> str:
    if isinstance(event, Interrupted):
        queued = samples_ms(0, event.queued_samples)
        number = "" if event.event_id is None else f" · event {event.event_id}"
        return f"by {event.source}, {queued} queued · epoch {event.epoch}{number}"
    if event.silent_at is None:
        return f"the speaker was silent already · epoch {event.epoch}"
    about = "about " if event.estimated else ""
    after = (event.silent_at - event.interrupted_at) * 1e3
    return f"silent {about}{after:.0f} ms after the interrupt · epoch {event.epoch}"


def _mic_chunk(event: MicChunkSent) -> str:
    length = samples_ms(event.start, event.stop)
    return f"{length} of microphone, {event.sent_s * 1e3:.1f} ms in the network call"


def _speech(event: SpeechStarted | SpeechEnded) -> str:
    return f"noticed {(event.noticed_at - event.t) * 1e3:.0f} ms later"


def _echo(event: EchoHeard) -> str:
    length = (event.stop - event.t) * 1e3
    found = _of_echo(event.delay_ms, event.level_db, event.correlation)
    return f"the microphone held the agent's own voice for {length:.0f} ms, {found}"


def _sound(event: SoundBefore) -> str:
    length = (event.stop - event.t) * 1e3
    parts = [
        f"{SOUNDS.get(event.kind, event.kind)} in the {length:.0f} ms looked at",
        f"peak {_signed(event.peak_dbfs)} dBFS over {_signed(event.noise_dbfs)} dBFS of noise",
    ]
    if event.burst_ms:
        parts.append(f"{event.burst_ms:.0f} ms stood out of it")
    if event.echo_delay_ms is not None and event.echo_db is not None:
        parts.append(_of_echo(event.echo_delay_ms, event.echo_db, event.correlation))
    return f"before the interrupt at {event.interrupted_at:.3f} s: " + " · ".join(parts)


def _of_echo(delay_ms: float, level_db: float, correlation: float) -> str:
    return f"{delay_ms:.0f} ms late at {_signed(level_db)} dB (correlation {correlation:.2f})"


def _signed(value: float) -> str:
    return f"{value:.0f}".replace("-", "−")


SOUNDS = {"echo": "the agent's own voice", "burst": "a short sound, as of a cough"}


def _state(event: StateChanged) -> str:
    return f"{event.state}. {event.sentence}" if event.sentence else event.state


def _muted(event: Muted) -> str:
    return "microphone muted" if event.muted else "microphone open"


_TELL: tuple[tuple[type[Event] | tuple[type[Event], ...], Callable[[Any], str]], ...] = (
    ((MessageReceived, MessageSent), _message),
    ((AgentChunkReceived, AgentDiscarded, AgentHeard), _agent_audio),
    ((Interrupted, Silenced), _interrupt),
    (MicChunkSent, _mic_chunk),
    ((SpeechStarted, SpeechEnded), _speech),
    (EchoHeard, _echo),
    (SoundBefore, _sound),
    (StateChanged, _state),
    (Trouble, lambda event: f"{event.kind}: {event.sentence}"),
    (Muted, _muted),
)


def without_base64(value: Any, deepest: int = DEEPEST) -> Any:
    """Return ``value`` with the size of each long text of base64 in its place.

    What is nested deeper than ``deepest`` is left out: to write it would take too deep a recursion.
    """
    if isinstance(value, (dict, list, tuple)) and deepest <= 0:
        return "…"
    if isinstance(value, dict):
        return {key: without_base64(each, deepest - 1) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_base64(each, deepest - 1) for each in value]
    is_long = isinstance(value, str) and len(value) > LONGEST_PLAIN
    if is_long and BASE64.fullmatch(value):
        size = len(value) * 3 // 4 - value[-2:].count("=")
        return f"({size:,} bytes as base64)".replace(",", " ")
    return value


def _beginning(value: dict[str, Any]) -> Any:
    """Return of ``value``, without base64, what the first characters of a row can show of it."""
    return _Beginning().of(value)


class _Beginning:
    """Goes through a value until there is enough for a row: it may hold a million numbers."""

    def __init__(self) -> None:
        self._room = 2 * LONGEST

    def of(self, value: Any, deepest: int = DEEPEST) -> Any:
        """Return as much of ``value`` as there is room for."""
        self._room -= 1
        if isinstance(value, (dict, list, tuple)) and deepest <= 0:
            return "…"
        if isinstance(value, dict):
            pairs = takewhile(self._has_room, value.items())
            return {str(key)[: 2 * LONGEST]: self.of(each, deepest - 1) for key, each in pairs}
        if isinstance(value, (list, tuple)):
            return [self.of(each, deepest - 1) for each in takewhile(self._has_room, value)]
        shown = without_base64(value)
        if isinstance(shown, str):
            shown = shown[: 2 * LONGEST]
            self._room -= len(shown)
        return shown

    def _has_room(self, _: object) -> bool:
        return self._room > 0


def as_json(events: Sequence[Event]) -> str:
    """Return one event as an indented JSON object, as in ``events.jsonl``; several as a list."""
    contents = [_contents(event) for event in events]
    whole = contents[0] if len(contents) == 1 else contents
    return json.dumps(whole, indent=2, ensure_ascii=False, default=str)


def _contents(event: Event) -> Any:
    try:
        return without_base64(event.to_dict())
    except RecursionError:
        return {"t": event.t, "type": event.type, "unread": "It is nested too deep to be written."}


def detail(event: Event) -> str:
    """Return the whole event as indented JSON, cut off where nobody would read on."""
    text = as_json([event])
    if len(text) > LONGEST_DETAIL:
        return f"{text[:LONGEST_DETAIL]}\n… {len(text) - LONGEST_DETAIL} more characters"
    return text
