"""What an event says in one row of the log, and its payload as text. No Qt."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from app.events import (
    AgentChunkReceived,
    AgentDiscarded,
    AgentHeard,
    Event,
    Interrupted,
    MessageReceived,
    MessageSent,
    MicChunkSent,
    Muted,
    Silenced,
    SpeechEnded,
    SpeechStarted,
    StateChanged,
    Trouble,
)

RATE_PER_MS = 16
LONGEST = 300
"""Characters of a row; the detail pane has the rest."""
LONGEST_DETAIL = 200_000


def samples_ms(start: int, stop: int) -> str:
    """Return the length of a range of samples in ms."""
    return f"{(stop - start) / RATE_PER_MS:.0f} ms"


def event_kind(event: Event) -> str:
    """Return what the type filter calls this event: a message goes by its own type."""
    if isinstance(event, (MessageReceived, MessageSent)):
        return event.kind or event.type
    return event.type


def direction(event: Event) -> str:
    """Return an arrow: from the agent, to the agent, or neither."""
    if isinstance(event, (MessageReceived, AgentChunkReceived)):
        return "←"
    if isinstance(event, (MessageSent, MicChunkSent)):
        return "→"
    return ""


def summary(event: Event) -> str:
    """Return what happened, in one line of at most `LONGEST` characters."""
    text = _summary(event)
    flat = " ".join(text[: 2 * LONGEST].split())
    return flat if len(flat) <= LONGEST else flat[: LONGEST - 1] + "…"


def _summary(event: Event) -> str:
    for kinds, tell in _TELL:
        if isinstance(event, kinds):
            return tell(event)
    return json.dumps(event.to_dict(), default=str)


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
        parts.append(json.dumps(event.payload, ensure_ascii=False, default=str))
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
    (StateChanged, _state),
    (Trouble, lambda event: f"{event.kind}: {event.sentence}"),
    (Muted, _muted),
)


def detail(event: Event) -> str:
    """Return the whole event as indented JSON, as it stands in ``events.jsonl``."""
    content: dict[str, Any] = event.to_dict()
    text = json.dumps(content, indent=2, ensure_ascii=False, default=str)
    if len(text) > LONGEST_DETAIL:
        return f"{text[:LONGEST_DETAIL]}\n… {len(text) - LONGEST_DETAIL} more characters"
    return text
