"""A report as JSON and as CSV, for other programs. Pure.

::

    format, version     "turnscope report", 1
    limits              what findings and classes go by
    sessions            name, agent, began_utc, duration_s, warnings, and
      findings          id, weight, sentence, advice, moments_s, figures
      statistics        name, count, p50_ms, p95_ms, worst_ms
      counts            how many interruptions and overlaps of each class, underruns, refused
      interruptions, overlaps, responses, refused
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
from collections.abc import Iterable, Sequence
from typing import Any

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
)
from app.secrets import scrub_text

FORMAT, VERSION = "turnscope report", 1
TABLES = ("interruptions", "responses", "overlaps", "refused", "findings", "statistics")


def session_document(session: Examined, words: Words) -> Record:
    """Return all there is to say of a session; what is not known is null."""
    turns, limits = session.turns, session.limits
    figures = figures_of(turns, limits)
    lines = [record for line in turns.transcript if (record := line_record(line, words))]
    return {
        "name": session.name,
        "agent": session.agent,
        "began_utc": session.began_utc or None,
        "duration_s": session.duration_s,
        "warnings": session.warnings,
        "findings": [finding_record(finding) for finding in session.findings],
        "statistics": [statistic_record(each) for each in figures.statistics],
        "counts": figures.counts,
        "interruptions": [interruption_record(cut, limits, words) for cut in turns.interruptions],
        "overlaps": [overlap_record(overlap, limits) for overlap in turns.overlaps],
        "responses": [response_record(response) for response in turns.responses],
        "refused": [refused_record(refused) for refused in turns.refused],
        "lines": lines,
    }


def to_json(
    sessions: Sequence[Record], failed: Sequence[Unreadable], whole: Figures, limits: dict[str, Any]
) -> str:
    """Return the whole report as one JSON object, in ASCII: no control character is in it."""
    document = {
        "format": FORMAT,
        "version": VERSION,
        "limits": limits,
        "sessions": list(sessions),
        "unreadable": [{"name": each.name, "reason": each.sentence} for each in failed],
        "statistics": [statistic_record(each) for each in whole.statistics],
        "counts": whole.counts,
    }
    return json.dumps(clean(_rounded(document)), indent=2, ensure_ascii=True, allow_nan=False)


def table_rows(table: str, session: Examined, words: Words) -> list[Record]:
    """Return one of ``TABLES`` of a session; each row begins with the session's name."""
    turns, limits = session.turns, session.limits
    rows: Iterable[Record]
    if table == "interruptions":
        rows = (interruption_record(cut, limits, words) for cut in turns.interruptions)
    elif table == "responses":
        rows = (response_record(response) for response in turns.responses)
    elif table == "overlaps":
        rows = (overlap_record(overlap, limits) for overlap in turns.overlaps)
    elif table == "refused":
        rows = (refused_record(refused) for refused in turns.refused)
    elif table == "findings":
        rows = (_flat(finding_record(finding)) for finding in session.findings)
    else:
        statistics = figures_of(turns, limits).statistics
        rows = (statistic_record(statistic) for statistic in statistics)
    return [{"session": session.name, **row} for row in rows]


def _flat(finding: Record) -> Record:
    """Return a finding for a table: its moments in one cell, without its figures."""
    moments = " ".join(f"{moment:.3f}" for moment in finding["moments_s"])
    return {**{k: v for k, v in finding.items() if k != "figures"}, "moments_s": moments}


def to_csv(table: str, rows: Iterable[Record]) -> str:
    """Return rows as CSV (RFC 4180); what is not known is empty, formulas are harmless."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    columns = COLUMNS[table]
    writer.writerow(columns)
    for row in rows:
        writer.writerow([cell_text(row.get(name)) for name in columns])
    return scrub_text(text.getvalue())


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
    from app.analysis.turn_records import Interruption, Overlap, Refused, Response, Spread
    from app.report.figures import Statistic

    limits = Limits()
    examples = {
        "interruptions": interruption_record(Interruption(0, 0.0, "agent"), limits, Words()),
        "responses": response_record(Response(0.0)),
        "overlaps": overlap_record(Overlap(0.0, 0.0, 0.0, 0.0), limits),
        "refused": refused_record(Refused(0.0, 0.0, 0.0, None, "")),
        "findings": _flat(finding_record(Finding("", 0.0, "", ""))),
        "statistics": statistic_record(Statistic("", Spread())),
    }
    return {name: ("session", *record) for name, record in examples.items()}


COLUMNS = _columns()
