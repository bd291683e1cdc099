"""Turns of both parties and response latencies of sessions written down by hand."""

from __future__ import annotations

import pytest

from app.analysis.turn_records import Turn
from app.timeline.events import MessageSent, SpeechEnded, SpeechStarted, StateChanged
from tests.app.told_events import RATE, heard, mic, track


def test_short_pauses_do_not_end_a_turn_long_ones_do():
    tracker = track(
        heard(0, RATE, 1.0), heard(RATE, 2 * RATE, 2.8), heard(2 * RATE, 3 * RATE, 4.9), mic(9.0)
    )
    assert [(turn.start, turn.stop) for turn in tracker.agent_turns] == [(1.0, 3.8), (4.9, 5.9)]


def test_an_open_turn_has_no_stop_and_silence_closes_it():
    tracker = track(heard(0, RATE, 1.0), mic(2.5))
    assert tracker.agent_turns == [Turn("agent", 1.0)]
    tracker.feed(mic(3.1))
    assert tracker.agent_turns == [Turn("agent", 1.0, 2.0)]


def test_a_pause_of_the_user_is_one_turn_unless_the_agent_speaks_in_it():
    speech = (SpeechStarted(1, 1), SpeechEnded(2, 2), SpeechStarted(2.6, 2.6), SpeechEnded(3, 3))
    assert track(*speech).user_turns == [Turn("user", 1, 3)]
    spoken_into = track(*speech[:2], heard(0, 1600, 2.3), *speech[2:])
    assert spoken_into.user_turns == [Turn("user", 1, 2), Turn("user", 2.6, 3)]


def test_latency_is_known_even_if_vad_is_sure_of_the_end_after_the_agent_began():
    tracker = track(SpeechStarted(1, 1.1), heard(0, 1600, 2.3), SpeechEnded(2.0, 2.5))
    assert tracker.response_latencies_ms == pytest.approx([300])


def test_an_agent_that_talks_over_the_user_has_not_answered():
    tracker = track(
        SpeechStarted(1, 1.1),
        heard(0, RATE, 2.0),
        SpeechEnded(2.5, 3.0),
        mic(4.5),
        heard(RATE, 2 * RATE, 5.0),
    )
    assert tracker.response_latencies_ms == []


def test_each_user_turn_is_answered_once_and_typed_text_is_no_speech():
    tracker = track(
        SpeechStarted(1, 1), SpeechEnded(2, 2), heard(0, 160, 2.5), mic(4), heard(160, 320, 5.0)
    )
    assert tracker.response_latencies_ms == pytest.approx([500])
    typed = track(
        SpeechStarted(1, 1),
        SpeechEnded(2, 2),
        MessageSent(2.2, "user_message", {"text": "hello"}),
        heard(0, 160, 2.5),
    )
    assert typed.response_latencies_ms == []
    assert [(line.text, line.typed) for line in typed.transcript] == [("hello", True)]


def test_no_turn_ends_before_it_begins_whatever_the_clock_does():
    """Times of a forged recording, or of a clock that has jumped back."""
    tracker = track(
        heard(0, RATE, 5.0),
        heard(RATE, 2 * RATE, 1.0),
        SpeechStarted(3.0, 3.1),
        SpeechEnded(2.5, 3.6),
        heard(2 * RATE, 3 * RATE, 4.0),
        StateChanged(9.0, "ended"),
    )
    assert all(turn.stop >= turn.start for turn in (*tracker.user_turns, *tracker.agent_turns))
    assert all(ms >= 0 for ms in tracker.response_latencies_ms)
