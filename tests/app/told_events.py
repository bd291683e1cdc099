"""Events written down by hand, and what is made of them: a barge-in, replies, transcripts."""

from __future__ import annotations

from app.analysis.turns import TurnTracker
from app.timeline.events import (
    AgentChunkReceived,
    AgentDiscarded,
    AgentHeard,
    Alignment,
    Interrupted,
    MessageReceived,
    MicChunkSent,
    Silenced,
    SpeechEnded,
    SpeechStarted,
    StateChanged,
)

RATE = 16_000


def feed_all(tracker, events):
    for event in events:
        tracker.feed(event)


def queued(tracker):
    return [span for span in tracker.spans if span.kind == "queued"]


def track(*events):
    tracker = TurnTracker()
    feed_all(tracker, events)
    return tracker


def aligned(text, ms_per_char=50):
    starts = tuple(index * ms_per_char for index in range(len(text)))
    return Alignment(tuple(text), starts, (ms_per_char,) * len(text))


def chunk(t, start, text, event_id=1, *, held_back=False):
    """An agent chunk that speaks ``text`` at 50 ms a letter."""
    stop = start + len(text) * 50 * RATE // 1000
    return AgentChunkReceived(t, start, stop, event_id, aligned(text), held_back)


def heard(start, stop, at):
    return AgentHeard(at, start, stop, at)


def response(t, text, event_id=1):
    event = {"agent_response": text, "event_id": event_id}
    payload = {"type": "agent_response", "agent_response_event": event}
    return MessageReceived(t, "agent_response", payload, event_id)


def correction(t, original, corrected, event_id=1):
    event = {"original_agent_response": original, "corrected_agent_response": corrected}
    payload = {"agent_response_correction_event": {**event, "event_id": event_id}}
    return MessageReceived(t, "agent_response_correction", payload, event_id)


def user_transcript(t, text, tentative=False):
    kind = "tentative_user_transcript" if tentative else "user_transcript"
    key = "tentative_user_transcription_event" if tentative else "user_transcription_event"
    return MessageReceived(t, kind, {key: {"user_transcript": text, "event_id": 1}}, 1)


def mic(t):
    return MicChunkSent(t, 0, 4000, t - 0.26, t - 0.01, 0.001)


TEXT = "Good morning how are you today"
S = 800  # samples a letter

BARGE_IN = (
    mic(0.3),
    response(1.0, TEXT),
    chunk(1.0, 0, TEXT),
    heard(0, 8 * S, 1.05),
    SpeechStarted(1.60, 1.75),
    heard(8 * S, 15 * S, 1.45),
    Interrupted(1.90, 1, "agent", 13 * S, 7),
    heard(15 * S, 17 * S, 1.80),
    AgentDiscarded(1.90, 17 * S, 30 * S, "interrupt"),
    Silenced(1.93, 1, 1.90, 1.93),
    correction(2.0, TEXT, "Good morning how..."),
    SpeechEnded(2.60, 3.1),
    user_transcript(3.2, "Wait"),
    response(3.4, "Yes?", 9),
    chunk(3.4, 30 * S, "Yes?", 9),
    heard(30 * S, 34 * S, 3.45),
    mic(5.0),
    StateChanged(5.5, "ended"),
)

TWO_REPLIES = (
    response(2.6, "One before", 1),
    chunk(2.7, 0, "One before", 1),
    heard(0, 10 * S, 3.0),
    response(3.85, "Two in two pieces now", 3),
    chunk(3.88, 10 * S, "Two in two", 3),
    heard(10 * S, 20 * S, 3.9),
    chunk(4.65, 20 * S, "pieces now", 3),
    heard(20 * S, 30 * S, 4.7),
)
"""The queue is dry for 400 ms between two replies, and at last for 300 ms inside the second."""
