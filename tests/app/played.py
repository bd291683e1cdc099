"""What tests of the player share: a track in memory, and what left the speaker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile

from app.playing.outlet import FADE_SAMPLES
from app.playing.player import Player
from app.recordings.sources import SampleSource, sources_of
from audio.file import FileSink
from audio.pcm import SAMPLE_RATE
from tests.rig.waiting import wait_until

SECOND = SAMPLE_RATE
FADED = FADE_SAMPLES - 1
"""Of a fade that much can be seen: one sample of it is 0."""


class Track:
    """Samples in memory as a source; ``on_read`` is called before each reading."""

    def __init__(self, samples: np.ndarray, on_read: Callable[[], None] = lambda: None) -> None:
        self.samples = samples.astype(np.int16)
        self.duration_samples = len(samples)
        self.on_read = on_read
        self.longest_read = self.samples_read = 0
        self.closed = 0

    def read(self, start: int, stop: int) -> np.ndarray:
        self.on_read()
        assert 0 <= start <= stop
        self.longest_read = max(self.longest_read, stop - start)
        self.samples_read += stop - start
        part = self.samples[start:stop]
        return np.concatenate((part, np.zeros(stop - start - len(part), np.int16)))

    def close(self) -> None:
        self.closed += 1


def counting(seconds: float) -> np.ndarray:
    """Samples of which each is a number of its own for two seconds, and none is 0."""
    numbers = np.arange(1, round(seconds * SECOND) + 1) % 32_000
    return np.where(numbers == 0, 32_000, numbers).astype(np.int16)


@contextmanager
def playing(
    user: SampleSource | None,
    agent: SampleSource | None = None,
    out: Path | None = None,
    /,
    **manner: object,
) -> Iterator[Player]:
    player = Player(sources_of(user, agent), FileSink(out), **manner)
    player.start()
    try:
        yield player
    finally:
        player.close()


def heard(path: Path) -> np.ndarray:
    """What left the speaker, from the first sound to the last."""
    samples = soundfile.read(path, dtype="int16")[0]
    loud = np.flatnonzero(samples)
    return samples[loud[0] : loud[-1] + 1] if len(loud) else samples[:0]


def runs(samples: np.ndarray) -> list[np.ndarray]:
    """The parts of ``samples`` between silences of 2 ms and more."""
    loud = np.flatnonzero(samples)
    return np.split(samples[loud], np.flatnonzero(np.diff(loud) > 32) + 1)


def passed(player: Player, place_s: float) -> bool:
    return wait_until(lambda: player.position_s >= place_s, 5, f"the playhead at {place_s} s")


def records(player: Player) -> list[object]:
    """All that the player's account has written down."""
    return player._outlet._audio.account.journal.read()[0]
