"""Turns, interruptions, words and latencies of sessions written down by hand."""

from __future__ import annotations

import random
import time
from itertools import pairwise

import pytest

from app.analysis.turns import AudioSpan, Turn, TurnTracker
from app.timeline.events import (
    AgentChunkReceived,
    AgentDiscarded,
    Interrupted,
    Muted,
    Silenced,
    SpeechEnded,
    SpeechStarted,
    StateChanged,
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
    queued,
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


def test_spans_say_what_became_of_every_sample():
    spans = track(*BARGE_IN).spans
    assert [(span.kind, span.start, span.stop) for span in spans] == [
        ("heard", 0, 17 * S),
        ("discarded", 17 * S, 30 * S),
        ("heard", 30 * S, 34 * S),
    ]
    # the discarded would have gone on where the agent fell silent
    assert spans[1].at == 1.93


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


def test_words_wait_until_they_are_heard():
    tracker = track(response(1.0, "Good morning"), chunk(1.0, 0, "Good morning"))
    (line,) = tracker.transcript
    assert (line.heard_text, line.waiting_text) == ("", "Good morning")
    tracker.feed(heard(0, 4 * S, 1.1))
    (line,) = tracker.transcript
    assert (line.heard_text, line.waiting_text, line.unheard_text) == ("Good", "morning", "")


def test_a_word_was_heard_if_its_middle_was():
    for stop, words in ((2 * S, ""), (3 * S, "Good"), (8 * S, "Good"), (9 * S, "Good morning")):
        tracker = track(chunk(1.0, 0, "Good morning"), heard(0, stop, 1.1))
        assert tracker.transcript[0].heard_text == words, stop


def test_words_that_never_arrived_are_unheard_after_an_interrupt():
    text = "Good morning how are you"
    tracker = track(
        response(1.0, text),
        chunk(1.0, 0, "Good morning "),
        heard(0, 13 * S, 1.1),
        Interrupted(1.7, 1, "agent", 0, 5),
        Silenced(1.75, 1, 1.7, 1.75),
    )
    (cut,) = tracker.interruptions
    assert cut.heard_text == "Good morning"
    assert cut.unheard_text == "how are you"
    assert not cut.words_estimated


def test_no_word_waits_when_the_session_is_over():
    text = "Good morning how are you"
    tracker = track(response(1.0, text), chunk(1.0, 0, "Good morning "), heard(0, 5 * S, 1.1))
    tracker.feed(AgentDiscarded(2.0, 5 * S, 13 * S, "stop"))
    tracker.feed(StateChanged(2.1, "ended"))
    (line,) = tracker.transcript
    assert (line.heard_text, line.waiting_text) == ("Good", "")
    assert line.unheard_text == "morning how are you"


def test_without_alignment_words_are_shared_out_and_marked_estimated():
    tracker = track(
        response(1.0, "aaaa bbbb cccc dddd"),
        AgentChunkReceived(1.0, 0, 16_000, 1),
        AgentChunkReceived(1.1, 16_000, 32_000, 1),
        heard(0, 16_000, 1.2),
        Interrupted(2.2, 1, "agent", 16_000, 5),
        AgentDiscarded(2.2, 16_000, 32_000, "interrupt"),
        Silenced(2.2, 1, 2.2, 2.21),
    )
    (cut,) = tracker.interruptions
    assert (cut.heard_text, cut.unheard_text) == ("aaaa bbbb", "cccc dddd")
    assert cut.words_estimated
    assert tracker.transcript[0].estimated


def test_of_a_reply_that_is_still_arriving_the_whole_text_waits():
    tracker = track(response(1.0, "Then try again"), chunk(1.0, 0, "Then t"))
    (line,) = tracker.transcript
    assert (line.heard_text, line.waiting_text) == ("", "Then try again")


def test_a_word_that_arrived_in_part_is_heard_only_if_its_middle_was():
    for part, words in (("Good m", "Good"), ("Good mornin", "Good morning")):
        tracker = track(
            response(1.0, "Good morning all"),
            chunk(1.0, 0, part),
            heard(0, len(part) * S, 1.1),
            Interrupted(1.7, 1, "agent", 0, 5),
            Silenced(1.75, 1, 1.7, 1.75),
            response(3.0, "Yes, please do", 6),
            chunk(3.0, len(part) * S, "Yes, please do", 6),
            heard(len(part) * S, (len(part) + 14) * S, 3.1),
        )
        assert tracker.transcript[0].heard_text == words, part
        assert tracker.interruptions[0].heard_text == words, part


def test_a_word_may_begin_in_one_chunk_and_end_in_the_next():
    tracker = track(chunk(1.0, 0, "Good mor"), chunk(1.1, 8 * S, "ning"), heard(0, 12 * S, 1.2))
    assert tracker.transcript[0].heard_text == "Good morning"


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


def test_the_text_of_a_reply_may_come_after_its_audio():
    tracker = track(
        response(1.0, "First", 1),
        chunk(1.0, 0, "First", 1),
        chunk(2.0, 5 * S, "Second", 4),
        response(2.1, "Second", 4),
        chunk(2.2, 11 * S, " reply", 5),
    )
    assert [line.text for line in tracker.transcript] == ["First", "Second"]
    tracker.feed(heard(0, 11 * S, 2.3))
    assert [line.heard_text for line in tracker.transcript] == ["First", "Second"]


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


def test_a_long_text_keeps_its_audio_in_one_line():
    text = " ".join(["word"] * 300)
    chunks = [chunk(float(n), n * 150 * S, text[n * 150 : (n + 1) * 150]) for n in range(10)]
    tracker = track(response(0.0, text), *chunks)
    assert [line.text for line in tracker.transcript] == [text]


def test_an_event_id_of_zero_is_an_id():
    tracker = track(
        chunk(0.5, 0, "One", event_id=None),
        response(0.6, "One", event_id=None),
        chunk(1.0, 3 * S, "Two", event_id=0),
        response(1.1, "Two", event_id=0),
        heard(0, 6 * S, 1.2),
    )
    assert [(line.text, line.heard_text) for line in tracker.transcript] == [
        ("One", "One"),
        ("Two", "Two"),
    ]
