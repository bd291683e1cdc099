"""An ``AsyncAudioInterface`` driven from ordinary threads, so that one suite serves both kinds."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

from audio import AsyncAudioInterface, AudioInterface
from audio.interface import InputCallback

DEADLINE_S = 20.0


class SyncFace(AudioInterface):
    """Runs an event loop on a thread of its own and awaits ``inner`` there."""

    def __init__(self, inner: AsyncAudioInterface) -> None:
        self.inner = inner
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="test-loop")
        self._thread.start()

    def start(self, input_callback: InputCallback) -> None:
        async def callback(audio: bytes) -> None:
            await asyncio.to_thread(input_callback, audio)

        self._await(self.inner.start(callback))

    def stop(self) -> None:
        self._await(self.inner.stop())

    def output(self, audio: bytes) -> None:
        self._await(self.inner.output(audio))

    def interrupt(self) -> None:
        self._await(self.inner.interrupt())

    @property
    def account(self):
        return getattr(self.inner, "inner", self.inner).account

    def close_loop(self) -> None:
        self._await(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(DEADLINE_S)
        self._loop.close()

    def _await(self, call: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(call, self._loop).result(DEADLINE_S)
