"""The parts of an interruption's chain, and of a response, in what is exported."""

from __future__ import annotations

import csv
import io

import pytest

from app.bundles.notes import Notes
from app.export.content import Stretch, content_of
from app.export.cut_events import cut_events
from app.export.everything import head_of
from app.export.tables import interruptions_csv, turns_csv
from app.timeline.events import Event
from tests.app.spoken_session import (
    RATE,
    chunk,
    cut,
    echo,
    ended,
    heard,
    mics,
    said,
    sound,
    told,
    track,
    transcript,
)


def session() -> list[Event]:
    """A barge-in that is answered, and then the agent hearing itself."""
    start, stop = said(2.1, 2.9)
    return [
        *mics(2.0),
        chunk(0.9, 1.0, 2.53),
        heard(1.0, 2.53),
        start,
        *mics(3.0)[8:],
        told(2.49, 7),
        *cut(2.5),
        stop,
        transcript(3.1),
        chunk(3.4, 3.5, 6.0, 2 * RATE),
        heard(3.5, 6.0, 2 * RATE),
        *said(5.0, 5.5),
        echo(4.95, 5.6),
        *cut(5.97, 2),
        sound(5.97, "echo"),
        ended(9.0),
    ]


def rows(table: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table.decode("utf-8-sig"), newline="")))


def test_the_tables_have_them_in_the_time_of_the_stretch() -> None:
    content = content_of(track(*session()), [], [], Stretch(1.0, 9.0))
    first, second = rows(interruptions_csv(content))
    assert (first["class"], second["class"]) == ("barge-in", "false")
    assert (first["chunk_ended_at_s"], first["told_at_s"]) == ("1.25", "1.49")
    assert (first["sound"], second["sound"]) == ("", "echo")
    turns = rows(turns_csv(content))
    (answer,) = [turn for turn in turns if turn["response_latency_ms"]]
    assert (answer["endpointed_at_s"], answer["first_chunk_at_s"]) == ("2.1", "2.4")
    assert (answer["response_latency_ms"], answer["underruns"]) == ("600", "0")


def test_json_has_them_too() -> None:
    tracker = track(*session())
    content = content_of(tracker, [], [], Stretch(1.0, 9.0))
    head = head_of(content, {}, Notes(), tracker.summary(), 9.0)
    first, second = head["interruptions"]
    assert first["chunk_sent_at_s"] == pytest.approx(1.262)
    assert first["sound"] is None
    assert (second["sound"]["kind"], second["sound"]["start_s"]) == ("echo", pytest.approx(3.97))
    responses = [turn["response"] for turn in head["turns"] if turn["response"] is not None]
    assert [each["heard_at_s"] for each in responses] == pytest.approx([0.0, 2.5])
    assert responses[1]["user_stop_s"] == pytest.approx(1.9)


def test_the_events_of_a_stretch_still_tell_of_the_echo() -> None:
    tracker = track(*session())
    stretch = Stretch(2.0, 9.0)
    found = track(*cut_events(session(), tracker.spans, stretch).events)
    last = found.interruptions[-1]
    assert (last.kind, last.user_onset) == ("false", None)
    assert last.sound is not None
    assert last.sound.kind == "echo"
    assert [turn.start for turn in found.user_turns] == pytest.approx([0.1])
