"""What is written to stdout whole or not at all, and takes no memory until then.

A report of thousands of sessions is put together one session at a time. Whoever reads it gets
nothing, rather than half of it, where it cannot be finished. The main thread enters.
"""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import SpooledTemporaryFile, gettempdir

from audio.closing import Closing
from audio.wavfile import unwritable

IN_MEMORY_BYTES = 1024 * 1024
"""What is longer lies in a file without a name, which nobody else can open, until it is whole."""
PIECE_BYTES = 256 * 1024


class HeldText(Closing):
    """Takes text in pieces; `release` writes all of it, as UTF-8."""

    def __init__(self) -> None:
        """Begin with none."""
        self._held = SpooledTemporaryFile[bytes](IN_MEMORY_BYTES)

    def add(self, text: str) -> None:
        """Hold ``text``, which comes after what was added before.

        Raises:
            FileUnwritable: there is no room for it.

        """
        with _told():
            self._held.write(text.encode("utf-8", "replace"))

    def release(self) -> None:
        """Write all that is held to stdout as it is: its line ends are part of it.

        Raises:
            FileUnwritable: there was no room for the last of it.

        """
        with _told():
            self._held.seek(0)
        sys.stdout.flush()
        raw = getattr(sys.stdout, "buffer", None)
        if isinstance(raw, io.IOBase | io.BufferedIOBase):
            shutil.copyfileobj(self._held, raw, PIECE_BYTES)
            raw.flush()
        else:
            sys.stdout.write(self._held.read().decode())

    def close(self) -> None:
        """Forget what is held."""
        self._held.close()


@contextmanager
def _told() -> Iterator[None]:
    """Say of which folder the system speaks: it is none that anybody has named."""
    try:
        yield
    except OSError as error:
        raise unwritable(Path(gettempdir()), error) from error
