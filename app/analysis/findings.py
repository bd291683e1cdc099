"""What is wrong with a session, in plain words with the evidence, worst first. Pure.

Only what the records' figures carry: each finding names its thresholds, and says how often it was
seen and of how many samples a median is. Of a long session the latest turns and interruptions are
looked at, so that it costs the same however long it grows; the finding says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from app.analysis.finding import Finding, counted
from app.analysis.findings_cuts import LATEST as LATEST_CUTS
from app.analysis.findings_cuts import cut_findings
from app.analysis.findings_turns import LATEST as LATEST_TURNS
from app.analysis.findings_turns import turn_findings
from app.analysis.limits import Limits
from app.analysis.viewed import TurnView

__all__ = ["Finding", "find", "nothing_found"]


def find(view: TurnView, limits: Limits) -> list[Finding]:
    """Return what is wrong with what is viewed, worst first."""
    summary, cuts = view.summary(), view.interruptions
    of_cuts = cut_findings(cuts[-LATEST_CUTS:], view.transcript[-LATEST_CUTS:], summary, limits)
    is_cut = len(cuts) > LATEST_CUTS or len(view.transcript) > LATEST_CUTS
    is_long = max(len(view.overlaps), len(view.responses), len(view.refused)) > LATEST_TURNS
    found = [
        *_of_latest(of_cuts, is_cut, f"{LATEST_CUTS} interruptions and lines"),
        *_of_latest(turn_findings(view, summary, limits), is_long, f"{LATEST_TURNS} turns"),
    ]
    return sorted(found, key=lambda finding: -finding.weight)


def _of_latest(found: Iterable[Finding], are_more: bool, latest: str) -> Iterator[Finding]:
    """Say that no more was looked at, where there is more."""
    for finding in found:
        told = f"{finding.sentence} Only the latest {latest} were looked at."
        yield replace(finding, sentence=told) if are_more and finding.moments else finding


def nothing_found(view: TurnView) -> str:
    """Return a sentence on a session that has no findings: what was judged, if anything was."""
    cuts = len(view.interruptions[-LATEST_CUTS:])
    answers = sum(each.latency_ms is not None for each in view.responses[-LATEST_TURNS:])
    is_all = len(view.interruptions) <= LATEST_CUTS and len(view.responses) <= LATEST_TURNS
    if not cuts and not answers:
        return "There is nothing to judge yet: no interruption, and no turn that answers one."
    judged = [
        text
        for count, text in (
            (cuts, counted(cuts, "interruption")),
            (answers, counted(answers, "response")),
        )
        if count
    ]
    where = f"{'' if is_all else 'the latest '}{' and '.join(judged)}"
    return f"Nothing stands out in {where}: what was measured is within the limits."
