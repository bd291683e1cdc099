"""The line from samples to time: through jitter, along drift, over stalls."""

from __future__ import annotations

import random

import pytest

from audio.clock import SampleClock
from audio.pcm import SAMPLE_RATE

BLOCK = 160


def run(clock: SampleClock, seconds: float, *, jitter_s=0.0, drift_ppm=0.0, at=1000.0, position=0):
    chance = random.Random(1)
    worst = 0.0
    for index in range(int(seconds * SAMPLE_RATE / BLOCK)):
        sample = position + index * BLOCK
        true = at + index * BLOCK / SAMPLE_RATE * (1 + drift_ppm * 1e-6)
        clock.observe(sample, true + chance.uniform(-jitter_s, jitter_s))
        if index > 100:
            worst = max(worst, abs(clock.time_at(sample) - true))
    return worst


def test_knows_nothing_before_the_first_block():
    assert SampleClock().time_at(0) is None


def test_sees_through_jitter_of_ten_ms():
    assert run(SampleClock(), 30, jitter_s=0.010) < 0.002


def test_follows_two_devices_that_drift_apart():
    assert run(SampleClock(), 120, drift_ppm=200) < 0.001
    assert run(SampleClock(), 120, drift_ppm=-200, jitter_s=0.004) < 0.002


def test_one_late_report_moves_nothing():
    clock = SampleClock()
    run(clock, 5)
    before = clock.time_at(200_000)
    clock.observe(80_000, 1000.0 + 80_000 / SAMPLE_RATE + 0.5)
    assert clock.time_at(200_000) == pytest.approx(before, abs=1e-6)
    assert clock.steps == 0


def test_a_stall_steps_the_line_and_is_counted():
    clock = SampleClock()
    run(clock, 5)
    assert run(clock, 5, at=1000.0 + 5 + 2.0, position=5 * SAMPLE_RATE) < 0.001
    assert clock.steps == 1


@pytest.mark.parametrize("block", [80, 160])
def test_reports_that_are_wrong_for_some_hundredths_of_a_second_move_nothing(block):
    clock, begins = SampleClock(), range(0, 5 * SAMPLE_RATE, block)
    for position in begins:
        clock.observe(position, 1000.0 + position / SAMPLE_RATE)
    busy = range(5 * SAMPLE_RATE, round(5.06 * SAMPLE_RATE), block)
    for position in busy:
        clock.observe(position, 1000.0 + position / SAMPLE_RATE + 0.040)
    assert clock.steps == 0
    assert clock.time_at(6 * SAMPLE_RATE) == pytest.approx(1006.0, abs=1e-6)


@pytest.mark.parametrize("block", [80, 160])
def test_a_stall_is_seen_a_tenth_of_a_second_after_it(block):
    clock = SampleClock()
    for position in range(0, 5 * SAMPLE_RATE, block):
        clock.observe(position, 1000.0 + position / SAMPLE_RATE)
    for position in range(5 * SAMPLE_RATE, round(5.1 * SAMPLE_RATE), block):
        clock.observe(position, 1000.5 + position / SAMPLE_RATE)
    assert clock.steps == 1
    assert clock.time_at(6 * SAMPLE_RATE) == pytest.approx(1006.5, abs=1e-6)


def test_what_an_xrun_moved_is_followed_within_a_tenth_of_a_second():
    clock = SampleClock()
    run(clock, 10, jitter_s=0.001)
    later = 1010.0 + 0.020
    clock.unsettle()
    chance = random.Random(2)
    for index in range(10):
        position = 10 * SAMPLE_RATE + index * BLOCK
        clock.observe(position, later + index * 0.01 + chance.uniform(-0.001, 0.001))
    assert clock.time_at(10 * SAMPLE_RATE) == pytest.approx(later, abs=0.003)
    assert clock.steps == 0
