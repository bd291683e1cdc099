"""``turnscope compare``: two sessions of the same caller, side by side. The main thread enters."""

from __future__ import annotations

import argparse
from typing import Any

ABOUT = """\
Lay two sessions of the same caller over each other and list the differences: response latencies,
times to silence, interruptions, what was heard and what was understood.

The user's turns are paired by their place in the caller's audio; the offset between the sessions is
found from them. A change says what the second session did more or less than the first."""

EPILOG = """\
exit codes:
  0    both could be compared, whatever came of it
  2    the command makes no sense
  3    a recording cannot be read"""


def add(commands: Any) -> None:
    """Add the command to the subparsers ``commands``."""
    parser = commands.add_parser(
        "compare",
        help="two sessions of the same caller, side by side",
        description=ABOUT,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("first", metavar="FIRST", help="a session's folder, or a zip of one")
    parser.add_argument("second", metavar="SECOND", help="another one of the same caller")
    parser.add_argument(
        "--offset-ms",
        type=_milliseconds,
        metavar="MS",
        help="how much later the caller speaks in the second one; found by itself if left out",
    )
    parser.add_argument("--json", action="store_true", help="write one JSON object")
    parser.set_defaults(handler=_compare)


def _compare(options: argparse.Namespace) -> int:
    from app.commands.compare_command import compare

    return compare(options)


def _milliseconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 1e13
    if not -1e10 < value < 1e10:
        raise argparse.ArgumentTypeError(f"“{text}” is not a number of milliseconds")
    return value
