"""A long session on disk, for benchmarks: the synthetic one, again and again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from tests.ui.bundles import facts
from tests.ui.synthetic import RATE, Script

TIMES = ("t", "at", "noticed_at", "interrupted_at", "silent_at", "captured_at", "completed_at")
OF_AGENT = ("agent_chunk", "heard", "discarded")
PERIODS = 12


def write_long_bundle(folder: Path, seconds: float) -> Path:
    """Write the bundle of a session of at least `seconds`, an interruption every 14 of them."""
    script = Script(PERIODS)
    laps = int(seconds / script.length_s) + 1
    received = np.concatenate([piece for _, piece in script.received])
    folder.mkdir(parents=True)
    for name, samples in (("user", script.user), ("agent", script.agent), ("received", received)):
        with soundfile.SoundFile(folder / f"{name}.wav", "w", RATE, 1, "PCM_16") as file:
            for _ in range(laps):
                file.write(samples)
    records = [event.to_dict() for event in script.events]
    with (folder / "events.jsonl").open("w", encoding="utf-8") as file:
        for lap in range(laps):
            for record in shifted(records, lap, script, len(received)):
                file.write(json.dumps(record) + "\n")
    length_s = laps * script.length_s
    (folder / "session.json").write_text(json.dumps(facts(length_s, ended=True)), "utf-8")
    return folder


def shifted(
    records: list[dict[str, Any]], lap: int, script: Script, received: int
) -> Iterator[dict[str, Any]]:
    """Yield the events of one lap, at its times and positions."""
    for record in records:
        moved = dict(record)
        for name in TIMES:
            if moved.get(name) is not None:
                moved[name] += lap * script.length_s
        by = received if moved["type"] in OF_AGENT else len(script.user)
        for name in ("start", "stop"):
            if name in moved:
                moved[name] += lap * by
        if "epoch" in moved:
            moved["epoch"] += lap * PERIODS
        if moved.get("event_id") is not None:
            moved["event_id"] += lap * 3 * PERIODS
        yield moved


def write_long_audio(path: Path, seconds: float) -> Path:
    """Write a stereo WAV of at least `seconds`, user left and agent right."""
    script = Script(PERIODS)
    both = np.stack((script.user, script.agent), axis=1)
    with soundfile.SoundFile(path, "w", RATE, 2, "PCM_16") as file:
        for _ in range(int(seconds / script.length_s) + 1):
            file.write(both)
    return path
