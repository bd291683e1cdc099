"""The same session gives the same turns, in whichever order its events are noticed."""

from __future__ import annotations

import pytest

from app.analysis.turns import TurnTracker
from app.timeline.events import AgentHeard, Event, SpeechEnded, SpeechStarted, StateChanged

RATE = 16_000


def _heard(at: float, until: float, start: int, told_at: float) -> AgentHeard:
    return AgentHeard(told_at, start, start + round((until - at) * RATE), at)


def _turns(events: list[Event]) -> tuple[object, ...]:
    tracker = TurnTracker()
    for event in events:
        tracker.feed(event)
    user = [(turn.start, turn.stop) for turn in tracker.user_turns]
    agent = [(turn.start, turn.stop) for turn in tracker.agent_turns]
    return user, agent, [round(ms) for ms in tracker.response_latencies_ms]


def _session(first: Event, second: Event) -> list[Event]:
    """The user pauses for 0.95 s; 50 ms before its end the agent begins to answer."""
    return [
        SpeechStarted(1.0, 1.1),
        SpeechEnded(2.0, 2.6),
        first,
        second,
        _heard(3.1, 3.3, 3200, 3.3),
        SpeechEnded(5.0, 5.6),
        StateChanged(8.0, "ended"),
    ]


@pytest.mark.parametrize("pause_s", [0.95, 1.4])
def test_an_agent_that_began_in_a_pause_is_told_before_or_after_the_onset(pause_s: float) -> None:
    onset = 2.0 + pause_s
    began = _heard(onset - 0.05, onset + 0.15, 0, onset + 0.15)
    speech = SpeechStarted(onset, onset + 0.08)
    expected = _turns(_session(began, speech))
    assert expected[0] == [(1.0, 2.0), (onset, 5.0)]
    assert expected[2] == [round((pause_s - 0.05) * 1000)]
    assert _turns(_session(speech, began)) == expected


@pytest.mark.parametrize("pause_s", [0.95, 1.4])
def test_an_agent_that_began_after_an_onset_is_told_before_or_after_it(pause_s: float) -> None:
    onset = 2.0 + pause_s
    began = _heard(onset + 0.01, onset + 0.15, 0, onset + 0.05)
    speech = SpeechStarted(onset, onset + 0.08)
    expected = _turns(_session(speech, began))
    assert expected[0] == ([(1.0, 5.0)] if pause_s < 1.0 else [(1.0, 2.0), (onset, 5.0)])
    assert expected[2] == []
    assert _turns(_session(began, speech)) == expected


def test_a_short_word_before_an_agent_that_began_is_answered_by_it_in_either_order() -> None:
    word = SpeechStarted(3.4, 3.5)
    began = _heard(3.55, 3.7, 0, 3.7)
    for first, second in ((word, began), (began, word)):
        events = [SpeechStarted(1.0, 1.1), SpeechEnded(2.0, 2.6), first, second]
        events += [SpeechEnded(3.5, 4.1), StateChanged(8.0, "ended")]
        assert _turns(events)[2] == [50]
