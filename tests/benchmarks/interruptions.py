"""What the program says of interruptions against sessions whose truth is known.

``python -m tests.benchmarks.interruptions`` plays every scenario of ``tests/truth``, prints two
tables and all that was wrong, and writes JSON. With ``--again`` nothing is played: what was kept of
the last time is judged anew.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from tests.benchmarks.table import Figure, percentile, spread, to_markdown, write_json
from tests.truth.crowd import play_all
from tests.truth.judging import Judgement, Verdict, judge
from tests.truth.scenarios import SCENARIOS

JSON = Path("build/interruptions.json")
FOLDER = Path("build/truth")
AT_ONCE = 3


def figures_of(judgements: Sequence[Judgement]) -> list[Figure]:
    """Return the figures, each with the bar that it is held to."""
    return [
        *_edge_figures(judgements),
        *_class_figures(judgements),
        *_time_figures(judgements),
        *_word_figures(judgements),
        *_shown_figures(judgements),
        Figure(
            "sessions whose live figures and those of the recording differ",
            sum(bool(each.truth.differences) for each in judgements),
            "",
            0,
            detail=f"of {len(judgements)}",
        ),
    ]


def figure_of_bare(full: Sequence[Judgement], bare: Sequence[Judgement]) -> Figure:
    """Return how much is called otherwise where opening has to measure the tracks."""
    called = sum(len(_told(each)) for each in full)
    changed = sum(len(otherwise(*pair)) for pair in zip(full, bare, strict=True))
    name = "called otherwise where the tracks are measured on opening"
    return Figure(name, changed, "", 0, detail=f"of {called}")


def otherwise(one: Judgement, other: Judgement) -> list[str]:
    """Say what two judgements of one session call by different names."""
    ours, theirs = _told(one), _told(other)
    return [
        f"{at:6.2f} s  {of}: {ours.get((at, of), 'nothing')} in the events, "
        f"{theirs.get((at, of), 'nothing')} from the tracks"
        for at, of in sorted(ours.keys() | theirs.keys())
        if ours.get((at, of)) != theirs.get((at, of))
    ]


def _told(judgement: Judgement) -> dict[tuple[float, str], str]:
    return {(one.at, one.of): one.found for one in judgement.verdicts}


def _edge_figures(judgements: Sequence[Judgement]) -> list[Figure]:
    made = []
    for where, is_held in (("clean", True), ("20 dB", True), ("10 dB", False), ("echo", False)):
        for kind in ("onset", "end"):
            errors = [
                abs(edge.error_ms)
                for each in judgements
                if each.truth.surroundings == where
                for edge in each.edges
                if edge.kind == kind
            ]
            for which, bar in ((50, 30), (95, 80)):
                name = f"{kind} of the user's speech, {where}, {_called(which)}"
                value = percentile(errors, which)
                held = bar if is_held else None
                made.append(Figure(name, value, "ms", held, detail=spread(errors)))
    return made


def _called(which: int) -> str:
    return "median" if which == 50 else f"p{which}"


def _class_figures(judgements: Sequence[Judgement]) -> list[Figure]:
    kinds = _verdicts(judgements, lambda one: one.of in ("interruption", "overlap"))
    slandered = _verdicts(
        [each for each in judgements if each.truth.surroundings == "clean"],
        lambda one: one.of == "interruption" and one.true != "false" and one.found == "false",
    )
    return [
        _share("interruptions and overlaps of the wrong class", kinds, 5),
        _share(
            "interruptions of the wrong class", [one for one in kinds if one.of == "interruption"]
        ),
        _share("overlaps of the wrong class", [one for one in kinds if one.of == "overlap"]),
        Figure("barge-ins called false on clean speech", len(slandered), "", 0),
        _share(
            "sounds before false interruptions taken for something else",
            _verdicts(judgements, lambda one: one.of == "sound"),
        ),
        Figure(
            "user turns where nobody spoke",
            len(_verdicts(judgements, lambda one: one.of == "speech")),
            "",
        ),
    ]


def _share(name: str, verdicts: Sequence[Verdict], bar: float | None = None) -> Figure:
    wrong = sum(not one.is_right for one in verdicts)
    share = 100 * wrong / len(verdicts) if verdicts else float("nan")
    return Figure(name, share, "%", bar, detail=f"{wrong} of {len(verdicts)}")


def _verdicts(judgements: Sequence[Judgement], which: Callable[[Verdict], bool]) -> list[Verdict]:
    return [one for each in judgements for one in each.verdicts if which(one)]


def _time_figures(judgements: Sequence[Judgement]) -> list[Figure]:
    silence = [error for each in judgements for error in each.silence_errors_ms]
    onsets = [error for each in judgements for error in each.onset_errors_ms]
    told = [error for each in judgements for error in each.told_errors_ms]
    delays = [abs(error) for each in judgements for error in each.echo_delay_errors_ms]
    gains = [abs(error) for each in judgements for error in each.echo_gain_errors_db]
    return [
        Figure(
            "moment of silence against the monitor's, p95",
            percentile(np.abs(silence), 95),
            "ms",
            15,
            detail=spread(silence),
        ),
        Figure(
            "onset that an interruption is put down to, p95",
            percentile(np.abs(onsets), 95),
            "ms",
            detail=spread(np.abs(onsets)),
        ),
        Figure(
            "from the agent's sending to the record's “told”, p95",
            percentile(told, 95),
            "ms",
            detail=spread(told),
        ),
        Figure("delay of the echo, p95", percentile(delays, 95), "ms", detail=spread(delays)),
        Figure("level of the echo, p95", percentile(gains, 95), "dB", detail=spread(gains)),
    ]


def _word_figures(judgements: Sequence[Judgement]) -> list[Figure]:
    words = [one for each in judgements for one in each.words]
    off = [one for one in words if abs(one.true - one.found) > 1]
    sure = [one for one in words if one.is_exact_wanted]
    wrong = [one for one in sure if one.true != one.found]
    share = 100 * len(off) / len(words) if words else float("nan")
    return [
        Figure(
            "last word heard, more than one off",
            share,
            "%",
            5,
            detail=f"{len(off)} of {len(words)}, "
            f"{sum(one.true == one.found for one in words)} exact",
        ),
        Figure(
            "last word heard, aligned and cut between words, not exact",
            len(wrong),
            "",
            0,
            detail=f"of {len(sure)}",
        ),
    ]


def _shown_figures(judgements: Sequence[Judgement]) -> list[Figure]:
    """Return how long after what they describe the live figures were there, for each kind."""
    late: dict[str, list[float]] = {}
    for each in judgements:
        for shown in each.truth.shown:
            late.setdefault(shown.what, []).append(shown.late_ms)
    return [
        Figure(
            f"shown live after what it describes, {what}, p95",
            percentile(late[what], 95),
            "ms",
            1000,
            detail=spread(late[what]),
        )
        for what in sorted(late)
    ]


# -- by scenario -----------------------------------------------------------------------------------


def by_scenario(judgements: Sequence[Judgement]) -> str:
    """Return a line for each session."""
    head = ("scenario", "class", "sound", "onset", "end", "silence", "words", "live", "troubles")
    rows = [head, *(_row(each) for each in judgements)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join(lines)


def _row(each: Judgement) -> tuple[str, ...]:
    def share(*of: str) -> str:
        verdicts = [one for one in each.verdicts if one.of in of]
        right = sum(one.is_right for one in verdicts)
        return f"{right}/{len(verdicts)}" if verdicts else "–"

    def worst(errors: Sequence[float]) -> str:
        return f"{max(errors, key=abs):+.0f} ms" if errors else "–"

    words = [one.found - one.true for one in each.words]
    return (
        each.truth.name,
        share("interruption", "overlap", "speech"),
        share("sound"),
        worst([edge.error_ms for edge in each.edges if edge.kind == "onset"]),
        worst([edge.error_ms for edge in each.edges if edge.kind == "end"]),
        worst(each.silence_errors_ms),
        " ".join(f"{off:+d}" if off else "0" for off in words) or "–",
        "differs" if each.truth.differences else "same",
        ", ".join(f"{kind} {count}" for kind, count in each.truth.troubles.items()),
    )


def main() -> None:
    """Play what was named, or all, judge it, and tell; 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="some of the scenarios")
    parser.add_argument("--again", action="store_true", help="judge what was kept, play nothing")
    parser.add_argument("--at-once", type=int, default=AT_ONCE, metavar="N")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--json", type=Path, default=JSON)
    arguments = parser.parse_args()
    names = arguments.names or list(SCENARIOS)
    began = time.monotonic()
    failures: dict[str, str] = {}
    if not arguments.again:
        failures = play_all(names, arguments.folder, arguments.at_once, _tell)
    judgements = [judge(arguments.folder / name) for name in names if name not in failures]
    bare = [judge(each.folder, is_bare=True) for each in judgements]
    figures = [*figures_of(judgements), figure_of_bare(judgements, bare)]
    print(by_scenario(judgements), to_markdown(figures), sep="\n\n")
    print(f"\n{len(judgements)} sessions in {time.monotonic() - began:.0f} s")
    for each in judgements:
        for line in each.wrong:
            print(f"{each.truth.name}: {line}")
    for each, again in zip(judgements, bare, strict=True):
        for line in otherwise(each, again):
            print(f"{each.truth.name}: {line}")
    for name, failure in failures.items():
        print(f"{name}: not played: {failure}")
    write_json(figures, arguments.json)
    sys.exit(bool(failures) or not all(figure.holds for figure in figures))


def _tell(line: str) -> None:
    print(f"played {line}", flush=True)


if __name__ == "__main__":
    main()
