"""The response latencies of a session, by time and by size, at the price of what is new. No Qt."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass

from app.analysis.limits import exceeds
from app.analysis.turn_records import Response, spread
from ui.parts.tables import milliseconds


@dataclass(frozen=True, slots=True)
class Dot:
    """A turn of the agent's: when it was first heard, and its response latency."""

    t: float
    ms: float
    estimated: bool = False


class Latencies:
    """Those that are known, as dots in order of time."""

    def __init__(self) -> None:
        """Begin without any."""
        self.dots: list[Dot] = []
        self._ordered: list[float] = []

    def bring(self, responses: Sequence[Response], begin: float) -> None:
        """Take in ``responses``: all that were heard at second ``begin`` or later."""
        kept = bisect_left(self.dots, begin, key=lambda dot: dot.t)
        for dot in self.dots[kept:]:
            del self._ordered[bisect_left(self._ordered, dot.ms)]
        self.dots[kept:] = [
            Dot(each.heard_at, each.latency_ms, each.estimated)
            for each in responses
            if each.latency_ms is not None
        ]
        for dot in self.dots[kept:]:
            insort(self._ordered, dot.ms)

    def text(self, limit_ms: float) -> str:
        """Return median, 95th percentile and worst, and how many are over the limit."""
        ordered = self._ordered
        if not ordered:
            return ""
        of = spread(ordered)
        over = of.count - bisect_left(ordered, True, key=lambda ms: exceeds(ms, limit_ms))
        return (
            f"response latency: p50 {milliseconds(of.p50)}, p95 {milliseconds(of.p95)}, "
            f"worst {milliseconds(of.greatest)} of {of.count}" + (f", {over} over" if over else "")
        )
