"""How soon after what they describe the live records say what they say in the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.analysis.limits import Limits
from app.analysis.turn_records import Overlap
from app.recordings.turns_found import TurnsFound


@dataclass(frozen=True)
class Shown:
    """A figure, the moment it describes, and when it was shown, both in session seconds."""

    what: str
    of: float
    at: float

    @property
    def late_ms(self) -> float:
        """How long after what it describes it was there."""
        return (self.at - self.of) * 1000


class KeepingUp:
    """Looks at the records of a running session, and notes when each figure was the last one."""

    def __init__(self) -> None:
        self._shown: dict[tuple[str, float], tuple[object, Shown]] = {}

    def look(self, found: TurnsFound, now: float) -> None:
        """Take what is found at session second ``now``."""
        for what, name, of, value in _figures(found):
            known = self._shown.get((what, name))
            if known is None or known[0] != value:
                self._shown[what, name] = (value, Shown(what, of, now))

    def shown(self, final: TurnsFound) -> list[Shown]:
        """Return when what is ``final`` was shown, and did not change any more."""
        kept = [self._shown.get((what, name)) for what, name, _, _ in _figures(final)]
        return [shown for _, shown in filter(None, kept)]


def _figures(found: TurnsFound) -> Iterator[tuple[str, float, float, object]]:
    """Go through the figures: what each is, its name, the moment that it describes, its value."""
    for cut in found.interruptions:
        if cut.kind is not None:
            yield f"class: {cut.kind}", cut.number, cut.at, cut.kind
        if cut.silent_at is not None:
            yield "time to silence", cut.number, cut.silent_at, cut.time_to_silence_ms
    for overlap in found.overlaps:
        if overlap.kind is not None:
            yield f"class: {overlap.kind}", overlap.onset, _moment_of(overlap), overlap.kind
    for response in found.responses:
        if response.latency_ms is not None:
            yield "response latency", response.heard_at, response.heard_at, response.latency_ms


def _moment_of(overlap: Overlap) -> float:
    """Return when an overlap became what it is called."""
    if overlap.kind == "missed":
        return overlap.start + Limits().missed_s
    if overlap.kind == "backchannel" and overlap.speech_stop is not None:
        return overlap.speech_stop
    return overlap.start
