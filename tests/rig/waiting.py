"""Waiting for a condition with a deadline, so that no test has to sleep and hope."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_POLL_S = 0.005


def wait_until(
    condition: Callable[[], T], deadline_s: float = 5.0, what: str = "the condition to hold"
) -> T:
    """Return the first true value of `condition`, asked every 5 ms.

    Raises:
        AssertionError: it was not true within `deadline_s` seconds; names `what`.
    """
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise AssertionError(f"Waited {deadline_s:g} s in vain for {what}.")
        time.sleep(_POLL_S)
