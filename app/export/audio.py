"""Tracks to audio files: WAV, FLAC, Ogg Opus, MP3. Blocks on the disk; one thread at a time.

All are 16 kHz. WAV and FLAC hold the very samples. Opus and MP3 are lossy and need a lead-in; both
note its length in the file (Opus as pre-skip, MP3 in LAME's tag), and what decodes them by the note
gives back as many samples as there were, each at its place.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol

import numpy as np
import soundfile
from numpy.typing import NDArray

from app.export.errors import ExportError
from app.export.progress import Progress
from audio.pcm import SAMPLE_RATE, SAMPLE_WIDTH, Samples

BLOCK = 10 * SAMPLE_RATE
_LARGEST_WAV = 0xFFFFFFFF - 4096
"""Bytes of samples; a longer WAV is written as RF64 (EBU Tech 3306)."""


class Reads(Protocol):
    """A track, as ``app.recordings.sources`` has it."""

    @property
    def duration_samples(self) -> int:
        """Its length."""

    def read(self, start: int, stop: int) -> Samples:
        """Return samples ``[start, stop)``, silence past the end."""


@dataclass(frozen=True, slots=True)
class Codec:
    """How libsndfile is to write; settings that differ by the number of channels are pairs."""

    format: str
    subtype: str
    ending: str
    settings: tuple[dict[str, Any], dict[str, Any]] = field(default=({}, {}))
    as_floats: bool = False
    cost: int = 1
    """How much longer a sample takes than in WAV, about."""


CODECS: dict[str, Codec] = {
    "wav": Codec("WAV", "PCM_16", "wav"),
    "flac": Codec("FLAC", "PCM_16", "flac", cost=9),
    # 24 kbit/s a channel: wide-band speech is transparent to most ears from 20 on
    "opus": Codec(
        "OGG",
        "OPUS",
        "opus",
        ({"compression_level": 0.85}, {"compression_level": 0.85}),
        as_floats=True,
        cost=400,
    ),
    # libsndfile 1.2.2 spoils stereo that is given to its MP3 encoder as 16-bit numbers: floats
    "mp3": Codec(
        "MP3",
        "MPEG_LAYER_III",
        "mp3",
        (
            {"bitrate_mode": "CONSTANT", "compression_level": 0.6},
            {"bitrate_mode": "CONSTANT", "compression_level": 0.4},
        ),
        as_floats=True,
        cost=270,
    ),
}


@dataclass(frozen=True, slots=True)
class Cut:
    """What of which tracks goes into a file: one track a channel, the ranges back to back."""

    tracks: tuple[Reads, ...]
    ranges: tuple[tuple[int, int], ...]
    comment: str = ""

    @property
    def samples(self) -> int:
        """How many samples a channel."""
        return sum(stop - start for start, stop in self.ranges)

    @property
    def pcm_bytes(self) -> int:
        """How many bytes its samples have, uncompressed."""
        return self.samples * len(self.tracks) * SAMPLE_WIDTH

    def blocks(self, size: int = BLOCK) -> Iterator[Samples]:
        """Yield its samples with the shape (samples, channels)."""
        for start, stop in self.ranges:
            for first in range(start, stop, size):
                last = min(first + size, stop)
                yield np.stack([track.read(first, last) for track in self.tracks], axis=1)


def write_audio(file: BinaryIO, kind: str, cut: Cut, progress: Progress) -> None:
    """Write ``cut`` as one of `CODECS` into ``file``, which must be new.

    Raises:
        ExportError: there are no samples, and the format cannot tell so.
        OSError: the disk is full or gone.
        Cancelled: it is not wanted any more.

    """
    codec = CODECS[kind]
    if not cut.samples and kind != "wav":
        raise ExportError(
            f"There is no audio in it, and {codec.ending.upper()} cannot hold none.",
            "Choose WAV, or a longer stretch.",
        )
    guarded = _Guarded(file)
    try:
        with soundfile.SoundFile(guarded, "w", **_how(codec, cut)) as encoder:
            if cut.comment:
                encoder.comment = cut.comment
            # what is slow to pack goes in smaller pieces, so that calling it off is heard soon
            for block in cut.blocks(SAMPLE_RATE if codec.as_floats else BLOCK):
                encoder.write(_levels(block) if codec.as_floats else block)
                guarded.check()
                progress.advance(len(block) * codec.cost)
    except (RuntimeError, AssertionError) as error:
        # what soundfile raises, without saying why: it asserts that all was taken
        guarded.check()
        raise ExportError(f"The audio cannot be written as {codec.ending}: {error}.") from error
    guarded.check()


def _how(codec: Codec, cut: Cut) -> dict[str, Any]:
    channels = len(cut.tracks)
    is_long = codec.format == "WAV" and cut.pcm_bytes > _LARGEST_WAV
    return {
        "samplerate": SAMPLE_RATE,
        "channels": channels,
        "format": "RF64" if is_long else codec.format,
        "subtype": codec.subtype,
        **codec.settings[min(channels, 2) - 1],
    }


def _levels(block: Samples) -> NDArray[np.float32]:
    levels: NDArray[np.float32] = block.astype(np.float32) / np.float32(32768)
    return levels


class _Guarded:
    """A file that libsndfile writes through C: an error cannot pass there, and is kept here."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._error: BaseException | None = None

    def check(self) -> None:
        """Raise what went wrong."""
        if self._error is not None:
            raise self._error

    def write(self, data: bytes) -> int:
        if self._error is not None:
            return 0
        try:
            return self._file.write(data)
        except BaseException as error:  # noqa: BLE001 - Ctrl+C, too, would be lost in C
            self._error = error
            return 0

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return self._file.seek(offset, whence)
        except BaseException as error:  # noqa: BLE001 - seeking writes what is buffered
            self._error = self._error or error
            return self._file.tell()

    def tell(self) -> int:
        return self._file.tell()

    def flush(self) -> None:
        """Leave it to whoever opened the file."""


_PROBES = {"flac": 40, "opus": 10, "mp3": 4}
"""In how many places it is tried what a codec makes of a session: by how much that varies."""


def packed_share(kind: str, tracks: Sequence[Reads]) -> float:
    """Return what codec ``kind`` makes of a byte of these tracks, by half seconds of them."""
    duration = max((track.duration_samples for track in tracks), default=0)
    if not duration:
        return 1.0
    length = min(SAMPLE_RATE // 2, duration)
    probes = _PROBES[kind]
    starts = [round((duration - length) * n / (probes - 1)) for n in range(probes)]
    cut = Cut(tuple(tracks), tuple((start, start + length) for start in starts))
    packed = io.BytesIO()
    write_audio(packed, kind, cut, Progress())
    return len(packed.getvalue()) / cut.pcm_bytes
