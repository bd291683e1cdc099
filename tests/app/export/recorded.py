"""A recording whose every figure is known, made in a moment: two rounds of a synthetic talk."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.analysis.turns import TurnTracker
from app.bundles.bundle_files import encode_event
from app.bundles.notes import Marker, Notes, save_notes
from app.bundles.session_info import LISTENING_VERSION
from app.timeline.events import Event, MessageReceived, StateChanged
from audio.wavfile import StreamingWav
from tests.ui.synthetic import Script

NAME = "2026-11-22_10-15-03_demo"


@dataclass(frozen=True)
class Recorded:
    """The folder, and what was put into it."""

    path: Path
    user: NDArray[np.int16]
    agent: NDArray[np.int16]
    received: NDArray[np.int16]
    events: list[Event]
    tracker: TurnTracker

    @property
    def samples(self) -> int:
        return len(self.user)


def record(parent: Path, said: Sequence[str] = (), name: str = NAME) -> Recorded:
    """Write a bundle to ``parent``; ``said`` are words that the agent understood, by round."""
    script = Script(2)
    events = [StateChanged(0.0, "running"), *(_said(event, said) for event in script.events)]
    events.append(StateChanged(script.length_s, "ended"))
    folder = parent / name
    folder.mkdir(parents=True)
    received = np.concatenate([piece for _, piece in script.received])
    for track, samples in (
        ("user", script.user),
        ("agent", script.agent),
        ("received", received),
    ):
        write_wav(folder / f"{track}.wav", samples)
    (folder / "events.jsonl").write_bytes(b"".join(encode_event(event) for event in events))
    facts = {
        "schema": 1,
        "versions": {"listening": LISTENING_VERSION},
        "began_utc": "2026-11-22T10:15:03.000Z",
        "agent": {"kind": "demo", "label": "Demo agent", "id": "", "conversation_id": "conv_x"},
        "devices": {"microphone": "caller.wav", "speaker": "none"},
        "end": {"duration_s": script.length_s, "reason": "user", "sentence": ""},
    }
    (folder / "session.json").write_text(json.dumps(facts))
    markers = (Marker(2.0, "too\tslow\nhere"), Marker(6.0, "=cut", 7.5))
    save_notes(folder, Notes("A title", ("one", "two"), "Some notes.", markers))
    return Recorded(folder, script.user, script.agent, received, events, tracked(events))


def tracked(events: Sequence[Event]) -> TurnTracker:
    tracker = TurnTracker()
    for event in events:
        tracker.feed(event)
    return tracker


def write_wav(path: Path, samples: NDArray[np.int16]) -> Path:
    with StreamingWav(path) as wav:
        wav.write(samples)
    return path


def _said(event: Event, said: Sequence[str]) -> Event:
    """Put words of the test's own into the mouth of the user."""
    if not isinstance(event, MessageReceived) or event.kind != "user_transcript" or not said:
        return event
    number = min(int(event.t // 14), len(said) - 1)
    body = {"user_transcription_event": {"user_transcript": said[number]}}
    return MessageReceived(event.t, event.kind, body)
