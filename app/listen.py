"""Listening to a recording: its tracks, through ``output()`` of an audio interface.

The thread named listen feeds; ``stop`` and reading may come from any thread and never wait.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path

from app.bundle import BundleError, open_bundle
from app.mixing import TrackReader
from audio.account import Account, DeviceFault
from audio.clock import now
from audio.duplex import DuplexInterface, Sink
from audio.errors import AudioError
from audio.file import FileSource
from audio.pcm import SAMPLE_RATE, to_bytes
from audio.worker import Worker

log = logging.getLogger(__name__)


class Listener:
    """Plays tracks once. Made by ``start`` or ``listen_to_bundle``; ``close`` it in the end.

    A bounded stretch is queued ahead, so that a recording of hours takes no more memory than one of
    seconds.
    """

    AHEAD_SAMPLES = SAMPLE_RATE
    CHUNK_SAMPLES = SAMPLE_RATE // 10
    LOOK_S = 0.03
    CLOSE_S = 2.0

    def __init__(self, reader: TrackReader, sink: Sink, from_s: float = 0.0) -> None:
        """Prepare to play what ``reader`` reads, from second ``from_s`` on; owns the reader."""
        self._reader = reader
        self._audio = DuplexInterface(FileSource(None), sink)
        reader.seek(round(from_s * SAMPLE_RATE))
        self._began_at_sample = reader.position
        self._fed = 0
        self._end_position: int | None = None
        self._cursor = 0
        self._stopped_at: float | None = None
        self._over = threading.Event()
        self._error: Exception | None = None
        self._worker = Worker("listen", self._run)

    def start(self) -> None:
        """Open the speaker, which may take its time, and begin to play.

        Raises:
            AudioError: the speaker cannot be opened; the files are closed again.

        """
        try:
            self._audio.start(lambda _audio: None)
        except BaseException:
            self._reader.close()
            raise
        self._worker.start()

    def stop(self) -> None:
        """Fall silent at once; returns at once."""
        self._stopped_at = self.position_s
        self._worker.stopping.set()
        self._audio.interrupt()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until it has come to its end; say whether it has."""
        return self._over.wait(timeout_s)

    def close(self) -> None:
        """Stop, and give the speaker back; waits a bounded time."""
        self.stop()
        self._worker.join(self.CLOSE_S)

    @property
    def over(self) -> bool:
        """Whether it has come to its end, was stopped, or failed."""
        return self._over.is_set()

    @property
    def error(self) -> Exception | None:
        """Why it failed; None where it did not."""
        return self._error

    @property
    def position_s(self) -> float:
        """The second of the recording that leaves the speaker now."""
        if self._stopped_at is not None:
            return self._stopped_at
        return (self._began_at_sample + self._played_samples()) / SAMPLE_RATE

    def _played_samples(self) -> float:
        """Return how many samples have left the speaker, by the device's own clock."""
        account: Account = self._audio.account
        taken = self._fed - account.queued_samples
        # past the end the device is given silence, which is not to be counted
        next_position = self._end_position or account.output_ring.written
        leaves_at = account.output_clock.time_at(next_position)
        waiting = 0.0 if leaves_at is None else (leaves_at - now()) * SAMPLE_RATE
        return min(max(taken - waiting, 0.0), self._fed)

    # -- the listen thread ---------------------------------------------------------------------

    def _run(self, stopping: threading.Event) -> None:
        try:
            while not stopping.is_set() and self._go_on():
                stopping.wait(self.LOOK_S)
        except Exception as error:
            # known before it is over: whoever waited for that asks for it next
            self._error = error
            raise
        finally:
            self._audio.stop()
            self._reader.close()
            if self._stopped_at is None:
                self._stopped_at = self._reader.position / SAMPLE_RATE
            self._over.set()

    def _go_on(self) -> bool:
        """Feed what there is room for; False once all has been played."""
        self._raise_faults()
        account = self._audio.account
        while account.queued_samples < self.AHEAD_SAMPLES:
            samples = self._reader.read_mixed(self.CHUNK_SAMPLES)
            if not len(samples):
                return not self._all_played(account)
            # counted first: the position never runs ahead of what was fed
            self._fed += len(samples)
            self._audio.output(to_bytes(samples))
            if self._worker.stopping.is_set():
                # the chunk may have come after the interrupt of stop()
                self._audio.interrupt()
                return False
        return True

    def _all_played(self, account: Account) -> bool:
        if account.queued_samples:
            return False
        if self._end_position is None:
            self._end_position = account.output_ring.written
        return self._played_samples() >= self._fed

    def _raise_faults(self) -> None:
        records, self._cursor, _ = self._audio.account.journal.read(self._cursor)
        for record in records:
            if isinstance(record, DeviceFault) and record.side == "output":
                raise AudioError(record.sentence)


def listen_to(tracks: Sequence[Path], sink: Sink, from_s: float = 0.0) -> Listener:
    """Begin to play these tracks together on ``sink``. Blocks while the speaker opens.

    Raises:
        AudioError: a track cannot be read, or the speaker not be opened.

    """
    listener = Listener(TrackReader(tracks), sink, from_s)
    listener.start()
    return listener


def listen_to_bundle(bundle: Path, sink: Sink, from_s: float = 0.0) -> Listener:
    """Begin to play a recording's user and agent tracks; raises as ``listen_to`` does.

    Raises:
        BundleError: it is no recording, or has neither track.

    """
    return listen_to(spoken_tracks(bundle), sink, from_s)


def spoken_tracks(bundle: Path) -> list[Path]:
    """Return the user and agent tracks that a recording has, in this order.

    Raises:
        BundleError: it is no recording, or has neither.

    """
    opened = open_bundle(bundle)
    tracks = [track for track in (opened.user, opened.agent) if track is not None]
    if not tracks:
        raise BundleError(f"The recording “{bundle.name}” has no audio.")
    return tracks
