"""The session clock: seconds since the session began. Any thread reads it; the session sets it.

Its seconds are whole microseconds: finer than anything here is measured, and a recording keeps them
as they are.
"""

from __future__ import annotations

from audio.clock import now as monotonic_now

DIGITS = 6
"""After the decimal point of a session second."""


class SessionClock:
    """Zero before the session begins, then running, then frozen at its end."""

    def __init__(self) -> None:
        """Stand at zero."""
        self._began_at: float | None = None
        self._ended_at: float | None = None

    @property
    def began_at(self) -> float:
        """The monotonic second that is this clock's zero; the present before it began."""
        return monotonic_now() if self._began_at is None else self._began_at

    def begin(self) -> None:
        """Set zero to this moment."""
        self._began_at = monotonic_now()

    def freeze(self) -> None:
        """Stop at this moment; the first call counts."""
        if self._ended_at is None:
            self._ended_at = monotonic_now()

    def now(self) -> float:
        """Return session seconds."""
        at = monotonic_now() if self._ended_at is None else self._ended_at
        return round(at - self.began_at, DIGITS) if self._began_at is not None else 0.0

    def of(self, at: float) -> float:
        """Return the session seconds of the monotonic second ``at``."""
        return round(at - self.began_at, DIGITS)
