"""A sound card, a clock and a tap made of numbers: an hour of them takes seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from app.clock import SessionClock
from app.positions import PositionMap
from audio.account import Account
from audio.pcm import SAMPLE_RATE, to_bytes
from audio.playout import PlayoutQueue

ZERO = 1000.0
"""The monotonic second at which these sessions begin."""


class SteppedClock(SessionClock):
    """A session clock that a test moves."""

    def __init__(self) -> None:
        super().__init__()
        self.at = ZERO

    @property
    def began_at(self) -> float:
        return ZERO

    def now(self) -> float:
        return self.at - ZERO


@dataclass
class FakeCause:
    source: str
    event_id: int | None = None


class FakeMutes:
    def __init__(self) -> None:
        self.silent_from: float | None = None

    def apply(self, samples: Any, captured_at: float) -> Any:
        if self.silent_from is None:
            return samples
        times = captured_at + np.arange(len(samples)) / SAMPLE_RATE
        return np.where(times >= self.silent_from, 0, samples).astype(np.int16)


class FakeReceived:
    def __init__(self) -> None:
        self.pieces: list[tuple[int, Any]] = []

    def take(self) -> list[tuple[int, Any]]:
        pieces, self.pieces = self.pieces, []
        return pieces


class FakeFeed:
    """What the pump asks of a tap."""

    def __init__(self) -> None:
        self.account: Account | None = Account()
        self.estimated = False
        self.running = True
        self.mutes = FakeMutes()
        self.received = FakeReceived()
        self.positions = PositionMap()
        self.cause: FakeCause | None = None
        self.finished = False
        self.mic_sent_since: float | None = ZERO
        self.mic_dropped_until = 0

    def pace(self) -> None:
        pass

    def finish(self) -> None:
        self.finished = True

    def cause_at(self, at: float) -> FakeCause | None:
        return self.cause

    def received_spans(self, start: int, stop: int) -> list[tuple[int, int]]:
        return self.positions.spans(start, stop)


class SimulatedCard:
    """Both directions of a card whose clock drifts and whose reports jitter.

    The ``n``-th sample of either direction is at the device at ``true_time(n)``; the microphone
    hears silence, and a click at each of ``clicks``.
    """

    BLOCK = 160

    def __init__(
        self, account: Account, *, ppm: float = 0.0, jitter_s: float = 0.0, begins_at: float = ZERO
    ) -> None:
        self.account = account
        self.queue = PlayoutQueue(account)
        self.rate = SAMPLE_RATE * (1 + ppm * 1e-6)
        self.jitter_s = jitter_s
        self.begins_at = begins_at
        self.stalled_s = 0.0
        self.ahead_s = 0.030
        self.captured = 0
        self.played = 0
        self.clicks: set[int] = set()
        self.first_report_off_s = 0.0
        self._random = np.random.default_rng(5)

    def true_time(self, position: int) -> float:
        return self.begins_at + self.stalled_s + position / self.rate

    def run_until(self, at: float) -> None:
        """Deliver all blocks that are complete, or due for the speaker, at ``at``."""
        while self.true_time(self.captured + self.BLOCK) <= at:
            self._capture()
        while self.true_time(self.played) - self.ahead_s <= at:
            plays_at = self.true_time(self.played) + self._jitter()
            self.queue.pull(self.BLOCK, plays_at)
            self.played += self.BLOCK

    def _capture(self) -> None:
        block = np.zeros(self.BLOCK, np.int16)
        for click in self.clicks:
            if self.captured <= click < self.captured + self.BLOCK:
                block[click - self.captured] = 30_000
        at = self.true_time(self.captured) + self._jitter()
        at += 0.0 if self.captured else self.first_report_off_s
        self.account.input_clock.observe(self.captured, at)
        self.account.input_ring.write(block)
        self.captured += self.BLOCK

    def _jitter(self) -> float:
        return float(self._random.uniform(0, 2 * self.jitter_s) - self.jitter_s)

    def say(self, samples: Any, at: float) -> None:
        self.queue.put(to_bytes(samples), at)


class DeafVad:
    """VAD that hears nothing, for tests of what else the pump does."""

    def feed(self, samples: Any) -> list[Any]:
        return []

    def finish(self) -> list[Any]:
        return []
