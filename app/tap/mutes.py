"""Mute, to the sample: what was captured while the microphone was muted becomes silence.

The tap silences mic chunks on their way to the agent, and the pump silences the user track, both by
the same log, so that the recording holds what the agent was sent.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audio.clock import now
from audio.pcm import SAMPLE_RATE, Samples


class _Switch(NamedTuple):
    at: float
    muted: bool


class MuteLog:
    """When the microphone was muted and opened. One writer at a time; any thread reads.

    Samples that were captured before a switch are not changed by it, however late they are read.
    """

    CAPACITY = 10_000

    def __init__(self) -> None:
        """Begin with the microphone open."""
        # Replaced whole, so that a reader sees one state or the next and takes no lock.
        self._switches: tuple[_Switch, ...] = ()
        self.muted = False

    def set(self, muted: bool) -> float | None:
        """Switch now; return the moment, or None where nothing changes."""
        if muted == self.muted:
            return None
        at = now()
        self._switches = (*self._switches[-self.CAPACITY + 1 :], _Switch(at, muted))
        self.muted = muted
        return at

    def apply(self, samples: Samples, captured_at: float) -> Samples:
        """Return ``samples``, the first captured at ``captured_at``, silent where it was muted."""
        if not self._switches:
            return samples
        muted = self._muted_mask(len(samples), captured_at)
        return np.where(muted, np.int16(0), samples) if muted.any() else samples

    def _muted_mask(self, count: int, captured_at: float) -> NDArray[np.bool_]:
        switches = self._switches
        later = bisect_right(switches, captured_at, key=lambda switch: switch.at)
        # before the first switch that is known it was the other way round
        before = switches[later - 1].muted if later else not switches[0].muted
        mask = np.full(count, before)
        for at, muted in switches[later:]:
            first = int(np.ceil((at - captured_at) * SAMPLE_RATE))
            if first >= count:
                break
            mask[first:] = muted
        return mask
