"""``turnscope open``: the window, with a recording in it. The main thread enters."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

ABOUT = """\
Open the window and show a recording in it: a session's folder, its session.json, a zip of one, or
an audio file (stereo: the user is left, the agent right)."""


def add(commands: Any) -> None:
    """Add the command to the subparsers ``commands``."""
    parser = commands.add_parser("open", help="look at a recording", description=ABOUT)
    parser.add_argument(
        "to_open", metavar="RECORDING", help="a session's folder, a zip of one, or an audio file"
    )
    parser.set_defaults(handler=None)


def open_in(options: argparse.Namespace, open_window: Callable[..., int]) -> int:
    """Open the window, with the recording that ``options`` name, if they do.

    Raises:
        FileMissing: there is none of that name.

    """
    to_open = getattr(options, "to_open", None)
    if to_open is None:
        return open_window()
    from app.recordings.session_path import find_recording

    return open_window(find_recording(to_open).absolute())
