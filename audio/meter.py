"""A level meter: peak and RMS in dBFS, with hold, decay and a clip latch.

dBFS is ``20 log10(level / 32768)``: a full-scale square wave has 0 dBFS of both peak and RMS, a
full-scale sine an RMS of -3.01. Silence, and all below ``FLOOR_DBFS``, reads as ``FLOOR_DBFS``.

No clock is read: the caller says when. One thread feeds and reads, usually the one that draws.
"""

from __future__ import annotations

from math import log10
from typing import NamedTuple

import numpy as np

from audio.pcm import SAMPLE_RATE, Samples

FLOOR_DBFS = -90.0
"""About one step of a 16-bit sample."""

RMS_WINDOW_S = 0.300
HOLD_S = 1.5
DECAY_DB_PER_S = 20.0

_FULL_SCALE = 32768.0
_CELL_SAMPLES = SAMPLE_RATE // 100
_CELL_S = _CELL_SAMPLES / SAMPLE_RATE
_CELLS = round(RMS_WINDOW_S / _CELL_S)


class MeterReading(NamedTuple):
    """What a meter shows at one moment; levels in dBFS, never below ``FLOOR_DBFS``."""

    peak_dbfs: float
    rms_dbfs: float
    hold_dbfs: float
    clipped: bool


class Meter:
    """Meters one track.

    The peak rises at once and falls by 20 dB a second. The hold mark keeps the highest peak for
    1.5 s and then falls as fast. The RMS is that of the samples of the last 300 ms, in steps of
    10 ms. The clip latch closes at the first sample at either end of the range, and stays closed
    until ``reset_clip``.
    """

    def __init__(self) -> None:
        """Begin in silence."""
        self._peak = _Falling(hold_s=0.0)
        self._hold = _Falling(hold_s=HOLD_S)
        self._clipped = False
        # a ring of 10 ms cells: which 10 ms since the clock's zero, their energy, their samples
        self._cell_numbers = [-1] * _CELLS
        self._energies = [0.0] * _CELLS
        self._counts = [0] * _CELLS

    def feed(self, samples: Samples, at: float) -> None:
        """Take the next samples, the first of which was heard at ``at`` seconds."""
        if not len(samples):
            return
        peak = max(int(samples.max()), -int(samples.min()))
        self._clipped |= peak >= 32767
        end = at + len(samples) / SAMPLE_RATE
        self._peak.raise_to(_dbfs(peak), end)
        self._hold.raise_to(_dbfs(peak), end)
        for start in range(0, len(samples), _CELL_SAMPLES):
            self._add_energy(samples[start : start + _CELL_SAMPLES], at + start / SAMPLE_RATE)

    def reading(self, now: float) -> MeterReading:
        """Return what the meter shows at ``now`` seconds."""
        return MeterReading(
            self._peak.at(now), self._rms_dbfs(now), self._hold.at(now), self._clipped
        )

    def reset_clip(self) -> None:
        """Open the clip latch."""
        self._clipped = False

    def _add_energy(self, samples: Samples, at: float) -> None:
        number = int(at / _CELL_S)
        index = number % _CELLS
        if self._cell_numbers[index] != number:
            self._cell_numbers[index] = number
            self._energies[index], self._counts[index] = 0.0, 0
        levels = samples.astype(np.float32)
        self._energies[index] += float(np.dot(levels, levels))
        self._counts[index] += len(samples)

    def _rms_dbfs(self, now: float) -> float:
        oldest = int(now / _CELL_S) - _CELLS
        energy, count = 0.0, 0
        for index, number in enumerate(self._cell_numbers):
            if number > oldest:
                energy += self._energies[index]
                count += self._counts[index]
        return _dbfs((energy / count) ** 0.5) if count else FLOOR_DBFS


class _Falling:
    """A level that rises at once, stays for a while, and then falls steadily."""

    def __init__(self, hold_s: float) -> None:
        self._hold_s = hold_s
        self._level_dbfs = FLOOR_DBFS
        self._falls_from = 0.0

    def raise_to(self, level_dbfs: float, at: float) -> None:
        if level_dbfs >= self.at(at):
            self._level_dbfs = level_dbfs
            self._falls_from = at + self._hold_s

    def at(self, now: float) -> float:
        fallen = max(0.0, now - self._falls_from) * DECAY_DB_PER_S
        return max(self._level_dbfs - fallen, FLOOR_DBFS)


def _dbfs(level: float) -> float:
    if level <= 0:
        return FLOOR_DBFS
    return max(20.0 * log10(level / _FULL_SCALE), FLOOR_DBFS)
