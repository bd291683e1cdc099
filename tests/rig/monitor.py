"""Hearing a sound source as an outside listener would: samples, and when they were heard.

A reader thread takes what `parec` prints and stamps each piece with the monotonic clock. The
source's samples leave at an even pace; the pieces reach us late by turns, never early. So a
sample's time is told by the promptest of the pieces around it, and the scheduling of this
process hardly shows. What stays is a constant: a monitor tells of a sample when the server hands
it to the device, up to 5 ms (the latency asked for) before it would leave it; about 4.5 ms as
measured against PortAudio's own reckoning. Times heard here are early by that, never late.
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import NamedTuple

import numpy as np

from audio import clock
from tests.rig.speech import RATE_HZ, Samples
from tests.rig.waiting import wait_until

_LATENCY_MS = 5
_READ_BYTES = 65_536
_START_DEADLINE_S = 10.0
_STOP_DEADLINE_S = 5.0
# How far around a sample to look for the promptest piece.
_NEAR_S = 1.0


class _Arrival(NamedTuple):
    end: int
    at: float


class Monitor:
    """Records a source at 16 kHz mono from entering the `with` block to leaving it.

    What was recorded stays readable afterwards. Positions count samples since the beginning;
    times are monotonic seconds.
    """

    def __init__(self, source: str, environment: Mapping[str, str]) -> None:
        self._source = source
        self._environment = environment
        self._lock = threading.Lock()  # guards _pieces and _arrivals
        self._pieces: list[Samples] = []
        self._arrivals: list[_Arrival] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Monitor:
        command = ["parec", f"--device={self._source}", "--raw", "--format=s16le"]
        command += [f"--rate={RATE_HZ}", "--channels=1", f"--latency-msec={_LATENCY_MS}"]
        self._process = subprocess.Popen(
            command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._thread = threading.Thread(target=self._read, name="rig-monitor", daemon=True)
        self._thread.start()
        try:
            wait_until(lambda: self.length, _START_DEADLINE_S, f"{self._source} to be heard")
        except AssertionError:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    @property
    def length(self) -> int:
        """How many samples were heard so far."""
        with self._lock:
            return self._arrivals[-1].end if self._arrivals else 0

    @property
    def samples(self) -> Samples:
        """All that was heard so far, as a copy."""
        with self._lock:
            pieces = list(self._pieces)
        return np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.int16)

    def time_of(self, position: int) -> float:
        """When the sample at `position` left the source.

        Raises:
            AssertionError: nothing was heard yet.
        """
        with self._lock:
            arrivals = list(self._arrivals)
        assert arrivals, "Nothing was heard yet."
        near = _NEAR_S * RATE_HZ
        offsets = [a.at - a.end / RATE_HZ for a in arrivals if abs(a.end - position) <= near]
        return position / RATE_HZ + min(offsets or [arrivals[-1].at - arrivals[-1].end / RATE_HZ])

    def position_at(self, at: float) -> int:
        """The position whose sample left the source at the monotonic time `at`."""
        position = self.length - round((clock.now() - at) * RATE_HZ)
        for _ in range(3):  # time_of is a straight line but for its choice of pieces
            position += round((at - self.time_of(position)) * RATE_HZ)
        return max(0, position)

    def first_sound(self, after: int = 0, threshold: int = 328) -> int | None:
        """The position of the first sample from `after` on at `threshold` (-40 dBFS) or above."""
        loud = np.flatnonzero(_magnitude(self.samples[after:]) >= threshold)
        return after + int(loud[0]) if loud.size else None

    def last_sound(self, before: int | None = None, threshold: int = 328) -> int | None:
        """The position of the last sample up to `before` at `threshold` (-40 dBFS) or above."""
        loud = np.flatnonzero(_magnitude(self.samples[:before]) >= threshold)
        return int(loud[-1]) if loud.size else None

    def wait_for_sound(self, after: int = 0, deadline_s: float = 5.0, threshold: int = 328) -> int:
        """The position of the first sound from `after` on, once there is one.

        Raises:
            AssertionError: it stayed silent.
        """

        def found() -> int:
            position = self.first_sound(after, threshold)
            return 0 if position is None else position + 1

        return wait_until(found, deadline_s, f"a sound from {self._source}") - 1

    def wait_for_silence(
        self, silence_s: float = 0.3, deadline_s: float = 30.0, threshold: int = 328
    ) -> int:
        """The position of the last sound, once `silence_s` of silence have followed it.

        Raises:
            AssertionError: it did not fall silent.
        """
        needed = round(silence_s * RATE_HZ)

        def silent() -> bool:
            tail = self.samples[-needed:]
            return tail.size == needed and bool((_magnitude(tail) < threshold).all())

        wait_until(silent, deadline_s, f"silence from {self._source}")
        position = self.last_sound(threshold=threshold)
        return -1 if position is None else position

    def _close(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait(_STOP_DEADLINE_S)
        if self._thread:
            self._thread.join(_STOP_DEADLINE_S)
        if self._process and self._process.stdout:
            self._process.stdout.close()

    def _read(self) -> None:
        assert self._process
        assert self._process.stdout
        fd = self._process.stdout.fileno()
        rest = b""
        while data := os.read(fd, _READ_BYTES):
            at = clock.now()
            data = rest + data
            whole = len(data) // 2 * 2
            rest = data[whole:]
            self._append(np.frombuffer(data[:whole], dtype="<i2"), at)

    def _append(self, piece: Samples, at: float) -> None:
        with self._lock:
            end = (self._arrivals[-1].end if self._arrivals else 0) + piece.size
            self._pieces.append(piece)
            self._arrivals.append(_Arrival(end, at))


def _magnitude(samples: Samples) -> Samples:
    # In 32 bits, as -32768 has no counterpart in 16.
    return np.abs(samples.astype(np.int32))
