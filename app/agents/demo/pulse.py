"""What goes out at regular intervals whatever else happens: pings and VAD scores. Pure."""

from __future__ import annotations

from app.agents.demo import wire
from app.agents.demo.speech import SAMPLES_PER_MS
from app.agents.demo.wire import Message

_PINGS_KEPT = 8


class Pinger:
    """Pings, counted from 1, each with the round trip of an earlier one. Times in seconds."""

    def __init__(self, now: float, every_s: float) -> None:
        """The first ping is due at once."""
        self.due_at = now
        self._every_s = every_s
        self._ping_id = 0
        self._ping_ms: int | None = None
        self._sent_at: dict[int, float] = {}

    def ping(self, now: float) -> Message:
        """Build the ping that is due."""
        self._ping_id += 1
        self._sent_at[self._ping_id] = now
        if len(self._sent_at) > _PINGS_KEPT:  # a client that never answers
            del self._sent_at[next(iter(self._sent_at))]
        self.due_at = now + self._every_s
        return wire.ping(self._ping_id, self._ping_ms)

    def pong(self, now: float, event_id: int) -> None:
        """Measure the round trip; a pong that no ping asked for is passed over."""
        sent_at = self._sent_at.pop(event_id, None)
        if sent_at is not None:
            self._ping_ms = round((now - sent_at) * 1000)


class Scores:
    """VAD scores, thinned out: the highest since the one before. Positions in samples."""

    def __init__(self, every_ms: int) -> None:
        """Report once in so many milliseconds of the user's audio."""
        self._every_samples = every_ms * SAMPLES_PER_MS
        self._highest = 0.0
        self._reported = 0

    def report(self, position: int, score: float) -> list[Message]:
        """Take in the score of the audio up to a position; return a message if one is due."""
        self._highest = max(self._highest, score)
        if position - self._reported < self._every_samples:
            return []
        highest, self._highest, self._reported = self._highest, 0.0, position
        return [wire.vad_score(highest)]
