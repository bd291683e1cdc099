"""What nobody caught, on any thread: the traceback goes to the log, a sentence to the window.

A slot that raises must not end the program, and must not fail in silence either.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from types import TracebackType

from PySide6.QtCore import QObject, Qt, Signal

log = logging.getLogger(__name__)


class ExceptionHooks(QObject):
    """Takes over ``sys.excepthook`` and ``threading.excepthook`` until `remove`.

    ``report`` is called on the main thread, whichever thread the exception came from.
    """

    _caught = Signal(object)

    def __init__(self, report: Callable[[BaseException], None]) -> None:
        """Install the hooks."""
        super().__init__()
        self._caught.connect(report, Qt.ConnectionType.QueuedConnection)
        self._before = (sys.excepthook, threading.excepthook)
        sys.excepthook = self._uncaught
        threading.excepthook = self._uncaught_in_thread

    def remove(self) -> None:
        """Put back the hooks that were there before."""
        sys.excepthook, threading.excepthook = self._before

    def _uncaught(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            self._before[0](kind, error, trace)
            return
        log.error("Uncaught exception", exc_info=(kind, error, trace))
        self._caught.emit(error)

    def _uncaught_in_thread(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is None or issubclass(args.exc_type, SystemExit):
            return
        name = args.thread.name if args.thread else "?"
        log.error(
            "Uncaught exception in thread %s",
            name,
            exc_info=(args.exc_type, args.exc_value, args.exc_traceback),
        )
        self._caught.emit(args.exc_value)
