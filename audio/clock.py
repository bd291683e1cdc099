"""The one clock, and what ties a stream's samples to it.

Entered by any thread: ``now()`` has no state; a ``SampleClock`` has one writer, and readers on
other threads, who see one consistent line because it is replaced whole.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import NamedTuple

from audio.pcm import SAMPLE_RATE


def _clock_that_counts_sleep() -> Callable[[], float]:
    """Return the system's monotonic clock that goes on while the machine is suspended.

    ``time.monotonic`` stands still then on Linux and macOS: a laptop that slept for ten minutes in
    a session would lose them from the recording without a word. Windows' counts them.
    """
    name = "CLOCK_MONOTONIC_RAW" if sys.platform == "darwin" else "CLOCK_BOOTTIME"
    number = getattr(time, name, None)
    return time.monotonic if number is None else partial(time.clock_gettime, number)


now = _clock_that_counts_sleep()
"""Seconds on the monotonic clock that every time in this project is told in."""


class _Line(NamedTuple):
    position: float
    at: float
    seconds_per_sample: float


class SampleClock:
    """A straight line through the times that a device reports for its samples.

    Device times jitter by milliseconds from block to block, for they are asked for when the host
    gets round to it; the samples do not. So the line's slope is the nominal rate, and its offset
    follows the median error of the last blocks slowly (``GAIN``), which tracks drift of some
    hundred ppm within a millisecond and ignores single late reports. Errors of more than
    ``STEP_S`` that persist for ``STEP_BLOCKS`` blocks are a stall or a restart: the line steps
    there and ``steps`` counts it.

    A sound server estimates the times that it reports, and its estimate may wander by several
    milliseconds within seconds, while the samples keep an even pace. So once the line has settled
    it moves by no more than ``MOST_PPM`` of the time that passes: devices drift apart by less.

    Blocks shorter than ``BLOCK_S`` count for their part of one: how long a sound server takes to
    make up its mind is a matter of time.
    """

    STEP_S = 0.030
    STEP_BLOCKS = 8
    SETTLING_BLOCKS = 25
    SETTLED_BLOCKS = 100
    GAIN = 0.008
    MOST_PPM = 500
    WINDOW = 25
    BLOCK_S = 0.010

    def __init__(self, rate: float = SAMPLE_RATE) -> None:
        """Start without a line; ``rate`` is in samples a second."""
        self._nominal = 1.0 / rate
        self._line: _Line | None = None
        self._errors: deque[float] = deque(maxlen=self.WINDOW)
        self._far = 0.0
        self._seen = 0.0
        self._last = 0
        self.steps = 0

    def observe(self, position: int, at: float) -> None:
        """Note that sample ``position`` was captured, or leaves the speaker, at ``at`` seconds."""
        line = self._line
        if line is None:
            self._line = _Line(position, at, self._nominal)
            self._seen, self._last = 1.0, position
            return
        part = min(max((position - self._last) * self._nominal / self.BLOCK_S, 0.0), 1.0)
        self._last = position
        expected = line.at + (position - line.position) * line.seconds_per_sample
        error = at - expected
        if abs(error) > self.STEP_S:
            self._observe_far(position, at, part)
            return
        self._far = 0.0
        self._seen += part
        self._errors.append(error)
        correction = self._correction(position - line.position)
        # errors in the window were measured against the line before this move
        for index in range(len(self._errors)):
            self._errors[index] -= correction
        self._line = _Line(position, expected + correction, self._nominal)

    def unsettle(self) -> None:
        """Follow the next reports quickly, as at the beginning: the device has lost its place.

        To be called by the thread that calls ``observe``. An xrun moves all that follows by some
        milliseconds, which the slow gain would take a second to see.
        """
        self._errors.clear()
        self._seen = min(self._seen, 1.0)

    def _correction(self, samples: float) -> float:
        # one over the count at first, as an average has it; then slow enough to see through jitter
        wanted = median(self._errors) * max(1 / self._seen, self.GAIN)
        if self._seen < self.SETTLED_BLOCKS:
            return wanted
        most = samples * self._nominal * self.MOST_PPM * 1e-6
        return max(-most, min(wanted, most))

    def _observe_far(self, position: int, at: float, part: float) -> None:
        self._far += part
        if self._far < self.STEP_BLOCKS and self._seen >= self.SETTLING_BLOCKS:
            return
        self._line = _Line(position, at, self._nominal)
        self._errors.clear()
        self._far = 0.0
        self._seen = 1.0
        self.steps += 1

    def time_at(self, position: float) -> float | None:
        """Return when sample ``position`` was, or will be, at the device; None before the first."""
        line = self._line
        if line is None:
            return None
        return line.at + (position - line.position) * line.seconds_per_sample
