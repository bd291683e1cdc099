"""The tap: what the agent and the person hear of it, with a class that keeps an account or none."""

from __future__ import annotations

import json
import threading

import numpy as np
import pytest

from app.tap.tap import InterfaceFailed, SessionOver, Tap
from app.timeline.clock import SessionClock
from app.timeline.events import AgentChunkReceived, Alignment, Muted, Timeline, Trouble
from audio.account import Account, Delivery, Heard
from audio.clock import now
from audio.errors import DeviceError
from audio.playout import PlayoutQueue
from tests.app.agents.fake_agent import QuietCaller

HALF_SECOND = b"\x10\x00" * 8000


class Device:
    """An interface with an account, whose device moves when the test says so."""

    def __init__(self) -> None:
        self.account = Account()
        self.queue = PlayoutQueue(self.account)
        self.callback = lambda audio: None
        self.pulled = 0
        self.stops = 0

    def start(self, input_callback):
        self.callback = input_callback

    def stop(self):
        self.stops += 1

    def output(self, audio):
        self.queue.put(audio, now())

    def interrupt(self):
        self.queue.flush(now())

    def pull(self, frames: int):
        self.pulled += frames
        return self.queue.pull(frames, now() + 0.01)

    def speak(self, samples, captured_at: float):
        ring = self.account.input_ring
        self.account.delivering = Delivery(ring.written, ring.written + len(samples), captured_at)
        ring.write(samples)
        self.callback(samples.tobytes())


@pytest.fixture
def timeline() -> Timeline:
    return Timeline()


@pytest.fixture
def clock() -> SessionClock:
    clock = SessionClock()
    clock.begin()
    return clock


@pytest.fixture
def sent() -> list[bytes]:
    return []


@pytest.fixture
def device() -> Device:
    return Device()


@pytest.fixture
def tap(device, timeline, clock, sent):
    tap = Tap(device, timeline, clock)
    tap.start(sent.append)
    tap.set_formats("pcm_16000", "pcm_16000")
    yield tap
    tap.close()


def events_of(timeline, kind):
    return [event for event in timeline.read()[0] if isinstance(event, kind)]


def say(tap, event_id, audio=HALF_SECOND, alignment=None):
    tap.announce(event_id, alignment)
    tap.output(audio)


def test_audio_is_passed_on_and_told_with_its_event_and_alignment(tap, device, timeline):
    alignment = Alignment(("H",), (0,), (80,))
    say(tap, 7, alignment=alignment)
    assert device.account.queued_samples == tap.queued_samples == 8000
    chunk = events_of(timeline, AgentChunkReceived)[0]
    assert (chunk.start, chunk.stop, chunk.event_id) == (0, 8000, 7)
    assert chunk.alignment is alignment
    assert not chunk.held_back


def test_what_was_announced_for_one_chunk_is_not_taken_for_the_next(tap, timeline):
    say(tap, 7)
    tap.announce(8, None)
    tap.forget_announced()
    tap.output(HALF_SECOND)
    assert [c.event_id for c in events_of(timeline, AgentChunkReceived)] == [7, None]


def test_a_manual_interrupt_silences_and_holds_back_the_rest_of_the_reply(tap, device, timeline):
    tap.agent_responded(4)
    say(tap, 4)
    assert tap.interrupt_by("button")
    assert tap.queued_samples == 0
    say(tap, 4)
    say(tap, None)
    assert tap.queued_samples == 0
    assert tap.held_back_samples == 16_000
    say(tap, 9)
    assert tap.queued_samples == 8000
    held = [chunk.held_back for chunk in events_of(timeline, AgentChunkReceived)]
    assert held == [False, True, True, False]


def test_a_second_press_and_a_press_in_silence_do_nothing(tap, device):
    assert not tap.interrupt_by("button")
    say(tap, 4)
    assert tap.interrupt_by("button")
    assert not tap.interrupt_by("button")
    assert device.account.counters.interrupts == 1


def test_a_press_between_two_chunks_of_a_reply_counts(tap, device):
    say(tap, 4)
    device.pull(8000)
    assert tap.queued_samples == 0
    assert tap.interrupt_by("button")
    say(tap, 4)
    assert tap.queued_samples == 0


def test_where_ids_grow_within_a_reply_only_the_next_text_ends_the_hold(tap):
    tap.agent_responded(1)
    for event_id in (1, 2, 3):
        say(tap, event_id)
    assert tap.interrupt_by("button")
    for event_id in (4, 5):
        say(tap, event_id)
    assert tap.queued_samples == 0
    tap.agent_responded(6)
    say(tap, 6)
    assert tap.queued_samples == 8000


def test_the_text_of_the_interrupted_reply_itself_does_not_end_the_hold(tap):
    say(tap, 4)
    assert tap.interrupt_by("button")
    tap.agent_responded(4)
    say(tap, 4)
    assert tap.queued_samples == 0
    assert tap.holding_back


def test_the_agents_own_interrupt_ends_the_hold_and_has_its_event(tap, device):
    say(tap, 4)
    tap.interrupt_by("button")
    tap.agent_interrupts(4)
    tap.interrupt()
    say(tap, 5)
    assert tap.queued_samples == 8000
    interrupts = [r for r in device.account.journal.read()[0] if hasattr(r, "queued")]
    causes = [tap.cause_at(record.at) for record in interrupts]
    assert [(c.source, c.event_id) for c in causes if c] == [("button", 4), ("agent", 4)]


def test_positions_after_a_hold_are_those_of_all_that_was_received(tap, device):
    say(tap, 4)
    device.pull(8000)
    tap.interrupt_by("button")
    say(tap, 4)
    say(tap, 5)
    device.pull(4000)
    device.pull(4000)
    device.queue.close(now())
    heard = [r for r in device.account.journal.read()[0] if isinstance(r, Heard)]
    spans = [span for record in heard for span in tap.received_spans(record.start, record.stop)]
    assert spans[0][0] == 0
    assert sum(stop - start for start, stop in spans) == 16_000
    assert not [span for span in spans if span[0] < 16_000 < span[1]]
    assert spans[-1][1] == 24_000
    assert tap.received_spans(7000, 9000) == [(7000, 8000), (16_000, 17_000)]
    assert [start for start, _ in tap.received.take()] == [0, 8000, 16_000]


def test_half_samples_are_joined_and_forgotten_at_an_interrupt(tap, device):
    say(tap, 1, b"\x01\x02\x03")
    say(tap, 1, b"\x04")
    assert tap.queued_samples == 2
    say(tap, 1, b"\x05")
    tap.interrupt_by("button")
    say(tap, 2, b"\x07\x08")
    assert list(device.pull(1)) == [0x0807]


@pytest.mark.parametrize(("name", "count"), [("pcm_8000", 8000), ("ulaw_8000", 16_000)])
def test_other_formats_are_heard_at_the_right_speed(tap, name, count):
    tap.set_formats(name, "pcm_16000")
    say(tap, 1, bytes(8000) if name == "pcm_8000" else b"\xff" * 8000)
    assert tap.queued_samples == pytest.approx(count, abs=100)


def test_an_unknown_format_is_told_and_taken_for_the_contracts(tap, timeline):
    tap.set_formats("mp3_44100", "opus_48000")
    say(tap, 1)
    assert tap.queued_samples == 8000
    sentences = [event.sentence for event in events_of(timeline, Trouble)]
    assert ["mp3_44100" in sentences[0], "opus_48000" in sentences[1]] == [True, True]


def test_mic_chunks_wait_for_the_agents_format_and_go_out_in_it(device, timeline, clock, sent):
    tap = Tap(device, timeline, clock)
    tap.start(sent.append)
    device.speak(np.full(1600, 1000, np.int16), now())
    assert sent == []
    tap.set_formats("pcm_16000", "ulaw_8000")
    device.speak(np.full(1600, 1000, np.int16), now())
    assert sum(map(len, sent)) == pytest.approx(1600, abs=60)
    tap.close()


def test_mute_is_exact_to_the_sample(tap, device, sent, timeline):
    captured_at = now() - 0.05
    tap.set_muted(True)
    tap.set_muted(True)
    muted_at = events_of(timeline, Muted)[0].t + tap._clock.began_at
    device.speak(np.full(1600, 1000, np.int16), captured_at)
    samples = np.frombuffer(sent[0], np.int16)
    first = int(np.argmin(samples != 0))
    assert first == pytest.approx((muted_at - captured_at) * 16_000, abs=1)
    assert not samples[first:].any()
    tap.set_muted(False)
    device.speak(np.full(1600, 1000, np.int16), now())
    assert np.frombuffer(sent[1], np.int16).all()
    assert [event.muted for event in events_of(timeline, Muted)] == [True, False]
    assert list(tap.mutes.apply(np.ones(2, np.int16), captured_at)) == [1, 1]


def test_nothing_passes_after_the_end(tap, device, sent):
    tap.close()
    tap.close()
    say(tap, 1)
    device.speak(np.ones(100, np.int16), now())
    assert not tap.interrupt_by("button")
    assert (device.account.queued_samples, sent, device.stops) == (0, [], 1)


def test_a_start_that_comes_after_the_end_is_refused(device, timeline, clock):
    tap = Tap(device, timeline, clock)
    tap.close()
    with pytest.raises(SessionOver):
        tap.start(lambda audio: None)


def test_an_end_that_comes_while_it_starts_is_not_missed(timeline, clock):
    class Slow(Device):
        def start(self, input_callback):
            began.set()
            go_on.wait(5)

    began, go_on = threading.Event(), threading.Event()
    device = Slow()
    tap = Tap(device, timeline, clock)
    starting = threading.Thread(target=tap.start, args=(lambda audio: None,))
    starting.start()
    assert began.wait(5)
    tap.close()
    go_on.set()
    starting.join(5)
    assert (device.stops, tap.running) == (1, False)


def test_errors_of_devices_pass_and_others_name_the_class(timeline, clock):
    class Broken(Device):
        def __init__(self, error):
            super().__init__()
            self.error = error

        def start(self, input_callback):
            raise self.error

    missing = DeviceError("speaker", "Box", "is gone")
    with pytest.raises(DeviceError, match="Box"):
        Tap(Broken(missing), timeline, clock).start(print)
    with pytest.raises(InterfaceFailed, match="Broken could not start: OSError: no"):
        Tap(Broken(OSError("no")), timeline, clock).start(print)


@pytest.mark.parametrize("shape", [bytes, bytearray, memoryview, lambda chunk: chunk])
def test_a_mic_chunk_is_sent_whole_whatever_kind_of_buffer_it_is(tap, device, sent, shape):
    chunk = np.arange(1601, dtype=np.int16)
    device.callback(shape(chunk))
    assert sent == [chunk.tobytes()]


def test_a_class_that_exits_is_a_class_that_fails(timeline, clock, caplog):
    class Leaving(Device):
        def start(self, input_callback):
            raise SystemExit(4)

        def output(self, audio):
            raise SystemExit(5)

    tap = Tap(Leaving(), timeline, clock)
    with pytest.raises(InterfaceFailed, match="Leaving could not start: SystemExit: 4"):
        tap.start(print)
    assert not tap.is_starting
    tap._running = True
    say(tap, 1)
    assert "Leaving failed in output(): SystemExit" in events_of(timeline, Trouble)[0].sentence


def test_a_class_without_an_account_is_modelled_and_marked(timeline, clock):
    caller = QuietCaller()
    tap = Tap(caller, timeline, clock)
    assert tap.estimated
    assert tap.account is None
    tap.start(lambda audio: None)
    tap.set_formats("", "")
    before = now()
    say(tap, 1)
    account = tap.account
    assert account is not None
    assert 0 < tap.queued_samples <= 8000
    assert tap.interrupt_by("button")
    tap.close()
    tap.finish()
    records = account.journal.read()[0]
    heard = [record for record in records if isinstance(record, Heard)]
    assert all(before - 0.001 <= record.at <= now() + 0.01 for record in heard)
    fates = [(r.start, r.stop) for r in records if type(r).__name__ in ("Heard", "Discarded")]
    assert sum(stop - start for start, stop in fates) == 8000
    assert caller.interrupts == 1


def test_what_a_class_raises_is_told_and_goes_no_further(timeline, clock, caplog):
    class Clumsy(Device):
        def output(self, audio):
            raise KeyError("oops")

    tap = Tap(Clumsy(), timeline, clock)
    tap.start(lambda audio: None)
    say(tap, 1)
    assert "Clumsy failed in output(): KeyError" in events_of(timeline, Trouble)[0].sentence
    assert json.dumps(events_of(timeline, Trouble)[0].to_dict())
    tap.close()


def test_an_interrupt_does_not_wait_for_an_output_that_blocks(timeline, clock):
    class Blocking(Device):
        def output(self, audio):
            entered.set()
            go_on.wait(5)

    entered, go_on = threading.Event(), threading.Event()
    device = Blocking()
    tap = Tap(device, timeline, clock)
    tap.start(lambda audio: None)
    speaking = threading.Thread(target=say, args=(tap, 1))
    speaking.start()
    assert entered.wait(5)
    began = now()
    assert tap.interrupt_by("button")
    assert now() - began < 0.5
    go_on.set()
    speaking.join(5)
    tap.close()


def test_a_stop_during_a_start_is_not_lost(timeline, clock):
    starting, free = threading.Event(), threading.Event()

    class Slow(Device):
        def start(self, input_callback):
            starting.set()
            free.wait(10)

    device = Slow()
    tap = Tap(device, timeline, clock)
    starter = threading.Thread(target=tap.start, args=(lambda _: None,))
    starter.start()
    assert starting.wait(5)
    tap.stop()
    free.set()
    starter.join(5)
    assert not tap.running
    assert device.stops == 1
    tap.start(lambda _: None)
    assert tap.running
    tap.close()


def test_an_interrupt_long_after_the_last_call_was_nobodys(tap, device):
    say(tap, 4)
    tap.interrupt_by("button")
    (record,) = [r for r in device.account.journal.read()[0] if hasattr(r, "queued")]
    assert tap.cause_at(record.at).source == "button"
    assert tap.cause_at(record.at + 5) is None


def test_mic_chunks_that_are_never_sent_are_counted_and_told(device, timeline, clock, sent):
    tap = Tap(device, timeline, clock)
    tap.start(sent.append)
    for _ in range(12):
        device.speak(np.ones(16_000, np.int16), now())
    assert tap.mic_sent_since is None
    tap.set_formats("pcm_16000", "pcm_16000")
    before = now()
    device.speak(np.ones(16_000, np.int16), now())
    assert sum(map(len, sent)) == 11 * 32_000
    assert tap.mic_sent_since >= before
    assert tap.mic_dropped_until == tap.counters()["unsent_mic_samples"] == 2 * 16_000
    (told,) = events_of(timeline, Trouble)
    assert "first 2.0 s" in told.sentence
    tap.close()
