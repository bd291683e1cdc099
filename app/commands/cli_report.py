"""``turnscope report``: what sessions come to. The main thread enters."""

from __future__ import annotations

import argparse
import re
from functools import partial
from pathlib import Path
from typing import Any

from app.commands.exit_codes import DEVICE_OR_FILE, INTERRUPTED, OK, USAGE
from app.plain import printable

ABOUT = """\
Tell what sessions come to: findings in plain words with their evidence, worst first, the figures
(how often measured, p50, p95, worst), and every interruption.

SESSION is a recording's folder, a zip of one, or a folder of recordings. The report goes to
stdout; with --html it goes into one file that needs no other and is safe to mail."""

EPILOG = f"""\
privacy:
  A report holds the names of sessions, and no other path of this machine. --no-user-text leaves the
  user's words out, --no-text the agent's as well. Pictures in HTML show how loud both were, and no
  audio can be had from them.

examples:
  turnscope report recordings/2026-11-22_10-15-03_demo
      what is wrong, for a terminal
  turnscope report recordings --html week.html
      every session in the folder, with a picture of each interruption
  turnscope report recordings --csv --table statistics > figures.csv
      a row for each figure of each session

exit codes:
  {OK}    the report is written
  {USAGE}    the command makes no sense, or the HTML file is there already
  {DEVICE_OR_FILE}    something cannot be read or written; what could be read is in the report
  {INTERRUPTED}  Ctrl+C"""

TABLES = ("interruptions", "turns", "responses", "overlaps", "refused", "findings", "statistics")


def add(commands: Any) -> None:
    """Add the command to the subparsers ``commands``."""
    parser = commands.add_parser(
        "report",
        help="findings, figures and interruptions of sessions, as text, JSON, CSV or HTML",
        description=ABOUT,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_sessions(parser)
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--json", action="store_true", help="write one JSON object")
    kind.add_argument("--csv", action="store_true", help="write a table; see --table")
    kind.add_argument("--html", type=Path, metavar="FILE", help="write one HTML file")
    parser.add_argument(
        "--table",
        choices=TABLES,
        help="which table --csv writes (default interruptions)",
    )
    parser.add_argument("--force", action="store_true", help="replace an HTML file that is there")
    parser.add_argument("--no-user-text", action="store_true", help="leave the user's words out")
    parser.add_argument("--no-text", action="store_true", help="leave all words out")
    _add_limits(parser)
    parser.set_defaults(handler=_report)


def _add_limits(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "limits (D: a duration, as 150ms or 1.2s)", "what findings and classes go by"
    )
    for field, (option, default, definition) in LIMITS.items():
        group.add_argument(
            option,
            dest=field,
            type=partial(
                limit,
                unit_ms=1000 if field.endswith("_s") else 1,
                most_ms=MOST_MS.get(field, MINUTE_MS),
            ),
            metavar="D",
            help=f"{definition} (default {default})",
        )


LIMITS = {
    "mouth_to_silence_ms": ("--late-after", "500ms", "mouth to silence of a late barge-in"),
    "time_to_silence_ms": ("--silent-within", "150ms", "time to silence that is good enough"),
    "response_latency_ms": ("--slow-after", "1.5s", "response latency of a slow response"),
    "missed_s": ("--missed-after", "1s", "user speech over the agent's that is no backchannel"),
    "pause_s": ("--turn-pause", "1s", "the silence that ends a turn; analyses the sessions anew"),
}
"""The option of each limit, by its field in ``app.analysis.limits.Limits``."""


MINUTE_MS = 60_000
MOST_MS = {"pause_s": 10_000}
"""The greatest value of a limit where it is not a minute."""


def limit(text: str, *, unit_ms: int, most_ms: int = MINUTE_MS) -> float:
    """Return a duration as a limit in units of ``unit_ms``.

    Raises:
        ArgumentTypeError: it is no duration, or too short or too long for a limit.

    """
    value_ms, least_ms = duration(text), 100 if unit_ms == 1000 else 1
    if not least_ms <= value_ms <= most_ms:
        raise argparse.ArgumentTypeError(f"it goes from {least_ms}ms to {most_ms // 1000}s")
    return value_ms / unit_ms


_DURATION = re.compile(r"\s*(\d{1,9}(?:\.\d{1,6})?|\.\d{1,6})\s*(ms|s)\s*", re.ASCII)


def duration(text: str) -> float:
    """Return the milliseconds that ``150ms`` or ``1.2s`` stand for.

    Raises:
        ArgumentTypeError: it is no duration, or has no unit.

    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise argparse.ArgumentTypeError(
            f"“{printable(text)}” is no duration with a unit, as 150ms or 1.2s"
        )
    return float(match[1]) * (1000 if match[2] == "s" else 1)


def add_sessions(parser: argparse.ArgumentParser) -> None:
    """Add the sessions that a command is about."""
    parser.add_argument(
        "sessions",
        nargs="+",
        metavar="SESSION",
        help="a recording's folder, a zip of one, or a folder of recordings",
    )


def _report(options: argparse.Namespace) -> int:
    from app.commands.report_command import report

    return report(options)
