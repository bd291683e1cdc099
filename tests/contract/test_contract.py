"""What every implementation promises."""

from __future__ import annotations

import inspect
import logging
import threading
import time

import numpy as np
import pytest
from elevenlabs.conversational_ai import conversation as sdk

import audio
from audio.pcm import SAMPLE_RATE, to_bytes
from tests.rig.speech import tone
from tests.rig.waiting import wait_until

CHUNK_BYTES = 2 * 4000
STOP_S = 0.5
METHODS = ("start", "stop", "output", "interrupt")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (audio.AudioInterface, sdk.AudioInterface),
        (audio.AsyncAudioInterface, sdk.AsyncAudioInterface),
    ],
)
def test_has_exactly_the_methods_and_signatures_of_the_sdk(ours, theirs):
    assert ours.__abstractmethods__ == theirs.__abstractmethods__ == set(METHODS)
    for name in METHODS:
        mine, other = (inspect.signature(getattr(c, name)) for c in (ours, theirs))
        assert [(p.name, p.kind, p.default) for p in mine.parameters.values()] == [
            (p.name, p.kind, p.default) for p in other.parameters.values()
        ]
        assert inspect.iscoroutinefunction(getattr(ours, name)) == inspect.iscoroutinefunction(
            getattr(theirs, name)
        )


def loud(seconds: float) -> bytes:
    return to_bytes(tone(seconds, dbfs=-6.0))


class Uplink:
    """An ``input_callback`` that keeps what it gets, and can block."""

    def __init__(self, *, blocks: bool = False) -> None:
        self.chunks: list[bytes] = []
        self.threads: set[int] = set()
        self.entered, self.release = threading.Event(), threading.Event()
        if not blocks:
            self.release.set()

    def __call__(self, chunk: bytes) -> None:
        self.chunks.append(chunk)
        self.threads.add(threading.get_ident())
        self.entered.set()
        self.release.wait(20)


def test_delivers_mic_chunks_of_exactly_250_ms_on_another_thread(interface):
    uplink = Uplink()
    interface.start(uplink)
    wait_until(lambda: len(uplink.chunks) >= 3, what="three mic chunks")
    interface.stop()
    assert {len(chunk) for chunk in uplink.chunks} == {CHUNK_BYTES}
    assert threading.get_ident() not in uplink.threads


def test_stop_may_come_first_and_twice_and_start_works_again(interface):
    interface.stop()
    for _ in range(3):
        uplink = Uplink()
        interface.start(uplink)
        wait_until(lambda up=uplink: up.chunks, what="a mic chunk after this start")
        interface.stop()
        interface.stop()


def test_start_while_running_raises_and_disturbs_nothing(interface):
    uplink = Uplink()
    interface.start(uplink)
    with pytest.raises(RuntimeError, match="runs already"):
        interface.start(Uplink())
    wait_until(lambda: len(uplink.chunks) >= 2, what="mic chunks as if nothing had happened")


def test_output_and_interrupt_do_nothing_when_not_running(interface):
    interface.output(loud(0.1))
    interface.interrupt()
    interface.start(Uplink())
    interface.stop()
    interface.output(loud(0.1))
    interface.interrupt()
    assert interface.account.counters.received_samples == 0


def test_no_callback_begins_after_stop(interface):
    for _ in range(3):
        uplink = Uplink()
        interface.start(uplink)
        wait_until(lambda up=uplink: up.chunks, what="a mic chunk")
        interface.stop()
        at_stop = len(uplink.chunks)
        with pytest.raises(AssertionError):
            wait_until(lambda up=uplink, n=at_stop: len(up.chunks) > n, 0.6)


def test_stop_returns_in_half_a_second_while_the_network_blocks_the_callback(interface):
    uplink = Uplink(blocks=True)
    interface.start(uplink)
    assert uplink.entered.wait(5)
    began = time.monotonic()
    interface.stop()
    took = time.monotonic() - began
    uplink.release.set()
    assert took < STOP_S
    assert len(uplink.chunks) == 1


def test_stop_from_inside_the_callback(interface):
    took: list[float] = []

    def callback(_chunk: bytes) -> None:
        began = time.monotonic()
        interface.stop()
        took.append(time.monotonic() - began)

    interface.start(callback)
    wait_until(lambda: took, what="stop() to return inside the callback")
    assert took[0] < STOP_S
    again = Uplink()
    interface.start(again)
    wait_until(lambda: again.chunks, what="a mic chunk after the restart")
    assert len(took) == 1


def test_stop_from_many_threads_at_once(interface):
    interface.start(Uplink())
    threads = [threading.Thread(target=interface.stop) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2)
    assert not any(thread.is_alive() for thread in threads)


def test_a_callback_that_raises_is_logged_and_delivery_goes_on(interface, caplog):
    calls: list[int] = []

    def callback(_chunk: bytes) -> None:
        calls.append(1)
        raise ValueError("no such message")

    with caplog.at_level(logging.ERROR):
        interface.start(callback)
        wait_until(lambda: len(calls) >= 3, what="delivery to go on")
        interface.stop()
    assert "no such message" in caplog.text
    assert interface.account.counters.callback_errors >= 2
    caplog.clear()


def test_output_takes_ten_minutes_at_once_and_returns_at_once(interface):
    interface.start(Uplink())
    audio_of_a_long_reply = bytes(600 * SAMPLE_RATE * 2)
    began = time.monotonic()
    interface.output(audio_of_a_long_reply)
    assert time.monotonic() - began < 0.2
    interface.interrupt()


def test_what_is_output_is_heard(subject):
    with subject.listen() as heard:
        subject.interface.start(Uplink())
        subject.interface.output(loud(0.5))
        enough = 0.45 * SAMPLE_RATE
        wait_until(lambda: count_loud(heard()) > enough, what="half a second of tone")
        subject.interface.stop()


def test_an_interrupt_falls_silent_and_what_follows_is_heard(subject):
    interface = subject.interface
    with subject.listen() as heard:
        interface.start(Uplink())
        interface.output(loud(5.0))
        wait_until(lambda: count_loud(heard()) > 0.3 * SAMPLE_RATE, what="the tone")
        interface.interrupt()
        wait_until(lambda: not count_loud(heard()[-3200:]), 1.5, "silence after the interrupt")
        assert count_loud(heard()) < 2.5 * SAMPLE_RATE
        before = count_loud(heard())
        interface.output(loud(0.3))
        wait_until(lambda: count_loud(heard()) > before + 0.25 * SAMPLE_RATE, what="the next reply")
        interface.stop()


def test_interrupts_from_any_thread(interface):
    interface.start(Uplink())
    interface.output(loud(2.0))
    threads = [threading.Thread(target=interface.interrupt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2)
    assert interface.account.counters.interrupts == 8
    assert interface.account.queued_samples == 0


def count_loud(samples: np.ndarray) -> int:
    """Count samples that belong to a tone: those within 2 ms of one above -20 dBFS."""
    above = np.abs(samples.astype(np.int32)) > 3276
    return int(np.convolve(above, np.ones(32), "same").astype(bool).sum()) if len(above) else 0
