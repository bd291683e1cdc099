"""Events read from a file as they are wanted."""

from __future__ import annotations

import json
import threading

import pytest

from app.bundles.bundle_files import encode_event
from app.recordings import recorded_events
from app.recordings.recorded_events import RecordedEvents, Unread
from app.timeline.events import Interrupted, MicChunkSent, Muted, StateChanged
from tests.app.told_events import BARGE_IN


@pytest.fixture
def path(tmp_path):
    return tmp_path / "events.jsonl"


def many(count):
    return [MicChunkSent(n * 0.25, n, n + 1, n * 0.25, n * 0.25 + 0.2, 0.001) for n in range(count)]


def written(path, events):
    path.write_bytes(b"".join(encode_event(event) for event in events))
    return RecordedEvents(path)


@pytest.mark.parametrize("kept_bytes", [0, 10**9])
def test_all_kinds_come_back_in_order(path, monkeypatch, kept_bytes):
    monkeypatch.setattr(recorded_events, "KEPT_BYTES", kept_bytes)
    events = written(path, BARGE_IN)
    assert events.appended == len(BARGE_IN)
    assert events.slice(0, 10**6) == list(BARGE_IN)
    assert events.size_bytes == path.stat().st_size
    assert (events.first, events.is_cut) == (0, False)


@pytest.mark.parametrize("kept_bytes", [0, 10**9])
@pytest.mark.parametrize(
    ("start", "stop"),
    [(0, 1), (255, 257), (0, 1000), (999, 1000), (700, 300), (-5, 3), (990, 1200)],
)
def test_any_part_is_read_by_its_numbers(path, monkeypatch, kept_bytes, start, stop):
    monkeypatch.setattr(recorded_events, "KEPT_BYTES", kept_bytes)
    monkeypatch.setattr(recorded_events, "PIECE_BYTES", 1000)
    events = written(path, many(1000))
    assert events.slice(start, stop) == many(1000)[max(start, 0) : stop]


def test_reading_on_with_a_cursor(path):
    events = written(path, many(600))
    first, cursor, lost = events.read(0, 500)
    rest, end, _ = events.read(cursor)
    assert first + rest == many(600)
    assert (cursor, end, lost) == (500, 600, 0)
    assert events.read(600) == ([], 600, 0)
    assert events.read(700) == ([], 700, 0)


def test_without_a_file_there_is_nothing():
    events = RecordedEvents()
    assert events.appended == 0
    assert events.slice(0, 5) == events.of_type(Muted) == list(events.iterate()) == []
    assert events.read() == ([], 0, 0)


@pytest.mark.parametrize("content", [b"", b"\n", b"{}", b"\n\n", b"\0" * 50])
def test_odd_files_are_a_few_unread_lines(path, content):
    path.write_bytes(content)
    events = RecordedEvents(path)
    assert all(isinstance(event, Unread) for event in events.slice(0, 10))
    assert events.appended == len(content.splitlines())


def test_a_line_that_cannot_be_read_has_its_place_and_its_time(path):
    good = [json.dumps(event.to_dict()) for event in many(300)]
    good[256] = "no json <b>"
    good[257] = '{"t": 1, "type": "from_the_future", "x": 1}'
    good[258] = '{"t": 1, "type": "state"}'
    good[259] = "[1, 2]"
    path.write_text("\n".join([*good, '{"t": 3, "type": "sta']))
    events = RecordedEvents(path)
    assert events.appended == 301
    first, unknown, broken, other = events.slice(256, 260)
    assert first == Unread(255 * 0.25, "", "no json <b>")
    assert (unknown.of, unknown.t) == ("from_the_future", 255 * 0.25)
    assert (broken.of, other.of) == ("", "")
    assert events.slice(260, 261) == many(300)[260:261]
    assert events.slice(300, 301)[0].text == '{"t": 3, "type": "sta'
    assert events.slice(256, 257)[0].to_dict()["type"] == "unread"


def test_what_precedes_the_first_event_stands_at_zero(path):
    path.write_text('\n{"t": NaN}\n{"t": "soon"}\n{"t": 1e999}\nx\n')
    assert {event.t for event in RecordedEvents(path).slice(0, 9)} == {0.0}


@pytest.mark.parametrize("line", ["[" * 100_000, '{"t": 1e999, "type": "muted", "muted": true}'])
def test_lines_that_break_parsers_break_nothing(path, line):
    path.write_text(line + "\n")
    (event,) = RecordedEvents(path).slice(0, 1)
    assert isinstance(event, Unread)
    assert len(event.text) <= 400


@pytest.mark.parametrize("kept_bytes", [0, 10**9])
def test_a_line_that_is_far_too_long_is_not_read_whole(path, monkeypatch, kept_bytes):
    monkeypatch.setattr(recorded_events, "MAX_LINE_BYTES", 2000)
    monkeypatch.setattr(recorded_events, "KEPT_BYTES", kept_bytes)
    lines = [json.dumps(event.to_dict()) for event in many(100)]
    long = json.dumps({"t": 1, "type": "muted", "muted": True, "x": "y" * 9000})
    path.write_text("\n".join([*lines, long, *lines]) + "\n")
    events = RecordedEvents(path)
    whole = events.slice(0, 201)
    assert [type(event) for event in whole] == [MicChunkSent] * 100 + [Unread] + [
        MicChunkSent
    ] * 100
    assert len(whole[100].text) == 400
    assert events.of_type(Muted) == []
    assert len(events.of_type(MicChunkSent)) == 200


@pytest.mark.parametrize("kept_bytes", [0, 10**9])
def test_events_of_one_type_are_found(path, monkeypatch, kept_bytes):
    monkeypatch.setattr(recorded_events, "KEPT_BYTES", kept_bytes)
    monkeypatch.setattr(recorded_events, "MAX_LINE_BYTES", 5000)
    mutes = [Muted(50.1, True), Muted(50.2, False), Muted(200.0, True)]
    misleading = StateChanged(100.0, '"muted"', "muted")
    events = written(path, sorted([*many(1000), *mutes, misleading], key=lambda event: event.t))
    assert events.of_type(Muted) == mutes
    assert events.of_type(StateChanged) == [misleading]
    assert events.of_type(Interrupted) == []


def test_more_lines_than_anybody_records_are_passed_over(path, monkeypatch):
    monkeypatch.setattr(recorded_events, "MOST_EVENTS", 500)
    monkeypatch.setattr(recorded_events, "PIECE_BYTES", 4096)
    events = written(path, many(5000))
    assert (events.appended, events.is_cut) == (500, True)
    assert events.slice(490, 600) == many(500)[490:]
    assert events.size_bytes < path.stat().st_size


def test_a_file_that_goes_away_leaves_unread_lines(path, monkeypatch):
    monkeypatch.setattr(recorded_events, "KEPT_BYTES", 0)
    events = written(path, many(600))
    assert events.slice(0, 256) == many(256)
    path.unlink()
    assert events.slice(0, 256) == many(256)
    assert all(isinstance(event, Unread) for event in events.slice(256, 600))


def test_going_through_all_keeps_none_and_reading_keeps_a_few(path):
    block, count = RecordedEvents.BLOCK, RecordedEvents.BLOCK * (RecordedEvents.BLOCKS + 8)
    events = written(path, many(count))
    assert [event for piece in events.iterate() for event in piece] == many(count)
    assert not events._blocks
    for start in range(0, count, block):
        events.slice(start, start + 1)
    assert len(events._blocks) == events.BLOCKS
    last = events.slice(count - block, count - block + 1)[0]
    assert events.slice(count - block, count - block + 1)[0] is last


def test_long_lines_are_parsed_a_few_at_a_time(path, monkeypatch):
    monkeypatch.setattr(recorded_events, "BLOCK_BYTES", 10_000)
    sent = many(700)
    for number in (3, 4, 5, 300, 301, 699):
        sent[number] = StateChanged(sent[number].t, "running", "x" * 4000)
    sent[400] = StateChanged(sent[400].t, "running", "x" * 50_000)
    events = written(path, sent)
    pieces = list(events.iterate())
    assert [event for piece in pieces for event in piece] == sent
    for piece in pieces:
        assert len(piece) == 1 or sum(len(encode_event(event)) for event in piece) <= 10_000
    for start in range(0, 700, 7):
        assert events.slice(start, start + 9) == sent[start : start + 9]
    events.slice(400, 401)
    parsed = []
    monkeypatch.setattr(
        recorded_events, "parse_line", lambda line: parsed.append(len(line)) or json.loads(line)
    )
    again = written(path, sent)
    assert again.slice(4, 5) == sent[4:5]
    assert sum(parsed) <= 10_000


def test_many_threads_read_at_once(path):
    events, wrong = written(path, many(3000)), []

    def read(seed):
        for step in range(60):
            at = (seed * 977 + step * 131) % 2990
            if events.slice(at, at + 10) != many(3000)[at : at + 10]:
                wrong.append(at)

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not wrong
