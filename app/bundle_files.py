"""How a bundle's files are written so that they can always be read: whole lines, whole files.

Used by the recorder thread.
"""

from __future__ import annotations

import errno
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.events import Event, Timeline
from app.secrets import scrub


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Replace ``path`` by ``data`` as JSON: whoever reads it sees the old file or the new one.

    Raises:
        OSError: it could not be written; the old file, if there was one, is unharmed.

    """
    text = json.dumps(data, indent=2, ensure_ascii=False, default=str)
    draft = path.with_name(f".{path.name}.draft")
    try:
        with draft.open("wb") as file:
            file.write(_encode(text) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


SMALL_FILE_BYTES = 16 * 1024 * 1024


def read_small_file(path: Path) -> bytes:
    """Return what is in the file ``path``, which somebody else may have put there.

    Raises:
        OSError: it cannot be read, is larger than ``SMALL_FILE_BYTES``, or is a pipe or a device,
            which might never end.

    """
    if path.exists() and not path.is_file() and not path.is_dir():
        raise OSError(errno.EINVAL, "it is a pipe or a device", str(path))
    with path.open("rb") as file:
        content = file.read(SMALL_FILE_BYTES + 1)
    if len(content) > SMALL_FILE_BYTES:
        raise OSError(errno.EFBIG, "it is too large", str(path))
    return content


class EventLog:
    """``events.jsonl``: one event a line, scrubbed of secrets, in whole lines.

    A batch that cannot be written is taken back and written again next time: its events wait on
    the timeline. ``lost_events`` counts those that did not wait long enough.
    """

    BATCH = 500

    def __init__(self, path: Path) -> None:
        """Create the file. Raises ``OSError`` where that fails."""
        self.lost_events = 0
        self._cursor = 0
        self._length = 0
        # unbuffered: what write() has taken survives the end of this process
        self._file = path.open("wb", buffering=0)

    def write(self, timeline: Timeline) -> None:
        """Append what is new on ``timeline``.

        Raises:
            OSError: the disk is full or gone; the file ends with the last whole line.

        """
        events, _, lost = timeline.read(self._cursor)
        self.lost_events += lost
        self._cursor += lost
        for first in range(0, len(events), self.BATCH):
            batch = events[first : first + self.BATCH]
            self._append(b"".join(encode_event(event) for event in batch))
            self._cursor += len(batch)

    def close(self) -> None:
        """Close the file; twice is fine."""
        self._file.close()

    def _append(self, lines: bytes) -> None:
        rest = memoryview(lines)
        try:
            self._file.seek(self._length)
            while rest:
                rest = rest[self._file.write(rest) or 0 :]
        except OSError:
            self._file.truncate(self._length)
            raise
        self._length += len(lines)


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
        why = type(error).__name__
        text = json.dumps(
            {"t": round(event.t, 6), "type": "unwritable", "of": event.type, "why": why}
        )
    return _encode(text) + b"\n"


def _encode(text: str) -> bytes:
    # half a surrogate pair is legal in JSON only as an escape, which is what this makes of it
    return text.encode("utf-8", "backslashreplace")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
