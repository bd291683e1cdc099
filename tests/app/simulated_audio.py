"""A sound card, a clock and a tap made of numbers: an hour of them takes seconds."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.tap.positions import PositionMap
from app.timeline.clock import SessionClock
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
        self.running = self.has_begun = True
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
    """Both directions of a card whose clocks drift and whose reports jitter.

    The ``n``-th sample is captured at ``true_time(n)`` and leaves the speaker at ``plays_at(n)``.
    The microphone hears silence, a click at each of ``clicks``, and with ``echo_s`` every click
    that leaves the speaker, so much later. ``spoken`` holds when those left, for whoever asks.
    """

    BLOCK = 160

    def __init__(
        self,
        account: Account,
        *,
        ppm: float = 0.0,
        speaker_ppm: float | None = None,
        jitter_s: float = 0.0,
        begins_at: float = ZERO,
        echo_s: float | None = None,
    ) -> None:
        self.account = account
        self.queue = PlayoutQueue(account)
        self.rate = SAMPLE_RATE * (1 + ppm * 1e-6)
        self.speaker_rate = SAMPLE_RATE * (1 + (ppm if speaker_ppm is None else speaker_ppm) * 1e-6)
        self.jitter_s = jitter_s
        self.begins_at = begins_at
        self.echo_s = echo_s
        self.stalled_s = 0.0
        self.ahead_s = 0.030
        self.captured = 0
        self.played = 0
        self.clicks: set[int] = set()
        self.spoken: list[float] = []
        self.first_report_off_s = 0.0
        self._echoes: deque[float] = deque()
        self._random = np.random.default_rng(5)

    def true_time(self, position: int) -> float:
        return self.begins_at + self.stalled_s + position / self.rate

    def plays_at(self, position: int) -> float:
        return self.begins_at + self.stalled_s + position / self.speaker_rate

    def run_until(self, at: float) -> None:
        """Deliver all blocks that are complete, or due for the speaker, at ``at``."""
        while self.plays_at(self.played) - self.ahead_s <= at:
            self._play()
        while self.true_time(self.captured + self.BLOCK) <= at:
            self._capture()

    def _play(self) -> None:
        block = self.queue.pull(self.BLOCK, self.plays_at(self.played) + self._jitter())
        if self.echo_s is not None and block.any():
            for index in np.flatnonzero(block > 10_000):
                self.spoken.append(self.plays_at(self.played + int(index)))
                self._echoes.append(self.spoken[-1] + self.echo_s)
        self.played += self.BLOCK

    def _capture(self) -> None:
        block = np.zeros(self.BLOCK, np.int16)
        for click in self.clicks:
            if self.captured <= click < self.captured + self.BLOCK:
                block[click - self.captured] = 30_000
        began, over = self.true_time(self.captured), self.true_time(self.captured + self.BLOCK)
        while self._echoes and self._echoes[0] < over:
            index = round((self._echoes.popleft() - began) * self.rate)
            block[min(max(index, 0), self.BLOCK - 1)] = 30_000
        at = began + self._jitter()
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
