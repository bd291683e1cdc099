"""Mic chunks: exact, in order, on a thread that may block, and none after stop."""

from __future__ import annotations

import logging
import threading

import numpy as np
import pytest

from audio.account import Account, CallbackFailed, Dropped, MicChunk
from audio.capture import Capture
from audio.pcm import SAMPLE_RATE, to_samples
from tests.rig.waiting import wait_until

CHUNK = 4000
BLOCK = 160


class Microphone:
    """Feeds a counting signal, as a device would."""

    def __init__(self, callback, chunk_frames: int = CHUNK, **settings) -> None:
        self.account = Account()
        self.capture = Capture(self.account, callback, chunk_frames, **settings)
        self.position = 0

    def feed(self, samples: int, block: int = BLOCK) -> None:
        stop = self.position + samples
        while self.position < stop:
            count = min(block, stop - self.position)
            signal = np.arange(self.position, self.position + count).astype(np.int16)
            self.capture.feed(signal, 50.0 + self.position / SAMPLE_RATE)
            self.position += count

    def records(self, kind):
        return [record for record in self.account.journal.read()[0] if isinstance(record, kind)]

    def close(self) -> None:
        self.capture.stop()
        assert self.capture.join(2.0)


@pytest.fixture
def microphone():
    made = []

    def make(callback, **settings) -> Microphone:
        made.append(Microphone(callback, **settings))
        made[-1].capture.start()
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.mark.parametrize(("chunk", "block"), [(4000, 160), (160, 160), (333, 160), (100, 1000)])
def test_every_chunk_has_exactly_the_frames_asked_for_and_none_is_lost(microphone, chunk, block):
    chunks: list[bytes] = []
    mic = microphone(chunks.append, chunk_frames=chunk)
    mic.feed(20_000, block)
    wait_until(lambda: len(chunks) == 20_000 // chunk, what="all chunks")
    assert {len(audio) for audio in chunks} == {2 * chunk}
    whole = np.concatenate([to_samples(audio) for audio in chunks])
    assert np.array_equal(whole, np.arange(len(whole)).astype(np.int16))


def test_account_tells_when_each_chunk_was_captured(microphone):
    mic = microphone(lambda audio: None)
    mic.feed(3 * CHUNK)
    wait_until(lambda: len(mic.records(MicChunk)) == 3, what="three chunks")
    last = mic.records(MicChunk)[-1]
    assert (last.start, last.stop) == (2 * CHUNK, 3 * CHUNK)
    assert last.captured_at == pytest.approx(50.5, abs=0.001)
    assert last.completed_at == pytest.approx(50.75, abs=0.001)
    assert last.returned_at >= last.called_at


@pytest.mark.parametrize("raised", [ConnectionError, SystemExit, KeyboardInterrupt])
def test_a_callback_that_raises_is_logged_and_counted_and_delivery_goes_on(
    microphone, caplog, raised
):
    chunks: list[bytes] = []

    def callback(audio: bytes) -> None:
        chunks.append(audio)
        if len(chunks) == 1:
            raise raised("the socket is gone")

    with caplog.at_level(logging.ERROR, "audio.capture"):
        mic = microphone(callback)
        mic.feed(3 * CHUNK)
        wait_until(lambda: len(chunks) == 3, what="the chunks after the one that raised")
    assert mic.account.counters.callback_errors == 1
    assert [failed.error for failed in mic.records(CallbackFailed)] == [
        f"{raised.__name__}: the socket is gone"
    ]
    assert "Traceback" in caplog.text
    caplog.clear()


def test_capture_goes_on_while_the_callback_blocks_and_what_is_too_much_is_counted(microphone):
    entered, release, chunks = threading.Event(), threading.Event(), []

    def callback(audio: bytes) -> None:
        chunks.append(audio)
        entered.set()
        release.wait(10)

    mic = microphone(callback, backlog_s=2.0)
    mic.feed(CHUNK)
    assert entered.wait(5)
    mic.feed(5 * SAMPLE_RATE)
    release.set()
    wait_until(lambda: mic.account.counters.mic_chunks == 1 + 8, what="the backlog")
    assert mic.account.counters.dropped_input_samples == 3 * SAMPLE_RATE
    assert sum(dropped.samples for dropped in mic.records(Dropped)) == 3 * SAMPLE_RATE
    newest = to_samples(chunks[-1])
    assert newest[-1] == np.array(mic.position - 1).astype(np.int16), "the newest is kept"


def test_no_callback_begins_after_stop(microphone):
    chunks: list[bytes] = []
    mic = microphone(chunks.append)
    mic.feed(CHUNK)
    wait_until(lambda: len(chunks) == 1, what="the first chunk")
    mic.close()
    mic.feed(10 * CHUNK)
    assert not mic.capture.join(0) or len(chunks) == 1
    assert len(chunks) == 1


def test_stop_from_inside_the_callback_ends_the_thread(microphone):
    chunks: list[bytes] = []

    def callback(audio: bytes) -> None:
        chunks.append(audio)
        mic.capture.stop()

    mic = microphone(callback)
    mic.feed(5 * CHUNK)
    assert mic.capture.join(2.0)
    assert len(chunks) == 1
