"""Which stretch of session time is on screen, and where its ruler has marks. No drawing, no Qt.

The screen shows whole columns: column ``k`` covers session time ``[k, k + 1) *
seconds_per_column``, so a picture that scrolls moves by whole columns and what has been drawn of it
stays right.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor

TICK_STEPS_S = (
    *(0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5),
    *(1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200),
)
NOW_AT = 0.8
"""Where "now" stands while the view follows: the rest of the width is for queued audio."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of the ruler at ``t`` seconds; without a text it is a small one."""

    t: float
    text: str


class TimeAxis:
    """The visible window ``[start_s, start_s + span_s)`` over ``width`` columns."""

    MIN_SPAN_S = 0.001
    """Sixteen samples: each is a point of its own."""
    MAX_SPAN_S = 24 * 3600.0
    LIVE_SPAN_S = 20.0

    def __init__(self) -> None:
        """Show the first seconds of a session, and follow it."""
        self.start_s = 0.0
        self.span_s = self.LIVE_SPAN_S
        self.width = 1
        self.following = True

    @property
    def seconds_per_column(self) -> float:
        """How much time one column covers."""
        return self.span_s / self.width

    @property
    def stop_s(self) -> float:
        """The end of the visible window."""
        return self.start_s + self.span_s

    @property
    def first_column(self) -> int:
        """The absolute number of the leftmost column."""
        return round(self.start_s / self.seconds_per_column)

    def x_of(self, t: float) -> float:
        """Return where ``t`` is, in columns from the left; outside it is negative or beyond."""
        return t / self.seconds_per_column - self.first_column

    def t_of(self, x: float) -> float:
        """Return the time at ``x`` columns from the left."""
        return (x + self.first_column) * self.seconds_per_column

    def resize(self, width: int) -> None:
        """Spread the same span over another number of columns."""
        self.width = max(width, 1)

    def follow(self, now_s: float) -> None:
        """Scroll so that ``now_s`` stands at its place, unless the person has looked away."""
        if self.following:
            self.start_s = max(0.0, now_s - NOW_AT * self.span_s)

    def pan(self, columns: float) -> None:
        """Move the window by so many columns, never before the session's beginning."""
        self.following = False
        self.start_s = max(0.0, self.start_s + columns * self.seconds_per_column)

    def show(self, start_s: float, stop_s: float) -> None:
        """Show just this stretch."""
        self.following = False
        self.span_s = self._bounded(stop_s - start_s)
        self.start_s = max(0.0, (start_s + stop_s - self.span_s) / 2)

    def centre(self, t: float) -> None:
        """Bring ``t`` to the middle without changing the zoom."""
        self.following = False
        self.start_s = max(0.0, t - self.span_s / 2)

    def zoom(self, factor: float, x: float) -> None:
        """Zoom in by ``factor`` about column ``x``; while following, "now" keeps its place."""
        t = self.t_of(x)
        share = x / self.width
        self.span_s = self._bounded(self.span_s / factor)
        if not self.following:
            self.start_s = max(0.0, t - share * self.span_s)

    def ticks(self, least_px: float = 88.0) -> list[Tick]:
        """Return the visible marks; those with a text are at least ``least_px`` columns apart."""
        step = self._step(least_px)
        small = step / 5
        first, last = floor(self.start_s / small), ceil(self.stop_s / small)
        return [
            Tick(n * small, ruler_text(n * small, step) if n % 5 == 0 else "")
            for n in range(first, last + 1)
        ]

    def _step(self, least_px: float) -> float:
        least_s = least_px * self.seconds_per_column
        return float(next((s for s in TICK_STEPS_S if s >= least_s), TICK_STEPS_S[-1]))

    def _bounded(self, span_s: float) -> float:
        return min(max(span_s, self.MIN_SPAN_S), self.MAX_SPAN_S)


def ruler_text(t: float, step_s: float) -> str:
    """Return ``t`` as ``m:ss``, with as many decimals as marks ``step_s`` apart need."""
    decimals = next((n for n in range(4) if step_s >= 10.0**-n * (1 - 1e-9)), 4)
    t = round(t, decimals)
    hours, rest = divmod(t, 3600)
    minutes, seconds = divmod(rest, 60)
    width = 2 if decimals == 0 else 3 + decimals
    tail = f"{seconds:0{width}.{decimals}f}"
    return f"{int(hours)}:{int(minutes):02}:{tail}" if hours else f"{int(minutes)}:{tail}"


def span_text(seconds: float) -> str:
    """Return a length of time with the unit that suits it."""
    if seconds < 0.1:
        return f"{seconds * 1e3:.3g} ms"
    if seconds < 1:
        return f"{seconds * 1e3:.0f} ms"
    if seconds < 120:
        return f"{seconds:.3g} s"
    if seconds < 7200:
        return f"{seconds / 60:.3g} min"
    return f"{seconds / 3600:.3g} h"


def clock_text(t: float, decimals: int = 0) -> str:
    """Return ``t`` as ``hh:mm:ss``, cut off (a clock never shows a second that has not passed)."""
    scale = 10**decimals
    whole = floor(t * scale + 1e-9)
    seconds, part = divmod(whole, scale)
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{text}.{part:0{decimals}}" if decimals else text
