"""Any ``AudioInterface`` as an ``AsyncAudioInterface``.

The loop's thread calls the four methods. The inner interface's uplink thread enters
``_Delivery.deliver``, which puts the callback on the loop and waits for it there: so chunks come
one at a time and in order, and a slow callback is felt by the capture's bounded backlog, never by
the loop. ``start`` and ``stop`` of the inner one run on a thread of their own, not on the loop's
executor, which may be full of somebody else's work.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from audio.account import Account
from audio.default import DefaultAudioInterface
from audio.duplex import DuplexInterface
from audio.interface import AsyncAudioInterface, AsyncInputCallback, AudioInterface
from audio.worker import Worker

log = logging.getLogger(__name__)

_FIRST = concurrent.futures.FIRST_COMPLETED


class _Delivery:
    """Hands the chunks of one run from the uplink thread to the loop, while there is one."""

    LOOK_S = 1.0
    """How often to look whether the loop is still there while it runs the callback."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        callback: AsyncInputCallback,
        on_loop_gone: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._callback = callback
        self._on_loop_gone = on_loop_gone
        self._stopped: concurrent.futures.Future[None] = concurrent.futures.Future()

    def deliver(self, audio: bytes) -> None:
        """Run the callback on the loop and wait for it, or for ``stop``. On the uplink thread."""
        call = self._call(audio)
        try:
            done = asyncio.run_coroutine_threadsafe(call, self._loop)
        except RuntimeError:  # the loop is closed
            self._give_up(call)
            return
        while not (done.done() or self._stopped.done()):
            concurrent.futures.wait((done, self._stopped), self.LOOK_S, _FIRST)
            if self._loop.is_closed() and not done.done():
                self._give_up(call)
                return
        if done.done():
            done.result()

    def _give_up(self, call: Coroutine[Any, Any, None]) -> None:
        """Close what nobody listens to any more: an open microphone would stay open for good."""
        call.close()
        if not self._stopped.done():
            self.stop()
            log.warning("The event loop has ended without stop(): the audio interface is stopped")
            self._on_loop_gone()

    def stop(self) -> None:
        """Let go of the uplink thread; from now on no callback begins.

        On the loop's thread, or when there is no loop any more.
        """
        if not self._stopped.done():
            self._stopped.set_result(None)

    def _call(self, audio: bytes) -> Coroutine[Any, Any, None]:
        async def call() -> None:
            # On the loop's thread, as `stop` is: between this look and the call nothing can come.
            if not self._stopped.done():
                await self._callback(audio)

        return call()


async def _on_thread(
    name: str, call: Callable[[], None], undo: Callable[[], None] | None = None
) -> None:
    """Run ``call`` on a thread of its own and wait for it, raising what it raises.

    If whoever waits is cancelled, and ``call`` succeeds all the same, ``undo`` follows it on a
    thread.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    # Taken when the call has succeeded, and when nobody waits any more: who comes second undoes.
    first = threading.Lock()

    def run(_stopping: threading.Event) -> None:
        try:
            call()
        except BaseException as error:
            tell(error)
            if done.cancelled():
                raise
            return
        if undo is not None and not first.acquire(blocking=False):
            undo()
        tell(None)

    def tell(error: BaseException | None) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_settle, done, error)

    Worker(name, run).start()
    try:
        await done
    except asyncio.CancelledError:
        if undo is not None and not first.acquire(blocking=False):
            Worker(f"{name}-undone", lambda _stopping: undo()).start()
        raise


def _settle(done: asyncio.Future[None], error: BaseException | None) -> None:
    if done.done():  # whoever waited was cancelled
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)


class AsyncAdapter(AsyncAudioInterface):
    """``inner`` for an event loop. What ``inner`` promises holds, and the loop is never held.

    ``start`` and ``stop`` run ``inner``'s on a thread, for devices take their time; ``output`` and
    ``interrupt`` call it straight away, for they return at once by contract.

    A loop that is closed, as ``asyncio.run`` does, closes ``inner`` even where nobody awaits
    ``stop``. One that was only stopped does not: it may run again at any time, and then the chunks
    go on, of which the inner one's backlog has the latest. So the microphone stays open. Whoever
    stops a loop for good closes it, or awaits ``stop`` before.
    """

    def __init__(self, inner: AudioInterface) -> None:
        """Adapt ``inner``, which belongs to this adapter from now on."""
        self.inner = inner
        self._delivery: _Delivery | None = None
        self._epoch = 0
        self._is_stopped = False

    async def start(self, input_callback: AsyncInputCallback) -> None:
        """Open both sides; mic chunks are awaited on the loop that calls this.

        Where this is cancelled nothing is left open, and no callback begins.
        """
        delivery = _Delivery(asyncio.get_running_loop(), input_callback, self.inner.stop)
        before, self._delivery = self._delivery, delivery
        self._epoch += self._is_stopped
        self._is_stopped = False
        epoch = self._epoch

        def undo() -> None:
            if self._epoch == epoch:  # else a stop has closed it, and what is open came after that
                self.inner.stop()

        try:
            await _on_thread("async-start", lambda: self.inner.start(delivery.deliver), undo)
        except BaseException:
            delivery.stop()
            if self._delivery is delivery:
                self._delivery = before
            raise

    async def stop(self) -> None:
        """Close both sides. May be awaited from inside the callback."""
        delivery, self._delivery = self._delivery, None
        self._is_stopped = True
        if delivery is not None:
            delivery.stop()
        await _on_thread("async-stop", self.inner.stop)

    async def output(self, audio: bytes) -> None:
        """Queue an agent chunk for playout."""
        self.inner.output(audio)

    async def interrupt(self) -> None:
        """Empty the playout queue at once."""
        self.inner.interrupt()


class AsyncDefaultAudioInterface(AsyncAdapter):
    """``DefaultAudioInterface`` for an event loop. Drop-in for the SDK's class of that name."""

    INPUT_FRAMES_PER_BUFFER = DuplexInterface.INPUT_FRAMES_PER_BUFFER
    OUTPUT_FRAMES_PER_BUFFER = DuplexInterface.OUTPUT_FRAMES_PER_BUFFER

    inner: DefaultAudioInterface

    def __init__(
        self,
        input_device: str | None = None,
        output_device: str | None = None,
        *,
        input_frames: int | None = None,
        output_frames: int | None = None,
        device_block_frames: int | None = None,
    ) -> None:
        """Use these devices; see ``DefaultAudioInterface``. Raises ``MissingDependency``."""
        inner = DefaultAudioInterface(
            input_device,
            output_device,
            input_frames=_given(input_frames, self.INPUT_FRAMES_PER_BUFFER),
            output_frames=_given(output_frames, self.OUTPUT_FRAMES_PER_BUFFER),
            device_block_frames=device_block_frames,
        )
        super().__init__(inner)
        self.INPUT_FRAMES_PER_BUFFER = inner.INPUT_FRAMES_PER_BUFFER
        self.OUTPUT_FRAMES_PER_BUFFER = inner.OUTPUT_FRAMES_PER_BUFFER

    @property
    def account(self) -> Account:
        """The account of the present run, or of the last one."""
        return self.inner.account


def _given(frames: int | None, otherwise: int) -> int:
    return otherwise if frames is None else frames
