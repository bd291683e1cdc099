"""``turnscope check``: from paths and limits to a verdict. The main thread enters."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from app.analysis.finding import counted
from app.analysis.limits import Limits
from app.commands.exit_codes import DEVICE_OR_FILE, FAILED, OK
from app.commands.report_command import own_files
from app.commands.streams import give_up_stdout, say
from app.export.part_files import PartFiles
from app.notices import AppError, explain
from app.plain import printable
from app.report.checking import Outcome, Rule, judge, moment_text
from app.report.gather import Examined, Unreadable, examine_each, sessions_in
from app.report.junit import Checked, to_junit
from app.report.progress import Progress
from audio.errors import FileError

MOMENTS = 20
"""So many moments of a broken limit are listed; JSON and JUnit have all of them."""


def check(options: argparse.Namespace) -> int:
    """Check the sessions, say what came of it, and return the exit code.

    Raises:
        AppError: there is no limit, or the JUnit file cannot be there.
        OSError: what came of it cannot be told.

    """
    rules = [Rule(*rule) for rule in dict.fromkeys(options.rules)]
    if not rules:
        raise AppError("There is no limit to check.", "Give one, as --max-time-to-silence 150ms.")
    given = {"missed_s": options.missed_after, "pause_s": options.turn_pause}
    limits = Limits(**{name: value for name, value in given.items() if value is not None})
    found = list(sessions_in(options.sessions))
    with PartFiles(replace_all=True) as files:
        if options.junit is not None:
            files.check([options.junit], own_files(found))
        checked = _check_each(found, rules, limits)
        written = options.junit is None or _write_junit(files, checked, options)
    code = _code(checked, options.require_figures)
    _tell_while_read(checked, options, code)
    return DEVICE_OR_FILE if code == OK and not written else code


def _write_junit(files: PartFiles, checked: Sequence[Checked], options: argparse.Namespace) -> bool:
    """Write the JUnit file; where it cannot be, say so, for the verdict is told all the same."""
    try:
        files.put(options.junit, to_junit(checked, need_figures=options.require_figures))
        files.commit()
    except FileError as error:
        notice = explain(error)
        say(notice.sentence, notice.advice)
        return False
    return True


def _tell_while_read(checked: Sequence[Checked], options: argparse.Namespace, code: int) -> None:
    """Tell what came of it; that somebody has read enough, or a full disk, breaks no limit."""
    try:
        _tell(checked, options)
        sys.stdout.flush()
    except OSError as error:
        if code != FAILED and not isinstance(error, BrokenPipeError):
            raise
        give_up_stdout()


def _check_each(
    found: Sequence[Path | Unreadable], rules: Sequence[Rule], limits: Limits
) -> list[Checked]:
    checked = []
    with Progress(len(found)) as progress:
        for each in examine_each(found, limits, progress.tell):
            progress.clear()
            if isinstance(each, Unreadable):
                say(f"{each.name}: {each.sentence}")
                checked.append(Checked(each.name, error=each.sentence))
            else:
                checked.append(_checked(each, rules))
    return checked


def _checked(session: Examined, rules: Sequence[Rule]) -> Checked:
    for warning in session.warnings:
        say(f"{session.name}: {warning}")
    outcomes = tuple(judge(session.turns, rule, session.limits) for rule in rules)
    return Checked(session.name, outcomes, "", session.began_utc, session.duration_s)


def _is_broken(session: Checked, need_figures: bool) -> bool:
    return any(outcome.fails(need_figures=need_figures) for outcome in session.outcomes)


def _code(checked: Sequence[Checked], need_figures: bool) -> int:
    if any(_is_broken(session, need_figures) for session in checked):
        return FAILED
    return DEVICE_OR_FILE if any(session.error for session in checked) else OK


# -- telling -----------------------------------------------------------------------------------


def _tell(checked: Sequence[Checked], options: argparse.Namespace) -> None:
    if options.json:
        document = {
            "ok": _code(checked, options.require_figures) == OK,
            "sessions": [_as_json(session, options.require_figures) for session in checked],
        }
        # ASCII alone: no control character of a name's reaches a terminal
        print(json.dumps(document, allow_nan=False))
        return
    for line in _lines(checked, options.require_figures):
        sys.stdout.write(f"{printable(line)}\n")


def _lines(checked: Sequence[Checked], need_figures: bool) -> Iterator[str]:
    readable = [session for session in checked if not session.error]
    for session in readable:
        yield session.name
        for outcome in session.outcomes:
            yield from _outcome_lines(outcome, need_figures)
    broken = sum(_is_broken(session, need_figures) for session in readable)
    if readable and not broken:
        yield f"{counted(len(readable), 'session')}: no limit is broken."
    elif readable:
        of = counted(len(readable), "session")
        yield f"{broken} of {of} {'breaks' if broken == 1 else 'break'} a limit."


_MARKS = {"kept": "ok", "broken": "BROKEN", "unknown": "–"}


def _outcome_lines(outcome: Outcome, need_figures: bool) -> Iterator[str]:
    is_missing = outcome.state != "broken" and outcome.fails(need_figures=need_figures)
    mark = "MISSING" if is_missing else _MARKS[outcome.state]
    yield f"  {mark:<8}{outcome.rule.text}: {outcome.sentence}"
    for sample in outcome.moments[:MOMENTS]:
        yield f"          {moment_text(outcome, sample)}"
    if len(outcome.moments) > MOMENTS:
        yield f"          and {len(outcome.moments) - MOMENTS} more"


def _as_json(session: Checked, need_figures: bool) -> dict[str, object]:
    return {
        "name": session.name,
        "error": session.error or None,
        "ok": not session.error and not _is_broken(session, need_figures),
        "limits": [
            {
                "limit": outcome.rule.text,
                "name": outcome.rule.name,
                "statistic": outcome.rule.statistic,
                "most": outcome.rule.limit,
                "state": outcome.state,
                "sentence": outcome.sentence,
                "moments": [
                    {"at_s": round(at, 6), "value": round(value, 3), "estimated": estimated}
                    for at, value, estimated, _ in outcome.moments
                ],
            }
            for outcome in session.outcomes
        ],
    }
