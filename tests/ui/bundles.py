"""Recordings on disk for the window's tests: the synthetic script as a bundle, and audio files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import soundfile

from app.bundles.session_info import LISTENING_VERSION
from app.timeline.events import Event, StateChanged, Trouble
from tests.ui.synthetic import RATE, Script

BEGAN = "2026-11-22T10:15:03+00:00"


def write_bundle(
    folder: Path, periods: int = 2, *, gap: tuple[float, float] | None = None, ended: bool = True
) -> Path:
    """Write the bundle of a session of `periods` rounds, and return its folder."""
    script = Script(periods)
    folder.mkdir(parents=True)
    user, agent = script.user.copy(), script.agent.copy()
    events: list[Event] = [StateChanged(0.0, "running"), *script.events]
    if gap is not None:
        for track in (user, agent):
            track[round(gap[0] * RATE) : round(gap[1] * RATE)] = 0
        data = {"start": gap[0], "stop": gap[1]}
        events.append(Trouble(gap[1], "recorder", "The recording goes on.", data=data))
    events.append(StateChanged(script.length_s, "ended", "You ended the session."))
    received = np.concatenate([piece for _, piece in script.received])
    for name, samples in (("user", user), ("agent", agent), ("received", received)):
        soundfile.write(folder / f"{name}.wav", samples, RATE, subtype="PCM_16")
    lines = [json.dumps(event.to_dict()) for event in sorted(events, key=lambda each: each.t)]
    (folder / "events.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "session.json").write_text(json.dumps(facts(script.length_s, ended)), "utf-8")
    return folder


def facts(length_s: float, ended: bool) -> dict[str, object]:
    """What `session.json` says."""
    end = {
        "ended_utc": BEGAN,
        "duration_s": length_s,
        "reason": "user",
        "sentence": "You ended the session.",
    }
    return {
        "schema": 1,
        "began_utc": BEGAN,
        "agent": {"kind": "demo", "label": "Demo agent", "id": "", "conversation_id": "conv_x"},
        "devices": {"microphone": "Headset Microphone", "speaker": "Headset"},
        "formats": {"user_input": "pcm_16000", "agent_output": "pcm_16000"},
        "settings": {},
        "versions": {"python": "3.11.2", "turnscope": "0.1.0", "listening": LISTENING_VERSION},
        **({"end": end} if ended else {}),
    }


def write_audio(path: Path, seconds: float = 10.0, channels: int = 2, rate: int = RATE) -> Path:
    """Write tones of different pitch and loudness, one a channel, and return the path."""
    t = np.arange(round(seconds * rate)) / rate
    tones = [0.5 / (n + 1) * np.sin(2 * np.pi * 220 * (n + 1) * t) for n in range(channels)]
    soundfile.write(path, np.stack(tones, axis=1), rate)
    return path
