"""A line on the terminal that tells how far the sessions are; nothing where stderr is none."""

from __future__ import annotations

import sys

from app.plain import one_line
from audio.closing import Closing

LONGEST_NAME = 40
"""With all the rest it fits a terminal of 80 columns: a line that wraps cannot be taken away."""


class Progress(Closing):
    """Shows which session is worked out; takes its line away at the end. Main thread only."""

    def __init__(self, total: int) -> None:
        """Show nothing yet; ``total`` is how many sessions there are."""
        self._is_terminal = sys.stderr.isatty()
        self._total = total
        self._width = 0

    def tell(self, number: int, name: str, share: float) -> None:
        """Show that ``share`` of session ``number``, called ``name``, is worked out."""
        if not self._is_terminal:
            return
        place = f" ({number} of {self._total})" if self._total > 1 else ""
        text = f"working out {one_line(name)[:LONGEST_NAME]}{place}: {int(share * 100):3} %"
        print(f"\r{text.ljust(self._width)}", end="", file=sys.stderr, flush=True)
        self._width = len(text)

    def clear(self) -> None:
        """Take the line away."""
        if self._width:
            print(f"\r{' ' * self._width}\r", end="", file=sys.stderr, flush=True)
            self._width = 0

    def close(self) -> None:
        """Take the line away."""
        self.clear()
