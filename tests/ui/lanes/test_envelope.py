"""Pictures of tracks: each column shows its own samples, however the picture came about."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage

from audio.peaks import PeakPyramid
from ui.lanes.envelope import LaneImage, coverage, hatched, joined, outlined
from ui.lanes.ghosts import GhostImages
from ui.lanes.grid import Grid
from ui.lanes.scene import Stretch

BLUE = QColor("#0b62b0")
RATE = 16_000


def pyramid(seconds: float = 4.0) -> PeakPyramid:
    random = np.random.default_rng(1)
    made = PeakPyramid()
    loudness = np.repeat(random.uniform(0, 1, round(seconds * 50)), RATE // 50)
    made.append((random.uniform(-32768, 32767, len(loudness)) * loudness).astype(np.int16))
    return made


def grid(first: int, width: int = 200, samples: float = 160.0, height: int = 64) -> Grid:
    return Grid(first, width, samples, height, 1.0)


def pixels(image: QImage) -> np.ndarray:
    words = np.frombuffer(image.constBits(), np.uint32)
    return words.reshape(image.height(), image.width()).copy()


def drawn_at_once(track: PeakPyramid, where: Grid) -> np.ndarray:
    return pixels(LaneImage().update(track.view, len(track), where, BLUE))


def test_a_picture_that_scrolled_is_the_picture_drawn_at_once() -> None:
    track, image = pyramid(), LaneImage()
    for first in (0, 3, 4, 50, 49, 180, 20):
        drawn = pixels(image.update(track.view, len(track), grid(first), BLUE))
        assert np.array_equal(drawn, drawn_at_once(track, grid(first)))


def test_a_picture_that_grew_is_the_picture_drawn_at_once() -> None:
    random = np.random.default_rng(2)
    track, image = PeakPyramid(), LaneImage()
    for step in range(40):
        track.append(random.integers(-9000, 9000, 333, dtype=np.int16))
        where = grid(max(0, step - 20), samples=320.0)
        drawn = pixels(image.update(track.view, len(track), where, BLUE))
    assert np.array_equal(drawn, drawn_at_once(track, where))


def test_zoom_height_colour_and_another_track_are_drawn_anew() -> None:
    track, other, image = pyramid(), pyramid(1.0), LaneImage()
    image.update(track.view, len(track), grid(0), BLUE)
    for where in (grid(0, samples=77.7), grid(0, height=33), grid(0, width=120)):
        drawn = pixels(image.update(track.view, len(track), where, BLUE))
        assert np.array_equal(drawn, drawn_at_once(track, where))
    drawn = pixels(image.update(other.view, len(other), grid(0), BLUE))
    assert np.array_equal(drawn, drawn_at_once(other, grid(0)))
    red = pixels(image.update(other.view, len(other), grid(0), QColor("red")))
    assert not np.array_equal(red, drawn)


def test_detail_that_has_come_since_is_drawn() -> None:
    coarse, image = pyramid(), LaneImage()
    told = [coarse]

    def view(start: float, stop: float, columns: int) -> object:
        return told[0].view(start, stop, columns)

    before = pixels(image.update(view, len(coarse), grid(0), BLUE, version=0))
    told[0] = PeakPyramid()
    told[0].append(np.full(len(coarse), 9000, np.int16))
    assert np.array_equal(pixels(image.update(view, len(coarse), grid(0), BLUE, 0)), before)
    after = pixels(image.update(view, len(coarse), grid(0), BLUE, version=1))
    assert not np.array_equal(after, before)
    assert np.array_equal(after, drawn_at_once(told[0], grid(0)))


def test_a_steep_wave_of_few_samples_a_column_is_one_piece() -> None:
    steps = np.array([-20_000, 20_000, -20_000, 0], np.int16)
    low, high = joined(np.r_[0, steps].astype(np.int16), np.r_[0, steps].astype(np.int16))
    assert (low <= high).all()
    assert (np.maximum(low[:-1], low[1:]) <= np.minimum(high[:-1], high[1:])).all()
    hole_low, hole_high = np.array([32767, 5], np.int16), np.array([-32768, 5], np.int16)
    low, high = joined(hole_low, hole_high)
    assert (low.tolist(), high.tolist()) == ([5], [5])


def test_full_scale_fills_the_lane_and_silence_is_a_line() -> None:
    low, high = np.array([-32768, 0], np.int16), np.array([32767, 0], np.int16)
    shades = coverage(low, high, 40)
    assert np.count_nonzero(shades[:, 0] > 200) >= 38
    assert shades[:, 1].sum() == pytest.approx(255, abs=2)


def test_a_column_without_audio_is_empty() -> None:
    shades = coverage(np.array([32767], np.int16), np.array([-32768], np.int16), 40)
    assert not shades.any()


def test_a_ghost_is_fainter_than_what_was_heard_and_an_outline_is_hollow() -> None:
    low, high = np.full(80, -20000, np.int16), np.full(80, 20000, np.int16)
    solid, ghost, rim = (draw(low, high, 60) for draw in (coverage, hatched, outlined))
    assert ghost.sum() < 0.6 * solid.sum()
    assert np.count_nonzero(rim[25:35, 10:70]) == 0
    assert rim.max() > 128


def ghost(stretch: Stretch, where: Grid, track: PeakPyramid) -> np.ndarray:
    """The tiles of a discarded stretch, put together as the lane does it."""
    canvas = np.zeros((where.height, where.width), np.uint32)
    for tile in GhostImages().tiles("discarded", stretch, track.view, where, BLUE):
        x = tile.column - where.first
        part = pixels(tile.picture)[:, max(-x, 0) : where.width - x]
        canvas[:, max(x, 0) : max(x, 0) + part.shape[1]] = part
    return canvas


def test_a_ghost_stands_where_it_belongs_and_nowhere_else() -> None:
    stretch = Stretch(RATE, 3 * RATE, 10.0)
    drawn = ghost(stretch, grid(900, width=500), pyramid())
    columns = np.flatnonzero(drawn.any(axis=0)) + 900
    assert columns[0] == pytest.approx(1000, abs=1)
    assert columns[-1] == pytest.approx(1200, abs=1)


def test_a_ghost_scrolls_as_one_picture() -> None:
    stretch, track = Stretch(RATE, 60 * RATE, 10.0), pyramid(60.0)
    before = ghost(stretch, grid(1500, width=600), track)
    after = ghost(stretch, grid(1537, width=600), track)
    assert np.array_equal(before[:, 37:], after[:, :-37])


def test_of_a_long_ghost_only_the_visible_part_is_drawn() -> None:
    track, where = pyramid(60.0), grid(4000)
    tiles = list(
        GhostImages().tiles("discarded", Stretch(0, 60 * RATE, 10.0), track.view, where, BLUE)
    )
    assert 1 <= len(tiles) <= 2
