"""How far an export has come, and whether it is still wanted. Belongs to one thread."""

from __future__ import annotations

from collections.abc import Callable

from app.export.errors import Cancelled

Tell = Callable[[float], None]
"""Takes the share that is done, 0 to 1."""
Ask = Callable[[], bool]


class Progress:
    """Counts work in samples; tells of it in steps of at least ``STEP``."""

    STEP = 0.005

    def __init__(self, tell: Tell | None = None, cancelled: Ask | None = None) -> None:
        """Tell nobody, and never be cancelled, unless given."""
        self._tell, self._cancelled = tell, cancelled
        self.total = 1
        self._done = 0
        self._told = 0.0

    def advance(self, samples: int) -> None:
        """Note that so much more is done.

        Raises:
            Cancelled: it is not wanted any more.

        """
        if self._cancelled is not None and self._cancelled():
            raise Cancelled
        self._done += samples
        self._say()

    def finish(self) -> None:
        """Note that all is done."""
        self._done = self.total
        self._say()

    def _say(self) -> None:
        share = min(self._done / max(self.total, 1), 1.0)
        is_news = share - self._told >= self.STEP or share == 1.0 != self._told
        if self._tell is not None and is_news:
            self._told = share
            self._tell(share)
