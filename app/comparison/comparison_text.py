"""A comparison as words and tables: for a terminal, the clipboard and the window. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from app.comparison.compare import Change, Comparison, Passage, Row, Total
from app.export.tables import harmless
from app.plain import one_line

UNKNOWN = "–"
FIGURES = (
    ("response latency", "response_latency"),
    ("time to silence", "time_to_silence"),
    ("mouth to silence", "mouth_to_silence"),
)


def milliseconds(value: float | None) -> str:
    """Return a figure with its unit; a dash where it is not known."""
    return UNKNOWN if value is None else f"{value:.0f} ms"


def change_text(change: Change) -> str:
    """Return the difference with its sign, and in words which way it goes."""
    difference = change.difference
    if difference is None:
        return UNKNOWN
    if not round(difference):
        return "same"
    return f"{signed(difference)} ms, {change.verdict}"


def signed(difference: float) -> str:
    """Return a whole number with its sign."""
    rounded = round(difference)
    return f"{'−' if rounded < 0 else '+'}{abs(rounded)}"


def both(change: Change) -> str:
    """Return a figure of both sessions, and the change; a dash where neither has one."""
    if change.first is None and change.second is None:
        return UNKNOWN
    values = f"{milliseconds(change.first)} → {milliseconds(change.second)}"
    return values if change.difference is None else f"{values} ({change_text(change)})"


def moment(passage: Passage | None) -> str:
    """Return when a passage began; a dash where the session has none such."""
    if passage is None:
        return UNKNOWN
    minutes, seconds = divmod(passage.start, 60)
    return f"{int(minutes):02d}:{seconds:04.1f}"


def interruptions(row: Row) -> str:
    """Return whether the turn interrupted the agent, in both sessions."""
    first, second = (_cuts(passage) for passage in (row.first, row.second))
    return first if first == second else f"{first} → {second}"


def _cuts(passage: Passage | None) -> str:
    if passage is None:
        return UNKNOWN
    return {0: "no", 1: "yes"}.get(len(passage.cuts), f"{len(passage.cuts)} times")


def total_texts(total: Total) -> tuple[str, str, str]:
    """Return a total of the first session, of the second, and the change."""
    change, unit = total.change, f" {total.unit}" if total.unit else ""
    digits = 1 if total.unit == "s" else 0

    def text(value: float | None) -> str:
        return UNKNOWN if value is None else f"{value:.{digits}f}{unit}"

    difference = change.difference
    if difference is None:
        return text(change.first), text(change.second), UNKNOWN
    size = f"{abs(difference):.{digits}f}"
    if float(size) == 0:
        return text(change.first), text(change.second), "same"
    word = "" if total.verdict == "differs" else f", {total.verdict}"
    told = f"{'+' if difference > 0 else '−'}{size}{unit}{word}"
    return text(change.first), text(change.second), told


def headline(comparison: Comparison) -> str:
    """Return in a sentence how much of the caller was found in both."""
    paired, (first, second) = comparison.paired, comparison.unpaired
    offset = f"{abs(comparison.offset_s) * 1000:.0f} ms"
    later = f"{offset} {'later' if comparison.offset_s >= 0 else 'earlier'} in the second session"
    turns = f"{paired} user {'turn' if paired == 1 else 'turns'} in both"
    alone = f", {first} in the first alone, {second} in the second alone" if first + second else ""
    return f"{turns}{alone}; the caller is {later}."


def lines(comparison: Comparison, names: tuple[str, str]) -> Iterator[str]:
    """Yield a comparison for a terminal, line by line."""
    yield f"first   {one_line(names[0])}"
    yield f"second  {one_line(names[1])}"
    yield headline(comparison)
    yield ""
    yield f"{'':<26}{'first':>12}{'second':>12}   change"
    for total in comparison.totals:
        first, second, change = total_texts(total)
        yield f"{total.name:<26}{first:>12}{second:>12}   {change}"
    for row in comparison.rows:
        yield ""
        yield from _row_lines(row)


def _row_lines(row: Row) -> Iterator[str]:
    head = f"turn {row.number}" if row.number else "before the user spoke"
    yield f"{head}  at {moment(row.first)} and {moment(row.second)}"
    if row.number:
        for name, attribute in FIGURES:
            change: Change = getattr(row, attribute)
            if change.first is not None or change.second is not None:
                yield f"  {name:<18}{both(change)}"
        yield f"  {'interruption':<18}{interruptions(row)}"
        yield from _words("understood", row, "understood")
    yield from _words("heard", row, "heard")


def _words(name: str, row: Row, attribute: str) -> Iterator[str]:
    first, second = (
        None if passage is None else one_line(getattr(passage, attribute))
        for passage in (row.first, row.second)
    )
    if first == second:
        if first:
            yield f"  {name:<18}{first}"
        return
    yield f"  {name:<18}first:  {UNKNOWN if first is None else first or 'nothing'}"
    yield f"  {'':<18}second: {UNKNOWN if second is None else second or 'nothing'}"


# -- for other programs ------------------------------------------------------------------------

_SIDE = ("at_s", "response_latency_ms", "time_to_silence_ms", "mouth_to_silence_ms")
_TEXTS = ("heard", "unheard", "understood")
CSV_COLUMNS = (
    "turn",
    *(f"{name}_{side}" for name in _SIDE for side in ("first", "second")),
    *(f"{name[:-3]}_change_ms" for name in _SIDE[1:]),
    *(f"{name}_{side}" for name in ("interruptions", *_TEXTS) for side in ("first", "second")),
)


def to_csv(comparison: Comparison) -> str:
    """Return the turns as CSV (RFC 4180); what is not known is empty, formulas are harmless."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    for row in comparison.rows:
        sides = (row.first, row.second)
        figures = [_cell(each, name) for name in _SIDE for each in sides]
        changes = [_number(getattr(row, name).difference) for _, name in FIGURES]
        cuts = ["" if each is None else len(each.cuts) for each in sides]
        words = [
            "" if each is None else harmless(getattr(each, name))
            for name in _TEXTS
            for each in sides
        ]
        writer.writerow([row.number, *figures, *changes, *cuts, *words])
    return text.getvalue()


def _cell(passage: Passage | None, name: str) -> str:
    if passage is None:
        return ""
    return f"{passage.start:.3f}" if name == "at_s" else _number(getattr(passage, name))


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def to_json(comparison: Comparison, names: tuple[str, str]) -> dict[str, Any]:
    """Return all of it as plain data; what is not known is null."""
    return {
        "first": names[0],
        "second": names[1],
        "offset_ms": round(comparison.offset_s * 1000, 1),
        "paired": comparison.paired,
        "only_first": comparison.unpaired[0],
        "only_second": comparison.unpaired[1],
        "totals": [
            {
                "name": total.name,
                "unit": total.unit,
                **_change(total.change),
                "verdict": total.verdict,
            }
            for total in comparison.totals
        ],
        "turns": [_plain_row(row) for row in comparison.rows],
    }


def _plain_row(row: Row) -> dict[str, Any]:
    return {
        "turn": row.number,
        **{name: _judged(getattr(row, name)) for _, name in FIGURES},
        "first": None if row.first is None else asdict(row.first),
        "second": None if row.second is None else asdict(row.second),
    }


def _judged(change: Change) -> dict[str, Any]:
    return {**_change(change), "verdict": change.verdict}


def _change(change: Change) -> dict[str, Any]:
    values = (change.first, change.second, change.difference)
    names = ("first", "second", "change")
    return {
        name: None if value is None else round(value, 3)
        for name, value in zip(names, values, strict=True)
    }
