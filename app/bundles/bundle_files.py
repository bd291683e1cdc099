"""How a bundle's files are written so that they can always be read: whole lines, whole files.

Used by the recorder thread, and by whatever else changes a bundle.
"""

from __future__ import annotations

import errno
import io
import json
import math
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from app.secrets import scrub
from app.timeline.events import Event, Timeline
from audio.wavfile import is_in_place, sync_file


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Replace ``path`` by ``data`` as JSON: whoever reads it sees the old file or the new one.

    So it is after a power cut as well: both the file and its place in the folder are on the medium
    when this returns, where the system can tell. Two programs that do it at once do not meet: one
    of both files is there in the end.

    Raises:
        OSError: it could not be written; the old file, if there was one, is unharmed.

    """
    text = json.dumps(data, indent=2, ensure_ascii=False, default=str)
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        # a link or a pipe may have been planted under that name: neither is followed, or waited for
        draft.unlink(missing_ok=True)
        with draft.open("xb") as file:
            file.write(_encode(text) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def is_draft(name: str, of: str) -> bool:
    """Whether a file called ``name`` is what a program left that was killed as it wrote ``of``."""
    return name.startswith(f".{of}.") and name.endswith("draft")


def sync_folder(folder: Path) -> None:
    """Wait until the medium knows what files ``folder`` has, where the system can tell."""
    with suppress(OSError):  # Windows opens no folders, and some file systems sync none
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


SMALL_FILE_BYTES = 16 * 1024 * 1024


def read_small_file(path: Path, most_bytes: int | None = None) -> bytes:
    """Return what is in the file ``path``, which somebody else may have put there.

    Raises:
        OSError: it cannot be read, is larger than ``most_bytes``, by default ``SMALL_FILE_BYTES``,
            or is a pipe or a device, which might never end.

    """
    if path.exists() and not path.is_file() and not path.is_dir():
        raise OSError(errno.EINVAL, "it is a pipe or a device", str(path))
    with path.open("rb") as file:
        most = SMALL_FILE_BYTES if most_bytes is None else most_bytes
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.E2BIG, "it is too large", str(path))
    return content


class EventLog:
    """``events.jsonl``: one event a line, scrubbed of secrets, in whole lines.

    A batch that cannot be written is taken back and written again next time: its events wait on
    the timeline. ``lost_events`` counts those that did not wait long enough. One thread; any may
    call ``sync``.
    """

    BATCH = 500

    def __init__(self, path: Path, on_written: Callable[[list[Event]], None] | None = None) -> None:
        """Create the file; ``on_written`` is told of each batch once. Raises ``OSError``."""
        self.path = path
        self.lost_events = 0
        self._on_written = on_written
        self._told = 0
        self._cursor = 0
        self._lines = 0
        self._length = 0
        self._synced_length = 0
        self._tried = b""
        # unbuffered: what write() has taken survives the end of this process
        self._file = path.open("w+b", buffering=0)

    def is_in_place(self) -> bool:
        """Whether the file that is written is still the one that its path names."""
        return is_in_place(self._file, self.path)

    def write(self, timeline: Timeline) -> None:
        """Append what is new on ``timeline``.

        Raises:
            OSError: the disk is full or gone; the file ends with the last whole line.

        """
        while True:
            batch, after, lost = timeline.read(self._cursor, self.BATCH)
            self.lost_events += lost
            self._cursor = after - len(batch)
            if not batch:
                return
            self._append(b"".join(encode_event(event) for event in batch))
            self._cursor = after
            self._lines += len(batch)
            if self._on_written is not None and after > self._told:
                self._on_written(batch[max(self._told - (after - len(batch)), 0) :])
                self._told = after

    def reopen(self) -> None:
        """Go on in the file at ``path``: the one that is there, or a new one.

        What it lacks is copied from the file that was written so far, if that can still be read,
        and comes from the timeline once more if not. What the disk took of a batch that failed is
        cut off.

        Raises:
            OSError: the file cannot be written, or holds more than was ever written.

        """
        old, self._file = self._file, self.path.open("r+b" if self.path.exists() else "w+b", 0)
        try:
            there = self._whole_lines(self._length, old)
            self._file.truncate(len(there))
            # behind that there may be what a repair added where the file has been moved to
            lacking = _read_back(old, len(there))[: self._length - len(there)]
            if len(there) + len(lacking) != self._length:
                lacking = b""
            self._put(len(there), lacking)
        except OSError:
            self._file.close()
            self._file = old
            raise
        old.close()
        kept = (there + lacking).count(b"\n")
        self._cursor -= self._lines - kept
        self._lines, self._length = kept, len(there) + len(lacking)
        self._synced_length = 0

    def sync(self) -> None:
        """Wait until the medium has it all; does nothing where it has. Raises ``OSError``."""
        length = self._length
        if length != self._synced_length and not self._file.closed:
            sync_file(self._file)
            self._synced_length = length

    def close(self) -> None:
        """Close the file; twice is fine."""
        self._file.close()

    def _whole_lines(self, most: int, old: io.FileIO) -> bytes:
        self._file.seek(0)
        found = self._file.read() or b""
        is_ours = self._tried.startswith(found[most:]) or _is_same(old, self._file)
        if len(found) > most and not is_ours:
            raise OSError(errno.EEXIST, "another file has taken its place", str(self.path))
        return found[: found.rfind(b"\n", 0, most) + 1]

    def _append(self, lines: bytes) -> None:
        self._tried = lines
        try:
            self._put(self._length, lines)
        except OSError:
            with suppress(OSError):
                self._file.truncate(self._length)
            raise
        self._length += len(lines)
        self._tried = b""

    def _put(self, offset: int, data: bytes) -> None:
        rest = memoryview(data)
        self._file.seek(offset)
        while rest:
            rest = rest[self._file.write(rest) or 0 :]


def _is_same(one: io.FileIO, other: io.FileIO) -> bool:
    try:
        return os.path.samestat(os.fstat(one.fileno()), os.fstat(other.fileno()))
    except OSError:  # one of them is of no use any more
        return False


def _read_back(file: io.FileIO, start: int) -> bytes:
    """Return what ``file`` holds from ``start`` on; nothing where it cannot be read any more."""
    try:
        file.seek(start)
        return file.read() or b""
    except OSError:
        return b""


def encode_event(event: Event) -> bytes:
    """Return ``event`` as one line of ``events.jsonl``.

    What an agent sent may be nested too deep for JSON, or hold numbers that JSON has not: the line
    then says so in place of the event's fields, or has null.
    """
    try:
        record = scrub(event.to_dict())
        try:
            text = json.dumps(record, ensure_ascii=False, allow_nan=False, default=str)
        except ValueError:
            text = json.dumps(_finite(record), ensure_ascii=False, default=str)
    except (ValueError, TypeError, RecursionError) as error:
        text = json.dumps(unwritable(round(event.t, 6), event.type, error))
    return _encode(text) + b"\n"


def unwritable(t: object, kind: object, error: Exception) -> dict[str, Any]:
    """Return the record that stands for one of ``kind`` at ``t`` that no line can hold."""
    plain_t = t if isinstance(t, int | float) else None
    return {"t": plain_t, "type": "unwritable", "of": str(kind)[:40], "why": type(error).__name__}


def _encode(text: str) -> bytes:
    # half a surrogate pair is legal in JSON only as an escape, which is what this makes of it
    return text.encode("utf-8", "backslashreplace")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
