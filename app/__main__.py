"""The composition root: ``turnscope``, and ``python -m app``. It alone may know the window."""

from __future__ import annotations

import sys

from app import cli
from app.run import USAGE


def main() -> int:
    """Run the program and return its exit code."""
    return cli.main(sys.argv[1:], _open_window)


def _open_window() -> int:
    # Here and not above: no command but this one needs Qt, nor a screen.
    try:
        from ui.application import run_window
    except ImportError as error:
        print(
            f"turnscope: The window cannot open: {error}. "
            "“turnscope run --help” tells how to run a session without one.",
            file=sys.stderr,
        )
        return USAGE
    return run_window()


if __name__ == "__main__":
    sys.exit(main())
