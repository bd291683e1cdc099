"""A recording, or a stretch of it, as a zip that opens again. Blocks on the disk.

Only the recording's own files go in, and only where they are files: nothing is read through a link.
A hard link is a file like any other: whoever keeps copies of recordings by linking them (as backups
do) has nothing else, and it gives nobody a file that they could not read before. What is no event,
no notes and no session in a text does not go in, whatever its name, nor do keys and tokens.
WAV files are stored as they are: an hour of silence would unpack to a thousand times its size,
which careful readers refuse. Where the user's voice is left out, the user track is silence of the
same length.
"""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from app.export.audio import Cut
from app.export.progress import Progress
from audio.errors import FileUnreadable
from audio.pcm import SAMPLE_WIDTH
from audio.wavfile import StreamingWav, reason_of

_COPY_BYTES = 1 << 20
_TIME = (1980, 1, 1, 0, 0, 0)
"""The oldest a zip knows: the same recording gives the same zip."""


@dataclass(frozen=True, slots=True)
class Packing:
    """What goes into the folder ``name`` of the zip."""

    name: str
    texts: Mapping[str, Iterable[bytes]] = field(default_factory=dict)
    """New files by name, each in pieces."""
    copied: tuple[Path, ...] = ()
    """Files that go in as they are."""
    tracks: Mapping[str, Cut | int] = field(default_factory=dict)
    """WAV files to be made, by name; a number is so many samples of silence."""


def write_zip(file: BinaryIO, packing: Packing, scratch: Path, progress: Progress) -> None:
    """Write the zip; tracks are made in a hidden folder in ``scratch`` first.

    Raises:
        FileError: a file of the recording cannot be read, or a track not be made.
        OSError: the disk is full or gone.
        Cancelled: it is not wanted any more.

    """
    with zipfile.ZipFile(file, "w") as packed:
        for name, pieces in packing.texts.items():
            _add(packed, f"{packing.name}/{name}", pieces, None, progress)
        for path in packing.copied:
            _copy(packed, f"{packing.name}/{path.name}", path, progress)
        if packing.tracks:
            with TemporaryDirectory(prefix=".turnscope-", dir=scratch) as made:
                for name, cut in packing.tracks.items():
                    wav = Path(made) / name
                    _make_track(wav, cut)
                    _copy(packed, f"{packing.name}/{name}", wav, progress)
                    wav.unlink()


def is_own_file(path: Path) -> bool:
    """Whether ``path`` is a file itself, and no link to one."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _make_track(path: Path, cut: Cut | int) -> None:
    with StreamingWav(path) as wav:
        if isinstance(cut, int):
            wav.write_silence(cut)
        else:
            for block in cut.blocks():
                wav.write(block[:, 0])


def read_own(path: Path, most_bytes: int) -> bytes:
    """Return what is in the file ``path``; nothing where that is more than ``most_bytes``.

    Raises:
        FileUnreadable: it is a link or no file, or cannot be read.

    """
    with _open_own(path) as source:
        size = os.fstat(source.fileno()).st_size
        return b"".join(_pieces(source, path, size)) if size <= most_bytes else b""


def _copy(packed: zipfile.ZipFile, name: str, path: Path, progress: Progress) -> None:
    with _open_own(path) as source:
        size = os.fstat(source.fileno()).st_size
        # one that is still growing is taken as it was when it was opened
        _add(packed, name, _pieces(source, path, size), size, progress)


def _open_own(path: Path) -> BinaryIO:
    # without waiting for a writer, should it be a pipe by now, and never through a link
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(path, flags | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise FileUnreadable(path, f"“{path}” cannot be read: {reason_of(error)}.") from error
    source = open(descriptor, "rb")  # noqa: PTH123, SIM115 - by its descriptor; closed by the caller
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        source.close()
        raise FileUnreadable(path, f"“{path}” is not a file.")
    return source


def _pieces(source: BinaryIO, path: Path, size: int) -> Iterator[bytes]:
    rest = size
    while rest > 0:
        try:
            piece = source.read(min(rest, _COPY_BYTES))
        except OSError as error:
            raise FileUnreadable(path, f"“{path}” cannot be read: {reason_of(error)}.") from error
        if not piece:
            return
        rest -= len(piece)
        yield piece


def _add(
    packed: zipfile.ZipFile,
    name: str,
    pieces: Iterable[bytes],
    size: int | None,
    progress: Progress,
) -> None:
    info = zipfile.ZipInfo(name, _TIME)
    info.external_attr = 0o644 << 16
    is_audio = name.endswith(".wav")
    info.compress_type = zipfile.ZIP_STORED if is_audio else zipfile.ZIP_DEFLATED
    info.file_size = size or 0
    with packed.open(info, "w", force_zip64=size is None) as entry:
        for piece in pieces:
            entry.write(piece)
            progress.advance(len(piece) // SAMPLE_WIDTH)
