"""How long two hours take from the call that opens them until all is drawn, and the memory.

``python -m tests.benchmarks.opening`` measures and prints the table. Each opening is in a process
of its own (``python -m tests.benchmarks.opening one PATH``), which draws both lanes as the window
does; the window itself, which is there before the click, is not part of it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from app.bundles.bundle_files import encode_event
from app.bundles.session_info import LISTENING_VERSION
from app.timeline.events import (
    AgentChunkReceived,
    AgentDiscarded,
    AgentHeard,
    Alignment,
    Event,
    Interrupted,
    MessageReceived,
    MicChunkSent,
    Silenced,
    SpeechEnded,
    SpeechStarted,
    StateChanged,
)
from audio.wavfile import StreamingWav
from tests.benchmarks.table import Figure, percentile, spread, to_markdown

RATE = 16_000
HOURS = 2
ROUND_S = 14
ROUNDS = HOURS * 3600 // ROUND_S
SCORES = 190
"""VAD scores that an agent sends in a round: with them two hours have 160,000 events."""
RUNS = 5
COLUMNS, HEIGHT = 1400, 220
REPLY = "Let me tell you about the weather of the week, which is mild and mostly dry, day by day."


def measure(runs: int = RUNS) -> list[Figure]:
    """Return times in seconds and memory in MB, of a foreign file and of one's own bundle."""
    with tempfile.TemporaryDirectory() as folder:
        foreign, bundle = Path(folder) / "foreign.wav", Path(folder) / "2026-11-22_10-15-03_demo"
        write_stereo(foreign)
        events = write_bundle(bundle)
        first = open_one(bundle)
        own = [open_one(bundle) for _ in range(runs)]
        theirs = [open_one(foreign) for _ in range(runs)]
    megabytes = 2 * 2 * RATE * HOURS * 3600 / 1e6
    return [
        *_figures(f"foreign WAV of {megabytes:.0f} MB", theirs, 1.5, with_turns=False),
        *_figures(f"own bundle, {events} events", own, 0.3),
        *_figures("own bundle, the first time", [first], None),
    ]


def _figures(
    name: str, runs: list[dict[str, float]], bar_s: float | None, *, with_turns: bool = True
) -> list[Figure]:
    drawn = [run["drawn_s"] for run in runs]
    memory = [run["peak_mb"] for run in runs]
    done = [run["done_s"] for run in runs]
    base = percentile([run["base_mb"] for run in runs], 50)
    before = f"of which {base:.0f} before it was opened"
    turns = Figure(f"{name}: turns known", percentile(done, 50), "s", detail=spread(done))
    return [
        Figure(f"{name}: all drawn", percentile(drawn, 50), "s", bar_s, detail=spread(drawn)),
        *([turns] if with_turns else []),
        Figure(f"{name}: memory", percentile(memory, 50), "MB", 250, detail=before),
    ]


def open_one(path: Path) -> dict[str, float]:
    """Open ``path`` in a process of its own and return what it measured."""
    command = [sys.executable, "-m", "tests.benchmarks.opening", "one", str(path)]
    child = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if child.returncode:
        raise RuntimeError(f"Opening failed: {child.stderr[-2000:]}")
    measured: dict[str, float] = json.loads(child.stdout.splitlines()[-1])
    return measured


# -- the process that opens ------------------------------------------------------------------------


def one(path: Path) -> dict[str, float]:
    """Open and draw; return times since the call, and the most memory of this process."""
    from PySide6.QtGui import QColor

    from app.recordings.recording import open_recording
    from ui.lanes.envelope import LaneImage
    from ui.lanes.grid import Grid

    base_mb = _memory_mb("VmRSS")
    began = time.perf_counter()
    recording = open_recording(path)
    while not _peaks_are_there(recording):
        recording.wait(0.002)
    lanes = (recording.tracks.user.peaks, recording.tracks.agent.peaks)
    for peaks, colour in zip(lanes, ("#2a6fbb", "#c8641e"), strict=True):
        grid = Grid(0, COLUMNS, len(peaks) / COLUMNS, HEIGHT, 1.0)
        image = LaneImage().update(peaks.view, len(peaks), grid, QColor(colour))
        assert image.width() == COLUMNS
        assert np.all(np.less_equal(*peaks.view(0, len(peaks), COLUMNS)))
    rows = recording.timeline.slice(recording.timeline.appended - 50, recording.timeline.appended)
    drawn_s = time.perf_counter() - began
    # what it takes to listen to the tracks of others' files is measured by itself
    if recording.kind != "file":
        recording.wait(60)
        assert recording.progress == 1
        assert recording.turns.interruptions
        assert len(rows) == 50
    done_s = time.perf_counter() - began
    recording.close()
    peak_mb = _memory_mb("VmHWM")
    return {"drawn_s": drawn_s, "done_s": done_s, "peak_mb": peak_mb, "base_mb": base_mb}


def _peaks_are_there(recording: Any) -> bool:
    tracks = (recording.tracks.user, recording.tracks.agent)
    return all(0 < track.duration_samples <= len(track.peaks) for track in tracks)


def _memory_mb(name: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) * 1024 / 1e6


# -- what is opened --------------------------------------------------------------------------------


def write_stereo(path: Path) -> None:
    """Write the foreign file."""
    with soundfile.SoundFile(str(path), "w", RATE, 2, "PCM_16") as file:
        for user, agent in _rounds():
            file.write(np.stack((user, agent), axis=1))


def write_bundle(folder: Path) -> int:
    """Write a bundle of that length, as the recorder would; return the number of its events."""
    folder.mkdir()
    with (
        StreamingWav(folder / "user.wav") as user,
        StreamingWav(folder / "agent.wav") as agent,
        StreamingWav(folder / "received.wav") as received,
    ):
        for said, heard in _rounds():
            user.write(said)
            agent.write(heard)
            received.write(heard)
    end = {"reason": "user", "duration_s": ROUNDS * ROUND_S, "sentence": ""}
    versions = {"listening": LISTENING_VERSION}  # its events tell what its tracks hold
    facts = {"schema": 1, "agent": {"kind": "demo"}, "versions": versions, "end": end}
    (folder / "session.json").write_text(json.dumps(facts), encoding="utf-8")
    count = 0
    with (folder / "events.jsonl").open("wb") as file:
        for event in _events():
            file.write(encode_event(event))
            count += 1
    return count


def _rounds() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    random = np.random.default_rng(1)
    noise = random.normal(0, 3000, (2, ROUND_S * RATE)).astype(np.int16)
    for number in range(ROUNDS):
        loudness = 1 + number % 5
        yield noise[0] // loudness, noise[1] // (6 - loudness)


def _events() -> Iterator[Event]:
    yield StateChanged(0.0, "running")
    for number in range(ROUNDS):
        yield from sorted(_round(number, number * ROUND_S), key=lambda event: event.t)
    yield StateChanged(float(ROUNDS * ROUND_S), "ended")


def _round(number: int, zero: float) -> Iterator[Event]:
    first = number * ROUND_S * RATE
    payload = {"agent_response_event": {"agent_response": REPLY}}
    yield MessageReceived(zero + 0.4, "agent_response", payload, number)
    for second in range(12):
        start = first + second * RATE
        at = zero + 0.5 + 0.1 * second
        chars = tuple(REPLY[second * 7 : second * 7 + 8])
        times = tuple(range(0, 1000, 125))[: len(chars)]
        words = Alignment(chars, times, (125,) * len(chars))
        yield MessageReceived(at, "audio", {}, number, 42_000)
        yield AgentChunkReceived(at, start, start + RATE, number, words)
    for step in range(25):
        at = zero + 0.6 + step * 0.2
        yield AgentHeard(at + 0.2, first + step * 3200, first + step * 3200 + 3200, at)
    for step in range(56):
        done = zero + (step + 1) * 0.25
        start = first + step * 4000
        yield MicChunkSent(done + 0.004, start, start + 4000, done - 0.25, done, 0.0003)
    for step in range(SCORES):
        score = {"vad_score_event": {"vad_score": 0.01 * (step % 100)}}
        yield MessageReceived(zero + step * ROUND_S / SCORES, "vad_score", score, None)
    yield SpeechStarted(zero + 5.0, zero + 5.1)
    yield Interrupted(zero + 5.6, number + 1, "agent", 7 * RATE, number)
    yield AgentDiscarded(zero + 5.61, first + 5 * RATE, first + 12 * RATE, "interrupt")
    yield Silenced(zero + 5.64, number + 1, zero + 5.6, zero + 5.63)
    yield SpeechEnded(zero + 7.4, zero + 7.7)


if __name__ == "__main__":
    if sys.argv[1:2] == ["one"]:
        print(json.dumps(one(Path(sys.argv[2]))))
    else:
        print(to_markdown(measure()))
