"""The columns of the table of turns: what stands in each, and what it means. Main thread only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ui.lanes.time_axis import clock_text
from ui.panels.turn_rows import TurnRow
from ui.parts.tables import UNKNOWN, Column, milliseconds

ESTIMATED = 84
"""Pixels that “≈ 1000 ms” takes, which is more than most headings."""


def _length(turn: TurnRow) -> str:
    return "going on" if turn.length_s is None else f"{turn.length_s:.2f} s"


def _time(of: Callable[[TurnRow], float | None]) -> Callable[[TurnRow], str]:
    """Return what writes a time of a row's in ms."""

    def text(row: TurnRow) -> str:
        estimated = row.response is not None and row.response.estimated
        return milliseconds(of(row), estimated).replace("-", "−")

    return text


def _underruns(row: TurnRow) -> str:
    of = row.response
    if of is None:
        return UNKNOWN
    return f"{of.underruns} ({of.underrun_ms:.0f} ms)" if of.underruns else "0"


def _lead(row: TurnRow) -> str:
    of = row.response
    return UNKNOWN if of is None else milliseconds(of.least_lead_ms).replace("-", "−")


def _median_lead(row: TurnRow) -> str:
    of = row.response
    if of is None or of.median_lead_ms is None:
        return ""
    return f"Median {milliseconds(of.median_lead_ms)}".replace("-", "−")


def _figure(
    heading: str, of: Callable[[TurnRow], float | None], width: int, tip: str
) -> Column[TurnRow]:
    """Return a column of times in ms, sorted by them."""
    return Column(heading, _time(of), width, tip, key=of)


TIME: Column[TurnRow] = Column(
    "Time",
    lambda t: clock_text(t.start, 3),
    104,
    "Session time at which the turn began",
    key=lambda t: t.start,
)
WHO: Column[TurnRow] = Column(
    "Who", lambda t: "You" if t.who == "user" else "Agent", 56, number=False
)
LENGTH: Column[TurnRow] = Column(
    "Length", _length, 76, "How long it was heard, in seconds", key=lambda t: t.length_s
)
SILENCE = _figure(
    "Silence",
    lambda t: t.silence_ms,
    ESTIMATED,
    "From the end of the other party's turn to the beginning of this one, in ms; – where "
    "no turn of the other's came before it, or the two overlap",
)
LATENCY = _figure(
    "Response latency",
    lambda t: t.latency_ms,
    144,
    "From the end of the user's speech to the first agent sample leaving the speaker, in "
    "ms; it is the sum of the three parts beside it",
)
ENDPOINTING = _figure(
    "Endpointing",
    lambda t: t.endpointing_ms,
    96,
    "From the end of the user's speech until the agent told that it took the turn for "
    "ended (its final user transcript), in ms; – where no event tells it",
)
AGENT = _figure(
    "Agent",
    lambda t: t.agent_ms,
    ESTIMATED,
    "From endpointing (from the end of the user's speech where no event tells of it) to "
    "the arrival of the first agent chunk, in ms; below 0 where the chunk came before",
)
PLAYOUT = _figure(
    "Playout",
    lambda t: t.playout_ms,
    ESTIMATED,
    "From the arrival of the first agent chunk to its first sample leaving the speaker, in ms",
)
UNDERRUNS: Column[TurnRow] = Column(
    "Underruns",
    _underruns,
    88,
    "How often the playout queue ran dry inside the turn, and for how long in all, in ms",
    key=lambda t: t.underruns,
    tone=lambda t: "warning" if t.underruns else "",
)
AHEAD: Column[TurnRow] = Column(
    "Ahead",
    _lead,
    88,
    "How far the agent's audio was ahead of playout when a chunk arrived, at the least, in "
    "ms; the first chunk does not count",
    key=lambda t: t.lead_ms,
    cell_tip=_median_lead,
)


def columns_of(is_over: Callable[[TurnRow], bool]) -> tuple[Column[TurnRow], ...]:
    """Return the columns; ``is_over`` says whose response latency is over the limit."""
    latency = replace(
        LATENCY,
        tone=lambda t: "warning" if is_over(t) else "",
        cell_tip=lambda t: "Over the limit" if is_over(t) else "",
    )
    parts = (ENDPOINTING, AGENT, PLAYOUT)
    return (TIME, WHO, LENGTH, SILENCE, latency, *parts, UNDERRUNS, AHEAD)
