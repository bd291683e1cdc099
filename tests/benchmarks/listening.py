"""What listening costs, live and from disk: ``python -m tests.benchmarks.listening``.

Processor time is the process's own: what else the machine does counts little.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import soundfile

from app.live.pump import Pump
from app.recordings.recording import open_recording
from app.timeline.events import Timeline
from app.timeline.tracks import Tracks
from audio.pcm import SAMPLE_RATE, Samples
from tests.app.simulated_audio import FakeFeed, SteppedClock
from tests.audio.scenes import scene
from tests.benchmarks.table import Figure, to_markdown

STEP = SAMPLE_RATE // 50
SCENES = {"echo": {"echo_db": -15.0, "reverb_s": 0.2}, "no echo": {}}


def measure_live(seconds: float = 60.0) -> list[Figure]:
    """Return the part of a core that the pump takes while both parties speak."""
    figures = []
    for name, path in SCENES.items():
        shown = scene(seconds, 3, **path)
        feed, clock, tracks = FakeFeed(), SteppedClock(), Tracks()
        feed.account = None
        pump = Pump(feed, tracks, Timeline(), clock)
        began = time.process_time()
        for start in range(0, len(shown.user), STEP):
            tracks.user.append(shown.user[start : start + STEP])
            tracks.agent.append(shown.agent[start : start + STEP])
            clock.at += STEP / SAMPLE_RATE
            pump.cycle()
        part = (time.process_time() - began) / seconds * 100
        figures.append(Figure(f"a session, both speak, {name}: the pump", part, "% of a core", 10))
    return figures


def measure_disk(hours: float = 1.0) -> list[Figure]:
    """Return how long the analysis of an hour takes, that has no events."""
    figures = []
    for name, path in SCENES.items():
        with tempfile.TemporaryDirectory() as folder:
            file = _write(Path(folder) / "call.wav", name, path, hours)
            recording, told = open_recording(file), set()
            began, wall = time.process_time(), time.monotonic()
            while not recording.wait(0.1):
                told.add(round(recording.progress, 2))
            spent, took = time.process_time() - began, time.monotonic() - wall
            turns = recording.turns
            assert turns is not None
            detail = (
                f"{took:.0f} s by the clock, {len(turns.user_turns)} user turns, "
                f"{len(turns.interruptions)} interruptions, progress told {len(told)} times"
            )
            recording.close()
        label = f"{hours:g} h of stereo without events, {name}: processor time"
        figures.append(Figure(label, spent, "s", 60 * hours, detail=detail))
    return figures


def _write(path: Path, name: str, echo: dict, hours: float) -> Path:
    minutes: list[Samples] = []
    for seed in range(10):
        shown = scene(60, seed, **echo)
        minutes.append(np.stack((shown.user, shown.agent), axis=1))
    with soundfile.SoundFile(path, "w", SAMPLE_RATE, 2, "PCM_16") as file:
        for number in range(round(hours * 60)):
            file.write(minutes[number % len(minutes)])
    return path


def main() -> int:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=1.0)
    hours = parser.parse_args().hours
    threading.current_thread().name = "benchmark"
    figures = measure_live() + measure_disk(hours)
    print(to_markdown(figures))
    return int(not all(figure.holds for figure in figures))


if __name__ == "__main__":
    raise SystemExit(main())
