"""The session's three tracks, on the session clock, held in bounded rings.

Sample ``n`` of ``user`` and ``agent`` was captured, or left the speaker, at ``n / 16000`` session
seconds. ``received`` is all that the agent sent, back to back. The analysis thread alone writes
them, any thread reads; the recorder thread takes from ``to_recorder``.
"""

from __future__ import annotations

from collections import deque
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from audio.detail import FileDetail
from audio.meter import Meter
from audio.pcm import SAMPLE_RATE, Samples, silence
from audio.pcmwav import WavTrack
from audio.peaks import PeakPyramid
from audio.ring import SampleRing


class Track:
    """One party's samples: the last ``ring_s`` seconds of them, and an overview of them all.

    ``gaps`` and ``gap_samples`` count silence that was laid because samples came later than where
    the track ended; ``trimmed_samples`` counts samples that were cut because they came earlier.
    """

    RING_S = 120
    TOLERANCE_SAMPLES = SAMPLE_RATE // 100
    """Within 10 ms of where it ought to be, audio is contiguous with what is there."""
    DEAD_ZONE_SAMPLES = 3
    NEAR_SAMPLES = SAMPLE_RATE // 1000
    NEAR_RATE = 1 / 400
    FAR_RATE = 1 / 16
    _PIECE = 10 * SAMPLE_RATE

    def __init__(self, ring_s: float = RING_S, *, is_metered: bool = True) -> None:
        """Begin empty, at session time 0."""
        self._is_metered = is_metered
        self.ring = SampleRing(round(ring_s * SAMPLE_RATE))
        self.peaks = PeakPyramid(self._read_raw)
        self.meter = Meter()
        self.gaps = 0
        self.gap_samples = 0
        self.trimmed_samples = 0
        self._is_laid = False
        self._place_exactly = True
        self._budget = 0.0

    @property
    def duration_samples(self) -> int:
        """How many samples the track has, silence included."""
        return self.ring.written

    @property
    def is_begun(self) -> bool:
        """Whether anything but silence was ever laid, by where it belongs."""
        return self._is_laid

    def append(self, samples: Samples) -> None:
        """Add ``samples`` right behind what is there."""
        at = self.ring.written / SAMPLE_RATE
        self.ring.write(samples)
        self.peaks.append(samples)
        if self._is_metered:
            # read by the thread that draws: a reading may mix two moments 20 ms apart, no more
            self.meter.feed(samples, at)

    def lay(self, samples: Samples, at: float) -> None:
        """Lay ``samples`` so that the first stands at session second ``at``.

        Drift of a device's clock is followed by single samples left out or put in, spread over the
        block. More than 10 ms off, or after ``fill_to``, the samples are placed exactly: behind
        silence where they are late, without their beginning where they are early.
        """
        late = at * SAMPLE_RATE - self.ring.written
        if self._place_exactly or abs(late) > self.TOLERANCE_SAMPLES:
            samples = self._place(samples, round(late))
        else:
            samples = self._follow(samples, late)
        if len(samples):
            self.append(samples)

    def fill_to(self, position: int, *, is_gap: bool = False) -> None:
        """Lay silence up to ``position``, for nothing came: the track keeps up with the clock.

        ``is_gap`` counts it, for something ought to have come.
        """
        count = position - self.ring.written
        if count <= 0:
            return
        if is_gap:
            self._count_gap(count)
        self._lay_silence(count)
        self._place_exactly = True

    def is_written_to(self, wav: Path) -> None:
        """Have views of samples that the ring has let go of read the file they are written to."""
        self.peaks.detail = FileDetail(partial(WavTrack, wav))

    def _read_raw(self, start: int, stop: int) -> Samples:
        return self.ring.read(start, stop)[1]

    def _lay_silence(self, count: int) -> None:
        while count > 0:
            piece = min(count, self._PIECE)
            self.append(silence(piece))
            count -= piece

    def _place(self, samples: Samples, late: int) -> Samples:
        if late > 0:
            if self._is_laid:
                self._count_gap(late)
            self._lay_silence(late)
        early = min(max(-late, 0), len(samples))
        if self._is_laid:
            self.trimmed_samples += early
        # a block that was cut whole leaves the next one to be placed
        self._place_exactly = early == len(samples)
        self._is_laid = self._is_laid or not self._place_exactly
        return samples[early:]

    def _count_gap(self, count: int) -> None:
        # silence that follows on silence is the same gap
        self.gaps += not self._place_exactly
        self.gap_samples += count

    def _follow(self, samples: Samples, late: float) -> Samples:
        error = abs(late)
        if error < self.DEAD_ZONE_SAMPLES:
            self._budget = 0.0
            return samples
        rate = self.NEAR_RATE if error <= self.NEAR_SAMPLES else self.FAR_RATE
        self._budget += len(samples) * rate
        count = min(int(self._budget), int(error))
        self._budget -= count
        if count == 0:
            return samples
        return _stretch(samples, count) if late > 0 else _shrink(samples, count)


def _spread(length: int, count: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return ``count`` indices spread evenly over a block of ``length``, none of them 0."""
    return ((np.arange(count) + 0.5) * (length - 1) / count).astype(np.int64) + 1


def _stretch(samples: Samples, count: int) -> Samples:
    """Put in ``count`` samples, each half-way between its neighbours."""
    if len(samples) < 2:
        return samples
    index = _spread(len(samples), count)
    between = (samples[index - 1].astype(np.int32) + samples[index]) // 2
    return np.insert(samples, index, between.astype(np.int16))


def _shrink(samples: Samples, count: int) -> Samples:
    """Leave out ``count`` samples."""
    if len(samples) <= count:
        return samples
    return np.delete(samples, _spread(len(samples), count))


class ReceivedPiece(NamedTuple):
    """Received samples from position ``start`` on."""

    start: int
    samples: Samples


class Handover:
    """Received audio on its way to the recorder, bounded: what exceeds it is dropped and counted.

    A message may hold more than the track's ring does, so the recorder takes it from here. One
    thread puts, one takes; a deque's ends need no lock for that.
    """

    CAPACITY_SAMPLES = 1800 * SAMPLE_RATE

    def __init__(self, capacity_samples: int = CAPACITY_SAMPLES) -> None:
        """Hold at most ``capacity_samples``."""
        self.dropped_samples = 0
        self._capacity = capacity_samples
        self._pieces: deque[ReceivedPiece] = deque()
        self._put = 0
        self._taken = 0

    def put(self, start: int, samples: Samples) -> None:
        """Offer ``samples``; never waits."""
        if self._put - self._taken + len(samples) > self._capacity:
            self.dropped_samples += len(samples)
            return
        self._put += len(samples)
        self._pieces.append(ReceivedPiece(start, samples))

    def first(self) -> ReceivedPiece | None:
        """Return the oldest piece and leave it where it is."""
        return self._pieces[0] if self._pieces else None

    def done(self) -> None:
        """Let go of the oldest piece: it has been written."""
        self._taken += len(self._pieces.popleft().samples)


class Tracks:
    """The tracks of one session."""

    def __init__(self, *, is_recorded: bool = True) -> None:
        """Begin empty; without a recorder nothing is kept for one."""
        self.user = Track()
        self.agent = Track()
        self.received = Track(is_metered=False)
        self.to_recorder = Handover() if is_recorded else Handover(0)

    def are_written_to(self, folder: Path) -> None:
        """Have the views go back to the recording in ``folder`` for what the rings let go of."""
        self.user.is_written_to(folder / "user.wav")
        self.agent.is_written_to(folder / "agent.wav")
        self.received.is_written_to(folder / "received.wav")

    def counters(self) -> dict[str, int]:
        """Return how much silence was put in, and how much audio cut off, by name."""
        return {
            "user_gap_samples": self.user.gap_samples,
            "user_trimmed_samples": self.user.trimmed_samples,
            "agent_gap_samples": self.agent.gap_samples,
            "agent_trimmed_samples": self.agent.trimmed_samples,
        }

    def receive(self, start: int, samples: Samples) -> None:
        """Add agent audio from received position ``start`` on; silence where some is missing.

        ``samples`` must not change afterwards.
        """
        self.received.fill_to(start)
        self.received.append(samples)
        self.to_recorder.put(start, samples)
