"""What a forged recording, or a mad agent, may cost: the number of records is bounded."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import chain, repeat
from pathlib import Path

import pytest

from app.analysis import turns
from app.analysis.bounds import Bounds
from app.analysis.turns import TurnTracker
from app.bundles.bundle_files import encode_event
from app.recordings.recorded_events import RecordedEvents
from app.recordings.turns_found import find_turns
from app.timeline.events import (
    AgentChunkReceived,
    AgentDiscarded,
    Event,
    Interrupted,
    MessageReceived,
    Trouble,
)
from tests.app.spoken_session import heard, said, transcript

MOST = 50


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "MOST", MOST)
    monkeypatch.setattr(turns, "MOST_PIECES", MOST)


def overlap(n: int) -> list[Event]:
    return [*said(n + 0.2, n + 0.5), heard(n, n + 0.95, n * 16_000)]


FLOODS: dict[str, Callable[[int], list[Event]]] = {
    "interruptions": lambda n: [Interrupted(n * 0.001, n, "agent", 100)],
    "turns of the user's": lambda n: said(n * 4.0, n * 4.0 + 1.0),
    "turns of the agent's": lambda n: [heard(n * 4.0, n * 4.0 + 1.0, n * 16_000)],
    "overlaps": overlap,
    "pieces of refused audio": lambda n: [
        MessageReceived(n * 4.0, "audio", {}, n, 640, "too old"),
    ],
    "lines of the transcript": lambda n: [transcript(n * 4.0)],
    "pieces of agent audio": lambda n: [AgentDiscarded(n, n * 200, n * 200 + 100, "interrupt")],
    "pieces of agent audio that wait": lambda n: [AgentChunkReceived(n, n * 9, n * 9 + 5, 1)],
}


def sizes(tracker: TurnTracker) -> list[int]:
    return [
        len(each)
        for each in (
            *(tracker.user_turns, tracker.agent_turns, tracker.interruptions, tracker.overlaps),
            *(tracker.refused, tracker.transcript, tracker.spans, tracker.responses),
        )
    ]


@pytest.mark.parametrize("kind", FLOODS)
def test_of_each_kind_there_are_so_many_and_a_sentence_says_what_is_left_out(kind: str) -> None:
    tracker, flood = TurnTracker(), FLOODS[kind]
    for event in chain.from_iterable(flood(n) for n in range(MOST)):
        tracker.feed(event)
    assert not tracker.is_full
    assert not tracker.warnings
    for event in chain.from_iterable(flood(n) for n in range(MOST, 4 * MOST)):
        tracker.feed(event)
    assert tracker.is_full
    assert max(sizes(tracker)) <= MOST + 2
    (sentence,) = tracker.warnings
    assert sentence.startswith(f"There are more than {MOST} {kind.removesuffix(' that wait')}: ")
    assert sentence.endswith("is not analysed.")
    assert tracker.duration_s >= (4 * MOST - 1) * 0.001


def test_the_sentence_says_the_time_as_the_timeline_does() -> None:
    bounds = Bounds([("replies", 20_000, lambda: 20_001)])
    assert bounds.check(60_059.9)
    assert bounds.warnings == [
        "There are more than 20,000 replies: what comes after 16:40:59 is not analysed."
    ]


def test_what_is_open_then_is_closed() -> None:
    tracker = TurnTracker()
    for event in chain.from_iterable(FLOODS["overlaps"](n) for n in range(3 * MOST)):
        tracker.feed(event)
    assert tracker.user_turns[-1].stop is not None
    assert tracker.agent_turns[-1].stop is not None


def test_a_recording_is_read_no_further_and_says_so(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    lines = (encode_event(event) for n in range(20 * MOST) for event in FLOODS["interruptions"](n))
    file.write_bytes(b"".join(lines))
    done: list[int] = []
    found = find_turns(RecordedEvents(file), threading.Event(), done.append)
    assert found is not None
    assert len(found.interruptions) == MOST + 1
    assert any("is not analysed" in warning for warning in found.warnings)


def test_kinds_of_trouble_are_bounded_as_well() -> None:
    tracker = TurnTracker()
    for number in range(1000):
        tracker.feed(Trouble(number, f"kind {number}", "x"))
    for _ in repeat(None, 5):
        tracker.feed(Trouble(1000.0, "kind 0", "x", data={"count": True}))
    troubles = tracker.summary().troubles
    assert len(troubles) == TurnTracker.LENGTHS + 1
    assert (troubles["kind 0"], sum(troubles.values())) == (6, 1005)
