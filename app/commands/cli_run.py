"""``turnscope run``, and the options that it shares with ``replay``. The main thread enters.

What the commands need is imported by them: the window waits for none of it.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from app.commands.exit_codes import DEVICE_OR_FILE, FAILED, INTERRUPTED, OK, USAGE

ABOUT = """\
Run one session without a screen. Progress goes to stderr, the summary to stdout.

The session is recorded, by default where the window keeps its recordings. Ctrl+C ends it properly:
the recording is whole, and the summary is written."""

EXIT_CODES = f"""\
exit codes:
  {OK}    the session ended as it should: by --seconds, at the end of the file, or by the agent
  {FAILED}    the session failed: key refused, agent unknown, no network, server closed or silent
  {USAGE}    the command makes no sense
  {DEVICE_OR_FILE}    a device or a file cannot be used, or not all could be recorded
  {INTERRUPTED}  Ctrl+C"""


def add(commands: Any) -> None:
    """Add the command to the subparsers ``commands``."""
    parser = commands.add_parser(
        "run",
        help="run a session without a screen",
        description=ABOUT,
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_agent(parser)
    parser.add_argument(
        "--mic",
        metavar="MIC",
        help="default, a device, none, an audio file, or a recording to replay",
    )
    parser.add_argument(
        "--speaker",
        metavar="SPEAKER",
        help="default, a device, none, or a .wav file to write",
    )
    parser.add_argument(
        "--audio", metavar="MODULE:CLASS", help="your own AudioInterface in place of both"
    )
    add_recording(parser)
    add_course(parser)
    parser.set_defaults(handler=_run)


def add_agent(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which agent."""
    add = parser.add_argument
    add("--agent", default="demo", metavar="AGENT", help="demo, or elevenlabs:AGENT_ID")
    add("--base-url", default="", metavar="URL", help="another region, or your own deployment")
    add("--no-key", action="store_true", help="send no API key: for agents that are public")
    add(
        "--script",
        type=Path,
        metavar="SCRIPT",
        help="what the demo agent says and does: a file, or one that misbehaves on purpose "
        "(hears-itself, stops-late, never-stops, reuses-id)",
    )


def add_recording(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where the recording goes."""
    recording = parser.add_mutually_exclusive_group()
    recording.add_argument(
        "--record",
        type=Path,
        metavar="DIR",
        help="keep the recording in a new folder in DIR, and not where the settings say",
    )
    recording.add_argument("--no-record", action="store_true", help="keep no recording")
    parser.add_argument("--title", default="", metavar="TEXT", help="what to call the recording")


def add_course(parser: argparse.ArgumentParser) -> None:
    """Add the options that say when to interrupt and to end, and how to tell of it."""
    add = parser.add_argument
    add("--seconds", type=_seconds, metavar="N", help="end after N seconds")
    add(
        "--interrupt-at",
        type=_seconds,
        action="append",
        default=[],
        metavar="S",
        help="interrupt the agent after S seconds; may be given more than once",
    )
    add(
        "--quiet-for",
        type=_seconds,
        default=4.0,
        metavar="N",
        help="end when the file has ended and both were quiet for N seconds (default 4)",
    )
    add("--json", action="store_true", help="write the summary as one JSON object")


def _run(options: argparse.Namespace) -> int:
    from app.commands.run_command import run

    return run(options)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 1e7:
        raise argparse.ArgumentTypeError(f"“{text}” is not a number of seconds")
    return seconds
