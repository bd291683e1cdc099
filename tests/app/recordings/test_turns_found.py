"""What a tracker has found, frozen and kept."""

from __future__ import annotations

import json
import math
import threading
from dataclasses import fields, replace

import pytest

from app.analysis.bounds import MOST, MOST_PIECES
from app.analysis.turn_records import (
    AudioSpan,
    Interruption,
    Line,
    Overlap,
    Refused,
    Response,
    Sound,
    Turn,
)
from app.analysis.turns import TurnTracker
from app.bundles.bundle_files import SMALL_FILE_BYTES, encode_event
from app.recordings import turns_found
from app.recordings.recorded_events import RecordedEvents
from app.recordings.turns_found import TurnsFound, find_turns
from app.timeline.events import StateChanged
from app.timeline.json_line import count_values
from tests.app.told_events import BARGE_IN

VIEWED = (
    *("user_turns", "agent_turns", "response_latencies_ms", "spans", "interruptions"),
    *("overlaps", "responses", "refused", "transcript"),
)


@pytest.fixture
def bundle(tmp_path):
    lines = [encode_event(event) for event in BARGE_IN]
    (tmp_path / "events.jsonl").write_bytes(b"".join(lines))
    return tmp_path


def tracker_of(events):
    tracker = TurnTracker()
    for event in events:
        tracker.feed(event)
    return tracker


def found_in(bundle):
    return find_turns(RecordedEvents(bundle / "events.jsonl"), threading.Event(), lambda _: None)


def size_of(bundle):
    return (bundle / "events.jsonl").stat().st_size


def assert_same(found, tracker):
    for name in VIEWED:
        assert list(getattr(found, name)) == list(getattr(tracker, name)), name
        assert getattr(found, name) or name == "refused", name
    assert found.summary() == tracker.summary()


def test_what_the_file_tells_is_what_was_shown_live(bundle):
    assert_same(found_in(bundle), tracker_of(BARGE_IN))


def test_it_is_a_copy_that_the_tracker_does_not_change():
    tracker = tracker_of(BARGE_IN)
    found = TurnsFound.of(tracker)
    before = TurnsFound.of(tracker)
    tracker.feed(StateChanged(99.0, "ended"))
    assert found == before


def test_what_is_kept_comes_back_equal(bundle):
    found = TurnsFound.of(tracker_of(BARGE_IN), ["A sentence with “quotes” and \ud800."])
    found.save(bundle)
    kept = TurnsFound.load(bundle, size_of(bundle))
    assert_same(kept, tracker_of(BARGE_IN))
    assert kept == found


def test_other_events_or_another_analysis_are_not_taken_for_these(bundle, monkeypatch):
    found_in(bundle).save(bundle)
    assert TurnsFound.load(bundle, size_of(bundle) + 1) is None
    monkeypatch.setattr(turns_found, "ANALYSIS_VERSION", 10**6)
    assert TurnsFound.load(bundle, size_of(bundle)) is None


def test_every_number_of_a_forged_file_is_one_of_a_session(bundle):
    """Whichever number in it is replaced by an absurd one, the file is passed over."""
    found_in(bundle).save(bundle)
    path = bundle / "peaks" / "turns.json"
    kept = json.loads(path.read_text())
    places = [place for name in (*VIEWED, "figures") for place in numbers_in(kept, name)]
    assert len(places) > 60
    for *way, last in places:
        inside = kept
        for step in way:
            inside = inside[step]
        number = inside[last]
        inside[last] = type(number)(10**15)
        path.write_text(json.dumps(kept))
        assert TurnsFound.load(bundle, size_of(bundle)) is None, (*way, last)
        inside[last] = number
    path.write_text(json.dumps(kept))
    assert TurnsFound.load(bundle, size_of(bundle)) is not None


def numbers_in(value, *way):
    """Go through the places of all numbers under ``way``."""
    for step in way[-1:]:
        inner = value[step]
        items = enumerate(inner) if isinstance(inner, list) else []
        items = inner.items() if isinstance(inner, dict) else items
        for key, item in items:
            if isinstance(item, (int, float)) and not isinstance(item, bool):
                yield (*way, key)
            elif isinstance(item, (list, dict)):
                yield from ((*way, *place) for place in numbers_in(inner, key))


def test_nothing_kept_is_nothing_loaded(tmp_path):
    assert TurnsFound.load(tmp_path, 0) is None


SPOILED = [
    ("user_turns", [["user", 1.0]]),
    ("user_turns", [["nobody", 1.0, None]]),
    ("user_turns", [["user", "soon", None]]),
    ("user_turns", [["user", math.nan, None]]),
    ("user_turns", {"a": 1}),
    ("spans", [["heard", 1.5, 2, 3.0]]),
    ("spans", [["heard", True, 2, 3.0]]),
    ("transcript", [5]),
    ("figures", None),
    ("figures", []),
    ("warnings", [1]),
    ("version", "1"),
    ("user_turns", [["user", 1e9, None]]),
    ("user_turns", [["user", 1.0, 1e300]]),
    ("spans", [["heard", 10**15, 2, 3.0]]),
    ("spans", [["heard", 10**400, 2, 3.0]]),
    ("response_latencies_ms", [1e13]),
    ("overlaps", [[1.0, 2.0, 1.0, 2.0, "unheard of", None]]),
    ("overlaps", [[1e8, 2.0, 1.0, 2.0, "missed", None]]),
    ("overlaps", [[1.0, 2.0, 1.0, 2.0, "missed", -(10**13)]]),
    ("responses", [[1.0, None, None, None, None, 10**18, 0.0, None, None, False]]),
    ("responses", [[1.0, None, None, None, 1e300, 0, 0.0, None, None, False]]),
    ("refused", [[1.0, 1.0, math.inf, 1, "x", False]]),
    ("refused", [[1.0, 1.0, 5.0, 1, 7, False]]),
]


@pytest.mark.parametrize(("name", "value"), SPOILED)
def test_a_spoiled_file_is_passed_over(bundle, name, value):
    found_in(bundle).save(bundle)
    path = bundle / "peaks" / "turns.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), name: value}))
    assert TurnsFound.load(bundle, size_of(bundle)) is None


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "[" * 99_999, '{"version": 1}', "\0"])
def test_a_broken_file_is_passed_over_and_replaced(bundle, content):
    (bundle / "peaks").mkdir()
    (bundle / "peaks" / "turns.json").write_text(content)
    assert TurnsFound.load(bundle, size_of(bundle)) is None
    found_in(bundle).save(bundle)
    assert TurnsFound.load(bundle, size_of(bundle)) is not None


def many(share, texts):
    """Return what is found of a recording with a ``share`` of all the records there may be."""
    most, most_pieces = round(MOST * share), round(MOST_PIECES * share)
    sound = Sound("noise", 86398.12345, 86398.91234, -31.2345678, -55.123456, 12.5, 0.123456789)
    cut = Interruption(1, 86399.123456789, "agent", 123456, "false", 1234.5678, 1234.5678, 0.0)
    cut = replace(cut, heard_text=texts, unheard_text=texts, cut_word="because", sound=sound)
    line = Line("agent", texts, 86399.123456789, texts, "", texts, texts)
    return TurnsFound(
        [Turn("user", 86399.123456789, 86399.987654321)] * most,
        [Turn("agent", 86399.123456789, 86399.987654321)] * most,
        [1234.567890123] * most,
        [AudioSpan("heard", 1382385975, 1382389975, 86399.123456789)] * most_pieces,
        [cut] * most,
        [Overlap(86399.1234567, 86399.9876543, 86399.1234567, 86399.9876543, "missed")] * most,
        [Response(86399.1234567, 86398.1234567, None, 86398.234567, 1234.567)] * most,
        [Refused(86399.123456, 86399.2345, 123.45, 12345, "another event id")] * most,
        [line] * most,
    )


def test_what_is_found_of_a_very_long_recording_is_read_back(bundle):
    found = many(0.02, "and then, as nobody had said so before, we looked at it again; " * 110)
    found.save(bundle)
    assert (bundle / "peaks" / "turns.json").stat().st_size > SMALL_FILE_BYTES
    assert TurnsFound.load(bundle, size_of(bundle)) == found


def test_there_is_room_for_all_the_records_that_a_recording_may_have(bundle):
    many(0.02, "and then, as nobody had said so before, we looked at it again; " * 2).save(bundle)
    written = (bundle / "peaks" / "turns.json").read_bytes()
    assert len(written) / 0.02 < turns_found.MOST_BYTES
    assert count_values(written) / 0.02 < turns_found.MOST_VALUES


@pytest.mark.parametrize(("bound", "most"), [("MOST_BYTES", 1000), ("MOST_VALUES", 100)])
def test_what_could_not_be_read_back_is_not_kept_and_nobody_elses_is_read(
    bundle, monkeypatch, bound, most
):
    found = found_in(bundle)
    found.save(bundle)
    assert TurnsFound.load(bundle, size_of(bundle)) is not None
    monkeypatch.setattr(turns_found, bound, most)
    monkeypatch.setattr(turns_found.json, "loads", lambda _: pytest.fail("it was parsed"))
    assert TurnsFound.load(bundle, size_of(bundle)) is None
    (bundle / "peaks" / "turns.json").unlink()
    found.save(bundle)
    assert not list((bundle / "peaks").iterdir())


@pytest.mark.parametrize(
    ("name", "record", "most"),
    [
        ("user_turns", ["user", 1.0, None], turns_found.MOST_RECORDS),
        ("response_latencies_ms", 1.0, turns_found.MOST_RECORDS),
        ("spans", ["heard", 1, 2, 3.0], turns_found.MOST_SPANS),
        ("warnings", "Beware.", turns_found.MOST_RECORDS),
    ],
)
def test_a_forged_file_has_no_more_records_than_a_session(bundle, name, record, most):
    found_in(bundle).save(bundle)
    path = bundle / "peaks" / "turns.json"
    kept = json.loads(path.read_text())
    path.write_text(json.dumps({**kept, name: [record] * most}))
    assert most > MOST_PIECES or TurnsFound.load(bundle, size_of(bundle)) is not None
    path.write_text(json.dumps({**kept, name: [record] * (most + 1)}))
    assert TurnsFound.load(bundle, size_of(bundle)) is None


def test_every_field_is_kept(bundle):
    found_in(bundle).save(bundle)
    kept = json.loads((bundle / "peaks" / "turns.json").read_text())
    assert set(kept) == {"version", "events_bytes", *(item.name for item in fields(TurnsFound))}


def test_what_is_wrong_with_events_is_said_and_changes_nothing_else(bundle):
    clean = found_in(bundle)
    lines = (bundle / "events.jsonl").read_bytes().splitlines(keepends=True)
    lines[2:2] = [b"broken\n", b'{"t": 1, "type": "from_the_future"}\n']
    (bundle / "events.jsonl").write_bytes(b"".join(lines))
    spoiled = found_in(bundle)
    text = " ".join(spoiled.warnings)
    assert "1 line of events.jsonl cannot be read (line 3)" in text
    assert "from_the_future" in text
    for name in VIEWED:
        assert getattr(spoiled, name) == getattr(clean, name)


def test_it_stops_when_it_is_asked_to_and_tells_how_far_it_is(bundle):
    events, stopping, told = RecordedEvents(bundle / "events.jsonl"), threading.Event(), []
    find_turns(events, stopping, told.append)
    assert told[-1] == events.appended
    stopping.set()
    assert find_turns(events, stopping, told.append) is None


def test_a_session_without_events_has_no_turns():
    found = find_turns(RecordedEvents(), threading.Event(), lambda _: None)
    assert found == TurnsFound()
    assert found.summary().duration_s == 0
