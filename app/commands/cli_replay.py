"""``turnscope replay``: a caller who was recorded speaks again. The main thread enters."""

from __future__ import annotations

import argparse
from typing import Any

from app.commands.cli_run import EXIT_CODES, add_agent, add_course, add_recording

ABOUT = """\
Let a caller who was recorded speak to an agent again: the user track of a session, or an audio
file. It runs in real time and needs no sound card; the new session is recorded like any other, and
says what it replays.

The caller begins where the microphone opened in the session that is replayed, and the demo agent
goes by the caller's time: the same caller has the same turns and interruptions each time."""

EPILOG = f"""\
examples:
  turnscope replay 2026-11-22_10-15-03_demo --agent elevenlabs:agent_0123
      the same caller, another agent
  turnscope replay caller.wav --record recordings --title "after the change" --json
      an audio file, against the demo agent
  turnscope compare recordings/2026-11-22_10-15-03_demo recordings/2026-11-22_10-20-41_demo
      what has changed

{EXIT_CODES}"""


def add(commands: Any) -> None:
    """Add the command to the subparsers ``commands``."""
    parser = commands.add_parser(
        "replay",
        help="let a recorded caller speak to an agent again",
        description=ABOUT,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "recording",
        metavar="RECORDING",
        help="a session's folder, a zip of one, or an audio file (stereo: the caller is left)",
    )
    parser.add_argument("--swap", action="store_true", help="the caller is the right channel")
    add_agent(parser)
    parser.add_argument(
        "--speaker",
        default="none",
        metavar="SPEAKER",
        help="none (the default), default, a device, or a .wav file to write",
    )
    add_recording(parser)
    add_course(parser)
    parser.set_defaults(handler=_replay)


def _replay(options: argparse.Namespace) -> int:
    from app.commands.run_command import replay

    return replay(options)
