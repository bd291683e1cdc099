"""What a session's audio becomes in the timeline."""

from __future__ import annotations

from time import perf_counter

import pytest

from app.events import AgentChunkReceived, AgentDiscarded, AgentHeard, Event, Interrupted, Silenced
from tests.ui.synthetic import RATE, SyntheticSession
from ui.feed import SessionFeed, clipped
from ui.scene import Stretch


def feed_of(*events: Event) -> SessionFeed:
    session = SyntheticSession()
    for event in events:
        session.timeline.append(event)
    feed = SessionFeed(session)
    feed.advance()
    return feed


CUT_OFF = (
    AgentChunkReceived(1.0, 0, 10 * RATE, 1),
    AgentHeard(2.0, 0, RATE, 1.0),
    Interrupted(2.0, 1, "agent", 9 * RATE, 2),
    AgentDiscarded(2.0, RATE, 10 * RATE, "interrupt"),
    Silenced(2.0, 1, 2.0, 2.0),
)


def test_a_ghost_ends_where_the_next_heard_audio_begins() -> None:
    feed = feed_of(
        *CUT_OFF,
        AgentChunkReceived(5.0, 10 * RATE, 12 * RATE, 3),
        AgentHeard(6.0, 10 * RATE, 11 * RATE, 5.0),
    )
    (ghost,) = feed.scene.discarded
    assert (ghost.at, ghost.ends_at) == (2.0, 5.0)


def test_a_ghost_with_nothing_behind_it_is_whole_and_gives_way_to_what_is_queued() -> None:
    assert feed_of(*CUT_OFF).scene.discarded[0].ends_at == 11.0
    feed = feed_of(*CUT_OFF, AgentChunkReceived(4.0, 10 * RATE, 12 * RATE, 3))
    assert feed.scene.discarded[0].ends_at == 4.0


def test_ghosts_that_follow_each_other_stay_whole_and_overlapping_ones_do_not_mix() -> None:
    ghosts = [Stretch(0, RATE, 1.0), Stretch(RATE, 3 * RATE, 2.0), Stretch(3 * RATE, 9 * RATE, 3.0)]
    assert [(each.at, each.ends_at) for each in clipped(ghosts, [1.0, 2.0, 3.0])] == [
        (1.0, 2.0),
        (2.0, 3.0),
        (3.0, 9.0),
    ]


def test_clipping_many_ghosts_takes_no_square_of_their_number() -> None:
    def seconds(count: int) -> float:
        ghosts = [Stretch(n * RATE, (n + 9) * RATE, n * 2.0) for n in range(count)]
        starts = [n * 1.0 for n in range(2 * count)]
        began = perf_counter()
        clipped(ghosts, starts)
        return perf_counter() - began

    assert min(seconds(20_000) for _ in range(3)) < 40 * min(seconds(1000) for _ in range(3))
    assert clipped([Stretch(0, 9 * RATE, 2.0)], [0.0, 2.0, 3.0])[0].ends_at == pytest.approx(3.0)
