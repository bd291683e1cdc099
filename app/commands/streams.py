"""The three standard streams, which whoever started the program may have closed. Main thread."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from pathlib import Path

from app.plain import one_line


def mend_streams() -> None:
    """Have three standard streams that take any text.

    Where one is closed, the next file that is opened would be taken for it: a recording would
    then hold what is written to stderr.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115 - for good
            setattr(sys, name, stream)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def say(sentence: str, advice: str = "") -> None:
    """Tell the person at the terminal, on one line of stderr."""
    with contextlib.suppress(OSError, ValueError):
        print(one_line(f"turnscope: {sentence} {advice}"), file=sys.stderr, flush=True)


def give_up_stdout() -> None:
    """Send to nowhere what stdout still holds, lest writing it fail again at the end."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
