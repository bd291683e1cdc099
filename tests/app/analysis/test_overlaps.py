"""When both speak at once: what is told of it, and what an interrupt takes back."""

from __future__ import annotations

import itertools
import time

import pytest

from app.analysis.overlaps import OverlapKeeper
from app.analysis.turn_records import Overlap
from app.analysis.turns import TurnTracker
from app.timeline.events import Event
from tests.app.spoken_session import RATE, cut, echo, ended, heard, said, track


def overlaps(*events: Event) -> list[Overlap]:
    return track(*events).overlaps


def test_long_speech_over_the_agent_is_missed() -> None:
    assert overlaps(heard(1.0, 6.0), *said(2.0, 3.5), ended(9.0)) == [
        Overlap(2.0, 3.5, 2.0, 3.5, "missed")
    ]


def test_short_speech_over_the_agent_is_a_backchannel() -> None:
    assert overlaps(heard(1.0, 6.0), *said(2.0, 2.6), ended(9.0)) == [
        Overlap(2.0, 2.6, 2.0, 2.6, "backchannel")
    ]


def test_an_agent_that_begins_while_the_user_speaks_talks_over_them() -> None:
    assert overlaps(*said(1.0, 3.0), heard(2.0, 6.0), ended(9.0)) == [
        Overlap(2.0, 3.0, 1.0, 3.0, "talked over")
    ]


def test_a_second_of_it_is_missed_and_less_is_not() -> None:
    for length, kind in ((0.999, "backchannel"), (1.0, "missed")):
        (found,) = overlaps(heard(1.0, 6.0), *said(2.1, 2.1 + length), ended(9.0))
        assert found.kind == kind, length


def test_speech_that_goes_on_when_the_agent_has_ended_is_no_backchannel() -> None:
    (found,) = overlaps(heard(1.0, 3.0), *said(2.6, 5.0), ended(9.0))
    assert (found.start, found.stop, found.kind) == (2.6, 3.0, None)


def test_turns_that_touch_do_not_overlap() -> None:
    assert overlaps(heard(1.0, 3.0), *said(2.95, 4.0), heard(3.96, 5.0, 2 * RATE)) == []


def test_of_speech_from_before_the_first_moment_nobody_knows_who_began() -> None:
    (found,) = overlaps(heard(0.0, 3.0), *said(-0.3, 1.7), ended(9.0))
    assert (found.start, found.kind) == (0.0, "missed")


def test_an_interrupt_that_follows_takes_the_kind_away() -> None:
    start, stop = said(2.0, 4.0)
    events = [heard(1.0, 2.9), start, heard(2.9, 3.95, round(1.9 * RATE))]
    tracker = track(*events)
    (found,) = tracker.overlaps
    assert (found.kind, found.stop) == ("missed", None)
    for event in (*cut(3.95), stop, ended(9.0)):
        tracker.feed(event)
    assert tracker.overlaps == [Overlap(2.0, 3.95, 2.0, 4.0, None, 1)]


def test_the_button_takes_it_away_too_but_not_what_ended_long_before() -> None:
    first, second = said(2.0, 3.2), said(6.0, 7.5)
    events = [heard(1.0, 7.2), *first, second[0], *cut(7.2, source="button"), second[1]]
    assert [(each.kind, each.interruption) for each in overlaps(*events, ended(9.0))] == [
        ("missed", None),
        (None, 1),
    ]


def test_an_agent_that_talked_over_did_so_even_if_it_was_interrupted_then() -> None:
    start, stop = said(1.0, 4.0)
    (found,) = overlaps(start, heard(2.0, 3.0), *cut(3.0), stop, ended(9.0))
    assert (found.kind, found.interruption) == ("talked over", 1)


def test_speech_that_was_echo_overlaps_nothing() -> None:
    start, stop = said(2.0, 3.5)
    for order in itertools.permutations([[start, stop], [echo(1.95, 3.5)], [heard(1.0, 6.0)]]):
        assert overlaps(*itertools.chain(*order), ended(9.0)) == []


def test_while_it_lasts_it_has_no_end_and_no_kind_that_it_may_lose() -> None:
    start, stop = said(2.0, 2.9)
    tracker = track(heard(1.0, 2.2), start)
    assert tracker.overlaps == [Overlap(2.0, None, 2.0)]
    tracker.feed(heard(2.2, 3.3, round(1.2 * RATE)))
    # the user may have ended already: VAD has yet to make sure
    assert tracker.overlaps[0].kind is None
    tracker.feed(stop)
    assert tracker.overlaps == [Overlap(2.0, 2.9, 2.0, 2.9, "backchannel")]


@pytest.mark.parametrize("gap_s", [0.0, 0.2])
def test_a_short_silence_of_the_agent_does_not_end_it(gap_s: float) -> None:
    events = [heard(1.0, 2.5), heard(2.5 + gap_s, 4.0, 2 * RATE), *said(2.0, 3.4), ended(9.0)]
    assert overlaps(*events) == [Overlap(2.0, 3.4, 2.0, 3.4, "missed")]


def test_a_long_silence_of_the_agent_does() -> None:
    events = [heard(1.0, 2.5), heard(3.0, 4.0, 2 * RATE), *said(2.0, 3.4), ended(9.0)]
    found = overlaps(*events)
    assert [(each.start, each.stop, each.kind) for each in found] == [
        (2.0, 2.5, None),
        (3.0, 3.4, "talked over"),
    ]


def test_they_come_in_the_order_of_their_starts_in_whichever_order_they_are_told() -> None:
    playout = [heard(1.0, 4.0), heard(6.0, 9.0, 4 * RATE)]
    speech = [*said(2.0, 2.5), *said(3.0, 3.6), *said(7.0, 8.5)]
    expected = overlaps(*playout, *speech, ended(12.0))
    assert [each.start for each in expected] == [2.0, 3.0, 7.0]
    assert overlaps(*speech, *playout, ended(12.0)) == expected


def test_a_session_that_ends_in_the_middle_of_it_ends_it() -> None:
    (found,) = overlaps(heard(1.0, 4.0), said(2.0, 9.0)[0], ended(4.0))
    assert (found.start, found.stop, found.speech_stop, found.kind) == (2.0, 4.0, 4.0, "missed")


def test_a_reader_that_takes_what_has_changed_has_it_all() -> None:
    tracker, shown = TurnTracker(), []
    for number in range(40):
        at = number * 4.0
        for event in (heard(at + 1, at + 3, number * RATE * 2), *said(at + 1.5, at + 2.8)):
            tracker.feed(event)
            changed = tracker.take_changed_overlaps()
            shown[changed:] = tracker.overlaps[changed:]
            assert shown == tracker.overlaps


def test_an_event_costs_the_same_after_hours() -> None:
    keeper, costs = OverlapKeeper(), []
    for number in range(6000):
        at = number * 4.0
        before = time.thread_time()
        keeper.agent_heard(at + 1, at + 3)
        keeper.speech_starts(at + 1.5)
        keeper.speech_stops(at + 2.8)
        keeper.pass_time(at + 4.2)
        costs.append(time.thread_time() - before)
    assert len(keeper.overlaps) == 6000
    assert sum(costs[-1000:]) < 4 * sum(costs[:1000]) + 0.02


def test_speech_that_may_have_ended_in_time_is_not_called_missed_yet() -> None:
    """VAD is sure of an end 0.7 s later while the agent speaks: nothing is said until then."""
    start, stop = said(2.0, 2.95)
    playout = [heard(1.0, 2.0), heard(2.0, 3.65, RATE)]
    tracker = track(playout[0], start, playout[1])
    assert tracker.overlaps[0].kind is None
    for event in (stop, heard(3.65, 4.0, round(2.65 * RATE))):
        tracker.feed(event)
    assert tracker.overlaps[0].kind == "backchannel"
