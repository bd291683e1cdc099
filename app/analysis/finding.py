"""One finding, and the words that findings are made of. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

UNKNOWN = "–"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a session in plain words, its evidence, and what to try."""

    id: str
    """A fixed word for the kind of finding; a session has at most one of each."""
    weight: float
    """How bad it is, 0 to 100: for the order alone."""
    sentence: str
    advice: str
    moments: tuple[float, ...] = ()
    """When it was seen, session seconds in order; empty where the records tell no times."""
    figures: Mapping[str, float] = field(default_factory=dict)
    """The evidence; names end in their unit, counts have none."""


def weigh(severity: float, seen: int, of: int) -> float:
    """Return a weight: what is always so weighs the whole ``severity``, what is rare less."""
    return round(severity * (0.6 + 0.4 * min(seen / max(of, 1), 1.0)), 1)


def share(seen: int, of: int, one: str, many: str = "") -> str:
    """Return “3 of 5 interruptions”, “the only interruption”, “both interruptions”, “all 5 …”."""
    many = many or f"{one}s"
    if of <= 1:
        return f"the only {one}"
    if seen == of:
        return f"both {many}" if of == 2 else f"all {of} {many}"
    return f"{seen} of {of} {many}"


def counted(count: int, one: str, many: str = "") -> str:
    """Return “1 turn”, “2 turns”."""
    return f"{count} {one if count == 1 else many or f'{one}s'}"


def was(seen: int) -> str:
    """Return “was” or “were”."""
    return "was" if seen == 1 else "were"


def duration(ms: float) -> str:
    """Return a duration with its unit: whole milliseconds, from a second on seconds."""
    if round(abs(ms)) < 1000:
        return f"{ms:.0f} ms"
    return f"{ms / 1000:.1f} s" if abs(ms) < 9950 else f"{ms / 1000:.0f} s"


def decibels(db: float, unit: str = "dB") -> str:
    """Return a level with its sign and unit."""
    return f"{'−' if round(db) < 0 else ''}{abs(round(db))} {unit}"


def middle(values: Iterable[float | None]) -> float | None:
    """Return the median of those that are known; None where none is."""
    known = [value for value in values if value is not None]
    return median(known) if known else None


def start_with_capital(text: str) -> str:
    """Return ``text`` as the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def in_order(moments: Sequence[float]) -> tuple[float, ...]:
    """Return the moments of a finding as it keeps them."""
    return tuple(round(moment, 6) for moment in sorted(moments))
