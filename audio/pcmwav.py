"""Reading 16-bit PCM WAV files straight from the disk, whoever wrote them, cut short or not.

``find_samples`` has no state; a ``PcmWav`` belongs to one thread at a time.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from audio.errors import FileMissing, FileUnreadable
from audio.pcm import SAMPLE_WIDTH
from audio.wavfile import reason_of

_PCM, _EXTENSIBLE = 1, 0xFFFE
_PCM_GUID = bytes.fromhex("0100000000001000800000aa00389b71")
_UNKNOWN_SIZES = {0, 0xFFFFFFFF}
_MOST_CHUNKS = 1000


@dataclass(frozen=True, slots=True)
class PcmLayout:
    """Where the samples of a WAV file are, and what they are."""

    offset: int
    """Bytes before the first sample."""
    frames: int
    """How many there are, one sample of each channel."""
    rate: int
    channels: int
    told_frames: int | None
    """How many the header tells of, where that is not what is there; else None."""


def find_samples(file: BinaryIO) -> PcmLayout | None:
    """Return where the samples are in a WAV file of 16-bit PCM; None for any other file.

    A header whose sizes are wrong, for the file was cut short or never finished, is put right.
    """
    length = file.seek(0, 2)
    file.seek(0)
    head = file.read(12)
    if len(head) < 12 or head[:4] not in {b"RIFF", b"RF64"} or head[8:] != b"WAVE":
        return None
    form: tuple[int, int] | None = None
    long_bytes: int | None = None
    at = 12
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        chunk = file.read(8)
        if len(chunk) < 8:
            return None
        name, size = struct.unpack("<4sI", chunk)
        at += 8
        if name == b"ds64":
            long_bytes = _long_bytes(file.read(16))
        elif name == b"fmt ":
            form = _format(file.read(min(size, 40)))
            if form is None:
                return None
        elif name == b"data":
            if form is None:
                return None
            told = long_bytes if size == 0xFFFFFFFF and long_bytes is not None else size
            return _layout(file, at, told, length, form)
        at += size + size % 2
    return None


def _long_bytes(ds64: bytes) -> int | None:
    return int(struct.unpack_from("<Q", ds64, 8)[0]) if len(ds64) == 16 else None


def _format(fmt: bytes) -> tuple[int, int] | None:
    """Return rate and channels where it is 16-bit PCM."""
    if len(fmt) < 16:
        return None
    tag, channels, rate, _bytes_a_second, frame_bytes, bits = struct.unpack_from("<HHIIHH", fmt)
    if tag == _EXTENSIBLE and fmt[24:40] == _PCM_GUID:
        tag = _PCM
    if tag != _PCM or bits != 16 or not channels or frame_bytes != channels * SAMPLE_WIDTH:
        return None
    return rate, channels


def _layout(
    file: BinaryIO, offset: int, told: int, length: int, form: tuple[int, int]
) -> PcmLayout:
    rate, channels = form
    there = length - offset
    held = told
    if told > there or (told in _UNKNOWN_SIZES and not _is_chunk(file, offset, there)):
        held = there
    frame_bytes = channels * SAMPLE_WIDTH
    frames = max(held, 0) // frame_bytes
    told_frames = told // frame_bytes
    return PcmLayout(offset, frames, rate, channels, told_frames if told_frames != frames else None)


def _is_chunk(file: BinaryIO, offset: int, there: int) -> bool:
    """Whether what follows an empty data chunk is another chunk, and no samples."""
    file.seek(offset)
    head = file.read(8)
    if len(head) < 8:
        return True
    name, size = struct.unpack("<4sI", head)
    is_name = all(0x20 <= byte < 0x7F for byte in name)
    return is_name and int(size) + 8 <= there


class PcmWav:
    """An open WAV file of 16-bit PCM."""

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            FileMissing: there is no such file.
            FileUnreadable: it may not be read, or is not 16-bit PCM in a WAV file.

        """
        self.path = path
        self._file = _open(path)
        try:
            layout = find_samples(self._file)
        except OSError as error:
            self._file.close()
            raise _unreadable(path, error) from error
        if layout is None:
            self._file.close()
            raise FileUnreadable(path, f"“{path}” is not a WAV file of 16-bit PCM.")
        self.layout = layout

    def read_frames(self, start: int, stop: int) -> NDArray[np.int16]:
        """Return frames ``[start, stop)``, shape (frames, channels); fewer at the end.

        Raises:
            FileUnreadable: the disk is gone.

        """
        layout = self.layout
        count = max(min(stop, layout.frames) - start, 0)
        frames = np.empty((count, layout.channels), dtype="<i2")
        return self.read_into(frames, start).astype(np.int16, copy=False)

    def read_into(self, frames: NDArray[np.int16], start: int) -> NDArray[np.int16]:
        """Fill ``frames`` from frame ``start`` on, and return the part that was filled.

        ``frames`` is contiguous, little-endian, of shape (frames, channels).
        """
        frame_bytes = self.layout.channels * SAMPLE_WIDTH
        count = max(min(len(frames), self.layout.frames - start), 0)
        if not count:
            return frames[:0]
        room = frames[:count].reshape(-1).view(np.uint8).data
        try:
            self._file.seek(self.layout.offset + start * frame_bytes)
            filled = 0
            while filled < len(room):
                got = self._file.readinto(room[filled:])
                if not got:
                    break
                filled += got
        except OSError as error:
            raise _unreadable(self.path, error) from error
        return frames[: filled // frame_bytes]

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


class WavTrack:
    """One channel of a 16 kHz WAV file, as samples."""

    def __init__(self, path: Path, channel: int = 0) -> None:
        """Open the file; raises as `PcmWav` does."""
        self._wav = PcmWav(path)
        self._channel = channel

    def read(self, start: int, stop: int) -> NDArray[np.int16]:
        """Return samples ``[start, stop)``, fewer at the end."""
        return np.ascontiguousarray(self._wav.read_frames(start, stop)[:, self._channel])

    def close(self) -> None:
        """Let go of the file."""
        self._wav.close()


def _open(path: Path) -> io.FileIO:
    try:
        if path.exists() and not path.is_file():
            raise FileUnreadable(path, f"“{path}” cannot be read: it is a folder or a device.")
        return path.open("rb", buffering=0)
    except FileNotFoundError as error:
        raise FileMissing(path, f"There is no file “{path}”.") from error
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> FileUnreadable:
    return FileUnreadable(path, f"“{path}” cannot be read: {reason_of(error)}.")
