"""Peaks of a bundle's tracks on disk: a cache, in the bundle's folder ``peaks``.

A file goes by the size and the time of its track's: whatever is wrong with it, the track is read
again. Its layout, little-endian: magic, version, bin size, samples, size and time of the track's
file in bytes and ns, CRC-32 of what follows; then the lowest sample of each bin, and the highest.

No state; any thread that may wait for the disk.
"""

from __future__ import annotations

import logging
import os
import struct
import tempfile
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from app.bundles.inside import is_inside
from audio.errors import AudioError
from audio.pcm import Samples
from audio.pcmwav import PcmWav
from audio.peaks import BASE_SAMPLES, Envelope, PeakPyramid

log = logging.getLogger(__name__)

FOLDER = "peaks"
VERSION = 1
_MAGIC = b"TSPK"
_HEADER = struct.Struct("<4sHHqqqI")


class FileMark(NamedTuple):
    """What tells one state of a file from another."""

    size_bytes: int
    changed_ns: int


class KeptPeaks(NamedTuple):
    """Level 0 of a track's peaks."""

    bins: Envelope
    samples: int


def file_mark(path: Path) -> FileMark | None:
    """Return the state that a file is in; None where it cannot be told."""
    try:
        status = path.stat()
    except OSError:
        return None
    return FileMark(status.st_size, status.st_mtime_ns)


def save_peaks(bundle: Path, name: str, pyramid: PeakPyramid) -> None:
    """Keep the peaks of track ``name`` ("user", "agent", "received"), whose file is complete.

    Where the file is longer, silence follows. Does nothing where they cannot be kept, or the file
    is shorter; to be called only if the file lacks nothing of the track.
    """
    wav = bundle / f"{name}.wav"
    mark = file_mark(wav)
    try:
        file = PcmWav(wav)
    except AudioError:
        return
    file.close()
    bins, samples = pyramid.bins()
    if mark is not None and file.layout.frames >= samples:
        bins = _padded(bins, samples, file.layout.frames)
        _keep(bundle, name, KeptPeaks(bins, file.layout.frames), mark)


def keep_peaks(bundle: Path, name: str, pyramid: PeakPyramid, mark: FileMark) -> None:
    """Keep the peaks of track ``name``, read from its file when that was in the state ``mark``."""
    _keep(bundle, name, KeptPeaks(*pyramid.bins()), mark)


def load_peaks(bundle: Path, name: str) -> KeptPeaks | None:
    """Return the peaks of track ``name``; None where they are not kept, or are of another file."""
    path = bundle / FOLDER / f"{name}.peaks"
    mark = file_mark(bundle / f"{name}.wav")
    try:
        if mark is None or not path.is_file() or not is_inside(bundle, path):
            return None
        if path.stat().st_size > _HEADER.size + mark.size_bytes:
            return None
        return _unpack(path.read_bytes(), mark)
    except OSError:
        return None


def _unpack(content: bytes, mark: FileMark) -> KeptPeaks | None:
    if len(content) < _HEADER.size:
        return None
    magic, version, base, samples, size, changed, crc = _HEADER.unpack_from(content)
    bins = -(-samples // BASE_SAMPLES)
    fits = (
        (magic, version, base) == (_MAGIC, VERSION, BASE_SAMPLES)
        and (size, changed) == mark
        and len(content) == _HEADER.size + 4 * bins
        and zlib.crc32(memoryview(content)[_HEADER.size :]) == crc
    )
    if not fits:
        return None
    both = np.frombuffer(content, "<i2", offset=_HEADER.size).astype(np.int16, copy=False)
    return KeptPeaks(Envelope(both[:bins], both[bins:]), samples)


def _keep(bundle: Path, name: str, peaks: KeptPeaks, mark: FileMark) -> None:
    payload = b"".join(half.astype("<i2", copy=False).tobytes() for half in peaks.bins)
    header = _HEADER.pack(_MAGIC, VERSION, BASE_SAMPLES, peaks.samples, *mark, zlib.crc32(payload))
    keep_file(bundle, f"{name}.peaks", header + payload)


def keep_file(bundle: Path, name: str, content: bytes) -> None:
    """Put a file into the bundle's cache, whole or not at all; never outside the bundle."""
    folder = bundle / FOLDER
    draft: Path | None = None
    try:
        folder.mkdir(exist_ok=True)
        if not is_inside(bundle, folder):
            return
        handle, draft_name = tempfile.mkstemp(prefix=".", suffix=".draft", dir=folder)
        draft = Path(draft_name)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        draft.replace(folder / name)
    except OSError as error:
        log.info("%s is not kept in %s: %s", name, folder, error)
        if draft is not None:
            draft.unlink(missing_ok=True)


def _padded(bins: Envelope, samples: int, whole: int) -> Envelope:
    """Return the bins of a track that goes on in silence until ``whole``."""
    if whole == samples:
        return bins
    low, high = (_with_zeros(half, -(-whole // BASE_SAMPLES)) for half in bins)
    if samples % BASE_SAMPLES:
        last = samples // BASE_SAMPLES
        low[last], high[last] = min(low[last], 0), max(high[last], 0)
    return Envelope(low, high)


def _with_zeros(half: Samples, count: int) -> Samples:
    return np.concatenate((half, np.zeros(count - len(half), np.int16)))
