"""Device blocks in, exact mic chunks out on a thread that may block.

The device's thread enters by ``feed`` alone, which never waits: it writes into a ring and rings a
bell. The uplink thread cuts chunks from the ring and calls ``input_callback``; while that blocks,
capture goes on into the ring, and what exceeds the backlog is dropped, oldest first, and counted.
"""

from __future__ import annotations

import logging
import threading
from contextlib import suppress

from audio.account import Account, CallbackFailed, Delivery, Dropped, MicChunk
from audio.clock import now
from audio.interface import InputCallback
from audio.pcm import SAMPLE_RATE, Samples, to_bytes
from audio.worker import Worker

log = logging.getLogger(__name__)


class _Bell:
    """Wakes one waiting thread; ringing never waits and never piles up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def ring(self) -> None:
        with suppress(RuntimeError):  # rung already, and nobody has come yet
            self._lock.release()

    def wait(self) -> None:
        self._lock.acquire()


class Capture:
    """Cuts what is captured into chunks of exactly ``chunk_frames`` for ``input_callback``.

    After ``stop`` no callback begins. A callback that raises is logged with its traceback and
    counted, and the next chunk is delivered all the same.
    """

    BACKLOG_S = 10.0
    """How much waits for a callback that blocks before the oldest of it is dropped."""

    def __init__(
        self,
        account: Account,
        input_callback: InputCallback,
        chunk_frames: int,
        *,
        backlog_s: float = BACKLOG_S,
    ) -> None:
        """Prepare; ``start`` starts the uplink thread. ``chunk_frames`` is in samples."""
        self._account = account
        self._callback = input_callback
        self._chunk_frames = chunk_frames
        self._backlog = max(int(backlog_s * SAMPLE_RATE), 2 * chunk_frames)
        self._bell = _Bell()
        self._next = 0
        # Guards the decision to begin a callback against the decision to stop.
        self._beginning = threading.Lock()
        self._stopped = False
        self._uplink = Worker("uplink", self._deliver)

    def start(self) -> None:
        """Start the uplink thread."""
        self._uplink.start()

    def feed(self, block: Samples, captured_at: float) -> None:
        """Take ``block``, whose first sample was captured at ``captured_at``. Never waits."""
        ring = self._account.input_ring
        start = ring.written
        self._account.input_clock.observe(start, captured_at)
        ring.write(block)
        self._account.counters.captured_samples += len(block)
        if ring.written // self._chunk_frames != start // self._chunk_frames:
            self._bell.ring()

    def stop(self) -> None:
        """From now on no callback begins. Returns at once; see ``join``."""
        with self._beginning:
            self._stopped = True
        self._uplink.stopping.set()
        self._bell.ring()

    def join(self, timeout_s: float) -> bool:
        """Wait for the uplink thread to end, unless this is it; say whether it has."""
        return self._uplink.join(timeout_s)

    def _deliver(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            self._bell.wait()
            while not stopping.is_set() and self._deliver_chunk():
                pass

    def _deliver_chunk(self) -> bool:
        """Deliver one chunk; False when there is none yet, or no callback may begin any more."""
        ring = self._account.input_ring
        self._drop_backlog(ring.written)
        start, stop = self._next, self._next + self._chunk_frames
        if ring.written < stop:
            return False
        first, samples = ring.read(start, stop)
        if first != start:
            # Lapped: only a thread kept from running for most of the ring's length gets here.
            self._skip(first - start)
            return True
        self._next = stop
        clock = self._account.input_clock
        captured_at = clock.time_at(start) or now()
        self._account.delivering = Delivery(start, stop, captured_at)
        if not self._may_begin():
            return False
        called_at = now()
        self._call(to_bytes(samples))
        completed_at = clock.time_at(stop) or called_at
        chunk = MicChunk(start, stop, captured_at, completed_at, called_at, now())
        self._account.counters.mic_chunks += 1
        self._account.journal.append(chunk)
        return True

    def _may_begin(self) -> bool:
        with self._beginning:
            return not self._stopped

    def _call(self, audio: bytes) -> None:
        try:
            self._callback(audio)
        except BaseException as error:  # whatever a callback raises, delivery goes on
            log.exception("input_callback raised")
            self._account.counters.callback_errors += 1
            self._account.journal.append(CallbackFailed(now(), f"{type(error).__name__}: {error}"))

    def _drop_backlog(self, written: int) -> None:
        excess = written - self._next - self._backlog
        if excess > 0:
            self._skip(excess)

    def _skip(self, samples: int) -> None:
        """Drop the oldest ``samples``, rounded up to whole chunks."""
        whole = -(-samples // self._chunk_frames) * self._chunk_frames
        self._next += whole
        self._account.counters.dropped_input_samples += whole
        self._account.journal.append(Dropped(now(), "input", whole))
