"""Recordings whose interruptions are bad in known ways, for reports and checks on them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from app.bundles.bundle_files import encode_event
from app.bundles.session_info import LISTENING_VERSION
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
from tests.app.export.recorded import write_wav
from tests.ui.synthetic import speech

RATE = 16_000
LENGTH_S = 24.0
NASTY = "<script>alert(1)</script> &amp; \x1b[31m\x00 \u202e=1+1"
"""What an agent may say that markup, terminals, spreadsheets and XML have to survive."""


def make_session(
    parent: Path, name: str = "slow", *, agent_ms: float = 600.0, says: str = NASTY
) -> Path:
    """Write a session with two barge-ins that the agent took ``agent_ms`` over, and answers."""
    folder = parent / name
    folder.mkdir(parents=True)
    events = sorted(_events(agent_ms / 1000, says), key=lambda e: getattr(e, "noticed_at", e.t))
    (folder / "events.jsonl").write_bytes(b"".join(encode_event(event) for event in events))
    facts = {
        "schema": 1,
        "versions": {"listening": LISTENING_VERSION},
        "began_utc": "2026-11-22T10:15:03.000Z",
        "agent": {"kind": "demo", "label": "Demo <agent>", "id": "", "conversation_id": "conv_x"},
        "devices": {"microphone": "caller.wav", "speaker": "none"},
        "end": {"duration_s": LENGTH_S, "reason": "user", "sentence": ""},
    }
    (folder / "session.json").write_text(json.dumps(facts))
    for seed, track in enumerate(("user", "agent", "received")):
        write_wav(folder / f"{track}.wav", speech(LENGTH_S, seed))
    return folder


def _events(agent_s: float, says: str) -> list[Event]:
    events: list[Event] = [StateChanged(0.0, "running"), StateChanged(LENGTH_S, "ended")]
    for quarter in range(int(LENGTH_S * 4)):
        t, start = quarter / 4, quarter * RATE // 4
        events.append(MicChunkSent(t + 0.25, start, start + RATE // 4, t, t + 0.25, 0.005))
    for number in range(2):
        events += _exchange(number, number * 12.0, agent_s, says)
    return events


def _exchange(number: int, t: float, agent_s: float, says: str) -> list[Event]:
    """The user speaks for 1 s, the agent answers 0.8 s later, and is cut in on after 2 s."""
    onset = t + 4.9
    at = round(onset + 0.1 + 0.005 + agent_s, 3)
    silent = at + 0.03
    first = number * 8 * RATE
    played = first + round((silent - t - 2.8) * RATE)
    stop = first + 8 * RATE
    words = {"user_transcription_event": {"user_transcript": "my secret words"}}
    answer = {"agent_response_event": {"agent_response": says, "event_id": number + 1}}
    return [
        SpeechStarted(t + 1.0, t + 1.1),
        SpeechEnded(t + 2.0, t + 2.3),
        MessageReceived(t + 2.4, "user_transcript", words, number + 1),
        MessageReceived(t + 2.5, "agent_response", answer, number + 1),
        AgentChunkReceived(t + 2.5, first, stop, number + 1),
        AgentHeard(t + 2.9, first, played, t + 2.8),
        SpeechStarted(onset, onset + 0.1),
        MessageReceived(at - 0.001, "interruption", {"event_id": number + 1}, number + 1),
        Interrupted(at, number + 1, "agent", stop - played, number + 1),
        AgentDiscarded(at, played, stop, "interrupt"),
        Silenced(silent, number + 1, at, silent),
        SpeechEnded(onset + 1.5, onset + 1.8),
    ]


def make_missed(parent: Path, name: str = "missed") -> Path:
    """Write a session in which the user speaks over the agent twice, and the agent goes on."""
    folder = make_session(parent, name)
    lines = (folder / "events.jsonl").read_text().splitlines()
    kept = [json.loads(line) for line in lines]
    kept = [each for each in kept if each["type"] not in ("interrupted", "discarded", "silenced")]
    kept = [each for each in kept if each.get("kind") != "interruption"]
    for each in kept:
        if each["type"] == "heard":
            each["stop"] = each["start"] + 8 * RATE
    (folder / "events.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in kept))
    return folder


def make_false(parent: Path, name: str = "false") -> Path:
    """Write a session whose only interruption has no speech before it, and no reply after it."""
    folder = make_session(parent, name)
    lines = (folder / "events.jsonl").read_text().splitlines()
    kept = [json.loads(line) for line in lines]
    kept = [each for each in kept if not each["type"].startswith("speech_") and each["t"] < 12]
    kept = [each for each in kept if each["type"] != "silenced"]
    (folder / "events.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in kept))
    for track in ("user", "agent", "received"):
        write_wav(folder / f"{track}.wav", np.zeros(RATE, np.int16))
    return folder
