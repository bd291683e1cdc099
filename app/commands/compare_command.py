"""``turnscope compare``: from two paths to a table. The main thread enters."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import ExitStack, closing

from app.analysis.viewed import TurnView
from app.bundles.bundle import BundleError
from app.commands.exit_codes import OK
from app.commands.streams import say
from app.comparison.align import align
from app.comparison.compare import compare as compare_turns
from app.comparison.comparison_text import lines, to_json
from app.notices import AppError
from app.plain import printable
from app.recordings.recording import Recording, open_recording
from app.recordings.session_path import find_recording
from app.secrets import scrub, scrub_text
from audio.errors import FileUnreadable

NO_SESSION = "Choose two sessions: “turnscope replay” makes one of an audio file."
WORK_S = 600.0
"""How long working out the turns of a recording may take."""


def compare(options: argparse.Namespace) -> int:
    """Print what two sessions have in common, and what not.

    Raises:
        AppError: one of them is no session.
        FileError: one of them cannot be opened.

    """
    offset_s = None if options.offset_ms is None else options.offset_ms / 1000
    with ExitStack() as opened:
        first, second = (
            opened.enter_context(closing(_open(each))) for each in (options.first, options.second)
        )
        turns = turns_of(first), turns_of(second)
        if offset_s is None:
            offset_s = align(*turns, (first.tracks.user.peaks, second.tracks.user.peaks))
        compared = compare_turns(*turns, offset_s)
        names = (str(first.path), str(second.path))
        for recording in (first, second):
            for warning in recording.warnings:
                say(f"{recording.path.name}: {warning}")
    if options.json:
        # ASCII alone: no control character of a server's reaches a terminal
        print(json.dumps(scrub(to_json(compared, names)), allow_nan=False))
        return OK
    for line in lines(compared, names):
        sys.stdout.write(f"{printable(scrub_text(line))}\n")
    return OK


def _open(text: str) -> Recording:
    path = find_recording(text)
    try:
        return open_recording(path)
    except BundleError as error:
        raise FileUnreadable(path, str(error)) from error


def turns_of(recording: Recording) -> TurnView:
    """Wait until the turns of ``recording`` are known, and return them.

    Raises:
        AppError: it is an audio file, which tells of no turns, or they cannot be worked out.

    """
    name = recording.path.name
    if recording.bundle is None:
        raise AppError(f"“{name}” is an audio file, which tells of no turns.", NO_SESSION)
    recording.wait(WORK_S)
    if recording.turns is None:
        raise AppError(f"The turns of “{name}” cannot be worked out.")
    return recording.turns
