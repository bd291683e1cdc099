"""Samples that are fetched from a file for a viewer that does not wait."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from audio import detail
from audio.detail import MOST_VIEWED, TILE_SAMPLES, TILES, FileDetail
from tests.rig.waiting import wait_until

TRACK = (np.arange(100 * TILE_SAMPLES) % 30_011).astype(np.int16)


class File:
    """A file in memory that notes what is read, and can be held up or broken."""

    def __init__(self, track=TRACK):
        self.track = track
        self.opened = self.closed = 0
        self.reads: list[tuple[int, int]] = []
        self.threads: set[str] = set()
        self.may_read = threading.Event()
        self.may_read.set()
        self.error: Exception | None = None

    def __call__(self):
        self.opened += 1
        return self

    def read(self, start, stop):
        assert self.may_read.wait(10)
        self.threads.add(threading.current_thread().name)
        self.reads.append((start, stop))
        if self.error is not None:
            raise self.error
        return self.track[start:stop]

    def close(self):
        self.closed += 1


def fetched(file_detail, start, stop):
    """Ask until it is there."""
    wait_until(lambda: file_detail.samples(start, stop) is not None, what="the samples")
    return file_detail.samples(start, stop)


def all_closed(file):
    wait_until(lambda: file.opened == file.closed, what="the file closed")


@pytest.mark.parametrize(
    ("start", "stop"),
    [(0, 10), (100, TILE_SAMPLES), (TILE_SAMPLES - 1, TILE_SAMPLES + 1), (70_000, 900_001)],
)
def test_what_is_asked_for_comes_and_is_exact(start, stop):
    file = File()
    asked = FileDetail(file)
    assert asked.samples(start, stop) is None
    wait_until(lambda: asked.version > 0, what="a new version")
    assert np.array_equal(fetched(asked, start, stop), TRACK[start:stop])
    assert file.threads == {"detail"}
    all_closed(file)


def test_the_viewer_is_not_held_up_by_a_slow_file_and_what_it_wants_last_comes_first():
    file = File()
    file.may_read.clear()
    asked = FileDetail(file)
    for number in (10, 20, 30):
        assert asked.samples(number * TILE_SAMPLES, number * TILE_SAMPLES + 5) is None
    assert asked.version == 0
    file.may_read.set()
    fetched(asked, 10 * TILE_SAMPLES, 10 * TILE_SAMPLES + 5)
    numbers = [start // TILE_SAMPLES for start, _ in file.reads]
    assert numbers.index(30) < numbers.index(20)
    all_closed(file)


def test_neighbours_are_fetched_too_and_tell_no_new_version():
    file = File()
    asked = FileDetail(file)
    fetched(asked, 5 * TILE_SAMPLES + 7, 5 * TILE_SAMPLES + 9)
    all_closed(file)
    assert asked.version == 1
    assert asked.samples(6 * TILE_SAMPLES, 6 * TILE_SAMPLES + 9) is not None
    assert asked.samples(4 * TILE_SAMPLES, 4 * TILE_SAMPLES + 9) is not None
    all_closed(file)
    assert asked.version == 1


def test_what_is_kept_is_bounded_and_what_was_used_last_stays():
    file = File()
    asked = FileDetail(file)
    for number in range(0, 100, 2):
        fetched(asked, number * TILE_SAMPLES, number * TILE_SAMPLES + 1)
        assert asked.samples(0, 5) is not None
    all_closed(file)
    file.may_read.clear()  # asking for what is not kept has it fetched, which lets go of others
    kept = sum(
        asked.samples(number * TILE_SAMPLES, number * TILE_SAMPLES + 1) is not None
        for number in range(0, 100, 2)
    )
    file.may_read.set()
    all_closed(file)
    assert 5 <= kept <= TILES
    assert asked.samples(0, (MOST_VIEWED + 1) * TILE_SAMPLES) is None


def test_a_tile_of_a_file_that_grows_is_fetched_again(monkeypatch):
    monkeypatch.setattr(detail, "AGAIN_S", 0.0)
    file = File(TRACK[:1000])
    asked = FileDetail(file)
    assert len(fetched(asked, 0, 1000)) == 1000
    assert asked.samples(0, 1001) is None
    all_closed(file)
    version = asked.version
    file.track = TRACK[:2000]
    assert np.array_equal(fetched(asked, 0, 2000), TRACK[:2000])
    assert asked.version == version + 1
    all_closed(file)


def test_a_file_that_fails_is_not_asked_again_at_once():
    file = File()
    file.error = OSError("gone")
    asked = FileDetail(file)
    assert asked.samples(0, 10) is None
    all_closed(file)
    wait_until(lambda: len(file.reads) == 2, what="the tile and its neighbour")
    for _ in range(100):
        assert asked.samples(0, 10) is None
    assert len(file.reads) == 2
    assert asked.version == 0


def test_a_file_that_cannot_be_opened_leaves_whole_bins(monkeypatch):
    monkeypatch.setattr(detail, "AGAIN_S", 0.0)
    file = File()
    tries = []

    def refuse():
        tries.append(1)
        raise OSError("gone")

    asked = FileDetail(refuse)
    assert asked.samples(0, 10) is None
    wait_until(lambda: len(tries) == 2, what="two tries")
    asked._open_file = file
    fetched(asked, 0, 10)
    all_closed(file)
