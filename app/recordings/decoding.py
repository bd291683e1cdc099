"""Any part of one channel of any audio file, at 16 kHz. One thread at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from app.recordings.audio_form import AudioForm
from audio.errors import FileUnreadable
from audio.pcm import SAMPLE_RATE, ContractStream, Samples
from audio.readahead import open_audio

WARM_UP_S = 0.5
"""Decoded and thrown away after a jump: decoders and the resampler need some to settle."""


class DecodedLane:
    """One channel, decoded and resampled from wherever it is wanted.

    Reading on is cheap, and a jump costs what ``WARM_UP_S`` costs. However it is cut up, a sample
    is the same within rounding.
    """

    def __init__(self, form: AudioForm, channel: int) -> None:
        """Open the file; raises ``FileUnreadable``."""
        self._form = form
        self._channel = channel
        self._file = open_audio(form.path)
        self._stream = ContractStream(form.rate, 1)
        self._made = np.zeros(0, np.int16)
        self._next = 0
        """Where the first of ``_made`` stands."""
        self._ended = False

    def read(self, start: int, stop: int) -> Samples:
        """Return samples ``[start, stop)``, fewer at the end; raises ``FileUnreadable``."""
        reach = self._next + len(self._made) + round(WARM_UP_S * SAMPLE_RATE)
        if not self._next <= start <= reach:
            self._jump(start)
        self._drop(start)
        parts, count = [self._made], len(self._made)
        while not self._ended and self._next + count < stop:
            parts.append(self._decode())
            count += len(parts[-1])
        self._made = np.concatenate(parts) if len(parts) > 1 else self._made
        self._drop(start)
        samples = self._made[: max(stop - self._next, 0)]
        self._drop(stop)
        return samples

    def _drop(self, until: int) -> None:
        """Let go of what lies before sample ``until``."""
        count = min(max(until - self._next, 0), len(self._made))
        self._made = self._made[count:]
        self._next += count

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _jump(self, start: int) -> None:
        """Go on at a frame that stands exactly on a sample, some time before ``start``."""
        rate = self._form.rate
        step = SAMPLE_RATE // np.gcd(rate, SAMPLE_RATE)
        first = max(start - round(WARM_UP_S * SAMPLE_RATE), 0) // step * step
        try:
            self._file.seek(int(first) * rate // SAMPLE_RATE)  # type: ignore[attr-defined]
        except (OSError, RuntimeError) as error:
            raise _unreadable(self._form.path) from error
        self._stream = ContractStream(rate, 1)
        self._made = np.zeros(0, np.int16)
        self._next = int(first)
        self._ended = False

    def _decode(self) -> Samples:
        """Return the next piece, or what is left."""
        count = self._form.block_frames
        try:
            frames = self._file.read(count, dtype="float32", always_2d=True)
        except (OSError, RuntimeError) as error:
            raise _unreadable(self._form.path) from error
        made = self._stream.convert(np.ascontiguousarray(frames[:, self._channel]))
        if len(frames) == count:
            return made
        self._ended = True
        return np.concatenate((made, self._stream.flush()))


def _unreadable(path: Path) -> FileUnreadable:
    return FileUnreadable(path, f"“{path}” cannot be read any further.")
