"""An audio interface on an event loop that cancels, times out, or goes away."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from audio import AsyncAdapter, FileAudioInterface, async_adapter
from audio.duplex import DuplexInterface
from audio.errors import AlreadyRunning
from audio.file import FileSink, FileSource
from audio.pcm import SAMPLE_RATE
from tests.rig.waiting import wait_until

CHUNK_FRAMES = 160


class Slow(FileAudioInterface):
    """Opens when it is told to, as a device that takes its time does."""

    def __init__(self) -> None:
        super().__init__(None, None, input_frames=CHUNK_FRAMES)
        self.open, self.entered = threading.Event(), threading.Event()
        self.stops = 0

    def start(self, input_callback: Callable[[bytes], None]) -> None:
        self.entered.set()
        self.open.wait(10)
        super().start(input_callback)

    def stop(self) -> None:
        self.stops += 1
        super().stop()

    @property
    def running(self) -> bool:
        return self._run is not None


@pytest.fixture
def slow():
    made = Slow()
    yield made
    made.open.set()
    made.stop()


async def until(condition: Callable[[], object]) -> None:
    await asyncio.to_thread(wait_until, condition)


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("async-")]


async def cancel_while_opening(
    adapter: AsyncAdapter, slow: Slow | HeldOnce, chunks: list[bytes]
) -> None:
    async def callback(audio: bytes) -> None:
        chunks.append(audio)

    starting = asyncio.create_task(adapter.start(callback))
    await until(slow.entered.is_set)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting


def test_a_start_that_is_cancelled_leaves_nothing_open_and_calls_nobody(slow):
    async def program() -> None:
        adapter, chunks = AsyncAdapter(slow), []
        await cancel_while_opening(adapter, slow, chunks)
        slow.open.set()
        await until(lambda: slow.stops and not threads())
        assert not slow.running
        assert chunks == []
        await adapter.start(lambda _: asyncio.sleep(0))
        await until(lambda: slow.account.counters.mic_chunks)
        await adapter.stop()

    asyncio.run(program())


def test_one_that_is_cancelled_at_the_moment_it_has_opened_is_closed_too(slow):
    async def program() -> None:
        slow.open.set()
        adapter = AsyncAdapter(slow)
        starting = asyncio.create_task(adapter.start(lambda _: asyncio.sleep(0)))
        await asyncio.sleep(0)
        # the loop hears nothing of it before the cancellation
        wait_until(lambda: slow.running and not threads())
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        await until(lambda: not slow.running and not threads())

    asyncio.run(program())


def test_a_stop_before_it_has_opened_leaves_nothing_open_either(slow):
    async def program() -> None:
        adapter = AsyncAdapter(slow)
        await cancel_while_opening(adapter, slow, [])
        await adapter.stop()
        slow.open.set()
        await until(lambda: slow.stops == 2 and not threads())
        assert not slow.running

    asyncio.run(program())


class HeldOnce(FileSource):
    """A device that hangs the first time it is opened."""

    def __init__(self) -> None:
        super().__init__(None)
        self.entered, self.open_up = threading.Event(), threading.Event()

    def open(self, *arguments):
        if not self.entered.is_set():
            self.entered.set()
            self.open_up.wait(10)
        return super().open(*arguments)


def test_a_run_that_was_begun_after_a_stop_is_not_undone():
    async def program() -> None:
        source = HeldOnce()
        inner = DuplexInterface(source, FileSink(None))
        adapter = AsyncAdapter(inner)
        await cancel_while_opening(adapter, source, [])
        await adapter.stop()
        await adapter.start(lambda _: asyncio.sleep(0))
        source.open_up.set()
        await until(lambda: not threads())
        assert inner._run is not None
        await adapter.stop()

    asyncio.run(program())


def test_a_second_start_that_fails_leaves_the_first_run_alone(slow):
    async def program() -> None:
        slow.open.set()
        adapter, chunks = AsyncAdapter(slow), []

        async def callback(audio: bytes) -> None:
            chunks.append(audio)

        await adapter.start(callback)
        with pytest.raises(AlreadyRunning):
            await adapter.start(callback)
        before = len(chunks)
        await until(lambda: len(chunks) > before + 2)
        assert slow.stops == 0
        await adapter.stop()

    asyncio.run(program())


def test_a_class_that_exits_while_it_starts_is_heard(caplog):
    class Leaving(Slow):
        def start(self, input_callback):
            raise SystemExit(4)

    async def program() -> None:
        with pytest.raises(SystemExit):
            await AsyncAdapter(Leaving()).start(lambda _: asyncio.sleep(0))

    asyncio.run(asyncio.wait_for(program(), 5))


@pytest.mark.parametrize("busy", [False, True])
def test_a_loop_that_ends_without_a_stop_closes_the_microphone_and_says_so_once(slow, caplog, busy):
    slow.open.set()

    async def program() -> None:
        called = asyncio.Event()

        async def callback(_audio: bytes) -> None:
            called.set()
            if busy:
                await asyncio.sleep(60)

        await AsyncAdapter(slow).start(callback)
        await called.wait()

    asyncio.run(program())
    wait_until(lambda: not slow.running, what="the microphone to be closed")
    said = [r.message for r in caplog.records if r.name == "audio.async_adapter"]
    assert said == ["The event loop has ended without stop(): the audio interface is stopped"]
    assert slow.stops == 1
    caplog.clear()


def test_a_loop_that_stands_still_may_run_again_and_the_chunks_go_on(slow, monkeypatch):
    """Nothing tells a loop that was stopped for good from one that is to run again."""
    monkeypatch.setattr(async_adapter._Delivery, "LOOK_S", 0.05)
    slow.open.set()
    chunks = []

    async def callback(audio: bytes) -> None:
        chunks.append(audio)

    async def more() -> None:
        before = len(chunks)
        await until(lambda: len(chunks) > before + 1)

    adapter = AsyncAdapter(slow)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(adapter.start(callback))
    loop.run_until_complete(more())
    counters, stood_at = slow.account.counters, slow.account.counters.captured_samples
    # longer than it takes to look whether the loop is gone
    still = stood_at + 2 * SAMPLE_RATE * async_adapter._Delivery.LOOK_S
    wait_until(lambda: counters.captured_samples > still, what="time to pass")
    assert slow.running
    loop.run_until_complete(more())
    loop.run_until_complete(adapter.stop())
    loop.close()
    assert not slow.running
