"""When words were spoken: found again from the events around a line, the same as they were made."""

from __future__ import annotations

from itertools import pairwise

import pytest

from app.analysis.turn_records import Line, Turn
from app.analysis.turns import TurnTracker
from app.analysis.word_times import TimedWord, agent_words, user_words, word_at
from app.timeline.events import (
    AgentChunkReceived,
    AgentDiscarded,
    AgentHeard,
    Alignment,
    Event,
    Interrupted,
    MessageReceived,
    Silenced,
    SpeechEnded,
    SpeechStarted,
    Timeline,
)
from tests.ui.synthetic import REPLY, Script

RATE = 16_000


def told(events: list[Event]) -> tuple[Timeline, TurnTracker]:
    timeline, tracker = Timeline(), TurnTracker()
    for event in sorted(events, key=lambda event: event.t):
        timeline.append(event)
        tracker.feed(event)
    return timeline, tracker


def chunk(t: float, start_s: float, text: str, *, aligned: bool = True) -> AgentChunkReceived:
    """Return a second of audio, each letter of it 100 ms long."""
    letters = tuple(text)
    alignment = Alignment(letters, tuple(range(0, 100 * len(text), 100)), (100,) * len(text))
    first = round(start_s * RATE)
    return AgentChunkReceived(t, first, first + RATE, 1, alignment if aligned else None)


def said(t: float, text: str) -> MessageReceived:
    return MessageReceived(
        t, "agent_response", {"agent_response_event": {"agent_response": text}}, 1
    )


def heard(at: float, start_s: float, stop_s: float) -> AgentHeard:
    return AgentHeard(at + stop_s - start_s + 0.2, round(start_s * RATE), round(stop_s * RATE), at)


def times(words: tuple[TimedWord, ...]) -> list[tuple[str, float | None, float | None, str]]:
    return [
        (
            word.text,
            None if word.start is None else round(word.start, 3),
            None if word.stop is None else round(word.stop, 3),
            word.fate,
        )
        for word in words
    ]


def test_a_word_was_spoken_when_its_letters_left_the_speaker() -> None:
    timeline, tracker = told(
        [said(1.0, "one two six"), chunk(1.0, 0, "one two"), chunk(1.1, 1, " six"), heard(3, 0, 2)]
    )
    words = agent_words(tracker.transcript[0], timeline, tracker.spans)
    assert times(words) == [
        ("one", 3.0, 3.3, "heard"),
        ("two", 3.4, 3.7, "heard"),
        ("six", 4.1, 4.4, "heard"),
    ]
    spoken = {2.9: None, 3.0: 0, 3.35: 0, 3.5: 1, 4.05: None, 4.2: 2, 4.6: 2, 4.8: None}
    assert {t: word_at(words, t) for t in spoken} == spoken


def test_words_that_nobody_heard_have_the_times_at_which_they_would_have_been() -> None:
    timeline, tracker = told(
        [
            said(1.0, "one two six never"),
            chunk(1.0, 0, "one two"),
            chunk(1.1, 1, " six"),
            Interrupted(3.41, 1, "agent", RATE, 1),
            AgentDiscarded(3.42, round(0.45 * RATE), 2 * RATE, "interrupt"),
            Silenced(3.46, 1, 3.41, 3.45),
            heard(3.0, 0, 0.45),
        ]
    )
    line = tracker.transcript[0]
    words = agent_words(line, timeline, tracker.spans)
    assert times(words) == [
        ("one", 3.0, 3.3, "heard"),
        ("two", 3.4, 3.7, "unheard"),
        ("six", 4.1, 4.4, "unheard"),
        ("never", None, None, "unheard"),
    ]
    assert " ".join(word.text for word in words) == f"{line.heard_text} {line.unheard_text}"
    assert word_at(words, 3.7) is None


def test_without_alignment_words_share_the_audio_in_their_order() -> None:
    timeline, tracker = told(
        [said(1.0, "aaaa bb cccc"), chunk(1.0, 0, "", aligned=False), heard(3, 0, 1)]
    )
    line = tracker.transcript[0]
    words = agent_words(line, timeline, tracker.spans)
    assert line.estimated
    assert words[0].start == 3.0
    assert words[-1].stop == pytest.approx(4.0, abs=0.1)
    for one, other in pairwise(words):
        assert one.start < one.stop <= other.start + 0.001
    assert words[1].start == pytest.approx(3 + 5 / 13, abs=0.01)


def test_of_two_replies_with_the_same_text_each_line_finds_its_own() -> None:
    timeline, tracker = told(
        [
            *[said(1.0, "Sure."), chunk(1.01, 0, "Sure."), heard(1.5, 0, 1)],
            MessageReceived(
                9.0, "agent_response", {"agent_response_event": {"agent_response": "Sure."}}, 2
            ),
            AgentChunkReceived(
                9.1, RATE, 2 * RATE, 2, Alignment(tuple("Sure."), (0, 9, 18, 27, 36), (9,) * 5)
            ),
            heard(9.5, 1, 2),
        ]
    )
    first, second = tracker.transcript
    assert agent_words(first, timeline, tracker.spans)[0].start == pytest.approx(1.5)
    assert agent_words(second, timeline, tracker.spans)[0].start == pytest.approx(9.5)


def test_every_line_of_a_session_has_its_words_in_the_order_in_which_it_shows_them() -> None:
    timeline, tracker = told(Script(4).events)
    lines = [line for line in tracker.transcript if line.who == "agent"]
    assert len(lines) == 8
    for line in lines:
        words = agent_words(line, timeline, tracker.spans)
        shown = f"{line.heard_text} {line.waiting_text} {line.unheard_text}".split()
        assert [word.text for word in words] == shown
        assert words[0].start == pytest.approx(line.at, abs=0.01)
    assert lines[0].text == REPLY


def test_a_reply_whose_events_have_gone_has_no_words() -> None:
    assert agent_words(Line("agent", "gone", 500.0), told(Script(1).events)[0], []) == ()
    assert agent_words(Line("agent", "gone", 1.0), Timeline(), []) == ()


def test_a_users_words_share_the_turn_by_their_letters() -> None:
    _, tracker = told(
        [
            SpeechStarted(2.0, 2.1),
            SpeechEnded(4.0, 4.5),
            MessageReceived(
                4.6, "user_transcript", {"user_transcription_event": {"user_transcript": "a bbb c"}}
            ),
        ]
    )
    words = user_words(tracker.transcript[0], tracker.user_turns)
    assert times(words) == [
        ("a", 2.0, 2.5, "heard"),
        ("bbb", 2.5, 3.5, "heard"),
        ("c", 3.5, 4.0, "heard"),
    ]
    assert user_words(Line("user", "a", 2.0, typed=True), tracker.user_turns) == ()
    assert user_words(Line("user", "a", 9.0), tracker.user_turns) == ()
    assert user_words(Line("user", "a", 2.0), [Turn("user", 2.0)]) == ()
