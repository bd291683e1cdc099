"""The sample ring: what is read is what was written, or is said to be lost."""

from __future__ import annotations

import threading

import numpy as np

from audio.ring import SampleRing


def counting(start: int, count: int) -> np.ndarray:
    return (np.arange(start, start + count) % 32_000).astype(np.int16)


def test_reads_back_across_the_seam():
    ring = SampleRing(100)
    ring.write(counting(0, 70))
    ring.write(counting(70, 60))
    first, samples = ring.read(60, 130)
    assert first == 60
    assert np.array_equal(samples, counting(60, 70))


def test_says_from_where_it_still_has_samples():
    ring = SampleRing(100)
    ring.write(counting(0, 250))
    first, samples = ring.read(0, 1000)
    assert first == 150
    assert np.array_equal(samples, counting(150, 100))


def test_a_block_longer_than_the_ring_keeps_its_end():
    ring = SampleRing(64)
    ring.write(counting(0, 10))
    ring.write(counting(10, 1000))
    assert ring.written == 1010
    assert np.array_equal(ring.read(0, 1010)[1], counting(946, 64))


def test_nothing_ahead_of_the_writer():
    ring = SampleRing(10)
    assert len(ring.read(0, 5)[1]) == 0


def test_no_torn_read_while_the_writer_laps():
    ring = SampleRing(2000)
    done = threading.Event()
    torn: list[tuple[int, int]] = []

    def read() -> None:
        while not done.is_set():
            end = ring.written
            first, samples = ring.read(end - 1900, end)
            if not np.array_equal(samples, counting(first, len(samples))):
                torn.append((first, len(samples)))

    reader = threading.Thread(target=read)
    reader.start()
    for index in range(20_000):
        ring.write(counting(index * 160, 160))
    done.set()
    reader.join()
    assert not torn
