"""Where the user's lines stand in time, in whichever order it is told what was said."""

from __future__ import annotations

import itertools

from app.analysis.transcript import Transcript
from app.analysis.turns import TurnTracker
from app.timeline.events import Event, MessageReceived
from tests.app.spoken_session import echo, heard, said, track, transcript


def user_lines(tracker: TurnTracker) -> list[tuple[str, float, bool]]:
    return [(line.text, line.at, line.tentative) for line in tracker.transcript]


def test_a_line_stands_where_its_turn_began_whenever_echo_is_told_of() -> None:
    """The agent's own voice is taken for speech before the transcript comes."""
    first, second = said(1.0, 2.0), said(2.5, 2.9)
    pieces: list[list[Event]] = [second, [echo(2.45, 2.95)], [transcript(3.0)]]
    for order in itertools.permutations(pieces):
        tracker = track(*first, heard(2.3, 3.0), *itertools.chain(*order))
        assert user_lines(tracker) == [("Well", 1.0, False)]


def test_a_line_that_comes_before_its_speech_is_noticed_stands_with_it() -> None:
    start, stop = said(4.0, 4.6)
    for events in ([transcript(5.0), start, stop], [start, stop, transcript(5.0)]):
        assert user_lines(track(*said(1.0, 2.0), *events)) == [("Well", 4.0, False)]


def test_speech_that_begins_after_a_line_was_told_is_not_its() -> None:
    assert user_lines(track(*said(1.0, 2.0), transcript(3.0), *said(4.0, 5.0)))[0][1] == 1.0
    assert user_lines(track(transcript(3.0), *said(4.0, 5.0)))[0][1] == 3.0


def test_what_was_tentative_keeps_its_place_and_takes_the_time_of_the_last() -> None:
    body = {"tentative_user_transcription_event": {"user_transcript": "We"}}
    tentative = MessageReceived(1.5, "tentative_user_transcript", body, 1)
    tracker = track(*said(1.0, 2.0), tentative)
    assert user_lines(tracker) == [("We", 1.0, True)]
    tracker.feed(transcript(2.5))
    assert user_lines(tracker) == [("Well", 1.0, False)]
    assert len(tracker._said.transcript._told) == 1


def test_however_many_lines_there_are_the_latest_alone_may_move() -> None:
    tracker = TurnTracker()
    for number in range(200):
        for event in (*said(number * 4 + 1.0, number * 4 + 2.0), transcript(number * 4 + 2.5)):
            tracker.feed(event)
    assert [at for _, at, _ in user_lines(tracker)] == [number * 4 + 1.0 for number in range(200)]
    assert len(tracker._said.transcript._told) == Transcript.RECENT
