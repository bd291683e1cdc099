"""The agent's replies: which words were heard, and which text and audio are of one reply."""

from __future__ import annotations

from app.analysis.replies import ReplyStarts
from app.timeline.events import (
    AgentChunkReceived,
    AgentDiscarded,
    Interrupted,
    Silenced,
    StateChanged,
)
from tests.app.told_events import S, chunk, heard, response, track


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


def test_where_replies_begin_is_known_of_the_latest_alone():
    starts = ReplyStarts()
    for number in range(3000):
        starts.add_text(number, f"Reply {number}.", 2 * number)
        starts.add_chunk(AgentChunkReceived(number, number * 100, number * 100 + 50, 2 * number))
        starts.add_chunk(
            AgentChunkReceived(number, number * 100 + 50, number * 100 + 100, 2 * number)
        )
        assert starts.begins_at(number * 100) == (number > 0)
        assert not starts.begins_at(number * 100 + 50)
    assert len(starts._replies.all) <= ReplyStarts.MOST
