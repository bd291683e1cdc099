"""Agent audio between its arrival and the tracks. Agent receive appends, the pump takes."""

from __future__ import annotations

import threading
from collections import deque

from audio.pcm import SAMPLE_RATE, Samples


class ReceivedAudio:
    """A bounded buffer of received audio: the oldest goes first when it is full, and is counted."""

    CAPACITY_SAMPLES = 1200 * SAMPLE_RATE

    def __init__(self) -> None:
        """Begin empty."""
        self._pieces: deque[tuple[int, Samples]] = deque()
        # Guards the pieces and their sum: trimming takes two steps.
        self._lock = threading.Lock()
        self._waiting_samples = 0
        self.dropped_samples = 0

    def append(self, start: int, samples: Samples) -> None:
        """Add the received samples from position ``start`` on; they must not change afterwards."""
        with self._lock:
            self._pieces.append((start, samples))
            self._waiting_samples += len(samples)
            while self._waiting_samples > self.CAPACITY_SAMPLES:
                dropped = len(self._pieces.popleft()[1])
                self._waiting_samples -= dropped
                self.dropped_samples += dropped

    def take(self) -> list[tuple[int, Samples]]:
        """Return what came since the last call, each piece with its received position."""
        with self._lock:
            pieces, self._pieces = list(self._pieces), deque()
            self._waiting_samples = 0
        return pieces
