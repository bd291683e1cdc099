"""The timeline: bounded, numbered, packed as it grows old, and equal to what was put in."""

from __future__ import annotations

import json
import sys
import threading
import tracemalloc
from collections.abc import Iterator

import pytest

from app.__main__ import SWITCH_S
from app.timeline.event_codec import pack_event, unpack_event
from app.timeline.events import (
    AgentChunkReceived,
    Alignment,
    Event,
    Interrupted,
    MessageReceived,
    MessageSent,
    MicChunkSent,
    Muted,
    SpeechStarted,
    StateChanged,
    Timeline,
    Trouble,
    event_from_dict,
)
from tests.app.wild_session import WildSession

ODD = '\n"\\\u2028\x00 half a pair: \ud800 <b>é☎</b>'
OF_ALL_SORTS = (
    *WildSession(3).events,
    StateChanged(1, "running", ODD),
    MessageSent(2.1234567, "user_message", {"text": ODD, "deep": [{"a": [None, True, 1e-9]}]}, 3),
    Muted(3.0, True),
    Trouble(4.0, "xrun", "x", "input", "error", {"count": 2}),
    AgentChunkReceived(5.0, 0, 1, 0, Alignment(("é", "ab", "\n"), (0, 5, 9), (1, 2, 3)), True),
)


def message(number: int) -> Event:
    return MessageReceived(number / 7, "vad_score", {"vad_score": number}, number)


def filled(count: int, **settings: int) -> Timeline:
    timeline = Timeline(**settings)
    for number in range(count):
        timeline.append(message(number))
        timeline.compact()
    return timeline


def test_a_packed_event_comes_back_equal() -> None:
    for event in OF_ALL_SORTS:
        assert unpack_event(pack_event(event)) == event


def test_a_recorded_event_comes_back_equal_to_the_digit() -> None:
    for event in OF_ALL_SORTS:
        assert event_from_dict(json.loads(json.dumps(event.to_dict()))) == event
    assert SpeechStarted(0.123456789, 1.0).t == 0.123457


def test_events_keep_their_numbers_wherever_they_are() -> None:
    timeline = filled(5000)
    assert (timeline.first, timeline.appended) == (0, 5000)
    everything = [message(number) for number in range(5000)]
    assert timeline.slice(0, 5000) == everything
    for start, stop in ((0, 1), (255, 257), (2900, 3100), (4999, 9000), (-5, 3), (9, 9), (9, 2)):
        assert timeline.slice(start, stop) == everything[max(start, 0) : stop], (start, stop)


def test_a_reader_goes_on_where_it_left_off_by_as_many_as_it_likes() -> None:
    timeline, cursor, seen = filled(5000), 0, []
    while cursor < timeline.appended:
        events, cursor, lost = timeline.read(cursor, 333)
        assert len(events) <= 333
        assert lost == 0
        seen += events
    assert seen == timeline.read()[0] == [message(number) for number in range(5000)]
    assert timeline.read(cursor) == ([], 5000, 0)
    timeline.append(message(5000))
    assert timeline.read(cursor) == ([message(5000)], 5001, 0)


def test_the_newest_stay_as_they_are_and_the_older_ones_are_small() -> None:
    tracemalloc.start()
    try:
        timeline = filled(5000)
        before, _ = tracemalloc.get_traced_memory()
        for number in range(5000, 10_000):
            timeline.append(message(number))
            timeline.compact()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (after - before) / 5000 < 60
    newest = (10_000 - Timeline.RECENT, 10_000)
    pairs = zip(timeline.slice(*newest), timeline.slice(*newest), strict=True)
    assert all(one is other for one, other in pairs)


def test_it_is_bounded_and_each_reader_is_told_what_it_lost() -> None:
    timeline = filled(9000, capacity=3000)
    events, cursor, lost = timeline.read(100)
    assert cursor == 9000
    assert lost + len(events) == 8900
    assert 3000 - Timeline.BLOCK <= len(events) <= 3000 + Timeline.RECENT + Timeline.BLOCK
    assert events == [message(number) for number in range(timeline.first, 9000)]
    assert timeline.slice(0, 10) == []


def test_it_is_bounded_by_what_packed_events_weigh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Timeline, "CAPACITY_BYTES", 20_000)
    timeline = filled(9000)
    assert timeline.first > 1000
    assert timeline.slice(timeline.first, 9000) == [message(n) for n in range(timeline.first, 9000)]


def test_where_nobody_packs_it_is_bounded_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Timeline, "UNPACKED", 4000)
    timeline = Timeline()
    for number in range(9000):
        timeline.append(message(number))
    assert timeline.first > 4000
    for _ in range(2000):
        timeline.compact()
    assert timeline.read()[0] == [message(number) for number in range(timeline.first, 9000)]


def test_an_event_that_cannot_be_packed_is_kept_as_it_is() -> None:
    class Special(Event):
        pass

    own = object()
    odd = [
        MessageReceived(1.0, "x", {"value": own}),
        MessageReceived(1.0, "x", {"value": (1, 2)}),
        MessageReceived(1.0, "x", {1: 2}),
        Special(2.0),
    ]
    timeline = Timeline()
    for number in range(5000):
        timeline.append(odd[number] if number < len(odd) else message(number))
        timeline.compact()
    read = timeline.slice(0, 6)
    assert all(a is b for a, b in zip(read, odd, strict=False))
    assert read[4:] == [message(4), message(5)]


def test_a_backlog_is_worked_off_faster_than_it_came() -> None:
    timeline = Timeline()
    for number in range(20_000):
        timeline.append(message(number))
    steps = 0
    while len(timeline._kept.recent) > Timeline.RECENT + Timeline.BLOCK:
        timeline.compact()
        steps += 1
    assert steps < 1000


class Bustle:
    """Writers, a packer and readers of one timeline, each on a thread of its own."""

    COUNT = 3000

    def __init__(self) -> None:
        self.timeline, self.done = Timeline(), threading.Event()
        self.wrong: list[object] = []

    def write(self, writer: int) -> None:
        for number in range(self.COUNT):
            self.timeline.append(Interrupted(float(number), writer, "agent", number))

    def pack(self) -> None:
        while not self.done.is_set():
            self.timeline.compact()

    def follow(self) -> None:
        """Each writer's events come in order, and none is left out."""
        cursor, expected = 0, {0: 0, 1: 0, 2: 0}
        while not self.done.is_set() or cursor < self.timeline.appended:
            events, cursor, lost = self.timeline.read(cursor, 700)
            for event in events:
                if lost or event.queued_samples != expected[event.epoch]:
                    self.wrong.append(event)
                expected[event.epoch] += 1

    def look_back(self) -> None:
        """What has a number keeps it."""
        while not self.done.is_set():
            for start in range(0, self.timeline.appended, 500):
                events = self.timeline.slice(start, start + 500)
                if events != self.timeline.slice(start, start + len(events)):
                    self.wrong.append(start)


@pytest.fixture
def quick_turns() -> Iterator[None]:
    """Let threads take turns often, as the program does: more of them meet in the same time."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("quick_turns")
def test_writers_a_packer_and_readers_at_once_lose_nothing() -> None:
    bustle = Bustle()
    writers = [threading.Thread(target=bustle.write, args=(n,)) for n in range(3)]
    others = [
        threading.Thread(target=each) for each in (bustle.pack, bustle.follow, bustle.look_back)
    ]
    for thread in (*writers, *others):
        thread.start()
    for thread in writers:
        thread.join()
    bustle.done.set()
    for thread in others:
        thread.join()
    assert not bustle.wrong
    assert bustle.timeline.appended == 3 * Bustle.COUNT


def test_appending_waits_neither_for_a_packer_nor_for_a_reader() -> None:
    timeline = filled(4000)
    with timeline._packing, timeline._kept.packed._cache._looking:
        timeline.append(MicChunkSent(9999.0, 0, 1, 0.0, 0.1, 0.0))
        timeline.compact()  # gives way
    assert timeline.appended == 4001
