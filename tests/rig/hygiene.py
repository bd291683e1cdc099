"""What a test must not leave behind or cause unseen: threads, Qt's warnings, logged errors.

`tests/conftest.py` puts these around every test.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

_THREADS_DEADLINE_S = 2.0
# Qt's offscreen platform says this of every window with a size limit; it is of no consequence.
_HARMLESS_QT = ("does not support propagateSizeHints",)


def threads_left(
    before: set[threading.Thread],
    allowed: Sequence[str] = (),
    deadline_s: float = _THREADS_DEADLINE_S,
) -> list[str]:
    """The names of threads that are not in `before` and do not end before the deadline.

    A foreign thread that merely passed through Python (PortAudio's callback, Qt's) does not
    count: Python keeps a stand-in for it whether it lives or not.
    """
    end = time.monotonic() + deadline_s
    left = []
    for thread in set(threading.enumerate()) - before:
        if isinstance(thread, threading._DummyThread) or thread.name.startswith(tuple(allowed)):
            continue
        # one that is just beginning cannot be joined yet
        thread._started.wait(max(0.0, end - time.monotonic()))
        thread.join(max(0.0, end - time.monotonic()))
        if thread.is_alive():
            left.append(thread.name)
    return sorted(left)


class ErrorLog(logging.Handler):
    """Collects what is logged as an error or worse, on any thread."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line, with the exception's if there is one."""
        error = record.exc_info[1] if record.exc_info else None
        tail = f" ({type(error).__name__}: {error})" if error else ""
        self.lines.append(f"{record.name}: {record.getMessage()}{tail}")


@contextlib.contextmanager
def collecting_errors() -> Iterator[list[str]]:
    """Collect error lines from the root logger."""
    handler = ErrorLog()
    logging.getLogger().addHandler(handler)
    try:
        yield handler.lines
    finally:
        logging.getLogger().removeHandler(handler)


@contextlib.contextmanager
def collecting_qt_messages() -> Iterator[list[str]]:
    """Collect what Qt warns of; nothing when Qt is not loaded, and Qt is not loaded for it."""
    messages: list[str] = []
    if "PySide6.QtCore" not in sys.modules:
        yield messages
        return
    from PySide6.QtCore import QtMsgType, qInstallMessageHandler

    grave = (QtMsgType.QtWarningMsg, QtMsgType.QtCriticalMsg, QtMsgType.QtFatalMsg)

    def keep(kind: QtMsgType, _context: Any, message: str) -> None:
        if kind in grave and not any(harmless in message for harmless in _HARMLESS_QT):
            messages.append(message)

    previous = qInstallMessageHandler(keep)
    try:
        yield messages
    finally:
        qInstallMessageHandler(previous)
