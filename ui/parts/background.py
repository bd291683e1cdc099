"""Work that may block, off the main thread: one call, one answer, back on the main thread."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from PySide6.QtCore import QObject, Qt, Signal

from audio.worker import Worker

log = logging.getLogger(__name__)


class _Job(NamedTuple):
    generation: int
    work: Callable[[], Any]
    success: Callable[[Any], None]
    failure: Callable[[Exception], None] | None


class Background(QObject):
    """Runs one kind of job, one at a time; of several requests the latest wins.

    The answer to an older request is dropped. ``success`` and ``failure`` are called on the main
    thread. No error is silent: without a ``failure`` it goes to the log.
    """

    _answered = Signal(object, object, object)

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        """Call the thread ``name``; it lives only while there is work."""
        super().__init__(parent)
        self._name = name
        self._generation = 0
        # Guards `_waiting` and `_worker`: a worker ends only when nothing waits.
        self._lock = threading.Lock()
        self._waiting: _Job | None = None
        self._worker: Worker | None = None
        self._answered.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def run(
        self,
        work: Callable[[], Any],
        success: Callable[[Any], None],
        failure: Callable[[Exception], None] | None = None,
    ) -> None:
        """Run ``work`` on the thread, in place of whatever still waits for it."""
        self._generation += 1
        with self._lock:
            self._waiting = _Job(self._generation, work, success, failure)
            if self._worker is None:
                self._worker = Worker(self._name, self._work)
                self._worker.start()

    def close(self, timeout_s: float = 2.0) -> bool:
        """Drop what waits, wait up to ``timeout_s`` for what runs; say whether it has ended."""
        self._generation += 1
        with self._lock:
            self._waiting = None
        return self.finish(timeout_s)

    def finish(self, timeout_s: float = 2.0) -> bool:
        """Wait up to ``timeout_s`` for what runs and what waits; say whether all is done."""
        with self._lock:
            worker = self._worker
        return worker is None or worker.join(timeout_s)

    def _work(self, _stopping: threading.Event) -> None:
        while True:
            with self._lock:
                job, self._waiting = self._waiting, None
                if job is None:
                    self._worker = None
                    return
            answer, error = None, None
            try:
                answer = job.work()
            except Exception as caught:  # noqa: BLE001 - handed to `failure` on the main thread
                error = caught
            try:
                self._answered.emit(job, answer, error)
            except RuntimeError:  # Qt has deleted it: the window closed, and waited no longer
                log.info("Nobody takes the answer of “%s” any more", self._name)
                return

    def _deliver(self, job: _Job, answer: Any, error: Exception | None) -> None:
        if job.generation != self._generation:
            return
        if error is None:
            job.success(answer)
        elif job.failure is not None:
            job.failure(error)
        else:
            log.error("The job “%s” failed", self._name, exc_info=error)
