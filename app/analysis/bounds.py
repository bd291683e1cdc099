"""How many records a session may have before the rest of it is not analysed. Pure.

A recording may be forged, or an agent mad: what its records cost in memory, and in whatever shows
them, has a bound far above what a long day of talk has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

MOST = 20_000
"""So many records of each kind."""
MOST_PIECES = 100_000
"""So many ranges of received audio."""

Counted = tuple[str, int, Callable[[], int]]
"""What people call a kind of record, how many there may be, and what counts them."""


class Bounds:
    """Watches the numbers of records; once there are too many of a kind it stays full."""

    def __init__(self, kinds: Iterable[Counted]) -> None:
        """Watch these."""
        self._kinds = tuple(kinds)
        self._sentence = ""

    @property
    def is_reached(self) -> bool:
        """Whether there were too many of a kind."""
        return bool(self._sentence)

    @property
    def warnings(self) -> list[str]:
        """A sentence on what is not analysed, where something is not."""
        return [self._sentence] if self._sentence else []

    def check(self, t: float) -> bool:
        """Say whether there are too many of a kind now, at session second ``t``."""
        for name, most, count in self._kinds:
            if count() > most:
                self._sentence = (
                    f"There are more than {most:,} {name}: what comes after {_clock(t)} is not "
                    "analysed."
                )
                return True
        return False


def _clock(t: float) -> str:
    """Return session second ``t`` as ``h:mm:ss``."""
    minutes, seconds = divmod(int(t), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"
