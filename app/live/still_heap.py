"""Keeps full collections of garbage short while audio runs: they stop every thread.

Python's collector goes through every object there is under the interpreter lock, from time to time.
With the window's it takes 80 ms, four times what the speaker's buffer holds. What is there before a
session cannot become garbage in it, but for a little: it is left out until the session is over.
What a session keeps grows by the hour, to some 90 ms after eight of them: now and then what has
lasted is left out as well. Any thread.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_holders = 0


@contextmanager
def still_heap() -> Iterator[None]:
    """Leave all objects there are now out of collections, until nobody holds them any more."""
    global _holders  # noqa: PLW0603 - the collector is one for the whole process
    with _lock:
        _holders += 1
        gc.freeze()  # without a collection before it, which would hold up whoever starts
    try:
        yield
    finally:
        with _lock:
            _holders -= 1
            is_last = not _holders
            if is_last:
                gc.unfreeze()
        if is_last:
            gc.collect()  # what has become garbage meanwhile: nothing plays now


def leave_out_what_came() -> None:
    """Leave out what has come since as well, such as modules that were loaded and what is kept.

    What has become garbage lately is collected first; it takes a millisecond.
    """
    with _lock:
        if _holders:
            gc.collect(1)
            gc.freeze()
