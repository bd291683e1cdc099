"""What the pump lays on the tracks and puts on the timeline, with a simulated card."""

from __future__ import annotations

import time

import numpy as np
import pytest

from app.analysis.replies import ReplyStarts
from app.live.pump import Pump
from app.timeline.events import (
    AgentChunkReceived,
    AgentDiscarded,
    AgentHeard,
    Interrupted,
    MessageReceived,
    MicChunkSent,
    Silenced,
    SpeechEnded,
    SpeechStarted,
    Timeline,
    Trouble,
)
from app.timeline.tracks import Tracks
from audio.account import Account, CallbackFailed, DeviceFault, Dropped, MicChunk, Underrun, Xrun
from audio.account import Interrupted as AccountInterrupted
from audio.pcm import SAMPLE_RATE
from audio.vad import SpeechEdge
from tests.app.simulated_audio import (
    ZERO,
    DeafVad,
    FakeCause,
    FakeFeed,
    SimulatedCard,
    SteppedClock,
)
from tests.rig.waiting import wait_until


class Rig:
    """A pump on a simulated card, in simulated time."""

    def __init__(self, vad=None, **card):
        self.feed, self.clock = FakeFeed(), SteppedClock()
        self.card = SimulatedCard(self.feed.account, **card)
        self.tracks, self.timeline = Tracks(), Timeline()
        self.pump = Pump(self.feed, self.tracks, self.timeline, self.clock, vad or DeafVad())

    def run_to(self, t, step=0.02):
        while self.clock.now() < t:
            self.clock.at += step
            self.card.run_until(self.clock.at)
            self.pump.cycle()

    def finish(self):
        assert self.pump.stop()

    def events(self, kind):
        return [event for event in self.timeline.read()[0] if type(event) is kind]


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


def test_heard_pieces_become_few_events_and_come_soon():
    rig = Rig()
    rig.run_to(1.0)
    rig.card.say(np.ones(SAMPLE_RATE * 3, np.int16), rig.clock.at)
    worst, seen = 0.0, 0
    while rig.clock.now() < 5.0:
        rig.run_to(rig.clock.now() + 0.02)
        for event in rig.events(AgentHeard)[seen:]:
            worst = max(worst, rig.clock.now() - event.at)
            seen += 1
    heard = rig.events(AgentHeard)
    assert [event.start for event in heard[1:]] == [event.stop for event in heard[:-1]]
    assert heard[-1].stop == SAMPLE_RATE * 3
    assert len(heard) <= 3 * 8
    assert worst < 0.30
    starts = np.array([event.at for event in heard])
    lengths = np.array([event.stop - event.start for event in heard]) / SAMPLE_RATE
    assert np.allclose(starts[1:], starts[:-1] + lengths[:-1], atol=0.001)


def test_an_interrupt_is_told_in_order_with_all_that_was_heard_before_it():
    rig = Rig()
    rig.feed.cause = FakeCause("button", None)
    rig.run_to(1.0)
    rig.card.say(np.full(SAMPLE_RATE * 2, 9000, np.int16), rig.clock.at)
    rig.run_to(1.5)
    rig.card.queue.flush(rig.clock.at)
    rig.run_to(2.0)
    kinds = (Interrupted, AgentHeard, AgentDiscarded, Silenced)
    order = [event for event in rig.timeline.read()[0] if isinstance(event, kinds)]
    assert [type(event) for event in order[-4:]] == [
        Interrupted,
        AgentHeard,
        AgentDiscarded,
        Silenced,
    ]
    cut, fade, discarded, silenced = order[-4:]
    assert (cut.source, cut.event_id) == ("button", None)
    assert abs(cut.t - 1.5) < 0.021
    assert fade.stop == discarded.start
    assert discarded.stop == SAMPLE_RATE * 2
    last_sample_at = fade.at + (fade.stop - fade.start) / SAMPLE_RATE
    assert abs(silenced.silent_at - last_sample_at) < 0.001


def test_positions_are_those_of_the_received_track_after_a_hold_back():
    rig = Rig()
    rig.feed.positions.add(800, 1000)
    rig.run_to(1.0)
    rig.card.say(np.ones(1600, np.int16), rig.clock.at)
    rig.run_to(2.0)
    ranges = [(event.start, event.stop) for event in rig.events(AgentHeard)]
    assert ranges == [(0, 800), (1000, 1800)]
    first, second = rig.events(AgentHeard)
    assert abs(second.at - first.at - 0.05) < 0.001


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


def test_troubles_of_the_account_get_a_sentence_and_a_storm_of_them_few_events():
    rig = Rig()
    journal = rig.feed.account.journal
    journal.append(Underrun(ZERO + 0.1, ZERO + 0.18))
    journal.append(CallbackFailed(ZERO + 0.1, "OSError: gone"))
    journal.append(DeviceFault(ZERO + 0.1, "output", "The speaker is gone."))
    for number in range(200):
        journal.append(Xrun(ZERO + 0.2, "input"))
        journal.append(Dropped(ZERO + 0.2 + number / 1000, "output", 160))
    rig.run_to(3.0)
    troubles = rig.events(Trouble)
    counts = dict.fromkeys(("underrun", "callback", "device", "xrun", "dropped"), 0)
    for event in troubles:
        counts[event.kind] += event.data["count"]
        assert event.sentence.endswith((".", ")"))
    assert counts == {"underrun": 1, "callback": 1, "device": 1, "xrun": 200, "dropped": 200}
    assert len(troubles) < 12
    dropped = sum(event.data["samples"] for event in troubles if event.kind == "dropped")
    assert dropped == 200 * 160


@pytest.mark.parametrize("text_late_s", [None, -0.01, 0.15])
def test_an_underrun_is_told_inside_a_reply_and_not_between_two(text_late_s):
    """The text of the second reply comes before its audio, or when that is being played."""
    rig, half = Rig(), SAMPLE_RATE // 2

    def text(words, event_id):
        body = {"agent_response_event": {"agent_response": words}}
        told = MessageReceived(rig.clock.now(), "agent_response", body, event_id)
        rig.timeline.append(told)

    def chunk(start, event_id):
        arrived = AgentChunkReceived(rig.clock.now(), start, start + half, event_id)
        rig.timeline.append(arrived)
        rig.card.say(np.full(half, 9000, np.int16), rig.clock.at)

    rig.run_to(1.0)
    text("One.", 1)
    chunk(0, 1)
    rig.run_to(1.79)
    if text_late_s is not None and text_late_s < 0:
        text("Two.", 3)
    rig.run_to(1.8)
    chunk(half, 3)
    if text_late_s is not None and text_late_s > 0:
        rig.run_to(1.8 + text_late_s)
        text("Two.", 3)
    rig.run_to(3.0)
    rig.finish()
    assert rig.feed.account.counters.underruns == 1
    told = [event for event in rig.events(Trouble) if event.kind == "underrun"]
    assert len(told) == (text_late_s is None)
    assert all(event.data["ms"] == pytest.approx(300, abs=25) for event in told)


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


def test_a_mic_chunk_says_when_it_was_captured_and_how_long_sending_took():
    rig = Rig()
    chunk = MicChunk(0, 4000, ZERO + 1.0, ZERO + 1.25, ZERO + 1.26, ZERO + 1.30)
    rig.feed.account.journal.append(chunk)
    rig.pump.cycle()
    (sent,) = rig.events(MicChunkSent)
    assert (sent.t, sent.captured_at, sent.completed_at) == pytest.approx((1.26, 1.0, 1.25))
    assert sent.sent_s == pytest.approx(0.04)


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


def test_a_record_that_cannot_be_told_takes_no_other_with_it():
    rig = Rig()

    def confused(at):
        raise LookupError(at)

    rig.feed.cause_at = confused
    rig.feed.account.journal.append(AccountInterrupted(ZERO + 0.1, 1, 0))
    rig.feed.account.journal.append(Xrun(ZERO + 0.1, "input"))
    with pytest.raises(LookupError):
        rig.pump.cycle()
    assert [event.kind for event in rig.events(Trouble)] == ["xrun"]


def test_a_mic_chunk_that_waits_for_the_agent_is_not_called_sent():
    rig = Rig()
    rig.feed.mic_sent_since = None
    for number in range(3):
        at = ZERO + number / 4
        chunk = MicChunk(4000 * number, 4000 * number + 4000, at, at + 0.25, at + 0.25, at + 0.25)
        rig.feed.account.journal.append(chunk)
    rig.run_to(1.0)
    assert not rig.events(MicChunkSent)
    rig.feed.mic_sent_since, rig.feed.mic_dropped_until = ZERO + 1.5, 4000
    rig.run_to(2.0)
    assert [(event.start, event.t) for event in rig.events(MicChunkSent)] == [
        (4000, pytest.approx(1.5)),
        (8000, pytest.approx(1.5)),
    ]
