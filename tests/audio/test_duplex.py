"""The life of a run over sides that are slow, hang or fail.

These faults cannot be had from the virtual card, so the sides here are made for them.
"""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from audio.account import DeviceFault, Discarded
from audio.duplex import DuplexInterface
from audio.errors import AlreadyRunning, DeviceError
from audio.pcm import SAMPLE_RATE
from tests.rig.waiting import wait_until

STOP_S = 0.5


class Side:
    """A source and a sink in one; ``held`` holds up opening, ``stuck`` closing."""

    label = "Test side"

    def __init__(self) -> None:
        self.held, self.stuck = threading.Event(), threading.Event()
        self.held.set()
        self.stuck.set()
        self.entered = threading.Event()
        self.refuses = False
        self.openings: list[Opening] = []

    def open(self, move, _on_fault, _on_xrun):
        self.entered.set()
        self.held.wait(10)
        if self.refuses:
            raise DeviceError("speaker", self.label, "is out of order")
        self.openings.append(Opening(move, self.stuck))
        return self.openings[-1]

    @property
    def still_open(self) -> int:
        return sum(not opening.closed for opening in self.openings)


class Opening:
    def __init__(self, move, stuck: threading.Event) -> None:
        self.move = move
        self.closed = False
        self._stuck = stuck

    def close(self) -> None:
        self._stuck.wait(10)
        self.closed = True


@pytest.fixture
def sides():
    source, sink = Side(), Side()
    yield source, sink
    for side in (source, sink):
        side.held.set()
        side.stuck.set()


def ignore(_chunk: bytes) -> None:
    pass


@pytest.mark.parametrize("slow", ["source", "sink"])
def test_a_stop_that_comes_while_the_devices_open_leaves_nothing_open(sides, slow):
    source, sink = sides
    slow_side = source if slow == "source" else sink
    slow_side.held.clear()
    interface = DuplexInterface(source, sink)
    starting = threading.Thread(target=interface.start, args=(ignore,))
    starting.start()
    assert slow_side.entered.wait(5)
    began = time.monotonic()
    interface.stop()
    assert time.monotonic() - began < STOP_S
    slow_side.held.set()
    starting.join(5)
    assert not starting.is_alive()
    assert (source.still_open, sink.still_open) == (0, 0)
    interface.start(ignore)
    assert (source.still_open, sink.still_open) == (1, 1)
    interface.stop()


def test_what_hangs_while_closing_holds_nothing_up_and_touches_no_later_run(sides):
    source, sink = sides
    interface = DuplexInterface(source, sink)
    interface.start(ignore)
    source.stuck.clear()
    began = time.monotonic()
    interface.stop()
    assert time.monotonic() - began < STOP_S
    assert sink.openings[0].closed, "the other side was closed all the same"
    interface.start(ignore)
    source.stuck.set()
    wait_until(lambda: source.openings[0].closed, what="the first run's source to close at last")
    assert (source.still_open, sink.still_open) == (1, 1)
    interface.stop()


def test_the_account_is_complete_when_stop_returns_even_if_a_device_hangs(sides):
    source, sink = sides
    interface = DuplexInterface(source, sink)
    interface.start(ignore)
    interface.output(np.full(SAMPLE_RATE, 9, np.int16).tobytes())
    sink.openings[0].move(160, time.monotonic())
    sink.stuck.clear()
    interface.stop()
    records = interface.account.journal.read()[0]
    discarded = [(r.start, r.stop, r.reason) for r in records if isinstance(r, Discarded)]
    assert discarded == [(160, SAMPLE_RATE, "stop")]
    assert not sink.openings[0].move(160, time.monotonic()).any(), "a late pull gets silence"


def test_a_sink_that_fails_closes_the_source_and_another_start_works(sides):
    source, sink = sides
    sink.refuses = True
    interface = DuplexInterface(source, sink)
    with pytest.raises(DeviceError, match="out of order"):
        interface.start(ignore)
    assert source.still_open == 0
    sink.refuses = False
    interface.start(ignore)
    with pytest.raises(AlreadyRunning):
        interface.start(ignore)
    interface.stop()


def test_a_side_that_moves_nothing_is_reported_once(sides, monkeypatch, error_log):
    monkeypatch.setattr("audio.duplex._Run.STALL_S", 0.1)
    monkeypatch.setattr("audio.duplex._Run.FIRST_S", 0.1)
    monkeypatch.setattr("audio.duplex._Run.WATCH_S", 0.02)
    interface = DuplexInterface(*sides)
    interface.start(ignore)

    def faults():
        records = interface.account.journal.read()[0]
        return [record.side for record in records if isinstance(record, DeviceFault)]

    wait_until(lambda: len(faults()) == 2, what="a report of each side")
    with pytest.raises(AssertionError):
        wait_until(lambda: len(faults()) > 2, 0.3)
    interface.stop()
    assert sorted(faults()) == ["input", "output"]
    error_log.clear()


@pytest.mark.parametrize("frames", [0, -5])
def test_frames_that_cannot_carry_audio_are_refused(sides, frames):
    with pytest.raises(ValueError, match="cannot carry audio"):
        DuplexInterface(*sides, input_frames=frames)
