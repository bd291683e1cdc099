"""The peak pyramid: min and max of a track at several resolutions, to draw any span of it cheaply.

Level 0 has a bin for each 256 samples; each level above has one for four bins below it. Bins are
aligned to absolute sample numbers, so a view that moves shows the same peaks. The growing end is
kept up to date at every level. Costs some 10 µs for each 20 ms of audio, 60 µs for a view 1,400
columns wide, and 1.2 MB an hour. Finer views come from the samples themselves, where they are at
hand.

One thread appends, any number of others view, without a lock:

- A bin is widened in place, and only ever widened, and the sample count is published after that: a
  viewer sees every sample that was counted when it began, and perhaps some that came since.
- Bins live in blocks that never move; a block is in its level's list before the count reaches it.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from audio.pcm import Samples

BASE_SAMPLES = 256
FAN_OUT = 4
LEVELS = 7
"""The coarsest bins are 256 * 4**6 samples, 65 s."""

_FEW_BINS = 16
_MANY_BINS = 4096
BLOCK_BINS = 4096

EMPTY_LOW, EMPTY_HIGH = 32767, -32768
"""What a column without samples holds: its low is above its high."""

RawReader = Callable[[int, int], Samples]
"""Returns the track's samples ``[start, stop)``, or another number of them if some are lost."""


class Envelope(NamedTuple):
    """The lowest and highest sample of each column; where ``low > high`` there is no audio."""

    low: Samples
    high: Samples


class Detail(Protocol):
    """Samples that take time to fetch, and are there at a later view."""

    @property
    def version(self) -> int:
        """Raised when samples that were asked for have come."""

    def samples(self, start: int, stop: int) -> Samples | None:
        """Return samples ``[start, stop)`` if they are here; else None, and have them fetched."""


class PeakPyramid:
    """Min and max of a track that grows at its end. See the module for cost and threads.

    Views finer than a bin of level 0 read samples on the viewer's thread: from ``raw`` at once, or
    else from ``detail``, when that has them. Until then, and without either, they show whole bins.
    """

    def __init__(self, raw: RawReader | None = None, detail: Detail | None = None) -> None:
        """Begin an empty track."""
        self._raw = raw
        self.detail = detail
        self._levels = [_Level(BASE_SAMPLES * FAN_OUT**index) for index in range(LEVELS)]
        self._count = 0

    def __len__(self) -> int:
        """Samples appended so far."""
        return self._count

    @property
    def version(self) -> int:
        """Raised when spans that were viewed in whole bins can be told in more detail."""
        return self.detail.version if self.detail is not None else 0

    def append(self, samples: Samples) -> None:
        """Add samples to the end of the track; one thread only."""
        if not len(samples):
            return
        start = self._count
        first = start // BASE_SAMPLES
        low, high = _reduce(samples, samples, start, BASE_SAMPLES)
        if len(low) <= _FEW_BINS:
            self._widen_few(first, low.tolist(), high.tolist())
        else:
            self._widen_many(first, low, high)
        self._count = start + len(samples)

    def append_bins(self, bins: Envelope, samples: int) -> None:
        """Add ``samples`` samples by the extremes of each 256 of them; one thread only.

        The last bin may be of fewer. What is there must end with a whole bin.

        Raises:
            ValueError: it does not, or the number of bins is not that of so many samples.

        """
        if self._count % BASE_SAMPLES or len(bins.low) != -(-samples // BASE_SAMPLES):
            raise ValueError(f"{len(bins.low)} bins are not those of {samples} samples.")
        if samples:
            self._widen_many(self._count // BASE_SAMPLES, bins.low, bins.high)
            self._count += samples

    def bins(self) -> tuple[Envelope, int]:
        """Return level 0 and the number of samples in it; the arrays may be a view of it."""
        count = self._count
        return self._levels[0].read(0, -(-count // BASE_SAMPLES)), count

    def _widen_few(self, first: int, low: list[int], high: list[int]) -> None:
        """Widen the bins of all levels; for a handful plain Python is four times as fast."""
        for level in self._levels:
            if not level.widen_few(first, low, high):
                # these bins held such peaks already, and so do those above them
                return
            head = -first % FAN_OUT or FAN_OUT
            cuts = [0, *range(head, len(low), FAN_OUT), len(low)]
            low = [min(low[cut:stop]) for cut, stop in pairwise(cuts)]
            high = [max(high[cut:stop]) for cut, stop in pairwise(cuts)]
            first //= FAN_OUT

    def _widen_many(self, first: int, low: Samples, high: Samples) -> None:
        for level in self._levels:
            level.widen(first, low, high)
            if first % FAN_OUT or len(low) < _MANY_BINS:
                low, high = _reduce(low, high, first, FAN_OUT)
            else:
                low, high = _fold(low, np.minimum), _fold(high, np.maximum)
            first //= FAN_OUT

    def view(self, start: float, stop: float, columns: int) -> Envelope:
        """Return the extremes of samples ``[start, stop)`` in ``columns`` columns of equal width.

        Each column holds every sample that lies in it, and besides none farther from it than one
        bin, which is never wider than a column (256 samples at least, where the samples are not
        at hand). Columns before the track, or after its end, are empty.
        """
        count = self._count
        width = (stop - start) / columns
        edges = start + width * np.arange(columns + 1)
        if width < BASE_SAMPLES:
            fine = self._view_samples(edges, count)
            if fine is not None:
                return fine
        level = self._levels[0]
        for coarser in self._levels[1:]:
            if coarser.bin_samples > width:
                break
            level = coarser
        firsts, stops = _spans(edges, level.bin_samples, -(-count // level.bin_samples))
        low, high = level.read(int(firsts[0]), int(stops[-1]))
        envelope = _columns(low, high, firsts - firsts[0], stops - firsts[0])
        # the last bin reaches past the end, into columns that have no sample yet
        after_end = int(np.searchsorted(edges[:-1], count))
        envelope.low[after_end:], envelope.high[after_end:] = EMPTY_LOW, EMPTY_HIGH
        return envelope

    def _view_samples(self, edges: NDArray[np.floating[Any]], count: int) -> Envelope | None:
        firsts, stops = _spans(edges, 1, count)
        first, stop = int(firsts[0]), int(stops[-1])
        samples = self._samples(first, stop)
        if samples is None:
            return None
        return _columns(samples, samples, firsts - first, stops - first)

    def _samples(self, first: int, stop: int) -> Samples | None:
        if first >= stop:
            return np.zeros(0, dtype=np.int16)
        if self._raw is not None:
            samples = self._raw(first, stop)
            if len(samples) == stop - first:
                return samples
        return self.detail.samples(first, stop) if self.detail is not None else None


class _Block:
    """4,096 bins, empty at first, as an array and as two views quick to use one by one."""

    def __init__(self) -> None:
        self.bins = np.empty((2, BLOCK_BINS), dtype=np.int16)
        self.bins[0], self.bins[1] = EMPTY_LOW, EMPTY_HIGH
        self.low, self.high = memoryview(self.bins[0]), memoryview(self.bins[1])


class _Level:
    """The bins of one resolution, in blocks that are added and never moved."""

    def __init__(self, bin_samples: int) -> None:
        self.bin_samples = bin_samples
        self._blocks: list[_Block] = []

    def widen_few(self, first: int, low: list[int], high: list[int]) -> bool:
        """Widen bin ``first`` and those after it; whether any was narrower."""
        changed = False
        for index, (lowest, highest) in enumerate(zip(low, high, strict=True), first):
            block, offset = self._place(index)
            if lowest < block.low[offset]:
                block.low[offset] = lowest
                changed = True
            if highest > block.high[offset]:
                block.high[offset] = highest
                changed = True
        return changed

    def widen(self, first: int, low: Samples, high: Samples) -> None:
        """Widen bin ``first`` and those after it to include the given extremes."""
        done = 0
        while done < len(low):
            block, offset = self._place(first + done)
            count = min(len(low) - done, BLOCK_BINS - offset)
            lows, highs = block.bins[:, offset : offset + count]
            np.minimum(lows, low[done : done + count], out=lows)
            np.maximum(highs, high[done : done + count], out=highs)
            done += count

    def _place(self, index: int) -> tuple[_Block, int]:
        number, offset = divmod(index, BLOCK_BINS)
        if number == len(self._blocks):
            self._blocks.append(_Block())
        return self._blocks[number], offset

    def read(self, first: int, stop: int) -> Envelope:
        """Return bins ``[first, stop)``; they must be there."""
        parts = [_NO_BINS] if first >= stop else []
        for number in range(first // BLOCK_BINS, -(-stop // BLOCK_BINS)):
            begin = number * BLOCK_BINS
            parts.append(self._blocks[number].bins[:, max(first - begin, 0) : stop - begin])
        both = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
        return Envelope(both[0], both[1])


_NO_BINS = np.zeros((2, 0), dtype=np.int16)


def _reduce(low: Samples, high: Samples, first: int, fan: int) -> Envelope:
    """Return the extremes of each aligned group of ``fan``; ``low[0]`` has the number ``first``."""
    head = -first % fan
    if head >= len(low):
        return Envelope(low.min(keepdims=True), high.max(keepdims=True))
    starts = np.arange(head - fan if head else 0, len(low), fan)
    starts[0] = 0
    return Envelope(np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts))


def _fold(bins: Samples, pick: np.ufunc) -> Samples:
    """Return ``pick`` of each ``FAN_OUT``, as `_reduce` does, for very many ten times as fast."""
    whole = len(bins) - len(bins) % FAN_OUT
    folded = pick(bins[0:whole:FAN_OUT], bins[1:whole:FAN_OUT])
    for place in range(2, FAN_OUT):
        pick(folded, bins[place:whole:FAN_OUT], out=folded)
    rest = bins[whole:]
    return np.append(folded, pick.reduce(rest)) if len(rest) else folded


def _spans(
    edges: NDArray[np.floating[Any]], bin_samples: int, bins: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for each column the first bin that touches it and the one after the last."""
    scaled = edges / bin_samples
    firsts = np.floor(scaled[:-1]).astype(np.int64)
    stops = np.maximum(np.ceil(scaled[1:]).astype(np.int64), firsts + 1)
    return np.minimum(np.maximum(firsts, 0), bins), np.minimum(np.maximum(stops, 0), bins)


def _columns(
    low: Samples, high: Samples, firsts: NDArray[np.int64], stops: NDArray[np.int64]
) -> Envelope:
    """Return the extremes of ``[firsts[i], stops[i])`` for each column.

    ``low`` runs from the first of ``firsts`` to the last of ``stops``. Neighbours share one bin at
    most, so each is what lies before the next one's first bin, and its own last bin besides.
    """
    if not len(low):
        empty_low = np.full(len(firsts), EMPTY_LOW, dtype=np.int16)
        return Envelope(empty_low, np.full(len(firsts), EMPTY_HIGH, dtype=np.int16))
    inside = np.minimum(firsts, len(low) - 1)
    last = np.maximum(stops - 1, 0)
    lows = np.minimum(np.minimum.reduceat(low, inside), low[last])
    highs = np.maximum(np.maximum.reduceat(high, inside), high[last])
    empty = firsts >= stops
    lows[empty], highs[empty] = EMPTY_LOW, EMPTY_HIGH
    return Envelope(lows, highs)
