"""A report for a terminal, line by line. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from app.analysis.finding import UNKNOWN, counted, duration
from app.analysis.findings import nothing_found
from app.analysis.limits import class_of
from app.analysis.turn_records import Interruption
from app.plain import one_line
from app.report.figures import CLASSES, OVERLAPS, Figures, Statistic, figures_of
from app.report.gather import Examined
from app.report.records import Words

MOMENTS = 5
"""So many of a finding's moments are named; the others are counted."""
LONGEST_WORDS = 8


def clock(t: float, digits: int = 1) -> str:
    """Return session seconds as ``mm:ss.s``, or with hours where there are any; cut off."""
    scale = 10**digits
    seconds, part = divmod(int(max(t, 0.0) * scale + 1e-6), scale)
    hours = f"{seconds // 3600}:" if seconds >= 3600 else ""
    return f"{hours}{seconds // 60 % 60:02}:{seconds % 60:02}.{part:0{digits}}"


def milliseconds(value: float | None, estimated: bool = False) -> str:
    """Return a figure with its unit; a dash where it is not known, ``≈`` where estimated."""
    if value is None:
        return UNKNOWN
    whole = round(value)
    return f"{'≈ ' if estimated else ''}{'−' if whole < 0 else ''}{abs(whole)} ms"


def head_of(session: Examined) -> str:
    """Return in a line who talked, when and for how long."""
    began = ""
    if session.began_utc:
        began = f"{datetime.fromisoformat(session.began_utc):%Y-%m-%d %H:%M:%S} UTC"
    parts = (session.agent, began, f"{clock(session.duration_s)} long")
    return ", ".join(part for part in parts if part)


def counts_text(figures: Figures) -> str:
    """Return how many of each class there were; empty where there were none."""
    named = [
        counted(count, *_PLURALS.get(name, (name, name)))
        for name in (*CLASSES, *OVERLAPS)
        if (count := figures.counts.get(name, 0))
    ]
    return ", ".join(named)


_PLURALS = {
    "barge-in": ("barge-in", "barge-ins"),
    "late": ("late barge-in", "late barge-ins"),
    "button": ("by the button", "by the button"),
    "message": ("by a message", "by a message"),
    "false": ("false interruption", "false interruptions"),
    "missed": ("missed interruption", "missed interruptions"),
    "backchannel": ("backchannel", "backchannels"),
    "talked over": ("time the agent talked over the user", "times the agent talked over the user"),
}


def moments_text(moments: Sequence[float]) -> str:
    """Return when something was seen, the first ``MOMENTS`` of them."""
    named = ", ".join(clock(moment) for moment in moments[:MOMENTS])
    more = len(moments) - MOMENTS
    return f"{named} and {more} more" if more > 0 else named


def session_lines(session: Examined, words: Words) -> Iterator[str]:
    """Yield a session for a terminal."""
    figures = figures_of(session.turns, session.limits)
    yield session.name
    yield f"  {head_of(session)}"
    for warning in session.warnings:
        yield f"  note: {warning}"
    yield ""
    yield from _finding_lines(session)
    yield from statistic_lines(figures)
    yield from _cut_lines(session, words)


def _finding_lines(session: Examined) -> Iterator[str]:
    if not session.findings:
        yield f"  {nothing_found(session.turns)}"
        yield ""
        return
    for number, finding in enumerate(session.findings, 1):
        yield f"  {number}. {finding.sentence}"
        yield f"     {finding.advice}"
        if finding.moments:
            yield f"     Seen at {moments_text(finding.moments)}."
    yield ""


def statistic_lines(figures: Figures) -> Iterator[str]:
    """Yield count, p50, p95 and worst of each figure, and how many of each class there were."""
    if figures.statistics:
        yield f"  {'':<28}{'count':>7}{'p50':>10}{'p95':>10}{'worst':>10}"
        for statistic in figures.statistics:
            yield f"  {statistic.name:<28}{''.join(spread_cells(statistic))}"
    if counted_text := counts_text(figures):
        yield f"  {counted_text}"
    if figures.statistics or counted_text:
        yield ""


def spread_cells(statistic: Statistic) -> Iterator[str]:
    """Yield count, p50, p95 and worst, in columns that no figure fills to the edge."""
    of = statistic.spread
    yield f"{of.count:>7}"
    for value in (of.p50, of.p95, of.greatest):
        yield f" {milliseconds(value):>9}"


_HEADINGS = ("#", "time", "class", "source", "mouth to silence", "time to silence", "discarded")
_WIDTHS = (4, 12, 14, 9, 18, 17, 11)


def _cut_lines(session: Examined, words: Words) -> Iterator[str]:
    cuts = session.turns.interruptions
    if not cuts:
        return
    ends = "  heard up to" if words.agent else ""
    yield f"  {_row(_HEADINGS)}{ends}".rstrip()
    for cut in cuts:
        about = "≈ " if cut.words_estimated else ""
        heard = f"  {about}{last_words(cut.heard_text)}" if words.agent else ""
        yield f"  {_row(_cut_cells(cut, class_of(cut, session.limits)))}{heard}".rstrip()
    yield ""


def _cut_cells(cut: Interruption, name: str) -> tuple[str, ...]:
    silence = milliseconds(cut.time_to_silence_ms, cut.estimated)
    return (
        str(cut.number),
        clock(cut.at, 3),
        name or UNKNOWN,
        cut.source,
        milliseconds(cut.mouth_to_silence_ms, cut.estimated),
        "already silent" if cut.was_silent else silence,
        duration(cut.discarded_ms),
    )


def _row(cells: Sequence[str]) -> str:
    texts = zip(cells, _WIDTHS, strict=True)
    return "".join(
        cell.ljust(width) if 1 <= column <= 3 else cell.rjust(width - 2) + "  "
        for column, (cell, width) in enumerate(texts)
    )


def last_words(text: str) -> str:
    """Return the end of what was heard, in quotes; a dash where it is not known."""
    words = one_line(text).split()
    if not words:
        return UNKNOWN
    dots = "…" if len(words) > LONGEST_WORDS else ""
    return f"“{dots}{' '.join(words[-LONGEST_WORDS:])[-200:]}”"
