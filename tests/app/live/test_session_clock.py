"""The tracks stay on the session clock: drift, restarts, stalls and sleep, in simulated time."""

from __future__ import annotations

import numpy as np
import pytest

from app.live.pump import Pump
from app.timeline.events import Timeline, Trouble
from app.timeline.tracks import Tracks
from audio.account import Account
from audio.pcm import SAMPLE_RATE
from tests.app.simulated_audio import ZERO, DeafVad, FakeFeed, SimulatedCard, SteppedClock

ECHO_S = 0.12
BLOCK = 480
CLICK = np.concatenate(([30_000], np.zeros(159))).astype(np.int16)


class Room:
    """A speaker and a microphone with an echo between them, a pump, and simulated time."""

    STEP_S = 0.02

    def __init__(self, **card):
        self.feed, self.clock = FakeFeed(), SteppedClock()
        self.card = SimulatedCard(self.feed.account, echo_s=ECHO_S, **card)
        self.tracks, self.timeline = Tracks(), Timeline()
        self.pump = Pump(self.feed, self.tracks, self.timeline, self.clock, DeafVad())
        self.read = {"user": 0, "agent": 0}

    def run_to(self, t):
        while self.clock.now() < t:
            self.clock.at += self.STEP_S
            self.card.run_until(self.clock.at)
            self.pump.cycle()

    def click(self):
        self.card.say(CLICK, self.clock.at)

    def new_clicks(self, name):
        """Return where new clicks stand on a track, in session seconds."""
        ring = getattr(self.tracks, name).ring
        start, samples = ring.read(self.read[name], ring.written)
        assert start == self.read[name]
        self.read[name] = ring.written
        return (start + np.flatnonzero(samples > 10_000)) / SAMPLE_RATE

    def gaps(self):
        troubles = [event for event in self.timeline.read()[0] if isinstance(event, Trouble)]
        return [event for event in troubles if event.kind == "gap"]

    def start_again(self, **card):
        """Another run of the same devices: a new account, and sample 0 once more."""
        self.feed.account = Account()
        card = {"begins_at": self.clock.at + 0.3, "echo_s": ECHO_S, **card}
        self.card = SimulatedCard(self.feed.account, **card)


def once(clicks):
    """Leave out what a stretched sample doubled."""
    return clicks[np.diff(clicks, prepend=-1.0) > 0.001]


def error_of(clicks, true_times):
    """Return how far each true time is from the nearest click."""
    assert len(once(clicks)) == len(true_times)
    return np.abs(once(clicks) - np.array(true_times)).max() if len(clicks) else 0.0


MINUTES = 12
BAR_S = 0.010 * MINUTES / 60
"""A click may be 10 ms off after an hour: what drifts away is further by the minute."""


def test_two_devices_200_ppm_apart_leave_every_click_where_it_was(monkeypatch):
    monkeypatch.setattr(SimulatedCard, "BLOCK", BLOCK)
    monkeypatch.setattr(Room, "STEP_S", 0.06)
    room = Room(ppm=120, speaker_ppm=-80, jitter_s=0.003, begins_at=ZERO + 0.35)
    worst, worst_apart, seen = 0.0, 0.0, 0
    for minute in range(1, MINUTES + 1):
        for second in (10.0, 30.0, 50.0):
            room.run_to(60.0 * (minute - 1) + second)
            room.click()
        room.run_to(60.0 * minute)
        spoken = [at - ZERO for at in room.card.spoken[seen:]]
        seen = len(room.card.spoken)
        agent, user = room.new_clicks("agent"), room.new_clicks("user")
        worst = max(worst, error_of(agent, spoken))
        worst = max(worst, error_of(user, [at + ECHO_S for at in spoken]))
        apart = np.abs(once(user) - once(agent) - ECHO_S)
        worst_apart = max(worst_apart, apart.max())
    assert seen == 3 * MINUTES
    assert worst < BAR_S, worst
    assert worst_apart < BAR_S, worst_apart
    for track in (room.tracks.user, room.tracks.agent):
        assert track.gaps == track.trimmed_samples == 0
        assert abs(track.duration_samples / SAMPLE_RATE - 60 * MINUTES) < 0.15
    # so far apart are the devices by now, 0.05 s less than their clocks: blocks are taken ahead
    assert room.card.captured - room.card.played > 0.08 * SAMPLE_RATE
    assert room.gaps() == []


def assert_in_place(room, before=0):
    """Every click since the first ``before`` stands where it was, on both tracks, within 10 ms."""
    spoken = [at - ZERO for at in room.card.spoken[before:]]
    assert spoken
    assert error_of(room.new_clicks("agent"), spoken) < 0.010
    assert error_of(room.new_clicks("user"), [at + ECHO_S for at in spoken]) < 0.010


def click_now_and_then(room, until):
    while room.clock.now() < until:
        room.click()
        room.run_to(min(room.clock.now() + 0.7, until))
    room.run_to(until + 0.5)


def test_a_stream_that_restarts_is_a_counted_gap_and_moves_nothing():
    room = Room(ppm=100, speaker_ppm=-100, jitter_s=0.002, begins_at=ZERO + 0.3)
    click_now_and_then(room, 5.0)
    assert_in_place(room)
    room.start_again(ppm=-100, speaker_ppm=100, jitter_s=0.002)
    click_now_and_then(room, 11.0)
    assert_in_place(room)
    for track in (room.tracks.user, room.tracks.agent):
        assert track.gaps == 1
        assert 0.2 < track.gap_samples / SAMPLE_RATE < 0.4
    assert sorted(event.side for event in room.gaps()) == ["input", "output"]


@pytest.mark.parametrize("stall_s", [0.1, 0.3, 1.0, 5.0])
def test_a_stall_is_a_counted_gap_and_moves_nothing(stall_s):
    room = Room(ppm=100, speaker_ppm=-100, jitter_s=0.002, begins_at=ZERO + 0.3)
    click_now_and_then(room, 5.0)
    assert_in_place(room)
    seen = len(room.card.spoken)
    room.card.stalled_s += stall_s
    room.run_to(room.clock.now() + stall_s + 1.0)
    click_now_and_then(room, room.clock.now() + 4.0)
    assert_in_place(room, seen)
    for track in (room.tracks.user, room.tracks.agent):
        assert track.gaps == 1
        assert abs(track.gap_samples / SAMPLE_RATE - stall_s) < 0.030
    assert sorted(event.side for event in room.gaps()) == ["input", "output"]


def test_ten_minutes_of_sleep_are_a_counted_gap_and_move_nothing():
    room = Room(ppm=100, speaker_ppm=-100, jitter_s=0.002, begins_at=ZERO + 0.3)
    click_now_and_then(room, 5.0)
    assert_in_place(room)
    seen = len(room.card.spoken)
    # neither the program nor the devices run meanwhile
    room.clock.at += 600.0
    room.card.stalled_s += 600.0
    room.pump.cycle()
    room.run_to(room.clock.now() + 1.0)
    for name in ("user", "agent"):  # the ring holds two minutes of the silence
        room.read[name] = getattr(room.tracks, name).duration_samples
    click_now_and_then(room, room.clock.now() + 4.0)
    assert_in_place(room, seen)
    for track in (room.tracks.user, room.tracks.agent):
        assert track.gaps == 1
        assert abs(track.gap_samples / SAMPLE_RATE - 600) < 0.050
        assert abs(track.duration_samples / SAMPLE_RATE - room.clock.now()) < 0.1
    assert sorted(event.side for event in room.gaps()) == ["input", "output"]
