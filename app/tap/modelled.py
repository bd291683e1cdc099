"""An account for a class that keeps none: what it must have done, modelled against the clock.

Somebody's own ``AudioInterface`` has four methods and tells nothing. Its playout is modelled as a
perfect device: what is queued plays at once, without gaps, and an interrupt silences it at once;
mic chunks are taken to have been captured just before they were handed over. Every time is an
estimate, and is marked as one.

Threads: the agent's (``put``, ``flush``), the class's own (``captured``), and the pump's
(``advance``). A lock lets one of them at a time play the part of the device.
"""

from __future__ import annotations

import threading

from audio.account import Account, MicChunk
from audio.clock import now
from audio.pcm import SAMPLE_RATE, Samples
from audio.playout import PlayoutQueue


class Modelled:
    """The account of an imagined device, in step with the clock by ``advance``."""

    BLOCK = SAMPLE_RATE // 100
    """The most that the imagined device takes at a time: 10 ms."""

    def __init__(self) -> None:
        """Begin at this moment."""
        self.account = Account()
        self._queue = PlayoutQueue(self.account)
        self._began_at = now()
        # Guards what the imagined device has pulled: several threads bring it up to date.
        self._device = threading.Lock()
        self._pulled = 0

    def put(self, audio: bytes, at: float) -> None:
        """Queue an agent chunk that arrived at ``at``: not a sample of it is played before."""
        self.advance(at)
        self._queue.put(audio, at)

    def flush(self, at: float) -> None:
        """Note an interrupt at ``at``: what was due until then has been played."""
        self.advance(at)
        self._queue.flush(at)

    def captured(self, samples: Samples, called_at: float) -> tuple[int, float]:
        """Note a mic chunk handed over at ``called_at``; return its position and capture time."""
        account = self.account
        position = account.input_ring.written
        account.input_clock.observe(position, called_at - len(samples) / SAMPLE_RATE)
        account.input_ring.write(samples)
        account.counters.captured_samples += len(samples)
        return position, account.input_clock.time_at(position) or called_at

    def delivered(self, position: int, count: int, called_at: float) -> None:
        """Note that the callback has returned from the mic chunk at ``position``."""
        clock, journal = self.account.input_clock, self.account.journal
        captured_at = clock.time_at(position) or called_at
        completed_at = captured_at + count / SAMPLE_RATE
        self.account.counters.mic_chunks += 1
        journal.append(
            MicChunk(position, position + count, captured_at, completed_at, called_at, now())
        )

    def advance(self, at: float) -> None:
        """Play what is due by ``at``."""
        due = int((at - self._began_at) * SAMPLE_RATE)
        with self._device:
            while self._pulled < due:
                frames = min(self.BLOCK, due - self._pulled)
                self._queue.pull(frames, self._began_at + self._pulled / SAMPLE_RATE)
                self._pulled += frames

    def close(self) -> None:
        """Play what is due, and write down what never will be. Once nobody calls ``advance``."""
        self.advance(now())
        with self._device:
            self._queue.close(now())
