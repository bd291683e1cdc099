"""Where the samples that an interface counted stand among all that the agent sent.

An interface counts what it was given. Audio that a manual interrupt holds back never reaches it, so
its positions fall behind the session's *received* positions, in which ``received.wav`` and the
events speak. Written by the thread that receives audio, read by the analysis thread.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple


class _Run(NamedTuple):
    given: int
    received: int


class PositionMap:
    """From an interface's positions to received positions, in runs; only a hold-back adds a run."""

    CAPACITY = 10_000

    def __init__(self) -> None:
        """Begin with both the same."""
        # Replaced whole, so that a reader sees one state or the next and takes no lock.
        self._runs: tuple[_Run, ...] = (_Run(0, 0),)

    def add(self, given: int, received: int) -> None:
        """Note that the interface's sample ``given``, and what follows it, is at ``received``.

        ``given`` never goes back; of more than ``CAPACITY`` runs the oldest are forgotten.
        """
        last = self._runs[-1]
        if given - last.given != received - last.received:
            self._runs = (*self._runs[-self.CAPACITY + 1 :], _Run(given, received))

    def spans(self, start: int, stop: int) -> list[tuple[int, int]]:
        """Return where in the received audio the interface's ``[start, stop)`` is, in pieces."""
        runs = self._runs
        index = max(bisect_right(runs, start, key=lambda run: run.given) - 1, 0)
        spans = []
        for number in range(index, len(runs)):
            run = runs[number]
            end = runs[number + 1].given if number + 1 < len(runs) else stop
            first, last = max(start, run.given), min(stop, end)
            if first < last:
                offset = run.received - run.given
                spans.append((first + offset, last + offset))
            if end >= stop:
                break
        return spans
