"""One line on its way to the user: what is due to be sent, and what was heard by now. Pure."""

from __future__ import annotations

from app.agents.demo.speech import SAMPLES_PER_MS, Speech
from audio.pcm import SAMPLE_RATE


class Utterance:
    """A speech in playout.

    The server does not know what the speaker does; it estimates. Playout is taken to begin when
    the first chunk is sent and to run on without a break, never ahead of what was sent. Times
    are seconds on the caller's clock.
    """

    def __init__(
        self, speech: Speech, event_id: int, now: float, *, chunk_ms: int, pace: float
    ) -> None:
        """Begin at ``now``; a chunk of ``chunk_ms`` is due every ``chunk_ms / pace``."""
        self.speech = speech
        self.event_id = event_id
        self.began_at = now
        self.sent_samples = 0
        self._chunk_samples = chunk_ms * SAMPLES_PER_MS
        self._pace = pace

    @property
    def next_chunk_at(self) -> float | None:
        """When the next chunk is due; None once all were sent."""
        if self.sent_samples >= self.speech.samples:
            return None
        return self.began_at + self.sent_samples / (SAMPLE_RATE * self._pace)

    @property
    def ends_at(self) -> float:
        """When the last sample is heard, if all is sent in time."""
        return self.began_at + self.speech.samples / SAMPLE_RATE

    def take_chunk(self) -> tuple[int, int]:
        """Take the next chunk as a range of samples, end exclusive; it counts as sent."""
        start = self.sent_samples
        self.sent_samples = min(start + self._chunk_samples, self.speech.samples)
        return start, self.sent_samples

    def heard_samples(self, now: float) -> int:
        """Estimate how many samples have left the user's speaker."""
        return max(0, min(self.sent_samples, int((now - self.began_at) * SAMPLE_RATE)))
