"""From output positions to places, over interrupts."""

from __future__ import annotations

import pytest

from app.playing.fed_map import FedMap
from app.playing.passage import Span


def test_nothing_fed_stands_where_it_will_begin() -> None:
    assert FedMap(700).place_heard(-50) == 700
    assert FedMap(700).place_heard(900) == 700


def test_places_follow_the_output_at_the_pace_of_each_span() -> None:
    fed = FedMap(1000)
    fed.add([Span(100, 1000, 1.0), Span(100, 1100, 2.0), Span(50, 0, 0.5)])
    fed.offset = -300  # the first was given to the device as its 300th
    assert fed.place_heard(250) == 1000
    assert fed.place_heard(350) == 1050
    assert fed.place_heard(450) == 1200
    assert fed.place_heard(510) == 5
    assert fed.place_heard(10_000) == 25  # not beyond what was fed


def test_what_was_on_its_way_before_an_interrupt_is_still_told() -> None:
    fed = FedMap(0)
    fed.add([Span(1000, 0, 1.0)])
    fed.offset = 0
    fed.cut(400)
    fed.begin(5000)
    fed.add([Span(1000, 5000, 1.0)])
    assert fed.place_heard(390) == 390
    assert fed.place_heard(500) == 400  # held, while it is not known where the next run stands
    fed.offset = 1000 - 410
    assert fed.place_heard(390) == 390
    assert fed.place_heard(405) == 400
    assert fed.place_heard(410) == 5000
    assert fed.place_heard(510) == 5100
    assert fed.place_fed(1100) == 5100


def test_an_hour_at_one_speed_is_one_span() -> None:
    fed = FedMap(0)
    for number in range(10_000):
        fed.add([Span(200, number * 200, 1.0)])
    assert len(fed._runs[-1].spans) == 1
    fed.offset = 0
    assert fed.place_heard(1_234_567) == 1_234_567


def test_an_hour_at_another_speed_is_bounded() -> None:
    fed = FedMap(0)
    fed.offset = 0
    for number in range(10_000):
        fed.add([Span(200, number * 300 + number % 7, 1.5)])
    assert len(fed._runs[-1].spans) <= 512
    assert fed.place_heard(1_999_900) == pytest.approx(9999 * 300 + 9999 % 7 + 150)
