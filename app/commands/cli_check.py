"""``turnscope check``: do sessions keep their limits? The main thread enters."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any

from app.commands.exit_codes import DEVICE_OR_FILE, FAILED, INTERRUPTED, OK, USAGE
from app.commands.session_arguments import MOST_MS, add_sessions, duration, limit
from app.plain import printable

ABOUT = """\
Check sessions against limits, to guard an agent on a build machine. Each session is checked by
itself. What breaks a limit is listed with its moments.

SESSION is a recording's folder, a zip of one, or a folder of recordings. A duration has a unit:
150ms, 1.2s; figures are compared to the millisecond, as they are shown. Where figures for a limit
are missing that is told; they break the limit with --require-figures alone."""

EPILOG = f"""\
examples:
  turnscope replay caller.wav --agent elevenlabs:agent_0123 --record out
  turnscope check out --max-mouth-to-silence 600ms --p95-response-latency 1.2s
      the same caller meets the agent, and the agent has to be quick
  turnscope check out --no-false-interruptions --no-missed-interruptions --junit check.xml
      for a build machine, which reads check.xml

exit codes:
  {OK}    every limit is kept
  {FAILED}    a limit is broken, or with --require-figures a figure is missing
  {USAGE}    the command makes no sense: no limit, for one
  {DEVICE_OR_FILE}    no limit is broken, but something cannot be read or written
  {INTERRUPTED}  Ctrl+C"""

TIMES = {
    "time to silence": "from the interrupt to the last agent sample leaving the speaker",
    "mouth to silence": "from the onset of the user's speech to that same moment",
    "response latency": "from the end of the user's speech to the first agent sample",
}
STATISTICS = {"max": "worst", "p95": "p95", "median": "median"}
COUNTS = {
    "false-interruptions": ("false interruptions", "interrupts with no user speech behind them"),
    "missed-interruptions": (
        "missed interruptions",
        "user speech over the agent's that nothing follows",
    ),
    "talking-over": ("talking over the user", "times the agent began while the user spoke"),
    "underruns": ("underruns", "times the playout queue ran dry inside an agent turn"),
    "refused-audio": (
        "refused audio",
        "audio of a new reply that was never given to the speaker; late audio of the reply that "
        "was interrupted is rightly refused",
    ),
}


def add(commands: Any) -> None:
    """Add the command to the subparsers ``commands``."""
    parser = commands.add_parser(
        "check",
        help="exit with 1 if sessions break limits of yours",
        description=ABOUT,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_sessions(parser)
    parser.set_defaults(rules=[], handler=_check)
    _add_times(parser)
    _add_counts(parser)
    add = parser.add_argument
    add(
        "--missed-after",
        type=partial(limit, unit_ms=1000),
        metavar="D",
        help="how long the user has to speak over the agent for a missed interruption (default 1s)",
    )
    add(
        "--turn-pause",
        type=partial(limit, unit_ms=1000, most_ms=MOST_MS["pause_s"]),
        metavar="D",
        help="the silence that ends a turn; analyses the sessions anew (default 1s)",
    )
    add("--require-figures", action="store_true", help="a figure that is missing breaks its limit")
    add("--junit", type=Path, metavar="FILE", help="write JUnit XML as well; replaces FILE")
    add("--json", action="store_true", help="write one JSON object")


def _add_times(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("limits of times (D: a duration)")
    for name, definition in TIMES.items():
        for option, statistic in STATISTICS.items():
            of = "the longest" if option == "max" else f"the {option} of"
            group.add_argument(
                f"--{option}-{name.replace(' ', '-')}",
                dest="rules",
                action=_AddRule,
                type=duration,
                const=(name, statistic),
                metavar="D",
                help=f"{of} {name}: {definition}" if option == "max" else f"{of} {name}",
            )


def _add_counts(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("limits of counts")
    for option, (name, definition) in COUNTS.items():
        group.add_argument(
            f"--no-{option}",
            dest="rules",
            action=_AddRule,
            nargs=0,
            const=(name, "count"),
            help=f"none at all: {definition}",
        )
        group.add_argument(
            f"--max-{option}",
            dest="rules",
            action=_AddRule,
            type=_count,
            const=(name, "count"),
            metavar="N",
            help="no more than N of them",
        )


class _AddRule(argparse.Action):
    """Adds a limit to those that were given before."""

    def __call__(
        self,
        _parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        _option: str | None = None,
    ) -> None:
        """Add ``(name, statistic, limit)``."""
        limit = values if isinstance(values, float) else 0.0
        setattr(namespace, self.dest, [*getattr(namespace, self.dest), (*self.const, limit)])


def _count(text: str) -> float:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise argparse.ArgumentTypeError(f"“{printable(text)}” is no whole number")
    return float(text)


def _check(options: argparse.Namespace) -> int:
    from app.commands.check_command import check

    return check(options)
