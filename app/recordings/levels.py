"""How loud a stretch of a recording is: peak and RMS of each lane.

No state; any thread that may wait for the disk.
"""

from __future__ import annotations

from math import inf, sqrt
from typing import NamedTuple

import numpy as np

from app.analysis.viewed import Viewed
from app.recordings.sources import SampleSource, Sources, open_sources
from audio.pcm import SAMPLE_RATE

FULL_SCALE = 32768
_PIECE = 10 * SAMPLE_RATE


class Levels(NamedTuple):
    """Peak and root mean square of some samples; 1 is full scale. NaN where there are none."""

    peak: float
    rms: float


def measure(
    sources: Sources, start_s: float, stop_s: float = inf
) -> tuple[Levels | None, Levels | None]:
    """Return the levels of user and agent between two session seconds; None for a missing lane.

    Raises:
        FileError: a track cannot be read.

    """
    start = max(round(start_s * SAMPLE_RATE), 0)
    stop = round(min(stop_s * SAMPLE_RATE, sources.duration_samples))
    user, agent = (
        None if source is None else _measure(source, start, stop)
        for source in (sources.user, sources.agent)
    )
    return user, agent


def measure_viewed(
    viewed: Viewed, start_s: float, stop_s: float
) -> tuple[Levels | None, Levels | None]:
    """As ``measure``, of what is in view; nothing is known where nothing is recorded.

    Raises:
        BundleError: the recording is gone.
        FileError: a track cannot be read.

    """
    known = getattr(viewed, "sources", None)
    if isinstance(known, Sources):
        return measure(known, start_s, stop_s)
    if viewed.bundle is None:
        return None, None
    with open_sources(viewed.bundle) as sources:
        return measure(sources, start_s, stop_s)


def _measure(source: SampleSource, start: int, stop: int) -> Levels:
    if stop <= start:
        return Levels(float("nan"), float("nan"))
    peak, square = 0, 0.0
    for first in range(start, stop, _PIECE):
        # 64 bits wide: the square of one 16-bit sample takes 31 of them
        samples = source.read(first, min(first + _PIECE, stop)).astype(np.int64)
        peak = max(peak, int(np.abs(samples).max()))
        square += float(np.dot(samples, samples))
    return Levels(peak / FULL_SCALE, sqrt(square / (stop - start)) / FULL_SCALE)
