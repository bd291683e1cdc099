"""Turns, interruptions, latencies and lines of sessions written down by hand."""

from __future__ import annotations

import random
import time
from itertools import pairwise

import pytest

from app.analysis.turn_records import Turn
from app.analysis.turns import TurnTracker
from app.timeline.events import (
    AgentChunkReceived,
    AgentDiscarded,
    Interrupted,
    Muted,
    Silenced,
    SpeechEnded,
    SpeechStarted,
    Trouble,
    event_from_dict,
)
from tests.app.told_events import (
    BARGE_IN,
    RATE,
    TEXT,
    S,
    chunk,
    correction,
    feed_all,
    heard,
    mic,
    response,
    track,
    user_transcript,
)


def test_a_barge_in_has_its_times_its_words_and_its_audio():
    (cut,) = track(*BARGE_IN).interruptions
    assert (cut.number, cut.at, cut.source, cut.event_id, cut.kind) == (
        1,
        1.90,
        "agent",
        7,
        "barge-in",
    )
    assert cut.time_to_silence_ms == pytest.approx(30)
    assert cut.mouth_to_silence_ms == pytest.approx(330)
    assert (cut.user_onset, cut.silent_at) == (1.60, 1.93)
    assert (cut.queued_ms, cut.discarded_ms, cut.held_back_ms) == (650, 650, 0)
    assert cut.heard_text == "Good morning how"
    assert cut.unheard_text == "are you today"
    assert cut.corrected_text == "Good morning how..."
    assert cut.agent_next_at == 3.45
    assert not cut.estimated
    assert not cut.words_estimated


def test_turns_and_latency_of_the_same_session():
    tracker = track(*BARGE_IN)
    assert tracker.user_turns == [Turn("user", 1.60, 2.60)]
    assert [turn.start for turn in tracker.agent_turns] == [1.05, 3.45]
    assert [turn.stop for turn in tracker.agent_turns] == pytest.approx([1.90, 3.65])
    assert tracker.response_latencies_ms == pytest.approx([850])


def test_the_transcript_has_both_parties_and_what_was_heard():
    lines = track(*BARGE_IN).transcript
    assert [(line.who, line.text) for line in lines] == [
        ("agent", TEXT),
        ("user", "Wait"),
        ("agent", "Yes?"),
    ]
    assert [line.at for line in lines] == [1.05, 1.60, 3.45]
    assert (lines[0].heard_text, lines[0].unheard_text) == ("Good morning how", "are you today")
    assert lines[0].corrected_text == "Good morning how..."
    assert lines[2].heard_text == "Yes?"


def test_the_summary_counts():
    summary = track(*BARGE_IN, Trouble(5.6, "xrun", "x", data={"count": 3})).summary()
    assert summary.duration_s == 5.6
    assert (summary.user_turns, summary.agent_turns, summary.interruptions) == (1, 2, 1)
    assert summary.time_to_silence_ms.p50 == summary.time_to_silence_ms.p95 == pytest.approx(30)
    assert summary.received_ms == summary.heard_ms + summary.discarded_ms == 34 * 50
    assert summary.troubles == {"xrun": 3}
    assert summary.mic_chunks == 2


def test_live_and_from_a_bundle_give_the_same():
    live = TurnTracker()
    for event in BARGE_IN:
        live.feed(event)
        # a screen reads after every event
        assert live.spans is not None
        assert live.interruptions is not None
        assert live.transcript is not None
    read_back = track(*(event_from_dict(event.to_dict()) for event in BARGE_IN[:-1]))
    read_back.feed(event_from_dict(BARGE_IN[-1].to_dict()))
    for name in ("interruptions", "transcript", "spans", "user_turns", "agent_turns"):
        assert getattr(live, name) == getattr(read_back, name)
    assert live.summary() == read_back.summary()


LATE_TEXT = (
    mic(0.3),
    AgentChunkReceived(0.5, 0, 16_000, 1),
    user_transcript(0.6, "Hm"),
    AgentChunkReceived(0.7, 16_000, 32_000, 2),
    response(0.8, "No one knows", 2),
    heard(0, 16_000, 0.9),
    user_transcript(1.0, "We", tentative=True),
    chunk(1.1, 32_000, "Now", 3),
    user_transcript(1.2, "Well"),
    response(1.3, "Now", 3),
    AgentDiscarded(1.4, 16_000, 32_000, "interrupt"),
    Interrupted(1.4, 1, "agent", 16_000, 3),
    Silenced(1.5, 1, 1.4, 1.43),
)


@pytest.mark.parametrize("events", [BARGE_IN, LATE_TEXT], ids=["barge-in", "late text"])
@pytest.mark.parametrize("batch", [1, 2, 3, 5])
def test_it_does_not_matter_how_often_the_records_are_read(events, batch):
    often, once = TurnTracker(), track(*events)
    for first in range(0, len(events), batch):
        feed_all(often, events[first : first + batch])
        assert often.transcript is not None
        assert often.interruptions is not None
    assert often.transcript == once.transcript
    assert often.interruptions == once.interruptions


def test_an_onset_that_vad_notices_after_the_interrupt_still_counts():
    tracker = track(
        mic(0.5),
        chunk(1.0, 0, TEXT),
        heard(0, 16 * S, 1.0),
        Interrupted(1.8, 1, "agent", 14 * S, 5),
        Silenced(1.82, 1, 1.8, 1.82),
        SpeechStarted(1.65, 1.85),
    )
    (cut,) = tracker.interruptions
    assert (cut.user_onset, cut.kind) == (1.65, "barge-in")
    assert cut.mouth_to_silence_ms == pytest.approx(170)


FALSE_ALARM = (
    chunk(1.0, 0, TEXT),
    heard(0, 16 * S, 1.0),
    Interrupted(1.8, 1, "agent", 14 * S, 5),
    Silenced(1.82, 1, 1.8, 1.82),
)


def test_an_interrupt_without_speech_is_false_once_that_is_certain():
    tracker = track(mic(0.5), *FALSE_ALARM, mic(2.0))
    assert tracker.interruptions[0].kind is None
    tracker.feed(mic(3.4))
    assert tracker.interruptions[0].kind == "false"
    assert tracker.interruptions[0].user_onset is None
    assert tracker.interruptions[0].mouth_to_silence_ms is None


@pytest.mark.parametrize(
    "before",
    [(), (mic(0.5), Muted(0.6, True))],
    ids=["no microphone was heard", "the microphone was muted"],
)
def test_an_interrupt_is_not_called_false_where_speech_could_not_be_noticed(before):
    tracker = track(*before, *FALSE_ALARM, Trouble(9.0, "xrun", "x"))
    assert tracker.interruptions[0].kind is None


def test_speech_that_ended_before_the_agent_spoke_is_no_barge_in():
    tracker = track(
        mic(0.2), SpeechStarted(0.3, 0.5), SpeechEnded(0.9, 1.4), *FALSE_ALARM, mic(3.5)
    )
    assert tracker.interruptions[0].user_onset is None
    assert tracker.interruptions[0].kind == "false"


def test_an_interrupt_of_silence_has_no_time_to_silence_and_no_class():
    tracker = track(
        mic(0.2), Interrupted(1.0, 1, "agent", 0, 3), Silenced(1.0, 1, 1.0, None), mic(5.0)
    )
    (cut,) = tracker.interruptions
    assert cut.time_to_silence_ms is None
    assert cut.silent_at is None
    assert cut.was_silent
    assert (cut.kind, cut.discarded_ms) == (None, 0)


def test_whether_there_was_something_to_silence_is_known_once_it_is_told():
    tracker = track(Interrupted(1.0, 1, "agent", 0, 3))
    assert not tracker.interruptions[0].was_silent
    tracker.feed(Silenced(1.1, 1, 1.0, 1.02))
    assert not tracker.interruptions[0].was_silent


def test_a_silence_from_before_the_interrupt_is_none_of_its_doing():
    tracker = track(heard(0, 16 * S, 1.0), Interrupted(2.0, 1, "agent", 0, 3))
    tracker.feed(Silenced(1.9, 1, 2.0, 1.9))
    (cut,) = tracker.interruptions
    assert (cut.time_to_silence_ms, cut.silent_at, cut.was_silent) == (None, None, True)


def test_a_correction_that_comes_before_its_interrupt_is_told_finds_it():
    tracker = track(
        response(1.0, TEXT),
        chunk(1.0, 0, TEXT),
        heard(0, 10 * S, 1.0),
        correction(1.49, TEXT, "Good mor"),
        Interrupted(1.5, 1, "agent", 20 * S, 5),
        AgentDiscarded(1.5, 10 * S, 30 * S, "interrupt"),
        Silenced(1.52, 1, 1.5, 1.52),
    )
    assert tracker.interruptions[0].corrected_text == "Good mor"


def random_session(count, seed=3):
    """A long session in which everything happens, in a plausible order."""
    random.seed(seed)
    t, received, events = 0.0, 0, []
    for number in range(count):
        t += 1.0
        events += [mic(t), response(t, TEXT, number * 2), chunk(t, received, TEXT, number * 2)]
        cut = random.randrange(1, 30)
        events.append(heard(received, received + cut * S, t + 0.05))
        events += [SpeechStarted(t + 0.1, t + 0.2), SpeechEnded(t + 0.6, t + 0.9)]
        t += cut * 0.05 + 0.05
        events.append(Interrupted(t, number + 1, "agent", (30 - cut) * S, number * 2 + 1))
        events.append(AgentDiscarded(t, received + cut * S, received + 30 * S, "interrupt"))
        events.append(Silenced(t, number + 1, t, t + 0.03))
        received += 30 * S
    return events


def test_every_sample_of_a_long_session_is_heard_or_discarded_once():
    tracker = track(*random_session(200))
    spans = sorted(tracker.spans, key=lambda span: span.start)
    assert spans[0].start == 0
    assert all(a.stop == b.start for a, b in pairwise(spans))
    for cut in tracker.interruptions:
        assert f"{cut.heard_text} {cut.unheard_text}".strip() == TEXT


def test_an_event_costs_the_same_late_in_a_long_session():
    tracker = TurnTracker()

    def cost(events):
        before = time.thread_time()
        for event in events:
            tracker.feed(event)
            assert tracker.interruptions is not None
            assert tracker.transcript is not None
        return (time.thread_time() - before) / len(events)

    events = random_session(3000)
    early = min(cost(events[:900]), cost(events[900:1800]))
    cost(events[1800:-1800])
    late = min(cost(events[-1800:-900]), cost(events[-900:]))
    assert late < early * 2.5 + 20e-6


def test_thousands_of_interruptions_of_one_reply_do_not_cost_their_square(monkeypatch):
    refreshed = []
    refresh = TurnTracker._refresh_cut
    monkeypatch.setattr(
        TurnTracker, "_refresh_cut", lambda self, cut: (refreshed.append(cut), refresh(self, cut))
    )
    tracker, count = TurnTracker(), 400
    for number in range(count):
        start, at = number * 1600, number * 0.01
        tracker.feed(AgentChunkReceived(at, start, start + 1600, 1))
        tracker.feed(Interrupted(at, number + 1, "agent", 1600, 1))
        tracker.feed(AgentDiscarded(at, start, start + 1600, "interrupt"))
        assert len(tracker.interruptions) == number + 1
    assert len(refreshed) < 12 * count


def test_a_refresh_costs_the_same_after_hours_without_a_text_or_an_interrupt():
    tracker, costs = TurnTracker(), []
    for number in range(3600):
        start, t = number * RATE, float(number)
        tracker.feed(chunk(t, start, "hello worlds and such", event_id=number))
        tracker.feed(heard(start, start + RATE, t))
        before = time.thread_time()
        assert tracker.transcript
        costs.append(time.thread_time() - before)
    assert sum(costs[-60:]) < 5 * max(sum(costs[:60]), 0.01)
    said = " ".join(line.heard_text for line in tracker.transcript)
    assert said.count("hello") == 3600
