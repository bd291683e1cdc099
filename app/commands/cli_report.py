"""``turnscope report``: what sessions come to. The main thread enters."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from app.commands.exit_codes import DEVICE_OR_FILE, INTERRUPTED, OK, USAGE
from app.commands.session_arguments import add_limits, add_sessions

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
    add_limits(parser)
    parser.set_defaults(handler=_report)


def _report(options: argparse.Namespace) -> int:
    from app.commands.report_command import report

    return report(options)
