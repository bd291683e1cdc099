"""The playout queue: what is heard, what is discarded, and that nothing is lost in between."""

from __future__ import annotations

import random
import threading
from collections import deque

import numpy as np
import pytest

from audio.account import Account, AgentChunk, Discarded, Dropped, Heard, Silenced, Underrun
from audio.pcm import SAMPLE_RATE, to_bytes
from audio.playout import PlayoutQueue

BLOCK = 160


class Player:
    """Pulls blocks as a device would, on a clock of its own."""

    def __init__(self, **settings) -> None:
        self.account = Account()
        self.queue = PlayoutQueue(self.account, **settings)
        self.time = 100.0

    def put(self, *samples: int | np.ndarray) -> None:
        block = samples[0] if isinstance(samples[0], np.ndarray) else np.array(samples, np.int16)
        self.queue.put(to_bytes(block), self.time)

    def pull(self, blocks: int = 1, frames: int = BLOCK) -> np.ndarray:
        pulled = []
        for _ in range(blocks):
            pulled.append(self.queue.pull(frames, self.time + 0.025))
            self.time += frames / SAMPLE_RATE
        return np.concatenate(pulled)

    def records(self, kind):
        return [record for record in self.account.journal.read()[0] if isinstance(record, kind)]


def loud(count: int, level: int = 10_000) -> np.ndarray:
    return np.full(count, level, np.int16)


def ranges(records) -> list[tuple[int, int]]:
    return [(record.start, record.stop) for record in records]


def test_plays_chunks_of_any_size_back_to_back_and_then_silence():
    player = Player()
    speech = np.arange(1, 1001, dtype=np.int16)
    for chunk in np.split(speech, [1, 7, 160, 161, 900]):
        player.put(chunk)
    heard = player.pull(8)
    assert np.array_equal(heard[:1000], speech)
    assert not heard[1000:].any()


def test_joins_a_chunk_that_ends_in_half_a_sample_to_the_next():
    player = Player()
    audio = to_bytes(np.arange(1, 101, dtype=np.int16))
    player.queue.put(audio[:33], 0.0)
    player.queue.put(audio[33:34], 0.0)
    player.queue.put(audio[34:], 0.0)
    assert np.array_equal(player.pull()[:100], np.arange(1, 101))


def test_half_a_sample_from_before_an_interrupt_does_not_shift_what_comes_after():
    player = Player()
    player.queue.put(b"\x01\x02\x03", 0.0)
    player.queue.flush(0.0)
    player.put(loud(10, 500))
    assert set(player.pull()[:10]) == {500}


def test_nothing_queued_before_an_interrupt_is_heard_after_it():
    player = Player()
    player.put(loud(SAMPLE_RATE))
    player.pull(3)
    player.queue.flush(player.time)
    after = player.pull(10)
    fade = after[: PlayoutQueue.FADE_SAMPLES]
    assert np.all(np.diff(fade.astype(int)) <= 0)
    assert fade[-1] == 0
    assert not after[PlayoutQueue.FADE_SAMPLES :].any()
    assert player.queue.queued_samples == 0


def test_fade_takes_at_most_five_ms():
    assert PlayoutQueue.FADE_SAMPLES <= 0.005 * SAMPLE_RATE


def test_what_comes_after_an_interrupt_is_played_whole():
    player = Player()
    player.put(loud(SAMPLE_RATE))
    player.pull(3)
    player.queue.flush(player.time)
    reply = np.arange(1, 501, dtype=np.int16)
    player.put(reply)
    heard = player.pull(6)
    start = PlayoutQueue.FADE_SAMPLES
    assert np.array_equal(heard[start : start + 500], reply)


def test_says_when_the_speaker_fell_silent():
    player = Player()
    player.put(loud(SAMPLE_RATE))
    player.pull(5)
    interrupted_at = player.time
    player.queue.flush(interrupted_at)
    player.pull(5)
    (silenced,) = player.records(Silenced)
    assert silenced.interrupted_at == interrupted_at
    # device latency of 25 ms, then the fade
    assert silenced.silent_at - interrupted_at == pytest.approx(0.030, abs=0.001)


def test_a_speaker_that_was_silent_has_no_time_to_silence():
    player = Player()
    player.put(loud(BLOCK))
    player.pull(20)
    player.queue.flush(player.time)
    player.pull(2)
    assert [silenced.silent_at for silenced in player.records(Silenced)] == [None]


def test_what_was_due_before_an_interrupt_and_is_pulled_late_was_not_silent_before_it():
    player = Player()
    player.put(loud(SAMPLE_RATE))
    player.pull(5)
    next_is_due = player.time + 0.025
    player.queue.flush(next_is_due + 0.008)
    player.pull(2)
    (silenced,) = player.records(Silenced)
    assert silenced.silent_at == silenced.interrupted_at


def test_what_was_never_begun_is_not_faded_in():
    player = Player()
    player.pull(2)
    player.put(loud(SAMPLE_RATE))
    player.queue.flush(player.time)
    assert not player.pull(3).any()
    assert ranges(player.records(Discarded)) == [(0, SAMPLE_RATE)]


def test_account_tells_which_samples_were_heard_when_and_which_discarded():
    player = Player()
    player.put(loud(1000))
    player.put(loud(1000))
    player.pull(5)
    player.queue.flush(player.time)
    player.pull(1)
    player.queue.close(player.time)
    heard, discarded = player.records(Heard), player.records(Discarded)
    fade_end = 5 * BLOCK + PlayoutQueue.FADE_SAMPLES
    assert ranges(heard) == [(0, fade_end)]
    assert heard[0].at == pytest.approx(100.025, abs=0.001)
    assert ranges(discarded) == [(fade_end, 2000)]
    assert ranges(player.records(AgentChunk)) == [(0, 1000), (1000, 2000)]


def test_a_full_queue_drops_and_counts_and_goes_on():
    player = Player(capacity_samples=1000)
    player.put(loud(800))
    player.put(loud(800))
    assert player.queue.queued_samples == 1000
    assert [dropped.samples for dropped in player.records(Dropped)] == [600]
    assert ranges(player.records(Discarded)) == [(1000, 1600)]
    assert np.count_nonzero(player.pull(10)) == 1000


def test_a_full_queue_does_not_keep_what_it_dropped_alive():
    player = Player(capacity_samples=1000)
    player.put(loud(900))
    player.put(loud(SAMPLE_RATE * 60))
    assert sum(piece.samples.base is not None for piece in player.queue._pieces) <= 1


def test_counts_a_queue_that_ran_dry_inside_a_reply_as_an_underrun():
    player = Player()
    player.put(loud(BLOCK))
    player.pull(6)
    player.put(loud(BLOCK))
    player.pull(2)
    (underrun,) = player.records(Underrun)
    assert underrun.resumed_at - underrun.at == pytest.approx(0.05, abs=0.002)


@pytest.mark.parametrize("pause_blocks", [150])
def test_a_pause_between_replies_is_no_underrun(pause_blocks):
    player = Player()
    player.put(loud(BLOCK))
    player.pull(pause_blocks)
    player.put(loud(BLOCK))
    player.pull(2)
    assert not player.records(Underrun)


def test_hands_on_at_most_the_frames_asked_for_without_a_hole():
    player = Player(output_frames=100)
    player.put(loud(1000))
    assert np.count_nonzero(player.pull(2, 480)) == 960


def assert_every_sample_accounted_for(player: Player) -> None:
    total = player.account.counters.received_samples
    fate = np.zeros(total, int)
    for record in player.records(Heard) + player.records(Discarded):
        fate[record.start : record.stop] += 1
    assert set(fate) <= {1}, "a sample was heard or discarded twice, or forgotten"


@pytest.mark.parametrize("seed", range(30))
def test_every_received_sample_is_heard_or_discarded_exactly_once(seed):
    chance = random.Random(seed)
    player = Player(capacity_samples=4000)
    for _ in range(300):
        action = chance.random()
        if action < 0.35:
            player.put(loud(chance.randrange(0, 1200)))
        elif action < 0.45:
            player.queue.flush(player.time)
        else:
            player.pull(frames=chance.choice([1, 40, 80, 160, 333]))
    player.queue.close(player.time)
    assert_every_sample_accounted_for(player)


def test_every_sample_is_accounted_for_with_three_threads_at_it():
    player = Player()
    done = threading.Event()

    def put() -> None:
        for _ in range(3000):
            player.queue.put(bytes(640), 0.0)
        done.set()

    def flush() -> None:
        while not done.wait(0.0005):
            player.queue.flush(0.0)

    threads = [threading.Thread(target=put), threading.Thread(target=flush)]
    for thread in threads:
        thread.start()
    while not done.is_set() or player.queue.queued_samples:
        player.pull()
    for thread in threads:
        thread.join()
    player.queue.close(0.0)
    assert_every_sample_accounted_for(player)


class InterruptedPop(deque):
    """A queue of pieces that is flushed right after one was taken from it."""

    def __init__(self, pieces, flush) -> None:
        super().__init__(pieces)
        self._flush = flush

    def popleft(self):
        piece = super().popleft()
        self._flush()
        return piece


def test_two_interrupts_within_one_block_lose_nothing():
    """Flush, put, and flush again while the device's thread takes the piece put in between."""
    player = Player()
    player.put(loud(128))
    player.put(loud(4000))
    player.pull(frames=128)
    queue, take = player.queue, player.queue._next_piece

    def take_while_interrupted():
        queue._next_piece = take
        queue.flush(player.time)
        player.put(loud(4000))
        queue._pieces = InterruptedPop(queue._pieces, lambda: queue.flush(player.time))
        return take()

    queue._next_piece = take_while_interrupted
    player.pull()
    player.pull(3)
    queue.close(player.time)
    assert_every_sample_accounted_for(player)


@pytest.mark.parametrize("count", [1000, 1001])
def test_an_array_of_samples_or_a_view_of_one_is_heard_whole(count):
    player = Player()
    samples = loud(count)
    player.queue.put(samples, 0.0)
    player.queue.put(memoryview(samples), 0.0)
    samples[:] = 0  # who handed it over uses it again
    assert player.account.counters.received_samples == 2 * count
    assert np.array_equal(player.pull(20, 100)[: 2 * 900], np.tile(loud(count), 2)[: 2 * 900])


def test_after_closing_nothing_is_queued_and_nothing_is_played():
    player = Player()
    player.put(loud(1000))
    player.pull()
    player.queue.close(player.time)
    player.put(loud(1000))
    player.queue.flush(player.time)
    assert not player.pull(5).any()
    assert player.account.counters.received_samples == 1000
    assert_every_sample_accounted_for(player)


def test_says_when_it_was_silent_right_after_the_device_paused():
    player = Player()
    player.put(loud(3 * SAMPLE_RATE))
    player.pull(100)
    player.time += 0.3
    player.queue.flush(player.time)
    player.pull(2)
    (silenced,) = player.records(Silenced)
    assert silenced.silent_at - silenced.interrupted_at == pytest.approx(0.029, abs=0.002)
