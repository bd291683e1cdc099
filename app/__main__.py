"""The composition root: ``turnscope``, and ``python -m app``. It alone may know the window."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.export.motif import Draw

SWITCH_S = 0.001
"""How long a thread may keep the interpreter from one that wants it: a device block lasts 10 ms."""


def main() -> int:
    """Run the program and return its exit code."""
    sys.setswitchinterval(SWITCH_S)
    try:
        # Here and not above: it takes a moment, in which Ctrl+C is no fault of the program.
        from app.commands import cli
        from app.commands.exit_codes import USAGE
    except KeyboardInterrupt:
        return 130

    def open_window(recording: Path | None = None) -> int:
        # Here and not above: no command but this one needs Qt, nor a screen.
        try:
            from ui.application import WindowOptions, run_window
        except ImportError as error:
            print(
                f"turnscope: The window cannot open: {error}. "
                "“turnscope run --help” tells how to run a session without one.",
                file=sys.stderr,
            )
            return USAGE
        return run_window(WindowOptions(recording=recording))

    def get_draw() -> Draw:
        from app.notices import AppError

        try:
            from ui.picture_command import draw
        except ImportError as error:
            raise AppError(
                f"No picture can be drawn: {error}.", "Leave out png and svg."
            ) from error
        return draw

    return cli.main(sys.argv[1:], open_window, get_draw)


if __name__ == "__main__":
    sys.exit(main())
