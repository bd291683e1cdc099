"""Session bundles made to order, as the recorder writes them, in a fraction of a millisecond each.

A talk has the rhythm of a real one: mic chunks every quarter second, VAD scores, agent audio that
arrives in bursts and is heard, one barge-in every fourth exchange.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from app.timeline.events import (
    AgentChunkReceived,
    AgentDiscarded,
    AgentHeard,
    Event,
    Interrupted,
    MessageReceived,
    MicChunkSent,
    Silenced,
    SpeechEnded,
    SpeechStarted,
    StateChanged,
)
from audio.wavfile import HEADER_BYTES, StreamingWav

BEGAN = datetime(2026, 11, 22, 9, 15, 3, tzinfo=UTC)
RATE_HZ = 16_000
EXCHANGE_S = 8.0
LATENCY_S = 0.7
_USER, _AGENT = "@user@", "@agent@"


def make_bundle(
    parent: Path,
    number: int = 0,
    *,
    name: str = "",
    user_says: str = "I would like to change my order.",
    agent_says: str = "Of course. What is the number of it?",
    exchanges: int = 4,
    began: datetime = BEGAN,
    notes: dict[str, Any] | None = None,
    **session: Any,
) -> Path:
    """Write a bundle and return its folder; ``session`` takes the place of keys of session.json.

    Without a name it is called after its beginning, which is ``number`` minutes after ``began``.
    """
    began += timedelta(minutes=number)
    folder = parent / (name or f"{began:%Y-%m-%d_%H-%M-%S}_demo")
    folder.mkdir(parents=True)
    duration_s = exchanges * EXCHANGE_S
    facts = {
        "schema": 1,
        "began_utc": began.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "agent": {"kind": "demo", "label": "Demo agent", "id": "demo", "conversation_id": "c"},
        "devices": {"microphone": "Headset", "speaker": "Headset"},
        "end": {"duration_s": duration_s, "reason": "user", "sentence": "You ended the session."},
        **session,
    }
    (folder / "session.json").write_text(json.dumps(facts, indent=2))
    talk = (
        _talk(exchanges).replace(_USER, _in_json(user_says)).replace(_AGENT, _in_json(agent_says))
    )
    (folder / "events.jsonl").write_text(talk)
    if notes is not None:
        (folder / "notes.json").write_text(json.dumps(notes))
    for track in ("user", "agent", "received"):
        _write_silence(folder / f"{track}.wav", duration_s)
    return folder


def summary(interruptions: int, latency_ms: float | None) -> dict[str, Any]:
    """Return what session.json holds of a session's figures, as far as a list needs them."""
    return {"interruptions": interruptions, "response_latency_ms_p50": latency_ms}


def _in_json(text: str) -> str:
    return json.dumps(text)[1:-1]


def _write_silence(path: Path, seconds: float) -> None:
    """Write a track that is long and takes no room: a file with a hole."""
    samples = round(seconds * RATE_HZ)
    path.write_bytes(_header(samples, path.parent.parent))
    os.truncate(path, HEADER_BYTES + 2 * samples)


@cache
def _header(samples: int, scratch: Path) -> bytes:
    path = scratch / ".header.wav"
    with StreamingWav(path) as wav:
        wav.write_silence(samples)
    header = path.read_bytes()[:HEADER_BYTES]
    path.unlink()
    return header


@cache
def _talk(exchanges: int) -> str:
    events: list[Event] = [StateChanged(0.0, "connecting"), StateChanged(0.01, "running")]
    for number in range(exchanges):
        events += _exchange(number, number * EXCHANGE_S)
    events.append(StateChanged(exchanges * EXCHANGE_S, "ended"))
    ordered = sorted(events, key=_noticed_at)
    return "".join(json.dumps(event.to_dict()) + "\n" for event in ordered)


def _noticed_at(event: Event) -> float:
    return getattr(event, "noticed_at", event.t)


def _exchange(number: int, t: float) -> Iterator[Event]:
    """The user speaks for 2 s; the agent answers for 4 s, and is cut in on every fourth time."""
    for quarter in range(32):
        at = t + quarter / 4
        start = round(at * RATE_HZ)
        yield MicChunkSent(at + 0.26, start, start + 4000, at, at + 0.25, 0.0004)
        yield MessageReceived(at + 0.2, "vad_score", {"vad_score_event": {"vad_score": 0.31}})
    yield SpeechStarted(t + 0.5, t + 0.6)
    yield SpeechEnded(t + 2.5, t + 2.9)
    said = {"user_transcription_event": {"user_transcript": _USER}}
    yield MessageReceived(t + 2.95, "user_transcript", said)
    answer = {"agent_response_event": {"agent_response": _AGENT, "event_id": number}}
    yield MessageReceived(t + 3.0, "agent_response", answer, number)
    first = number * 4 * RATE_HZ
    is_cut = number % 4 == 3
    heard_s = 2 if is_cut else 4
    for second in range(4):
        start = first + second * RATE_HZ
        yield AgentChunkReceived(t + 3.0 + second / 100, start, start + RATE_HZ, number)
    for part in range(4 * heard_s):
        at, start = t + 2.5 + LATENCY_S + part / 4, first + part * 4000
        yield AgentHeard(at + 0.1, start, start + 4000, at)
    if is_cut:
        yield from _cut(t + 2.5 + LATENCY_S + heard_s, first, heard_s, number)


def _cut(at: float, first: int, heard_s: int, number: int) -> Sequence[Event]:
    stop = first + 4 * RATE_HZ
    start = first + heard_s * RATE_HZ
    return (
        SpeechStarted(at - 0.4, at - 0.3),
        Interrupted(at, number, "agent", stop - start, number),
        AgentDiscarded(at, start, stop, "interrupt"),
        Silenced(at + 0.03, number, at, at + 0.03),
        SpeechEnded(at + 0.4, at + 0.8),
    )
