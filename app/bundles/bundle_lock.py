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
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
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

    def _lock_folder(_descriptor: int) -> None:  # there is no descriptor of one
        raise OSError(errno.ENOTSUP, "folders cannot be locked")

else:
    import fcntl

    def _lock(file: io.FileIO, *, shared: bool = False) -> None:
        # flock, not lockf: that one would be lost as soon as this process closes any file of it
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)

    def _unlock(file: io.FileIO) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)

    def _lock_folder(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


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
        deadline = time.monotonic() + self.PATIENCE_S
        while True:
            self._file = _open_lock(self.path, "ab")
            # whoever held it may have removed the file since it was opened, and another may have
            # made and locked the next one
            if self._is_locked() and self.is_in_place():
                return
            self._file.close()
            if time.monotonic() >= deadline:
                raise BundleBusy(errno.EBUSY, "it is being written", str(folder))
            time.sleep(0.005)

    def _is_locked(self) -> bool:
        """Lock the file; false where another holds it, true where there are no locks."""
        try:
            _lock(self._file)
        except OSError as error:
            return error.errno not in _HELD_BY_ANOTHER
        return True

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
        is_link = error.errno == errno.ELOOP  # which no recorder makes
        return error.errno in _HELD_BY_ANOTHER or (not is_link and is_fresh(folder))
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
    """Whether something in ``folder``, but for links, was changed less than ``within_s`` ago."""
    try:
        found = [item.lstat() for item in folder.iterdir()]
    except FileNotFoundError:  # a draft, say, which has just taken its place
        return folder.exists()
    except OSError:
        return False
    newest = max((each.st_mtime for each in found if not stat.S_ISLNK(each.st_mode)), default=0.0)
    return abs(time.time() - newest) < within_s


TURN_S = 2.0
"""So long another program may be at a change before one is made all the same."""


@contextmanager
def in_turn(folder: Path) -> Iterator[None]:
    """Have programs that change files of ``folder`` do so one after the other.

    The lock is the folder's own, so there is no file to be left behind. Where folders have none, or
    whoever holds it does not let go of it, the change is made all the same.
    """
    with ExitStack() as held:
        with suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY)
            held.callback(os.close, descriptor)  # which lets go of the lock as well
            _wait_for_turn(descriptor)
        yield


def _wait_for_turn(descriptor: int) -> None:
    deadline = time.monotonic() + TURN_S
    while True:
        try:
            _lock_folder(descriptor)
        except OSError as error:
            if error.errno not in _HELD_BY_ANOTHER or time.monotonic() >= deadline:
                return
            time.sleep(0.001)
        else:
            return
