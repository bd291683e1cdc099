"""A bounded ring of samples: one writer, any number of readers, nobody waits.

The writer overwrites the oldest samples. A reader copies first and looks at the writer's count
afterwards: what may have been overwritten during the copy is cut off and reported as lost.
"""

from __future__ import annotations

import numpy as np

from audio.pcm import Samples


class SampleRing:
    """The last ``capacity`` samples of a stream, addressed by absolute position.

    ``written`` counts all samples ever written. It is raised only after the samples are in place,
    and ``_claimed`` before the first of them is touched, so a reader knows both ends of what is
    whole.
    """

    def __init__(self, capacity: int) -> None:
        """Make room for ``capacity`` samples."""
        self._buffer = np.zeros(capacity, np.int16)
        self._claimed = 0
        self.written = 0

    @property
    def capacity(self) -> int:
        """How many samples it holds at the most."""
        return len(self._buffer)

    def write(self, samples: Samples) -> None:
        """Append ``samples``; of a block longer than the ring only the end can stay."""
        start, count, capacity = self.written, len(samples), len(self._buffer)
        self._claimed = start + count
        kept = samples[-capacity:]
        at = (start + count - len(kept)) % capacity
        first = min(len(kept), capacity - at)
        self._buffer[at : at + first] = kept[:first]
        self._buffer[: len(kept) - first] = kept[first:]
        self.written = start + count

    def read(self, start: int, stop: int) -> tuple[int, Samples]:
        """Return ``(first, samples)``, a copy of what is left of positions ``[start, stop)``.

        ``first`` is greater than ``start`` where the writer has lapped the reader; ``stop`` is cut
        to what has been written.
        """
        stop = min(stop, self.written)
        first = max(start, stop - len(self._buffer), 0)
        copy = self._copy(first, stop)
        whole_from = self._claimed - len(self._buffer)
        if whole_from > first:
            lost = min(whole_from - first, len(copy))
            return first + lost, copy[lost:]
        return first, copy

    def _copy(self, start: int, stop: int) -> Samples:
        count = stop - start
        if count <= 0:
            return np.zeros(0, np.int16)
        at = start % len(self._buffer)
        end = at + count
        if end <= len(self._buffer):
            return self._buffer[at:end].copy()
        return np.concatenate((self._buffer[at:], self._buffer[: end - len(self._buffer)]))
