"""A report as JSON and as CSV, for other programs, a session at a time. Pure.

::

    format, version     "turnscope report", 1
    limits              what findings and classes go by
    sessions            name, agent, began_utc, duration_s, warnings, and
      findings          id, weight, sentence, advice, moments_s, figures
      statistics        name, count, p50_ms, p95_ms, worst_ms
      counts            how many interruptions and overlaps of each class, underruns, refused
      interruptions, overlaps, turns, responses, refused
                        as ``app.report.records`` names their fields
      lines             who, at_s, text, heard_text, unheard_text, corrected_text, …
    unreadable          name, reason
    statistics, counts  of all sessions together

What is not known is null. Times are session seconds, durations milliseconds.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from app.analysis.silences import spoken_turns
from app.export.everything import clean
from app.export.tables import cell_text
from app.report.figures import Figures, figures_of
from app.report.gather import Examined, Unreadable
from app.report.records import (
    Record,
    Words,
    finding_record,
    interruption_record,
    line_record,
    overlap_record,
    refused_record,
    response_record,
    statistic_record,
    turn_record,
)

FORMAT, VERSION = "turnscope report", 1

_RECORDS: dict[str, Callable[[Examined, Words], Iterable[Record]]] = {
    "interruptions": lambda of, words: (
        interruption_record(cut, of.limits, words) for cut in of.turns.interruptions
    ),
    "turns": lambda of, _words: map(
        turn_record, spoken_turns(of.turns.user_turns, of.turns.agent_turns)
    ),
    "responses": lambda of, _words: map(response_record, of.turns.responses),
    "overlaps": lambda of, _words: (
        overlap_record(overlap, of.limits) for overlap in of.turns.overlaps
    ),
    "refused": lambda of, _words: map(refused_record, of.turns.refused),
    "findings": lambda of, _words: map(finding_record, of.findings),
    "statistics": lambda of, _words: map(
        statistic_record, figures_of(of.turns, of.limits).statistics
    ),
}
TABLES = tuple(_RECORDS)
_OF_SESSION = ("interruptions", "overlaps", "turns", "responses", "refused")


def session_document(session: Examined, words: Words) -> Record:
    """Return all there is to say of a session; what is not known is null."""
    figures = figures_of(session.turns, session.limits)

    def all_of(table: str) -> list[Record]:
        return list(_RECORDS[table](session, words))

    transcript = session.turns.transcript
    return {
        "name": session.name,
        "agent": session.agent,
        "began_utc": session.began_utc or None,
        "duration_s": session.duration_s,
        "warnings": session.warnings,
        "findings": all_of("findings"),
        "statistics": [statistic_record(each) for each in figures.statistics],
        "counts": figures.counts,
        **{table: all_of(table) for table in _OF_SESSION},
        "lines": [record for line in transcript if (record := line_record(line, words))],
    }


def json_pieces(
    sessions: Iterable[Record], ending: Callable[[], Record], limits: Record
) -> Iterator[str]:
    """Yield the report as one JSON object, a session at a time, in printable ASCII.

    ``ending`` tells what stands behind the sessions, once the last of them is written.
    """
    head = {"format": FORMAT, "version": VERSION, "limits": limits}
    yield f"{_text(head, 0)[: -len(_END)]},{_MEMBER}{json.dumps('sessions')}: ["
    before = ""
    for session in sessions:
        yield f"{before}{_ITEM}{_text(session, 2)}"
        before = ","
    yield f"{_MEMBER if before else ''}],{_text(ending(), 0)[1:]}\n"


def ending_record(failed: Sequence[Unreadable], whole: Figures) -> Record:
    """Return what stands behind the sessions: what could not be read, and all together."""
    return {
        "unreadable": [{"name": each.name, "reason": each.sentence} for each in failed],
        "statistics": [statistic_record(each) for each in whole.statistics],
        "counts": whole.counts,
    }


_MEMBER, _ITEM, _END = "\n  ", "\n    ", "\n}"


def _text(value: Record, depth: int) -> str:
    """Return ``value`` as JSON that stands ``depth`` levels deep; no text in it has a line end."""
    text = json.dumps(clean(_rounded(value)), indent=2, ensure_ascii=True, allow_nan=False)
    return text.replace("\x7f", "\\u007f").replace("\n", "\n" + "  " * depth)


def table_rows(table: str, session: Examined, words: Words) -> list[Record]:
    """Return one of ``TABLES`` of a session; each row begins with the session's name."""
    rows = _RECORDS[table](session, words)
    if table == "findings":
        rows = map(_flat, rows)
    return [{"session": session.name, **row} for row in rows]


def _flat(finding: Record) -> Record:
    """Return a finding for a table: its moments in one cell, without its figures."""
    moments = " ".join(f"{moment:.3f}" for moment in finding["moments_s"])
    return {**{k: v for k, v in finding.items() if k != "figures"}, "moments_s": moments}


def csv_head(table: str) -> str:
    """Return the first row of a table, as ``csv_rows`` writes the others."""
    return _csv([COLUMNS[table]])


def csv_rows(table: str, rows: Iterable[Record]) -> str:
    """Return rows as CSV (RFC 4180); what is not known is empty, formulas are harmless."""
    return _csv([cell_text(row.get(name)) for name in COLUMNS[table]] for row in rows)


def _csv(rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(item) for item in value]
    return round(value, 6) if isinstance(value, float) else value


def _columns() -> dict[str, tuple[str, ...]]:
    """Return the columns of each table, which are there without any rows as well."""
    from app.analysis.finding import Finding
    from app.analysis.limits import Limits
    from app.analysis.silences import SpokenTurn
    from app.analysis.turn_records import Interruption, Overlap, Refused, Response, Spread, Turn
    from app.report.figures import Statistic

    limits = Limits()
    examples = {
        "interruptions": interruption_record(Interruption(0, 0.0, "agent"), limits, Words()),
        "turns": turn_record(SpokenTurn(Turn("user", 0.0), None)),
        "responses": response_record(Response(0.0)),
        "overlaps": overlap_record(Overlap(0.0, 0.0, 0.0, 0.0), limits),
        "refused": refused_record(Refused(0.0, 0.0, 0.0, None, "")),
        "findings": _flat(finding_record(Finding("", 0.0, "", ""))),
        "statistics": statistic_record(Statistic("", Spread())),
    }
    return {name: ("session", *record) for name, record in examples.items()}


COLUMNS = _columns()
