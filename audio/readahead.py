"""Reading an audio file of any format ahead of the one who speaks it.

``ReadAhead.take`` is entered by the thread that keeps time and never waits; a ``file-reader``
thread reads and converts, and may wait for the disk. Between them stands a ring, written by the
one and read by the other.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import soundfile

from audio.duplex import OnFault
from audio.errors import FileMissing, FileUnreadable
from audio.pcm import SAMPLE_RATE, ContractStream, Samples
from audio.ring import SampleRing
from audio.wavfile import reason_of
from audio.worker import Worker

log = logging.getLogger(__name__)


class AudioFrames(Protocol):
    """Audio that is read from beginning to end: what is used of ``soundfile.SoundFile``."""

    samplerate: int
    channels: int

    def read(self, frames: int, *, dtype: str, always_2d: bool) -> np.ndarray:
        """Return the next frames as floats, shape (frames, channels): fewer at the end.

        Raises OSError or RuntimeError where they cannot be read.
        """

    def close(self) -> None:
        """Let go of the file."""


OpenFrames = Callable[[Path], AudioFrames]


class _ForwardOnly(soundfile.SoundFile):  # type: ignore[misc]  # the base has no types
    """A file read from beginning to end, which soundfile must not seek in.

    After each read it would seek to where it is already. libsndfile then restarts its MP3 decoder,
    and the first frames after each restart are noise.
    """

    def seekable(self) -> bool:
        return False


def open_audio(path: Path) -> AudioFrames:
    """Open an audio file.

    Raises:
        FileMissing: there is no such file.
        FileUnreadable: it is not audio, or may not be read.

    """
    try:
        if not path.exists():
            raise FileMissing(path, f"There is no file “{path}”.")
        if not path.is_file():
            raise FileUnreadable(path, f"“{path}” cannot be read: it is a folder or a device.")
        # libsndfile only says "System error" where the system says why
        path.open("rb").close()
        file: AudioFrames = _ForwardOnly(str(path))
    except OSError as error:
        raise FileUnreadable(path, f"“{path}” cannot be read: {reason_of(error)}.") from error
    except (RuntimeError, TypeError) as error:
        # TypeError: a .raw file, which does not say what it holds
        raise FileUnreadable(path, f"“{path}” is not an audio file that can be read.") from error
    return file


class ReadAhead:
    """A file as contract samples, read some seconds before they are wanted."""

    AHEAD_SAMPLES = 2 * SAMPLE_RATE
    LOOK_S = 0.25
    JOIN_S = 5.0

    def __init__(self, path: Path, on_fault: OnFault, open_file: OpenFrames) -> None:
        """Open the file and read the first seconds, on the caller's thread."""
        self._path = path
        self._on_fault = on_fault
        self._file = open_file(path)
        self._stream = ContractStream(self._file.samplerate, self._file.channels)
        self._ring = SampleRing(4 * self.AHEAD_SAMPLES)
        self._taken = 0
        # set after the last sample is in the ring, so whoever sees it finds that sample there
        self._read_all = False
        self._fill()
        self._reader = Worker("file-reader", self._read, self._give_up)
        self._reader.start()

    @property
    def ended(self) -> bool:
        """Whether all there is has been taken."""
        return self._read_all and self._taken == self._ring.written

    def take(self, count: int) -> Samples:
        """Return the next ``count`` samples: fewer at the end, or where the disk is late."""
        _first, samples = self._ring.read(self._taken, self._taken + count)
        self._taken += len(samples)
        return samples

    def close(self) -> None:
        """Stop reading; the reader closes the file, when the disk lets it."""
        self._reader.stop(self.JOIN_S)

    def _read(self, stopping: threading.Event) -> None:
        try:
            while not self._read_all and not stopping.wait(self.LOOK_S):
                self._fill()
        finally:
            self._file.close()

    def _give_up(self, _error: Exception) -> None:
        self._on_fault(f"“{self._path}” cannot be read any further; silence follows.")
        self._read_all = True

    def _fill(self) -> None:
        frames = max(self._file.samplerate // 4, 1)
        while not self._read_all and self._ring.written - self._taken < self.AHEAD_SAMPLES:
            try:
                block = self._file.read(frames, dtype="float32", always_2d=True)
            except (OSError, RuntimeError):
                log.exception("Reading %s failed", self._path)
                self._on_fault(f"“{self._path}” cannot be read any further; silence follows.")
                block = np.zeros((0, self._file.channels), dtype=np.float32)
            self._ring.write(self._stream.convert(block))
            if len(block) < frames:
                self._ring.write(self._stream.flush())
                self._read_all = True
