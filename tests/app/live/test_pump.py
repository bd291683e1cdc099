"""Where the pump lays samples on the tracks, and how it keeps going, with a simulated card."""

from __future__ import annotations

import time

import numpy as np
import pytest

from app.timeline.events import AgentDiscarded, AgentHeard, SpeechEnded, SpeechStarted, Trouble
from audio.account import Account
from audio.pcm import SAMPLE_RATE
from audio.vad import SpeechEdge
from tests.app.pump_rig import Rig
from tests.app.simulated_audio import ZERO, DeafVad, SimulatedCard
from tests.rig.waiting import wait_until


def loud_positions(track, threshold=10_000):
    start, samples = track.ring.read(0, track.ring.written)
    return start + np.flatnonzero(np.abs(samples.astype(int)) > threshold)


def test_a_click_stays_where_it_was_heard_though_the_card_drifts_and_jitters():
    rig = Rig(ppm=200, jitter_s=0.004, begins_at=ZERO + 0.35)
    clicks = [round(t * SAMPLE_RATE) for t in (0.5, 3.0, 20.0, 45.0, 70.0, 99.0)]
    rig.card.clicks = set(clicks)
    rig.run_to(101)
    expected = [rig.card.true_time(click) - ZERO for click in clicks]
    found = loud_positions(rig.tracks.user) / SAMPLE_RATE
    assert len(found) >= len(clicks)
    for t in expected:
        assert np.abs(found - t).min() < 0.002, t
    assert rig.tracks.user.gaps == 0
    assert not rig.events(Trouble)


@pytest.mark.parametrize("off_s", [-0.028, 0.028])
def test_a_first_report_that_is_far_off_moves_nothing(off_s):
    rig = Rig(begins_at=ZERO + 0.3)
    rig.card.first_report_off_s = off_s
    rig.card.clicks = {200}
    rig.run_to(2.0)
    found = loud_positions(rig.tracks.user) / SAMPLE_RATE
    assert np.abs(found - (0.3 + 200 / SAMPLE_RATE)).min() < 0.002
    assert rig.tracks.user.gaps == 0


@pytest.mark.parametrize("ppm", [-400, 400])
def test_both_tracks_stay_on_the_clock_for_an_hour_of_drift(ppm):
    rig = Rig(ppm=ppm, jitter_s=0.001)
    rig.run_to(360, step=0.06)
    for track in (rig.tracks.user, rig.tracks.agent):
        lag_s = rig.clock.now() - track.duration_samples / SAMPLE_RATE
        assert -0.05 < lag_s < 0.08
        assert track.gaps == track.trimmed_samples == 0


def test_agent_audio_stands_at_the_moment_it_leaves_the_speaker():
    rig = Rig(jitter_s=0.003)
    rig.run_to(2.0)
    rig.card.say(np.full(1600, 20_000, np.int16), rig.clock.at)
    rig.run_to(3.0)
    heard = rig.events(AgentHeard)
    loud = loud_positions(rig.tracks.agent)
    assert sum(event.stop - event.start for event in heard) == 1600
    assert abs(loud[0] / SAMPLE_RATE - heard[0].at) < 0.002
    # it was handed to the device at 2.0 s, which plays it some 30 ms later
    assert 2.02 < heard[0].at < 2.06


def test_a_device_that_stops_leaves_silence_and_is_told_once():
    rig = Rig()
    rig.run_to(2.0)
    rig.card.stalled_s = 3.0
    rig.card.clicks = {rig.card.captured + 400}
    rig.run_to(4.5)
    assert abs(rig.tracks.user.duration_samples / SAMPLE_RATE - 4.15) < 0.05
    stalls = [event for event in rig.events(Trouble) if event.kind == "gap"]
    assert sorted(event.side for event in stalls) == ["input", "output"]
    rig.card.clicks.add(round(3.5 * SAMPLE_RATE))
    rig.run_to(9.0)
    found = loud_positions(rig.tracks.user) / SAMPLE_RATE
    assert np.abs(found - 6.5).min() < 0.002
    assert np.abs(found - 5.0).min() < 0.04
    assert len([event for event in rig.events(Trouble) if event.kind == "gap"]) == 2
    for track in (rig.tracks.user, rig.tracks.agent):
        assert track.gaps == 1
        assert abs(track.gap_samples / SAMPLE_RATE - 3.0) < 0.04


def test_a_short_pause_of_the_device_is_a_gap_and_the_rest_stands_where_it_belongs():
    rig = Rig()
    rig.run_to(2.0)
    rig.card.stalled_s = 0.2
    # the second is the first thing that the device brings after its pause
    rig.card.clicks = {round(3.0 * SAMPLE_RATE), rig.card.captured + 400}
    first_after = (rig.card.captured + 400) / SAMPLE_RATE + 0.2
    rig.run_to(5.0)
    found = loud_positions(rig.tracks.user) / SAMPLE_RATE
    assert np.abs(found - 3.2).min() < 0.002
    assert np.abs(found - first_after).min() < 0.002
    assert rig.tracks.user.gaps == 1
    assert abs(rig.tracks.user.gap_samples / SAMPLE_RATE - 0.2) < 0.01


def test_a_clock_that_steps_back_cuts_and_does_not_repeat():
    rig = Rig()
    rig.run_to(2.0)
    rig.card.stalled_s = -0.05
    rig.card.clicks = {round(3.0 * SAMPLE_RATE)}
    rig.run_to(5.0)
    found = loud_positions(rig.tracks.user) / SAMPLE_RATE
    assert len(found) == 1
    assert abs(found[0] - 2.95) < 0.002
    assert abs(rig.tracks.user.trimmed_samples / SAMPLE_RATE - 0.05) < 0.01


def test_before_anything_flows_the_tracks_keep_up_in_silence_without_complaint():
    rig = Rig(begins_at=ZERO + 100)
    rig.feed.account = None
    rig.run_to(3.0)
    for track in (rig.tracks.user, rig.tracks.agent):
        assert abs(track.duration_samples / SAMPLE_RATE - 2.65) < 0.03
        assert track.gaps == track.gap_samples == 0
    assert not rig.timeline.read()[0]


def test_before_the_audio_is_told_to_start_no_moment_is_missing_on_the_tracks():
    rig = Rig(begins_at=ZERO + 100)
    rig.feed.account, rig.feed.has_begun = None, False
    rig.run_to(3.0)
    for track in (rig.tracks.user, rig.tracks.agent):
        assert track.duration_samples == round(rig.clock.now() * SAMPLE_RATE)


def test_a_class_that_hands_over_a_second_at_a_time_loses_nothing():
    rig = Rig()
    rig.feed.estimated = True
    account = rig.feed.account
    rig.card.run_until = lambda at: None
    for second in range(6):
        rig.run_to(second + 1.1)
        block = np.full(SAMPLE_RATE, 20_000 if second == 3 else 0, np.int16)
        account.input_clock.observe(second * SAMPLE_RATE, ZERO + second + 0.1)
        account.input_ring.write(block)
    rig.run_to(8.0)
    loud = loud_positions(rig.tracks.user)
    assert len(loud) == SAMPLE_RATE
    assert abs(loud[0] / SAMPLE_RATE - 3.1) < 0.002
    assert rig.tracks.user.trimmed_samples == 0


def test_what_was_muted_is_silent_on_the_user_track_to_the_sample():
    rig = Rig()
    rig.card.clicks = {round(t * SAMPLE_RATE) for t in (1.0, 2.0)}
    rig.feed.mutes.silent_from = ZERO + 1.5
    rig.run_to(3.0)
    assert len(loud_positions(rig.tracks.user)) == 1


def test_received_audio_reaches_track_and_recorder_with_silence_for_what_was_dropped():
    rig = Rig()
    rig.feed.received.pieces = [(0, np.ones(100, np.int16)), (150, np.ones(50, np.int16))]
    rig.pump.cycle()
    _, samples = rig.tracks.received.ring.read(0, 200)
    assert len(samples) == 200
    assert samples[100:150].max() == 0
    assert rig.tracks.to_recorder.first().start == 0


def test_the_end_leaves_both_tracks_equally_long_and_takes_the_last_samples():
    rig = Rig()
    rig.card.clicks = {round(0.9 * SAMPLE_RATE)}
    rig.run_to(1.0)
    rig.card.say(np.ones(800, np.int16), rig.clock.at)
    rig.card.run_until(rig.clock.at)
    rig.card.queue.close(rig.clock.at)
    rig.finish()
    assert rig.tracks.user.duration_samples == rig.tracks.agent.duration_samples
    assert rig.tracks.user.duration_samples >= SAMPLE_RATE
    told = [event for kind in (AgentHeard, AgentDiscarded) for event in rig.events(kind)]
    assert sum(event.stop - event.start for event in told) == 800
    assert rig.feed.finished


def test_a_session_shorter_than_the_clock_takes_to_settle_keeps_its_audio():
    rig = Rig()
    rig.card.clicks = {1000}
    rig.run_to(0.15)
    rig.finish()
    assert len(loud_positions(rig.tracks.user)) == 1


def test_speech_edges_stand_at_their_sample_and_say_when_they_were_noticed():
    class ScriptedVad(DeafVad):
        def __init__(self):
            self.position = 0

        def feed(self, samples):
            before, self.position = self.position, self.position + len(samples)
            edges = [SpeechEdge("onset", 16_000), SpeechEdge("end", 32_000)]
            return [edge for edge in edges if before <= edge.position + 4000 < self.position]

    rig = Rig(vad=ScriptedVad())
    rig.run_to(1.5)
    assert rig.pump.user_speaking
    rig.run_to(4.0)
    assert not rig.pump.user_speaking
    (started,) = rig.events(SpeechStarted)
    (ended,) = rig.events(SpeechEnded)
    assert (started.t, ended.t) == (1.0, 2.0)
    assert 1.2 < started.noticed_at < 1.35


def test_an_interface_that_was_started_again_is_read_from_its_new_beginning():
    rig = Rig()
    rig.run_to(1.0)
    rig.feed.account = Account()
    rig.card = SimulatedCard(rig.feed.account, begins_at=ZERO + 1.2)
    rig.card.clicks = {8000}
    rig.run_to(3.0)
    (click,) = loud_positions(rig.tracks.user) / SAMPLE_RATE
    assert abs(click - 1.7) < 0.002


def test_one_bad_cycle_is_told_and_does_not_end_the_analysis(caplog):
    rig, calls = Rig(), []

    def fail():
        calls.append(1)
        raise RuntimeError("no account")

    rig.feed.pace = fail
    rig.pump.start()
    wait_until(lambda: len(calls) >= 3, what="the pump to go on")
    rig.feed.pace = lambda: None
    rig.finish()
    assert [event.level for event in rig.events(Trouble)] == ["error"]


def test_a_cycle_costs_less_than_two_milliseconds():
    rig = Rig()
    rig.card.say(np.ones(SAMPLE_RATE * 30, np.int16), rig.clock.at)
    rig.run_to(1.0)
    spent = []
    for _ in range(250):
        rig.clock.at += 0.02
        rig.card.run_until(rig.clock.at)
        before = time.thread_time()
        rig.pump.cycle()
        spent.append(time.thread_time() - before)
    assert np.median(spent) < 0.002


class CountingVad(DeafVad):
    """Hears speech in whatever is loud, at positions from its last reset on."""

    def __init__(self):
        self.fed = self.position = 0
        self.speaking = False

    def feed(self, samples):
        loud = np.flatnonzero(np.abs(samples.astype(int)) > 10_000)
        first = self.position
        self.position += len(samples)
        self.fed += len(samples)
        if self.speaking or not len(loud):
            return []
        self.speaking = True
        return [SpeechEdge("onset", first + int(loud[0]))]

    def finish(self):
        edges = [SpeechEdge("end", self.position)] if self.speaking else []
        self.position, self.speaking = 0, False
        return edges


@pytest.mark.parametrize("halt_s", [60, 300])
def test_speech_stands_where_it_is_after_the_machine_was_halted(halt_s):
    rig = Rig(vad=CountingVad())
    rig.card.clicks = {round(1.9 * SAMPLE_RATE)}
    rig.run_to(2.0)
    assert rig.pump.user_speaking
    rig.clock.at += halt_s
    rig.pump.cycle()
    assert not rig.pump.user_speaking
    assert rig.pump._vad.fed < 4 * SAMPLE_RATE
    rig.tracks.user.append(np.full(1600, 20_000, np.int16))
    rig.tracks.agent.append(np.zeros(1600, np.int16))
    rig.pump.cycle()
    onset = rig.events(SpeechStarted)[-1].t
    assert onset == pytest.approx(rig.tracks.user.duration_samples / SAMPLE_RATE - 0.1, abs=0.001)
    assert onset > halt_s
    assert len(rig.events(SpeechEnded)) == 1


def test_a_fault_at_the_very_end_leaves_whole_tracks_and_is_told(caplog):
    class BadVad(DeafVad):
        def feed(self, samples):
            raise RuntimeError("no model")

    rig = Rig(vad=BadVad())
    rig.card.clicks = {1000}
    rig.card.run_until(ZERO + 1.0)
    rig.clock.at = ZERO + 1.0
    rig.finish()
    assert len(loud_positions(rig.tracks.user)) == 1
    assert rig.tracks.user.duration_samples == rig.tracks.agent.duration_samples >= SAMPLE_RATE
    assert [event.level for event in rig.events(Trouble)] == ["error"]
