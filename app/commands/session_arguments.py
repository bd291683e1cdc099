"""Arguments that commands about sessions share: the sessions, durations and limits. Pure.

It imports nothing that is only wanted once a command is carried out.
"""

from __future__ import annotations

import argparse
import re
from functools import partial

from app.plain import printable

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

_DURATION = re.compile(r"\s*(\d{1,9}(?:\.\d{1,6})?|\.\d{1,6})\s*(ms|s)\s*", re.ASCII)


def add_sessions(parser: argparse.ArgumentParser) -> None:
    """Add the sessions that a command is about."""
    parser.add_argument(
        "sessions",
        nargs="+",
        metavar="SESSION",
        help="a recording's folder, a zip of one, or a folder of recordings",
    )


def add_limits(parser: argparse.ArgumentParser) -> None:
    """Add an option for each of `LIMITS`."""
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


def limit(text: str, *, unit_ms: int, most_ms: int = MINUTE_MS) -> float:
    """Return a duration as a limit in units of ``unit_ms``.

    Raises:
        ArgumentTypeError: it is no duration, or too short or too long for a limit.

    """
    value_ms, least_ms = duration(text), 100 if unit_ms == 1000 else 1
    if not least_ms <= value_ms <= most_ms:
        raise argparse.ArgumentTypeError(f"it goes from {least_ms}ms to {most_ms // 1000}s")
    return value_ms / unit_ms


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
