"""One helper for every thread of the project: named, stoppable, and heard when it fails."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


class Worker:
    """A daemon thread that runs ``target(stopping)`` once.

    ``target`` returns soon after ``stopping`` is set. What it raises, ``SystemExit`` too, is logged
    with its traceback and handed to ``on_error``; nothing is lost in silence. ``stop`` never joins
    the thread it is called from, and never waits past its deadline.
    """

    def __init__(
        self,
        name: str,
        target: Callable[[threading.Event], None],
        on_error: Callable[[Exception], None] | None = None,
    ) -> None:
        """Prepare the thread ``name``; ``start`` starts it."""
        self.stopping = threading.Event()
        self._target = target
        self._on_error = on_error
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread; once only."""
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Ask the thread to end, wait up to ``timeout_s``, and say whether it has."""
        self.stopping.set()
        return self.join(timeout_s)

    def join(self, timeout_s: float) -> bool:
        """Wait up to ``timeout_s`` for the thread to end by itself; say whether it has."""
        if self.is_current or self._thread.ident is None:
            return self._thread.ident is None
        self._thread.join(max(timeout_s, 0.0))
        return not self._thread.is_alive()

    @property
    def is_current(self) -> bool:
        """Whether the caller is this very thread."""
        return threading.current_thread() is self._thread

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def _run(self) -> None:
        # The target is usually a method of whoever holds this worker: let go of it with the
        # thread, so that a run and its buffers are freed at once and not by some later collection.
        target, self._target = self._target, _nothing
        on_error, self._on_error = self._on_error, None
        try:
            target(self.stopping)
        except BaseException as error:  # the one place where a thread's errors end up
            log.exception("Thread %s failed", self._thread.name)
            if on_error is not None:
                on_error(error if isinstance(error, Exception) else RuntimeError(repr(error)))


def _nothing(_stopping: threading.Event) -> None:
    pass
