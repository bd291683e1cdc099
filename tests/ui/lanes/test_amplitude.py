"""The vertical scale: what is louder never stands lower, and what is quiet can be seen."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from ui.lanes.amplitude import Amplitude, dbfs_text
from ui.lanes.envelope import Bounds

ALL = np.arange(-32768, 32768, dtype=np.int32).astype(np.int16)


def scale(gain_steps: int = 0, is_db: bool = False) -> Amplitude:
    made = Amplitude()
    made.set_db(is_db)
    made.zoom(gain_steps)
    return made


def share(amplitude: Amplitude, dbfs: float) -> float:
    """How high a sample of this level stands, 1 at the lane's edge."""
    sample = np.array([round(32767 * 10 ** (dbfs / 20))], np.int16)
    return float(amplitude.heights(sample)[0]) / 32767


@pytest.mark.parametrize("is_db", [False, True])
@pytest.mark.parametrize("steps", [0, 1, 10])
def test_louder_never_stands_lower_and_both_sides_are_alike(is_db: bool, steps: int) -> None:
    heights = scale(steps, is_db).heights(ALL).astype(int)
    assert (np.diff(heights) >= 0).all()
    assert heights[0] == -heights[-1] == -32767 or steps == 0
    assert heights[32768] == 0


def test_decibels_stand_at_even_distances_and_a_quiet_echo_can_be_seen() -> None:
    made = scale(is_db=True)
    assert [round(share(made, -db), 2) for db in (0, 20, 40, 60)] == [1.0, 0.75, 0.5, 0.25]


def test_six_decibels_a_step_double_what_is_drawn() -> None:
    assert share(scale(2), -24) == pytest.approx(4 * share(scale(), -24), rel=0.01)
    assert share(scale(2, is_db=True), -72) == pytest.approx(0.25, abs=0.01)
    assert scale(100).gain_db == Amplitude.MOST_DB
    assert scale(-3).gain_db == 0


@pytest.mark.parametrize("is_db", [False, True])
def test_the_marks_of_the_scale_are_where_such_samples_stand(is_db: bool) -> None:
    made = scale(1, is_db)
    levels = made.levels(half_px=100.0)
    assert len(levels) >= 3
    for level in levels:
        assert share(made, float(level.text.replace("−", "-"))) == pytest.approx(
            level.share, abs=0.01
        )
    places = [level.share * 100 for level in levels]
    assert all(before - after >= 13.9 for before, after in itertools.pairwise(places))


def test_columns_without_audio_stay_empty_and_a_view_is_wrapped_once() -> None:
    def view(start: float, stop: float, columns: int) -> Bounds:
        return np.array([32767, -5], np.int16), np.array([-32768, 5], np.int16)

    made = scale()
    assert made.of(view) is view
    made.set_db(True)
    assert made.of(view) is made.of(view)
    low, high = made.of(view)(0, 2, 2)
    assert (low > high).tolist() == [True, False]


def test_levels_are_told_in_dbfs() -> None:
    assert dbfs_text(0.5) == "−6.0 dBFS"
    assert dbfs_text(0.0) == "−∞ dBFS"
    assert dbfs_text(float("nan")) == "–"
