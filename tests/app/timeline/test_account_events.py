"""What the account of the audio becomes on the timeline, read by a pump."""

from __future__ import annotations

import numpy as np
import pytest

from app.timeline.account_events import TroubleLimiter
from app.timeline.events import (
    AgentChunkReceived,
    AgentDiscarded,
    AgentHeard,
    Interrupted,
    MessageReceived,
    MicChunkSent,
    Silenced,
    Trouble,
)
from audio.account import CallbackFailed, DeviceFault, Dropped, MicChunk, Underrun, Xrun
from audio.account import Interrupted as AccountInterrupted
from audio.pcm import SAMPLE_RATE
from tests.app.pump_rig import Rig
from tests.app.simulated_audio import ZERO, FakeCause


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


def test_what_merged_troubles_are_about_is_told_in_sum_and_said_so():
    rig = Rig()
    journal = rig.feed.account.journal
    for number, dry_s in enumerate((0.0801, 0.1502, 0.0303)):
        journal.append(Underrun(ZERO + 0.1 + number * 0.3, ZERO + 0.1 + number * 0.3 + dry_s))
    for number, samples in enumerate((160, 320, 1600)):
        journal.append(Dropped(ZERO + 0.2 + number / 100, "input", samples))
        journal.append(Dropped(ZERO + 0.2 + number / 100, "output", 2 * samples))
    rig.run_to(3.0)
    told = {(each.kind, each.side, each.data["count"]): each for each in rig.events(Trouble)}
    assert len(told) == 6
    assert told["underrun", "output", 1].data == {"count": 1, "ms": 80.1}
    both = told["underrun", "output", 2]
    assert both.data == {"count": 2, "ms": 180.5}
    assert both.sentence == (
        "The playout queue ran dry for 180 ms inside a reply. (2 times in a second)"
    )
    assert told["dropped", "input", 2].data == {"count": 2, "samples": 1920}
    assert told["dropped", "input", 2].sentence.startswith("120 ms of the user's audio was")
    assert told["dropped", "output", 2].sentence.startswith("240 ms of agent audio was")


def test_records_that_were_lost_in_one_second_are_told_in_sum():
    rig = Rig()
    limiter = TroubleLimiter(rig.timeline)
    for number, lost in enumerate((5, 7, 11)):
        data = {"records": lost}
        limiter.report(Trouble(1.0 + number / 10, "dropped", f"{lost} lost.", data=data))
    limiter.flush()
    told = [each.data for each in rig.events(Trouble)]
    assert told == [{"count": 1, "records": 5}, {"count": 2, "records": 18}]


def test_the_next_second_begins_at_nothing():
    rig = Rig()
    limiter = TroubleLimiter(rig.timeline)
    for t in (1.0, 1.2, 2.2):
        limiter.tick(t)
        limiter.report(Trouble(t, "underrun", "Dry.", "output", data={"ms": 50.0}))
    limiter.tick(4.0)
    assert [each.data["ms"] for each in rig.events(Trouble)] == [50.0, 50.0, 50.0]


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


def test_a_mic_chunk_says_when_it_was_captured_and_how_long_sending_took():
    rig = Rig()
    chunk = MicChunk(0, 4000, ZERO + 1.0, ZERO + 1.25, ZERO + 1.26, ZERO + 1.30)
    rig.feed.account.journal.append(chunk)
    rig.pump.cycle()
    (sent,) = rig.events(MicChunkSent)
    assert (sent.t, sent.captured_at, sent.completed_at) == pytest.approx((1.26, 1.0, 1.25))
    assert sent.sent_s == pytest.approx(0.04)


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
