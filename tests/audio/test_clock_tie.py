"""PortAudio's clock on ours: through waits for the interpreter, and over a suspended machine."""

from __future__ import annotations

import random

import pytest

from audio import portaudio
from audio.portaudio import ClockTie

BLOCK_S = 0.01


@pytest.fixture
def ours(monkeypatch):
    """Our clock, set by hand."""
    at = [5000.0]
    monkeypatch.setattr(portaudio, "now", lambda: at[0])
    return at


def told(tie: ClockTie, ours: list[float], offset_s: float, blocks: int, waits_s: float) -> float:
    """Let blocks be told of, each some ms late, and return the last one's error in seconds."""
    chance = random.Random(3)
    error_s = 0.0
    for number in range(blocks):
        stream_s = 40.0 + number * BLOCK_S
        ours[0] = stream_s + offset_s + chance.uniform(0, waits_s)
        error_s = tie.to_monotonic(stream_s + 0.02, stream_s) - (stream_s + 0.02 + offset_s)
    return error_s


def test_waiting_for_the_interpreter_moves_no_time(ours):
    assert told(ClockTie(), ours, 4960.0, 400, waits_s=0.005) == pytest.approx(0, abs=0.0005)


def test_ten_minutes_of_sleep_are_followed_with_the_first_block_after_it(ours):
    tie = ClockTie()
    told(tie, ours, 4960.0, 400, waits_s=0.001)
    assert told(tie, ours, 4960.0 + 600, 1, waits_s=0.001) == pytest.approx(0, abs=0.002)
