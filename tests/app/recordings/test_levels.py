"""How loud a stretch is: peak and RMS by what the samples are."""

from __future__ import annotations

from math import isnan, sqrt
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.recordings.levels import measure
from app.recordings.sources import open_sources

RATE = 16_000


@pytest.fixture
def call(tmp_path: Path) -> Path:
    """Half a minute: the user a square wave at half scale from 10 s to 20 s, the agent clipped."""
    user, agent = np.zeros(30 * RATE, np.int16), np.full(30 * RATE, -32768, np.int16)
    user[10 * RATE : 20 * RATE] = np.tile(np.array([16384, -16384], np.int16), 5 * RATE)
    path = tmp_path / "call.wav"
    soundfile.write(path, np.stack((user, agent), axis=1), RATE)
    return path


def test_a_stretch_is_measured_by_its_own_samples(call: Path) -> None:
    with open_sources(call) as sources:
        assert measure(sources, 12.0, 13.0)[0] == pytest.approx((0.5, 0.5))
        assert measure(sources, 5.0, 15.0)[0] == pytest.approx((0.5, 0.5 / sqrt(2)))
        assert measure(sources, 0.0, 9.0)[0] == (0.0, 0.0)


def test_full_scale_and_a_long_stretch_do_not_overflow(call: Path) -> None:
    with open_sources(call) as sources:
        assert measure(sources, 0.0)[1] == (1.0, 1.0)


def test_beyond_the_end_nothing_is_measured(call: Path) -> None:
    with open_sources(call) as sources:
        assert measure(sources, 29.0, 90.0)[1] == (1.0, 1.0)
        assert all(isnan(level) for level in measure(sources, 40.0, 50.0)[1])


def test_a_lane_that_is_not_there_has_no_levels(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "mono.wav", np.full(RATE, 3277, np.int16), RATE)
    with open_sources(tmp_path / "mono.wav") as sources:
        user, agent = measure(sources, 0.0, 1.0)
    assert user == pytest.approx((0.1, 0.1), rel=0.001)
    assert agent is None
