"""The peak pyramid against the samples themselves."""

from __future__ import annotations

import threading
import tracemalloc

import numpy as np
import pytest

from audio.peaks import BASE_SAMPLES, Envelope, PeakPyramid

RNG = np.random.default_rng(11)
TRACK = RNG.integers(-300, 300, 1_500_000).astype(np.int16)
# lone clicks, which an average or a sloppy border would lose
TRACK[RNG.integers(0, len(TRACK), 400)] = RNG.integers(-32768, 32767, 400)


def pyramid_of(track: np.ndarray, block: int, raw: bool = False) -> PeakPyramid:
    pyramid = PeakPyramid((lambda start, stop: track[start:stop]) if raw else None)
    for start in range(0, len(track), block):
        pyramid.append(track[start : start + block])
    return pyramid


def extremes(first: float, stop: float) -> tuple[int, int] | None:
    piece = TRACK[max(int(first), 0) : max(int(stop), 0)]
    return (int(piece.min()), int(piece.max())) if len(piece) else None


def assert_view_is_true(pyramid: PeakPyramid, view: tuple[float, float, int], bin_: float) -> None:
    """Check each column against brute force, with room for one bin on either side."""
    start, stop, columns = view
    low, high = pyramid.view(start, stop, columns)
    assert low.shape == high.shape == (columns,)
    edges = start + (stop - start) / columns * np.arange(columns + 1)
    for column in range(columns):
        left, right = edges[column], edges[column + 1]
        inner = extremes(np.floor(left), np.ceil(right))
        outer = extremes(np.floor(left - bin_) + 1, np.ceil(right + bin_))
        if inner is not None and right > 0:
            assert low[column] <= inner[0]
            assert high[column] >= inner[1]
        if low[column] <= high[column]:
            assert outer is not None
            assert low[column] >= outer[0]
            assert high[column] <= outer[1]


VIEWS = [
    (0, 1_500_000, 300),
    (0.0, 1_400_000.5, 1400),
    (777.3, 100_321.9, 333),
    (65_536, 131_072, 256),
    (1_499_000, 1_501_000, 20),
    (-50_000, 50_000, 100),
    (12_345, 12_345 + 64 * 70, 70),
    (100_000.25, 100_640.75, 64),
]


@pytest.mark.parametrize(("start", "stop", "columns"), VIEWS)
@pytest.mark.parametrize("block", [320, 1_000_003, 1_500_000])
def test_no_peak_is_missed_and_none_is_moved_by_more_than_a_bin(
    start: float, stop: float, columns: int, block: int
) -> None:
    bin_ = max((stop - start) / columns, BASE_SAMPLES)
    assert_view_is_true(pyramid_of(TRACK, block), (start, stop, columns), bin_)


@pytest.mark.parametrize(("start", "columns"), [(5000.5, 900), (31.0, 64), (1_499_990.0, 40)])
@pytest.mark.parametrize("width", [0.1, 0.7, 1.0, 13.3, 63.9, 255.9])
def test_with_a_reader_fine_views_are_exact(start: float, columns: int, width: float) -> None:
    pyramid = pyramid_of(TRACK, 320, raw=True)
    assert_view_is_true(pyramid, (start, start + columns * width, columns), 1.0)


class Fetched:
    """Detail that is there from the second time on that it is asked for."""

    def __init__(self, track: np.ndarray) -> None:
        self.version = 0
        self.asked: list[tuple[int, int]] = []
        self._track = track

    def samples(self, start: int, stop: int) -> np.ndarray | None:
        self.asked.append((start, stop))
        if len(self.asked) == 1:
            self.version += 1
            return None
        return self._track[start:stop]


def test_detail_that_comes_later_is_told_by_the_version_and_seen_at_the_next_view() -> None:
    detail = Fetched(TRACK)
    pyramid = PeakPyramid(raw=lambda start, stop: TRACK[:0], detail=detail)
    assert PeakPyramid().version == pyramid.version == 0
    pyramid.append(TRACK[:100_000])
    plain = pyramid_of(TRACK[:100_000], 100_000)
    assert np.array_equal(pyramid.view(640, 1280, 64).low, plain.view(640, 1280, 64).low)
    assert pyramid.version == 1
    assert_view_is_true(pyramid, (640, 1280, 64), 1.0)
    assert detail.asked == [(640, 1280)] * 2
    pyramid.view(0, 100_000, 100)
    assert len(detail.asked) == 2


@pytest.mark.parametrize("pieces", [[3000], [256, 2560, 184], [2560, 440], [768, 2232]])
def test_bins_that_were_reduced_elsewhere_are_appended_as_samples_are(pieces: list[int]) -> None:
    pyramid, at = PeakPyramid(), 0
    for count in pieces:
        starts = np.arange(at, at + count, BASE_SAMPLES)
        parts = [TRACK[start : min(start + BASE_SAMPLES, at + count)] for start in starts]
        low = np.array([part.min() for part in parts], dtype=np.int16)
        high = np.array([part.max() for part in parts], dtype=np.int16)
        pyramid.append_bins(Envelope(low, high), count)
        at += count
    same = pyramid_of(TRACK[:3000], 3000)
    assert len(pyramid) == 3000
    for columns in (1, 3, 11):
        for one, other in zip(
            pyramid.view(0, 3000, columns), same.view(0, 3000, columns), strict=True
        ):
            assert np.array_equal(one, other)
    (low, high), count = pyramid.bins()
    assert count == 3000
    assert len(low) == len(high) == 12
    assert (low.min(), high.max()) == (TRACK[:3000].min(), TRACK[:3000].max())


@pytest.mark.parametrize("count", [1_500_000, 1_048_576, 1_400_001])
def test_a_whole_track_at_once_is_what_it_is_in_pieces(count: int) -> None:
    at_once, in_pieces = pyramid_of(TRACK[:count], count), pyramid_of(TRACK[:count], 320)
    for one, other in zip(at_once._levels, in_pieces._levels, strict=True):
        bins = -(-count // one.bin_samples)
        assert np.array_equal(one.read(0, bins), other.read(0, bins))


def test_bins_that_do_not_fit_are_refused() -> None:
    one = Envelope(np.zeros(1, np.int16), np.zeros(1, np.int16))
    pyramid = PeakPyramid()
    with pytest.raises(ValueError, match="1 bins"):
        pyramid.append_bins(one, 257)
    pyramid.append(TRACK[:100])
    with pytest.raises(ValueError, match="1 bins"):
        pyramid.append_bins(one, 256)
    assert len(pyramid) == 100


def test_an_hour_costs_little_memory() -> None:
    pyramid = PeakPyramid()
    second = np.zeros(16_000, np.int16)
    tracemalloc.start()
    for _ in range(3600):
        pyramid.append(second)
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used < 1.4e6


def test_samples_that_a_reader_has_lost_are_drawn_from_the_bins() -> None:
    pyramid = PeakPyramid(raw=lambda start, stop: TRACK[start : stop - 1])
    pyramid.append(TRACK[:10_000])
    plain = pyramid_of(TRACK[:10_000], 10_000)
    for lossy, whole in zip(pyramid.view(0, 640, 64), plain.view(0, 640, 64), strict=True):
        assert np.array_equal(lossy, whole)


def test_the_growing_end_is_seen_at_every_resolution() -> None:
    pyramid = PeakPyramid()
    for block in range(1, 400):
        quiet = np.full(521, 1, dtype=np.int16)
        quiet[-1] = 20_000 + block
        pyramid.append(quiet)
        for width in (256, 1000, 5000, 300_000):
            low, high = pyramid.view(len(pyramid) - width, len(pyramid), 1)
            assert (low[0], high[0]) == (1, 20_000 + block)


@pytest.mark.parametrize("columns", [1, 7, 1400])
def test_where_there_is_no_audio_columns_are_empty(columns: int) -> None:
    for pyramid in (PeakPyramid(), PeakPyramid(lambda start, stop: TRACK[start:stop])):
        for width in (1, 50, 256, 10_000):
            low, high = pyramid.view(0, columns * width, columns)
            assert np.all(low > high)
    pyramid = pyramid_of(TRACK[:6400], 320)
    low, high = pyramid.view(-6400, 12_800, 3)
    assert (low > high).tolist() == [True, False, True]


def test_a_scrolled_view_shows_the_same_peaks() -> None:
    pyramid = pyramid_of(TRACK, 65_536)
    low, high = pyramid.view(40_960, 40_960 + 512 * 500, 500)
    moved_low, moved_high = pyramid.view(40_960 + 512 * 3, 40_960 + 512 * 503, 500)
    assert np.array_equal(low[3:], moved_low[:-3])
    assert np.array_equal(high[3:], moved_high[:-3])


def test_full_scale_and_short_blocks() -> None:
    pyramid = PeakPyramid()
    pyramid.append(np.zeros(0, dtype=np.int16))
    for level in (-32768, 32767):
        pyramid.append(np.array([level], dtype=np.int16))
    assert len(pyramid) == 2
    low, high = pyramid.view(0, 64, 1)
    assert (low[0], high[0]) == (-32768, 32767)


def test_viewing_while_another_thread_appends() -> None:
    pyramid = PeakPyramid()
    rising = (np.arange(600_000) // 20).astype(np.int16)
    writer = threading.Thread(
        target=lambda: [pyramid.append(rising[at : at + 320]) for at in range(0, 600_000, 320)]
    )
    writer.start()
    views = 0
    while writer.is_alive() or not views:
        counted = len(pyramid)
        low, high = pyramid.view(0, max(counted, 1), 50)
        views += 1
        if counted:
            assert low[0] == 0
            assert high.max() >= rising[counted - 1]
            assert np.all(np.diff(high.astype(int)) >= 0)
    writer.join(10)
    assert pyramid.view(0, 600_000, 1).high[0] == rising[-1]
