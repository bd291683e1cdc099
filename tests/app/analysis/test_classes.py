"""The class of an interruption: how soon it is certain, and that no order of notice changes it."""

from __future__ import annotations

import random

import pytest

from app.analysis.turn_records import Interruption
from app.analysis.turns import TurnTracker
from app.timeline.events import (
    Event,
    Interrupted,
    SoundBefore,
    SpeechEnded,
    SpeechStarted,
    StateChanged,
)
from tests.app.spoken_session import RATE, cut, echo, ended, heard, mic, mics, said, sound, track

SPOKEN = [*mics(1.0), heard(1.0, 2.5)]


def mic_at(t: float) -> Event:
    return mic(t - 0.26, t - 0.01, t, 0.001)


def only(tracker: TurnTracker) -> Interruption:
    (found,) = tracker.interruptions
    return found


@pytest.mark.parametrize("kind", ["silence", "noise", "burst", "echo"])
def test_it_is_false_once_the_user_track_was_listened_to(kind: str) -> None:
    tracker = track(*SPOKEN, *cut(2.5), mic_at(2.9))
    assert only(tracker).kind is None
    tracker.feed(sound(2.5, kind))
    assert only(tracker).kind == "false"


@pytest.mark.parametrize(
    ("source", "holds"), [("agent", "echo"), ("button", None), ("message", None)]
)
def test_what_the_user_track_held_is_no_cause_of_what_a_person_did(
    source: str, holds: str | None
) -> None:
    found = only(track(*SPOKEN, echo(2.0, 2.6), *cut(2.5, source=source))).sound
    assert (found and found.kind) == holds


def test_where_nobody_tells_what_was_heard_it_is_false_a_second_later() -> None:
    tracker = track(*SPOKEN, *cut(2.5), mic_at(3.49))
    assert only(tracker).kind is None
    tracker.feed(mic_at(3.5))
    assert only(tracker).kind == "false"


def test_where_mic_chunks_are_seconds_long_speech_in_them_is_waited_for() -> None:
    """A class of somebody's own may hand over three seconds at a time, and VAD hears them then."""
    first, second = mic(-2.0, 1.0, 1.0, 0.001), mic(1.0, 4.0, 4.0, 0.001)
    told = StateChanged(3.9, "running")
    tracker = track(first, heard(1.0, 2.5), *cut(2.5), told)
    assert only(tracker).kind is None
    for event in (second, SpeechStarted(2.2, 4.0)):
        tracker.feed(event)
    assert only(tracker).kind == "barge-in"
    # and where none comes any more, no longer than this
    silent = track(first, heard(1.0, 2.5), *cut(2.5), StateChanged(6.5, "running"))
    assert only(silent).kind == "false"


@pytest.mark.parametrize(("onset", "kind"), [(2.4, "barge-in"), (2.54, "barge-in"), (2.7, None)])
def test_speech_that_is_noticed_after_that_is_weighed_all_the_same(
    onset: float, kind: str | None
) -> None:
    tracker = track(*SPOKEN, *cut(2.5), sound(2.5, "noise"))
    assert only(tracker).kind == "false"
    tracker.feed(SpeechStarted(onset, 3.6))
    assert only(tracker).kind == kind


def test_more_interrupts_than_one_wait_for_what_was_heard() -> None:
    times = [2.5 + number * 0.05 for number in range(12)]
    events = [event for number, t in enumerate(times) for event in cut(t, number + 1)]
    tracker = track(*SPOKEN, *events, mic_at(4.5))
    assert [each.kind for each in tracker.interruptions] == ["false"] * 12


def test_the_latest_speech_is_the_cause_whether_it_is_noticed_before_the_interrupt_or_after() -> (
    None
):
    """Twice the user spoke over the agent; VAD was not yet sure of the second time."""
    first, (second, end) = said(1.2, 1.5), said(2.2, 3.0)
    before = track(*SPOKEN, *first, second, *cut(2.5), end, ended(9.0))
    after = track(*SPOKEN, *first, *cut(2.5), second, end, ended(9.0))
    assert only(before) == only(after)
    assert only(after).user_onset == 2.2


def test_speech_that_had_ended_before_the_agent_began_is_no_cause_whenever_that_is_told() -> None:
    start, stop = said(0.3, 0.9)
    before = track(start, *mics(1.0), stop, heard(1.0, 1.5), *cut(1.5), ended(9.0))
    after = track(start, *mics(1.0), heard(1.0, 1.5), *cut(1.5), stop, ended(9.0))
    assert only(before) == only(after)
    assert (only(after).kind, only(after).user_onset) == ("false", None)


@pytest.mark.parametrize(("stop", "kind"), [(2.0, "barge-in"), (1.2, None), (0.5, "false")])
def test_a_reply_that_was_cut_before_it_was_heard(stop: float, kind: str | None) -> None:
    """Who speaks while a reply waits is the cause; speech that has just ended may be."""
    start, end = said(0.3, stop)
    late = 2.6
    interrupted = Interrupted(late if kind == "false" else 1.5, 1, "agent", RATE, 7)
    tracker = track(*mics(1.0), start, end, interrupted, ended(9.0))
    assert (only(tracker).kind, only(tracker).mouth_to_silence_ms) == (kind, None)


def test_the_button_stays_the_button_whatever_is_told_of_the_user() -> None:
    events = [*said(2.2, 3.0), echo(2.15, 3.0), sound(2.5, "echo")]
    for order in range(3):
        tracker = track(*SPOKEN, *events[:order], *cut(2.5, source="button"), *events[order:])
        assert only(tracker).kind == "button"
        assert only(tracker).user_onset is None


@pytest.mark.parametrize("seed", range(60))
def test_no_order_of_notice_between_what_is_heard_and_what_is_said_changes_a_class(
    seed: int,
) -> None:
    """Several replies, interrupts and words of the user's; each stream keeps its own order."""
    chance = random.Random(seed)
    played: list[tuple[float, Event]] = []
    listened: list[tuple[float, Event]] = []
    position = 0
    for number in range(6):
        at = 1.0 + number * 5.0
        until = at + chance.uniform(0.8, 3.0)
        played.append((until, heard(at, until, position)))
        position += round((until - at) * RATE)
        interrupted = cut(until, number + 1)
        played += [(each.t, each) for each in interrupted]
        sounds = chance.choice(("noise", "burst", "echo", "silence", "speech"))
        listened.append((until + 0.7, sound(until, sounds)))
        begins = at - chance.uniform(-0.2, 0.8)
        for _ in range(chance.randrange(4)):
            ends = begins + chance.uniform(0.1, 0.9)
            listened += [(begins + 0.2, SpeechStarted(begins, begins + 0.2))]
            listened += [(ends + 0.5, SpeechEnded(ends, ends + 0.5))]
            if chance.random() < 0.3:
                listened.append((ends + 0.7, echo(begins - 0.02, ends)))
            begins = ends + chance.uniform(0.55, 1.0)
    listened.sort(key=lambda each: each[0])
    found = []
    for late in (0.0, 0.1, 0.25, 0.5):
        noticed = [(t + 0.05, 0, event) for t, event in played]
        noticed += [(t + late, 1, event) for t, event in listened]
        noticed += [(each.t, 2, each) for each in mics(32.0)]
        noticed.sort(key=lambda each: each[:2])
        found.append(track(*(event for _, _, event in noticed), ended(60.0)).interruptions)
    first = [(each.kind, each.user_onset, each.mouth_to_silence_ms) for each in found[0]]
    for other in found[1:]:
        assert [(c.kind, c.user_onset, c.mouth_to_silence_ms) for c in other] == first


def test_what_the_microphone_held_is_told_of_the_right_interrupt() -> None:
    told = SoundBefore(1.5, 2.5, 2.5, "burst", -20.0, -60.0, 150.0, 0.1)
    tracker = track(*SPOKEN, *cut(2.5), *cut(2.6, 2), told)
    first, second = tracker.interruptions
    assert (first.kind, second.kind) == ("false", None)
