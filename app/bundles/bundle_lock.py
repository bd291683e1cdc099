"""The mark of a recording that is being written: a lock of the system's, which dies with its owner.

A lock file that a killed program leaves behind is not locked any more, so nobody needs to guess
from times whether a recorder lives. The lock belongs to an open file, not to a process: whoever
looks at a bundle that the same process records is told the truth as well. Any thread.
"""

from __future__ import annotations

import errno
import io
import os
import stat
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Literal

from audio.wavfile import is_in_place

LOCK_NAME = ".recording.lock"
FRESH_S = 3.0
"""Where the file system has no locks, what was changed less long ago may still be growing."""

if sys.platform == "win32":
    import msvcrt

    def _lock(file: io.FileIO, *, shared: bool = False) -> None:  # noqa: ARG001 - it knows none
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

    def _unlock(file: io.FileIO) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(file: io.FileIO, *, shared: bool = False) -> None:
        # flock, not lockf: that one would be lost as soon as this process closes any file of it
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)

    def _unlock(file: io.FileIO) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)


_HELD_BY_ANOTHER = {errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK}


class BundleBusy(OSError):
    """Somebody is writing the bundle."""


class BundleLock:
    """Holds the mark of one bundle until ``release``, or until the process ends."""

    PATIENCE_S = 0.1
    """Whoever looks whether a bundle is marked holds it for an instant."""

    def __init__(self, folder: Path) -> None:
        """Take the mark of the bundle in ``folder``.

        On a file system without locks the file alone is made.

        Raises:
            BundleBusy: somebody else holds it.
            OSError: the lock file cannot be made.

        """
        self.path = folder / LOCK_NAME
        self._file = _open_lock(self.path, "ab")
        deadline = time.monotonic() + self.PATIENCE_S
        while True:
            try:
                _lock(self._file)
            except OSError as error:
                if error.errno not in _HELD_BY_ANOTHER:
                    return
                if time.monotonic() >= deadline:
                    self._file.close()
                    raise BundleBusy(errno.EBUSY, "it is being written", str(folder)) from error
                time.sleep(0.005)
            else:
                return

    def is_in_place(self) -> bool:
        """Whether the bundle still has this very lock file."""
        return is_in_place(self._file, self.path)

    def release(self) -> None:
        """Let go, and leave no lock file behind; twice is fine."""
        if self._file.closed:
            return
        is_ours = self.is_in_place()
        if is_ours and os.name == "posix":
            # while it is still locked: whoever opened it meanwhile finds a bundle that is whole
            with suppress(OSError):
                self.path.unlink()
        with suppress(OSError):
            _unlock(self._file)
        self._file.close()
        if is_ours and os.name != "posix":  # Windows removes no file that is open
            with suppress(OSError):
                self.path.unlink()


def is_being_written(folder: Path) -> bool:
    """Whether a recorder, or a repair, is at work on the bundle in ``folder``."""
    try:
        with _open_lock(folder / LOCK_NAME, "rb") as file:
            _lock(file, shared=True)
            _unlock(file)
    except FileNotFoundError:
        return False
    except OSError as error:
        return error.errno in _HELD_BY_ANOTHER or is_fresh(folder)
    return False


def _open_lock(path: Path, mode: Literal["ab", "rb"]) -> io.FileIO:
    """Open a lock file. A link is not followed, and a pipe not waited for; both are an error."""
    if path.is_symlink():
        raise OSError(errno.ELOOP, f"{LOCK_NAME} is a link", str(path))
    how = os.O_RDONLY if mode == "rb" else os.O_WRONLY | os.O_APPEND | os.O_CREAT
    careful = ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY")
    descriptor = os.open(path, how | sum(getattr(os, flag, 0) for flag in careful), 0o666)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return io.FileIO(descriptor, mode)
    os.close(descriptor)
    raise OSError(errno.EINVAL, f"{LOCK_NAME} is no file", str(path))


def is_fresh(folder: Path, within_s: float = FRESH_S) -> bool:
    """Whether something in ``folder`` was changed less than ``within_s`` ago."""
    try:
        newest = max((item.stat().st_mtime for item in folder.iterdir()), default=0.0)
    except OSError:
        return False
    return abs(time.time() - newest) < within_s
