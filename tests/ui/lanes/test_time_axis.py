"""The time axis: what is on screen, and how it moves."""

from __future__ import annotations

from itertools import pairwise

import pytest

from ui.lanes.time_axis import NOW_AT, TimeAxis, clock_text, ruler_text, span_text


def axis(width: int = 1000, span_s: float = 20.0) -> TimeAxis:
    made = TimeAxis()
    made.span_s = span_s
    made.resize(width)
    return made


def test_following_keeps_now_at_its_place_with_room_for_queued_audio() -> None:
    made = axis()
    made.follow(5.0)
    assert made.start_s == 0.0
    made.follow(100.0)
    assert made.x_of(100.0) == pytest.approx(NOW_AT * 1000, abs=1)


def test_a_person_who_looks_away_is_not_dragged_back() -> None:
    made = axis()
    made.follow(100.0)
    made.pan(-500)
    start = made.start_s
    made.follow(110.0)
    assert made.start_s == start
    assert start == pytest.approx(84 - 10)


def test_zooming_leaves_what_is_under_the_pointer_where_it_is() -> None:
    made = axis()
    made.show(30.0, 50.0)
    under = made.t_of(250)
    made.zoom(4.0, 250)
    assert made.span_s == 5.0
    assert made.x_of(under) == pytest.approx(250, abs=1)


def test_zooming_while_following_goes_on_following() -> None:
    made = axis()
    made.follow(100.0)
    made.zoom(2.0, 10)
    made.follow(100.0)
    assert made.following
    assert made.x_of(100.0) == pytest.approx(NOW_AT * 1000, abs=1)


def test_no_view_begins_before_the_session() -> None:
    made = axis()
    made.pan(-10_000)
    made.zoom(0.1, 500)
    assert made.start_s == 0.0


def test_zoom_has_bounds() -> None:
    made = axis()
    made.zoom(1e9, 0)
    assert made.span_s == TimeAxis.MIN_SPAN_S
    made.zoom(1e-12, 0)
    assert made.span_s == TimeAxis.MAX_SPAN_S


@pytest.mark.parametrize("span_s", [0.001, 0.002, 0.1, 1.0, 20.0, 600.0, 7200.0, 28_800.0])
def test_labels_of_the_ruler_never_crowd(span_s: float) -> None:
    made = axis(1000, span_s)
    labelled = [tick for tick in made.ticks(90) if tick.text]
    places = [made.x_of(tick.t) for tick in labelled]
    gaps = [after - before for before, after in pairwise(places)]
    assert len(labelled) >= 2
    assert min(gaps) >= 89
    assert len({tick.text for tick in labelled}) == len(labelled)


def test_ruler_texts_have_the_decimals_that_the_step_needs() -> None:
    assert ruler_text(75.0, 5) == "1:15"
    assert ruler_text(75.25, 0.05) == "1:15.25"
    assert ruler_text(0.002, 0.001) == "0:00.002"
    assert ruler_text(0.0021, 0.0001) == "0:00.0021"
    assert ruler_text(3661.0, 1) == "1:01:01"


def test_single_samples_of_a_long_session_keep_their_places() -> None:
    made = axis(1500)
    made.show(28_000.0, 28_000.001)
    at = [made.x_of(28_000.0 + n / 16_000) for n in range(17)]
    gaps = [after - before for before, after in pairwise(at)]
    assert min(gaps) == pytest.approx(1500 / 16, abs=0.1)
    assert max(gaps) == pytest.approx(1500 / 16, abs=0.1)


def test_lengths_have_the_unit_that_suits_them() -> None:
    texts = [span_text(each) for each in (0.002, 0.25, 20.0, 600.0, 28_800.0)]
    assert texts == ["2 ms", "250 ms", "20 s", "10 min", "8 h"]


def test_the_clock_never_shows_a_second_that_has_not_passed() -> None:
    assert clock_text(59.999) == "00:00:59"
    assert clock_text(83.0) == "00:01:23"
    assert clock_text(83.4567, 3) == "00:01:23.456"
