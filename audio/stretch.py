"""Playing speech faster or slower without a change of pitch. A stretch belongs to one thread.

The method is WSOLA (waveform similarity overlap-add): frames of the input are laid over each other
at an even pace in the output. Each is taken from near where its time has come, from the very
place where it goes on most like the frame before it, so that pitch periods meet whole.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from audio.pcm import Samples, round_to_samples

Levels = NDArray[np.float32]

SLOWEST, FASTEST = 0.5, 2.0
"""The speeds that speech survives, input seconds to one of output."""


class Block(NamedTuple):
    """Output samples that lie in a straight line over the input.

    The ``n``-th of them stands for input sample ``begins + n * pace``: what it was mixed from,
    each part by its weight.
    """

    samples: Samples
    begins: float
    pace: float


class Stretch:
    """Turns a stream of samples into one that lasts ``1 / speed`` times as long.

    Input goes in by ``push`` and, once it is all there, ``end``; output comes by ``pull``, in
    blocks of ``BLOCK`` samples. At speed 1 what comes out is what went in, bit for bit. Of the
    input no more is kept than the next block may need.
    """

    FRAME = 400
    """Samples of a frame (25 ms): two periods of a low voice."""
    BLOCK = FRAME // 2
    """Samples of a block (12.5 ms): frames overlap by half."""
    SEARCH = 120
    """How far from its time a frame may be taken (7.5 ms): the period of a low voice, in all."""
    FAVOUR = 0.02
    """How much more alike a frame at the edge of the search must be than one that is in time."""

    def __init__(self, speed: float) -> None:
        """Prepare for ``speed``; raises ``ValueError`` beyond ``SLOWEST`` and ``FASTEST``."""
        if not SLOWEST <= speed <= FASTEST:
            raise ValueError(f"Speech cannot be played at {speed:g} times its speed.")
        self.speed = speed
        self._kept: Levels = np.zeros(0, np.float32)
        self._kept_from = 0
        self._total: int | None = None
        self._made = 0
        # The frame before the first is centred on the first sample, so that nothing fades in.
        self._frame_at = -self.BLOCK
        self._give: Levels = np.zeros(self.BLOCK, np.float32)

    @property
    def missing(self) -> int:
        """How many more input samples the next block needs."""
        if self._total is not None:
            return 0
        return max(self._needed() - self._pushed, 0)

    @property
    def over(self) -> bool:
        """Whether all the output there will be has been pulled."""
        return self._total is not None and self._made >= round(self._total / self.speed)

    def push(self, samples: Samples) -> None:
        """Add the next input."""
        self._kept = np.concatenate((self._kept, samples.astype(np.float32)))

    def end(self) -> None:
        """Say that there is no more input: the rest can be pulled."""
        self._total = self._pushed

    def pull(self) -> Block:
        """Return the next block; the last is shorter, so that the duration is exact.

        Where input is ``missing`` silence stands in for it.
        """
        block = self._pass_on() if self.speed == 1.0 else self._overlap()
        if self._total is not None:
            left = round(self._total / self.speed) - self._made
            block = block._replace(samples=block.samples[:left])
        self._made += len(block.samples)
        return block

    @property
    def _pushed(self) -> int:
        return self._kept_from + len(self._kept)

    def _needed(self) -> int:
        """Return where in the input the next block ends."""
        if self.speed == 1.0:
            return self._made + self.BLOCK
        # what the frame after it will be likened to is looked at by then
        latest = max(self._in_time() + self.SEARCH, self._frame_at + self.BLOCK)
        return latest + self.FRAME

    def _pass_on(self) -> Block:
        begins = self._made
        samples = round_to_samples(self._read(begins, begins + self.BLOCK))
        self._forget(begins + self.BLOCK)
        return Block(samples, begins, 1.0)

    # -- frames --------------------------------------------------------------------------------

    def _in_time(self) -> int:
        """Return where the next frame begins if its middle is to be heard at its time."""
        return round((self._made + self.BLOCK) * self.speed) - self.BLOCK

    def _overlap(self) -> Block:
        """Lay the next frame over the second half of the one before it."""
        if not self._made:
            self._give = self._read(0, self.BLOCK) * _FALL
        before, self._frame_at = self._frame_at, self._find_frame()
        frame = self._read(self._frame_at, self._frame_at + self.FRAME)
        samples = round_to_samples(self._give + frame[: self.BLOCK] * _RISE)
        self._give = frame[self.BLOCK :] * _FALL
        self._forget(self._frame_at)
        # a block reaches from the middle of one frame to the middle of the next
        return Block(samples, before + self.BLOCK, (self._frame_at - before) / self.BLOCK)

    def _find_frame(self) -> int:
        """Return where, near its time, the input goes on most like the frame before."""
        in_time = self._in_time()
        # never back: the place that is heard only moves forward
        first = max(in_time - self.SEARCH, self._frame_at, 0)
        last = max(in_time + self.SEARCH, first)
        follows = self._frame_at + self.BLOCK
        wanted = self._read(follows, follows + self.FRAME)
        offered = self._read(first, last + self.FRAME)
        away = np.abs(np.arange(first, last + 1) - in_time) / self.SEARCH
        return first + int(np.argmax(_likeness(offered, wanted) - self.FAVOUR * away))

    def _read(self, start: int, stop: int) -> Levels:
        """Return input ``[start, stop)``, silence where there is none."""
        first, last = max(start, self._kept_from), min(stop, self._pushed)
        kept = self._kept[first - self._kept_from : max(last - self._kept_from, 0)]
        if len(kept) == stop - start:
            return kept
        levels = np.zeros(stop - start, np.float32)
        levels[first - start : first - start + len(kept)] = kept
        return levels

    def _forget(self, before: int) -> None:
        dropped = min(max(before - self._kept_from, 0), len(self._kept))
        self._kept = self._kept[dropped:]
        self._kept_from += dropped


def _likeness(offered: Levels, wanted: Levels) -> NDArray[np.floating[Any]]:
    """Return how like ``wanted`` each stretch of ``offered`` is, 1 for the same shape."""
    power = np.concatenate(([0.0], np.cumsum(np.square(offered, dtype=np.float64))))
    powers = power[len(wanted) :] - power[: -len(wanted)]
    # one step of a sample: silence is like anything, and then being in time decides
    floor = float(len(wanted))
    scale = np.sqrt((powers + floor) * (float(np.dot(wanted, wanted)) + floor))
    likeness: NDArray[np.floating[Any]] = np.correlate(offered, wanted, "valid") / scale
    return likeness


def _rise(count: int) -> Levels:
    """Return the first half of a Hann window; with its mirror image it adds up to 1."""
    rise: Levels = np.sin(np.pi / 2 * (np.arange(count) + 0.5) / count).astype(np.float32) ** 2
    return rise


_RISE = _rise(Stretch.BLOCK)
_FALL: Levels = 1 - _RISE
