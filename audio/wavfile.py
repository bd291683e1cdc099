"""WAV files of contract audio that are valid while they are written, and their repair.

Each flush writes the header again, always after the samples it speaks of: whatever ends the
process, the file on disk describes itself up to the last flush, and ``recover`` finds what was
written after it. The header has room for the 64-bit sizes of RF64 (EBU Tech 3306), in a ``JUNK``
chunk that readers skip; past 4 GiB (37 hours) the file turns into RF64 and goes on.

A ``StreamingWav`` belongs to one thread at a time; its counts may be read by any, and any may call
``sync``. ``recover`` has no state.
"""

from __future__ import annotations

import errno
import io
import os
import struct
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from audio.closing import Closing
from audio.errors import FileMissing, FileUnreadable, FileUnwritable
from audio.sample_format import SAMPLE_RATE, SAMPLE_WIDTH

if TYPE_CHECKING:
    from audio.pcm import Samples

HEADER_BYTES = 80
"""RIFF (12), JUNK or ds64 (36), fmt (24) and the data chunk's own header (8)."""

_UINT32_MAX = 0xFFFFFFFF
_DS64_BYTES = 28
_FORMAT = struct.pack(
    "<HHIIHH", 1, 1, SAMPLE_RATE, SAMPLE_RATE * SAMPLE_WIDTH, SAMPLE_WIDTH, 8 * SAMPLE_WIDTH
)


def _header(samples: int) -> bytes:
    data_bytes = samples * SAMPLE_WIDTH
    riff_bytes = HEADER_BYTES - 8 + data_bytes
    if riff_bytes <= _UINT32_MAX:
        outer = struct.pack("<4sI4s", b"RIFF", riff_bytes, b"WAVE")
        sizes = struct.pack("<4sI28x", b"JUNK", _DS64_BYTES)
        data_field = data_bytes
    else:
        outer = struct.pack("<4sI4s", b"RF64", _UINT32_MAX, b"WAVE")
        sizes = struct.pack("<4sIQQQI", b"ds64", _DS64_BYTES, riff_bytes, data_bytes, samples, 0)
        data_field = _UINT32_MAX
    data = struct.pack("<4sI", b"data", data_field)
    return outer + sizes + struct.pack("<4sI", b"fmt ", len(_FORMAT)) + _FORMAT + data


class StreamingWav(Closing):
    """Appends contract samples to a new WAV file, replacing any that was there.

    The header on disk always describes the first ``flushed_samples`` samples, and they are there. A
    write that fails takes nothing back and adds nothing: it may be made again when there is room.
    """

    COPY_BYTES = 4 * 1024 * 1024

    def __init__(self, path: Path | str, *, resume: bool = False, most: int | None = None) -> None:
        """Create the file, as a valid WAV without samples; or ``resume`` one that is there.

        What is behind the first ``most`` samples, and not spoken of by the header, is of a write
        that the disk took in part: it is cut off.

        Raises:
            FileMissing: there is none to be resumed.
            FileUnreadable: what is there is no WAV file of contract audio with our header.
            FileUnwritable: the file cannot be created or written.

        """
        self.path = Path(path)
        if resume and most is not None:
            _cut_to(self.path, most)
        samples = _recover_ours(self.path) if resume else 0
        self.samples_written = samples
        self.flushed_samples = samples
        self._synced_samples = 0
        try:
            # unbuffered: what write() has taken is out of this process, and survives its death
            self._file = self.path.open("r+b" if resume else "w+b", buffering=0)
        except OSError as error:
            raise unwritable(self.path, error) from error
        except ValueError as error:  # a NUL in it, or half a surrogate pair
            why = f"“{self.path}” cannot be written: no file can be called that."
            raise FileUnwritable(self.path, why) from error
        try:
            self._put(0, _header(samples))
        except FileUnwritable:
            self._file.close()
            raise

    def is_in_place(self) -> bool:
        """Whether the file that is written is still the one that its path names."""
        return is_in_place(self._file, self.path)

    def write(self, samples: Samples) -> None:
        """Append ``samples``, all of them or none.

        Raises:
            FileUnwritable: the disk is full or gone; what was written before is unharmed.

        """
        from audio.pcm import to_bytes  # numpy comes with it, which readers of headers do without

        self._put(HEADER_BYTES + self.samples_written * SAMPLE_WIDTH, to_bytes(samples))
        self.samples_written += len(samples)

    def write_silence(self, count: int) -> None:
        """Append ``count`` zero samples as a hole, which most file systems store in no room.

        Raises:
            FileUnwritable: as for ``write``.

        """
        start = HEADER_BYTES + self.samples_written * SAMPLE_WIDTH
        try:
            # first cut off what a failed write may have left there
            self._file.truncate(start)
            self._file.truncate(start + count * SAMPLE_WIDTH)
        except OSError as error:
            raise unwritable(self.path, error) from error
        self.samples_written += count

    def flush(self, to_disk: bool = False) -> None:
        """Bring the header up to date; ``to_disk`` also waits until the medium has it all.

        Raises:
            FileUnwritable: the header could not be written; the last one still holds.

        """
        samples = self.samples_written
        if samples != self.flushed_samples:
            self._put(0, _header(samples))
            self.flushed_samples = samples
        if to_disk:
            self.sync()

    def sync(self) -> None:
        """Wait until the medium has all that was flushed; does nothing where it has. Any thread.

        Raises:
            FileUnwritable: the medium refuses.

        """
        samples = self.flushed_samples
        if samples == self._synced_samples or self._file.closed:
            return
        try:
            sync_file(self._file)
        except OSError as error:
            raise unwritable(self.path, error) from error
        self._synced_samples = samples

    def append_from(self, other: StreamingWav) -> None:
        """Append those samples of ``other`` that this file lacks, as far as they can be read.

        ``other`` may have lost its place: a file that was deleted can be read while it is open.

        Raises:
            FileUnwritable: as for ``write``.

        """
        with suppress(OSError, ValueError):
            while self.samples_written < other.samples_written:
                data = other.read_back(self.samples_written, self.COPY_BYTES)
                if not data:
                    return
                self._put(HEADER_BYTES + self.samples_written * SAMPLE_WIDTH, data)
                self.samples_written += len(data) // SAMPLE_WIDTH

    def read_back(self, start: int, limit_bytes: int) -> bytes:
        """Return whole samples from ``start`` on as bytes, at most ``limit_bytes`` of them.

        Raises:
            OSError: the medium does not give them back.

        """
        rest = (self.samples_written - start) * SAMPLE_WIDTH
        self._file.seek(HEADER_BYTES + start * SAMPLE_WIDTH)
        data = self._file.read(min(rest, limit_bytes)) or b""
        return data[: len(data) // SAMPLE_WIDTH * SAMPLE_WIDTH]

    def close(self) -> None:
        """Flush and close; the second time does nothing.

        Raises:
            FileUnwritable: the last flush failed; the file is closed all the same.

        """
        if self._file.closed:
            return
        try:
            self.flush()
        finally:
            self._file.close()

    def _put(self, offset: int, data: bytes) -> None:
        rest = memoryview(data)
        try:
            self._file.seek(offset)
            while rest:
                rest = rest[self._file.write(rest) or 0 :]
        except OSError as error:
            raise unwritable(self.path, error) from error


def is_in_place(file: io.FileIO, path: Path) -> bool:
    """Whether the open ``file`` is still what ``path`` names; true where that cannot be told."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:  # no permission to look, say: writing will tell
        return True


def sync_file(file: io.FileIO) -> None:
    """Wait until the medium has what was written to ``file``. Raises ``OSError``."""
    # without the time of the last change, where the system can do without
    getattr(os, "fdatasync", os.fsync)(file.fileno())


class _Layout(NamedTuple):
    """Where the samples begin, how many the header speaks of, and whether the sizes are right."""

    data_offset: int
    samples: int
    is_whole: bool


def recover(path: Path | str) -> int:
    """Make a WAV file cut short describe all that it holds, and return its number of samples.

    A file that is whole is left as it is; half a sample at the end is cut off.

    Raises:
        FileMissing: there is no such file.
        FileUnreadable: it is no WAV file of contract audio.
        FileUnwritable: it needs repair and may not be written.

    """
    path = Path(path)
    head, length = _read_head(path)
    layout = _find_layout(path, head, length)
    if layout.is_whole:
        return layout.samples
    samples = max(length - layout.data_offset, 0) // SAMPLE_WIDTH
    try:
        _repair(path, layout.data_offset, samples)
    except OSError as error:
        raise unwritable(path, error) from error
    return samples


def _cut_to(path: Path, samples: int) -> None:
    """Cut off what is behind ``samples``, where the header speaks of no more than those."""
    head, length = _read_head(path)
    layout = _find_layout(path, head, length)
    stop = HEADER_BYTES + samples * SAMPLE_WIDTH
    is_ours = layout.data_offset == HEADER_BYTES and not layout.is_whole
    if is_ours and layout.samples <= samples and length > stop:
        try:
            os.truncate(path, stop)
        except OSError as error:
            raise unwritable(path, error) from error


def _recover_ours(path: Path) -> int:
    samples = recover(path)
    if _find_layout(path, *_read_head(path)).data_offset != HEADER_BYTES:
        raise FileUnreadable(path, f"“{path}” was not written by a recorder.")
    return samples


def _read_head(path: Path) -> tuple[bytes, int]:
    """Return the beginning of the file and its whole length in bytes."""
    try:
        with path.open("rb") as file:
            return file.read(64 * 1024), file.seek(0, io.SEEK_END)
    except FileNotFoundError as error:
        raise FileMissing(path, f"There is no file “{path}”.") from error
    except OSError as error:
        raise FileUnreadable(path, f"“{path}” cannot be read: {reason_of(error)}.") from error


def _find_layout(path: Path, head: bytes, length: int) -> _Layout:
    """Follow the chunks to the samples."""
    if len(head) < HEADER_BYTES and _begins_our_header(head):
        return _Layout(HEADER_BYTES, 0, is_whole=False)
    if head[:4] not in {b"RIFF", b"RF64"} or head[8:12] != b"WAVE":
        raise FileUnreadable(path, f"“{path}” is not a WAV file.")
    offset, format_found = 12, False
    while offset + 8 <= len(head):
        name, size = struct.unpack_from("<4sI", head, offset)
        offset += 8
        if name == b"data" and format_found:
            return _layout_of(head, offset, size, length)
        format_found |= name == b"fmt " and head[offset : offset + len(_FORMAT)] == _FORMAT
        offset += size + size % 2
    raise FileUnreadable(path, f"“{path}” is not 16-bit mono PCM at {SAMPLE_RATE} Hz.")


def _begins_our_header(head: bytes) -> bool:
    """Whether ``head`` is a header of ours cut off, whatever sizes it holds."""
    ours = _header(0)
    return ours[:4].startswith(head[:4]) and ours[8:-4].startswith(head[8 : HEADER_BYTES - 4])


def _layout_of(head: bytes, data_offset: int, data_bytes: int, length: int) -> _Layout:
    riff_bytes = int.from_bytes(head[4:8], "little")
    if head[:4] == b"RF64" and head[12:16] == b"ds64":
        riff_bytes, data_bytes = struct.unpack_from("<QQ", head, 20)
    is_whole = riff_bytes + 8 == length and data_offset + data_bytes <= length
    return _Layout(data_offset, data_bytes // SAMPLE_WIDTH, is_whole)


def _repair(path: Path, data_offset: int, samples: int) -> None:
    """Write the sizes that the file has; another program's header keeps its shape."""
    data_bytes = samples * SAMPLE_WIDTH
    with path.open("r+b") as file:
        file.truncate(data_offset + data_bytes)
        if data_offset == HEADER_BYTES:
            file.write(_header(samples))
            return
        for offset, size in ((4, data_offset - 8 + data_bytes), (data_offset - 4, data_bytes)):
            file.seek(offset)
            file.write(struct.pack("<I", min(size, _UINT32_MAX)))


_REASONS = {
    errno.EACCES: "there is no permission",
    errno.EPERM: "there is no permission",
    errno.ENOENT: "its folder does not exist",
    errno.ENOTDIR: "its folder does not exist",
    errno.EISDIR: "it is a folder",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the disk is read-only",
    errno.EFBIG: "the file system takes no larger file",
}


def reason_of(error: OSError) -> str:
    """Return why the system refused, in words that fit after a colon."""
    if error.errno in _REASONS:
        return _REASONS[error.errno]
    return (error.strerror or str(error) or type(error).__name__).lower()


def unwritable(path: Path, error: OSError) -> FileUnwritable:
    """Return the error for a file that the system would not create or write."""
    return FileUnwritable(path, f"“{path}” cannot be written: {reason_of(error)}.")
