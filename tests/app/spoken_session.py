"""Events of small sessions, written down by hand, for what is worked out of them."""

from __future__ import annotations

from app.analysis.turns import TurnTracker
from app.timeline.events import (
    AgentChunkReceived,
    AgentDiscarded,
    AgentHeard,
    EchoHeard,
    Event,
    Interrupted,
    MessageReceived,
    MicChunkSent,
    Silenced,
    SoundBefore,
    SpeechEnded,
    SpeechStarted,
    StateChanged,
)

RATE = 16_000


def track(*events: Event) -> TurnTracker:
    tracker = TurnTracker()
    for event in events:
        tracker.feed(event)
    return tracker


def said(start: float, stop: float) -> list[Event]:
    """The user's speech, noticed as late as VAD notices it."""
    return [SpeechStarted(start, start + 0.1), SpeechEnded(stop, stop + 0.5)]


def heard(at: float, until: float, start: int = 0) -> AgentHeard:
    return AgentHeard(at, start, start + round((until - at) * RATE), at)


def chunk(t: float, at: float, until: float, start: int = 0, **more: object) -> AgentChunkReceived:
    """Agent audio that came at ``t`` and is as long as from ``at`` to ``until``."""
    return AgentChunkReceived(t, start, start + round((until - at) * RATE), **more)


def mic(captured_at: float, completed_at: float, called_at: float, sent_s: float) -> MicChunkSent:
    length = round((completed_at - captured_at) * RATE)
    return MicChunkSent(called_at, 0, length, captured_at, completed_at, sent_s)


def mics(until: float, length: float = 0.25) -> list[MicChunkSent]:
    """Mic chunks of ``length``, one after the other, each sent 10 ms after it was complete."""
    count = int(until / length)
    return [mic(n * length, (n + 1) * length, (n + 1) * length + 0.01, 0.002) for n in range(count)]


def told(t: float, event_id: int | None) -> MessageReceived:
    payload = {"interruption_event": {"event_id": event_id}}
    return MessageReceived(t, "interruption", payload, event_id)


def transcript(t: float, text: str = "Well") -> MessageReceived:
    payload = {"user_transcription_event": {"user_transcript": text, "event_id": 1}}
    return MessageReceived(t, "user_transcript", payload, 1)


def cut(t: float, epoch: int = 1, source: str = "agent", event_id: int | None = 7) -> list[Event]:
    """An interrupt at ``t`` that silences the agent 30 ms later; a second of audio was waiting."""
    return [
        Interrupted(t, epoch, source, RATE, event_id),
        Silenced(t + 0.03, epoch, t, t + 0.03),
    ]


def echo(start: float, stop: float) -> EchoHeard:
    return EchoHeard(start, stop, 140.0, -31.0, 0.8, stop + 0.2)


def sound(at: float, kind: str) -> SoundBefore:
    return SoundBefore(at - 1.0, at, at, kind, -20.0, -60.0, 150.0, 0.1)


def discarded(t: float, start: int, stop: int) -> AgentDiscarded:
    return AgentDiscarded(t, start, stop, "interrupt")


def ended(t: float) -> StateChanged:
    return StateChanged(t, "ended")
