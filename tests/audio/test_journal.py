"""The journal: bounded, numbered, and honest about what is gone."""

from __future__ import annotations

import threading

from audio.journal import Journal


def test_a_reader_gets_each_item_once():
    journal: Journal[int] = Journal(10)
    journal.append(1)
    items, cursor, lost = journal.read(0)
    assert (items, lost) == ([1], 0)
    journal.append(2)
    assert journal.read(cursor) == ([2], 2, 0)
    assert journal.read(2) == ([], 2, 0)


def test_is_bounded_and_counts_what_a_slow_reader_lost():
    journal: Journal[int] = Journal(10)
    for item in range(1000):
        journal.append(item)
    items, cursor, lost = journal.read(0)
    assert 10 <= len(items) <= 20
    assert items[-1] == 999
    assert lost + len(items) == 1000 == cursor == journal.appended


def test_writers_on_several_threads_lose_nothing():
    journal: Journal[int] = Journal(100_000)
    threads = [
        threading.Thread(target=lambda: [journal.append(n) for n in range(5000)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(journal.read()[0]) == sorted(list(range(5000)) * 4)
