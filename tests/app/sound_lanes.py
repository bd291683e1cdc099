"""Samples that are read as a recording's track is."""

from __future__ import annotations

import numpy as np

from audio.pcm import Samples


class Lane:
    """A track in memory."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples
        self.duration_samples = len(samples)

    def read(self, start: int, stop: int) -> Samples:
        inside = self._samples[max(start, 0) : stop]
        return np.concatenate((inside, np.zeros(stop - start - len(inside), np.int16)))

    def close(self) -> None:
        pass
