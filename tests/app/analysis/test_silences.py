"""The silence between the turns of both parties."""

from __future__ import annotations

import random

import pytest

from app.analysis.silences import silence_before_ms, spoken_turns
from app.analysis.turn_records import Turn
from tests.app.spoken_session import RATE, cut, ended, heard, said, track


def test_it_is_from_the_end_of_one_party_to_the_start_of_the_other() -> None:
    tracker = track(
        *said(1.0, 2.0), heard(2.9, 4.0), *said(4.3, 5.0), heard(6.5, 7.0, 2 * RATE), ended(20.0)
    )
    told = spoken_turns(tracker.user_turns, tracker.agent_turns)
    assert [(each.turn.who, each.silence_before_ms) for each in told] == [
        ("user", None),
        ("agent", pytest.approx(900)),
        ("user", pytest.approx(300)),
        ("agent", pytest.approx(1500)),
    ]
    assert tracker.response_latencies_ms == pytest.approx([900, 1500])


def test_between_two_turns_of_one_party_there_is_none() -> None:
    tracker = track(*said(1.0, 2.0), *said(5.0, 6.0), heard(6.2, 7.0), heard(9.0, 9.5, 2 * RATE))
    told = spoken_turns(tracker.user_turns, tracker.agent_turns)
    assert [each.silence_before_ms for each in told] == [None, None, pytest.approx(200), None]


def test_an_overlap_is_no_silence() -> None:
    barge_in = track(heard(1.0, 2.5), *said(2.2, 3.0), *cut(2.5), heard(4.0, 5.0, 3 * RATE))
    told = spoken_turns(barge_in.user_turns, barge_in.agent_turns)
    assert [each.silence_before_ms for each in told] == [None, None, pytest.approx(1000)]
    # speech wholly inside the agent's turn, which goes on: what follows that follows the agent
    inside = track(heard(1.0, 4.0), *said(2.0, 2.4), *said(4.5, 5.0), ended(9.0))
    told = spoken_turns(inside.user_turns, inside.agent_turns)
    assert [each.silence_before_ms for each in told] == [None, None, pytest.approx(500)]


def test_while_the_other_speaks_it_is_not_known() -> None:
    user, agent = [Turn("user", 1.0, 2.0)], [Turn("agent", 2.5)]
    turn = Turn("user", 3.0)
    assert silence_before_ms(turn, [*user, turn], agent) is None


@pytest.mark.parametrize("seed", range(20))
def test_it_is_never_negative_and_never_longer_than_the_way_to_the_turn_before(seed: int) -> None:
    chance = random.Random(seed)

    def turns(who: str) -> list[Turn]:
        at, found = 0.0, []
        for _ in range(60):
            at += chance.uniform(0.0, 4.0)
            found.append(Turn(who, at, at + chance.uniform(0.1, 3.0)))
            at = found[-1].stop
        return found

    user, agent = turns("user"), turns("agent")
    told = list(spoken_turns(user, agent))
    assert len(told) == 120
    assert any(each.silence_before_ms is not None for each in told)
    for turn, silence in told:
        before = [each for each in (*user, *agent) if each.start < turn.start]
        speaks = any(each.stop > turn.start for each in before)
        latest = max(before, key=lambda each: each.stop, default=None)
        if latest is None or speaks or latest.who == turn.who:
            assert silence is None
        else:
            assert silence == pytest.approx((turn.start - latest.stop) * 1000)
            assert silence >= 0
