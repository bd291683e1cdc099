"""Pieces of a recording, and where each of them is from."""

from __future__ import annotations

import numpy as np
import pytest

from app.playing.passage import Manner, Passage, Piece
from app.recordings.sources import sources_of
from tests.app.played import SECOND, Track, counting
from tests.rig.speech import tone


def all_pieces(passage: Passage, at_most: int = 1000) -> list[Piece]:
    pieces = []
    while len(pieces) < at_most and (piece := passage.next()) is not None:
        pieces.append(piece)
    return pieces


def places(pieces: list[Piece]) -> np.ndarray:
    spans = [span for piece in pieces for span in piece.spans]
    return np.concatenate([span.begins + np.arange(span.length) * span.pace for span in spans])


@pytest.mark.parametrize("at", [0, 100, 8000])
def test_at_its_own_speed_each_sample_is_that_of_its_place(at: int) -> None:
    numbers = counting(1)
    passage = Passage(sources_of(Track(numbers), None), Manner(0, 12_345), at)
    pieces = all_pieces(passage)
    heard = np.concatenate([piece.samples for piece in pieces])
    assert np.array_equal(heard, numbers[at:12_345])
    assert np.array_equal(places(pieces), np.arange(at, 12_345))


def test_a_loop_goes_on_from_its_beginning() -> None:
    numbers = counting(1)
    passage = Passage(sources_of(Track(numbers), None), Manner(1000, 1777, loop=True), 1500)
    pieces = all_pieces(passage, 20)
    expected = np.concatenate((np.arange(1500, 1777), np.tile(np.arange(1000, 1777), 10)))
    told = places(pieces)
    assert np.array_equal(told, expected[: len(told)])
    heard = np.concatenate([piece.samples for piece in pieces])
    assert np.array_equal(heard, numbers[expected[: len(told)]])


@pytest.mark.parametrize("speed", [0.5, 0.7, 1.3, 2.0])
def test_places_stay_in_the_loop_at_any_speed(speed: float) -> None:
    passage = Passage(
        sources_of(Track(tone(1.0)), None), Manner(1000, 1300, loop=True, speed=speed), 1000
    )
    pieces = all_pieces(passage, 200)
    told = places(pieces)
    assert len(told) == sum(len(piece.samples) for piece in pieces)
    assert told.min() >= 1000 - 1
    assert told.max() <= 1300 + speed
    laps = np.count_nonzero(np.diff(told) < 0)
    assert laps == pytest.approx(len(told) * speed / 300, abs=2)


@pytest.mark.parametrize("speed", [0.5, 1.9])
def test_places_end_with_the_range(speed: float) -> None:
    passage = Passage(sources_of(Track(tone(1.0)), None), Manner(0, 9000, speed=speed), 500)
    told = places(all_pieces(passage))
    assert len(told) == round(8500 / speed)
    assert np.diff(told).min() >= 0
    assert told[0] == pytest.approx(500, abs=2)
    assert 9000 - 200 < told[-1] <= 9000


def test_it_reads_little_at_a_time_and_nothing_twice() -> None:
    track = Track(tone(2.0))
    all_pieces(Passage(sources_of(track, None), Manner(0, 2 * SECOND), 0))
    assert track.samples_read == 2 * SECOND
    assert track.longest_read <= Passage.READ


def test_nothing_is_a_passage_too() -> None:
    for at in (10, 20):
        assert Passage(sources_of(Track(tone(1.0)), None), Manner(0, 10), at).next() is None
