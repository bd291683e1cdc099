"""What was written is sent on to the medium, so that a power cut takes no more than a moment of it.

The thread named recorder-sync waits for the medium, and the recorder goes on writing meanwhile. It
also does what is worth nothing until the medium has it, such as replacing a file.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from audio.worker import Worker

log = logging.getLogger(__name__)


class Syncable(Protocol):
    """A file that is being written."""

    def sync(self) -> None:
        """Wait until the medium has what was written; does nothing where it has."""


class DiskSync:
    """Sends files on to the medium four times a second, and less often where that is slow."""

    PERIOD_S = 0.25
    LEAST_PAUSE = 2
    """A slow medium is left alone for twice the time that it took."""

    def __init__(self, files: Callable[[], Iterable[Syncable]], errand: Callable[[], None]) -> None:
        """Prepare; ``files`` gives the files of the moment.

        ``errand`` is done each time. It should raise nothing; what it raises goes to the log.
        """
        self._files = files
        self._errand = errand
        self._error: Exception | None = None
        self._worker = Worker("recorder-sync", self._run)

    def start(self) -> None:
        """Start the thread."""
        self._worker.start()

    def stop(self, timeout_s: float) -> bool:
        """End the thread; False where the medium does not answer in time."""
        return self._worker.stop(timeout_s)

    def take_error(self) -> Exception | None:
        """Return what went wrong since the last call."""
        error, self._error = self._error, None
        return error

    def _run(self, stopping: threading.Event) -> None:
        pause = self.PERIOD_S
        while not stopping.wait(pause):
            try:
                self._errand()
            except Exception:  # the files are to be sent on all the same
                log.exception("What was to be done besides has failed")
            began = time.monotonic()
            for file in self._files():
                try:
                    file.sync()
                except ValueError:
                    continue  # closed meanwhile: another one has taken its place
                except Exception as error:  # noqa: BLE001 - whatever it is, the thread goes on
                    self._error = error  # told by the recorder, which goes on
            took = time.monotonic() - began
            pause = max(self.PERIOD_S - took, self.LEAST_PAUSE * took)
