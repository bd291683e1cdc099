"""``turnscope recover``: recordings that were cut short, made whole. The main thread enters."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from app.commands.exit_codes import DEVICE_OR_FILE, OK
from app.commands.streams import say
from app.plain import printable

ABOUT = """\
Make whole the recordings that were cut short, by a crash or a power cut: the window does the same
when it starts. What a recorder is writing at the moment is left alone."""


def add(commands: Any) -> None:
    """Add the command to the subparsers ``commands``."""
    parser = commands.add_parser("recover", help="recover recordings cut short", description=ABOUT)
    parser.add_argument(
        "--folder", type=Path, metavar="DIR", help="by default where the window keeps recordings"
    )
    parser.set_defaults(handler=_recover)


def _recover(options: argparse.Namespace) -> int:
    from app.bundles.recovery import recover_unfinished
    from app.notices import AppError
    from app.settings import SettingsFile

    folder = options.folder or SettingsFile().load().recordings_folder
    if options.folder is not None and not folder.is_dir():
        raise AppError(f"There is no folder “{folder}”.", "Check the name, or choose another.")
    found = recover_unfinished(folder)
    for item in found:
        if item.problem:
            say(item.problem)
        else:
            print(f"{item.duration_s:9.1f} s  {printable(str(item.path))}")
    if not found:
        print(f"No recording in {printable(str(folder))} was cut short.")
    return DEVICE_OR_FILE if any(item.problem for item in found) else OK
