"""What a session's audio becomes in the timeline."""

from __future__ import annotations

from random import Random
from time import thread_time

import pytest

from app.analysis.turns import TurnTracker
from app.recordings.turns_found import TurnsFound
from app.states import State
from app.timeline.events import (
    AgentChunkReceived,
    AgentDiscarded,
    AgentHeard,
    Event,
    Interrupted,
    MicChunkSent,
    Silenced,
)
from tests.app.wild_session import WildSession
from tests.ui.synthetic import RATE, Script, SyntheticSession, SyntheticTracks
from ui.feed import SessionFeed, mark_of
from ui.lanes.scene import Stretch
from ui.lanes.unheard import clipped


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


@pytest.mark.parametrize("seed", range(12))
def test_a_scene_that_is_brought_up_to_date_is_the_scene_as_a_whole(seed: int) -> None:
    session, random, events = SyntheticSession(), Random(seed), WildSession(seed).events
    feed = SessionFeed(session)
    tracker, scene = feed.tracker, feed.scene
    while events:
        for _ in range(min(random.choice((1, 2, 5, 30)), len(events))):
            session.timeline.append(events.pop(0))
        feed.advance()
        spans = tracker.spans
        ghosts = [Stretch(s.start, s.stop, s.at) for s in spans if s.kind == "discarded"]
        whole = clipped(ghosts, [span.at for span in spans])
        assert scene.discarded == sorted(whole, key=lambda ghost: ghost.at)
        assert scene.user.turns == [(turn.start, turn.stop) for turn in tracker.user_turns]
        assert scene.agent.turns == [(turn.start, turn.stop) for turn in tracker.agent_turns]
        assert scene.marks == [mark_of(each) for each in tracker.interruptions]


def test_an_agents_turn_that_ends_by_silence_is_seen_to_end() -> None:
    feed = feed_of(AgentChunkReceived(1.0, 0, RATE), AgentHeard(2.0, 0, RATE, 1.0))
    assert feed.scene.agent.turns == [(1.0, None)]
    version = feed.scene.version
    feed.viewed.timeline.append(MicChunkSent(4.0, 0, 4000, 3.7, 3.9, 0.001))
    feed.advance()
    assert feed.scene.agent.turns == [(1.0, 2.0)]
    assert feed.scene.version > version


def test_no_frame_takes_in_more_than_so_many_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SessionFeed, "MOST_EVENTS", 100)
    session = SyntheticSession()
    session.advance_to(20.0)
    feed, events = SessionFeed(session), []
    while taken := feed.advance():
        assert len(taken) <= 100
        events += taken
    assert events == session.timeline.read()[0]


class OpenedRecording(SyntheticSession):
    """What a recording has in place of commands: turns that are known after a while."""

    turns = None

    def __init__(self) -> None:
        super().__init__()
        self.advance_to(20.0)
        self.state, self.muted = State.ENDED, [(3.0, 4.0), (9.0, None)]
        self.timeline.read = None  # nobody goes through all of it


def test_a_recording_is_shown_at_once_and_its_turns_when_they_are_known() -> None:
    tracker = TurnTracker()
    for event in Script().events:
        tracker.feed(event)
    recording = OpenedRecording()
    feed = SessionFeed(recording)
    assert feed.advance() == []
    assert feed.turns is None
    assert feed.scene.user.written == 20 * RATE
    assert feed.scene.muted == [(3.0, 4.0), (9.0, None)]
    assert not feed.scene.live
    changes, version = feed.changes, feed.scene.version
    recording.turns = TurnsFound.of(tracker)
    feed.advance()
    assert feed.changes > changes
    assert feed.scene.version > version
    assert len(feed.scene.marks) == len(feed.scene.discarded) == 2
    assert feed.scene.agent.turns == [(turn.start, turn.stop) for turn in tracker.agent_turns]
    assert feed.turns is recording.turns


def test_parties_that_change_places_are_drawn_anew_and_so_is_what_is_known_in_more_detail() -> None:
    recording = OpenedRecording()
    feed = SessionFeed(recording)
    feed.advance()
    version = feed.scene.version
    tracks = recording.tracks
    recording.tracks = SyntheticTracks(tracks.agent, tracks.user, tracks.received)
    feed.advance()
    assert feed.scene.version > version
    assert feed.scene.user.view == tracks.agent.peaks.view
    assert feed.scene.user.detail == tracks.agent.peaks.version


def test_clipping_many_ghosts_takes_no_square_of_their_number() -> None:
    def seconds(count: int) -> float:
        ghosts = [Stretch(n * RATE, (n + 9) * RATE, n * 2.0) for n in range(count)]
        starts = [n * 1.0 for n in range(2 * count)]
        began = thread_time()
        clipped(ghosts, starts)
        return thread_time() - began

    assert min(seconds(20_000) for _ in range(3)) < 100 * min(seconds(1000) for _ in range(3))
    assert clipped([Stretch(0, 9 * RATE, 2.0)], [0.0, 2.0, 3.0])[0].ends_at == pytest.approx(3.0)
