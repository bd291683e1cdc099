"""Small bundles for tests, written by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from app.timeline.events import Event, MicChunkSent
from tests.rig.speech import RATE_HZ, Samples, silence, write_wav

OPENED_AT_S = 0.5
"""When the microphone of such a session opened."""


def make_bundle(
    folder: Path, user: Samples | None = None, events: list[Event] | None = None
) -> Path:
    """Write a bundle whose caller says ``user`` from ``OPENED_AT_S`` on, and return its folder."""
    folder.mkdir(parents=True)
    said = np.arange(1, RATE_HZ // 2, dtype=np.int16) if user is None else user
    track = np.concatenate((silence(OPENED_AT_S), said))
    write_wav(folder / "user.wav", track)
    write_wav(folder / "agent.wav", np.zeros_like(track))
    write_wav(folder / "received.wav", silence(0))
    (folder / "session.json").write_text(
        json.dumps(
            {
                "schema": 1,
                "began_utc": "2026-11-22T10:15:03.000Z",
                "agent": {"kind": "demo", "label": "Demo agent", "conversation_id": "conv_1"},
                "end": {"duration_s": len(track) / RATE_HZ, "reason": "user", "sentence": "."},
            }
        )
    )
    # the second chunk, for the first was dropped
    first = MicChunkSent(1.01, 4000, 8000, OPENED_AT_S + 0.25, OPENED_AT_S + 0.5, 0.0)
    lines = [json.dumps(event.to_dict()) for event in ([first] if events is None else events)]
    (folder / "events.jsonl").write_text("".join(f"{line}\n" for line in lines))
    return folder
