"""What became of the received audio: heard, waiting, or discarded, and by which interrupt."""

from __future__ import annotations

import pytest

from app.analysis.turn_records import AudioSpan
from app.timeline.events import AgentDiscarded, Interrupted, Silenced
from tests.app.told_events import BARGE_IN, TEXT, S, chunk, heard, queued, response, track


def test_spans_say_what_became_of_every_sample():
    spans = track(*BARGE_IN).spans
    assert [(span.kind, span.start, span.stop) for span in spans] == [
        ("heard", 0, 17 * S),
        ("discarded", 17 * S, 30 * S),
        ("heard", 30 * S, 34 * S),
    ]
    # the discarded would have gone on where the agent fell silent
    assert spans[1].at == 1.93


def test_the_button_holds_back_the_rest_of_the_reply():
    tracker = track(
        response(1.0, TEXT),
        chunk(1.0, 0, "Good morning "),
        heard(0, 8 * S, 1.1),
        Interrupted(1.5, 1, "button", 5 * S),
        chunk(1.51, 13 * S, "how are you today", held_back=True),
        AgentDiscarded(1.5, 8 * S, 13 * S, "interrupt"),
        Silenced(1.53, 1, 1.5, 1.53),
        chunk(2.0, 30 * S, "Sorry", 2),
        response(2.0, "Sorry", 2),
        heard(30 * S, 35 * S, 2.1),
    )
    (cut,) = tracker.interruptions
    assert (cut.kind, cut.source, cut.event_id) == ("button", "button", None)
    assert (cut.discarded_ms, cut.held_back_ms) == (250, 850)
    assert (cut.heard_text, cut.unheard_text) == ("Good", "morning how are you today")
    assert [line.heard_text for line in tracker.transcript] == ["Good", "Sorry"]
    assert cut.agent_next_at == 2.1
    ghosts = [span for span in tracker.spans if span.kind == "discarded"]
    assert sorted((span.start, span.stop) for span in ghosts) == [(8 * S, 13 * S), (13 * S, 30 * S)]
    assert not queued(tracker)


def test_two_interrupts_close_together_keep_their_own_audio():
    tracker = track(
        chunk(1.0, 0, TEXT),
        heard(0, 10 * S, 1.0),
        Interrupted(1.5, 1, "button", 20 * S),
        AgentDiscarded(1.5, 10 * S, 30 * S, "interrupt"),
        Silenced(1.52, 1, 1.5, 1.52),
        Interrupted(1.6, 2, "agent", 0, 5),
        Silenced(1.6, 2, 1.6, None),
    )
    first, second = tracker.interruptions
    assert (first.discarded_ms, second.discarded_ms) == (1000, 0)
    assert first.time_to_silence_ms == pytest.approx(20)
    assert second.time_to_silence_ms is None


def test_a_discard_that_is_told_before_its_interrupt_finds_it():
    tracker = track(
        chunk(1.0, 0, TEXT),
        heard(0, 10 * S, 1.0),
        AgentDiscarded(1.5, 10 * S, 30 * S, "interrupt"),
        Interrupted(1.5, 1, "agent", 20 * S, 5),
        Silenced(1.52, 1, 1.5, 1.52),
    )
    assert tracker.interruptions[0].discarded_ms == 1000
    assert AudioSpan("discarded", 10 * S, 30 * S, 1.52) in tracker.spans


def test_what_the_end_of_a_session_throws_away_is_one_span_behind_what_was_heard():
    tracker = track(
        chunk(1.0, 0, TEXT),
        heard(0, 10 * S, 1.0),
        AgentDiscarded(1.5, 10 * S, 20 * S, "stop"),
        AgentDiscarded(1.5, 20 * S, 30 * S, "stop"),
    )
    assert tracker.spans[1:] == [AudioSpan("discarded", 10 * S, 30 * S, 1.5)]


def test_waiting_audio_is_shown_behind_what_was_heard():
    tracker = track(
        chunk(1.0, 0, "Good"),
        chunk(1.2, 4 * S, "morning"),
        heard(0, 2 * S, 1.1),
    )
    assert queued(tracker) == [AudioSpan("queued", 2 * S, 11 * S, pytest.approx(1.2))]
    tracker.feed(heard(2 * S, 11 * S, 1.2))
    assert not queued(tracker)


def test_overflow_takes_from_the_end_of_the_queue():
    tracker = track(
        chunk(1.0, 0, "Good"),
        chunk(1.1, 4 * S, "morning"),
        AgentDiscarded(1.1, 8 * S, 11 * S, "overflow"),
    )
    (waiting,) = queued(tracker)
    assert (waiting.start, waiting.stop) == (0, 8 * S)
    tracker.feed(AgentDiscarded(3.0, 0, 8 * S, "stop"))
    assert tracker.summary().discarded_ms == 11 * 50
    assert not queued(tracker)
