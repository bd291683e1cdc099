"""Mute, to the sample: what was captured while the microphone was muted becomes silence.

The tap silences mic chunks on their way to the agent, and the pump silences the user track, both by
the same log, so that the recording holds what the agent was sent.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from audio.clock import now
from audio.pcm import SAMPLE_RATE
from audio.ring import Samples


class MuteLog:
    """When the microphone was muted and opened. One writer at a time; any thread reads.

    Samples that were captured before a switch are not changed by it, however late they are read.
    """

    CAPACITY = 10_000

    def __init__(self) -> None:
        """Begin with the microphone open."""
        self._switches: deque[tuple[float, bool]] = deque(maxlen=self.CAPACITY)
        self.muted = False

    def set(self, muted: bool) -> float | None:
        """Switch now; return the moment, or None where nothing changes."""
        if muted == self.muted:
            return None
        at = now()
        self._switches.append((at, muted))
        self.muted = muted
        return at

    def apply(self, samples: Samples, captured_at: float) -> Samples:
        """Return ``samples``, the first captured at ``captured_at``, silent where it was muted."""
        if not self._switches:
            return samples
        muted = self._muted_mask(len(samples), captured_at)
        return np.where(muted, np.int16(0), samples) if muted.any() else samples

    def _muted_mask(self, count: int, captured_at: float) -> NDArray[np.bool_]:
        mask = np.zeros(count, np.bool_)
        for at, muted in tuple(self._switches):
            first = int(np.ceil((at - captured_at) * SAMPLE_RATE))
            if first >= count:
                break
            mask[max(first, 0) :] = muted
        return mask
