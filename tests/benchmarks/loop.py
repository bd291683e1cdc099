"""How long ``AsyncDefaultAudioInterface`` holds the event loop, and whether mic chunks arrive."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from elevenlabs.conversational_ai.default_audio_interface import (
    AsyncDefaultAudioInterface as SdkAsyncDefaultAudioInterface,
)

from audio import AsyncDefaultAudioInterface
from audio.pcm import to_bytes
from tests.benchmarks.table import Figure
from tests.rig.speech import tone

SECONDS = 10


def measure() -> list[Figure]:
    """Return the longest that one step on the loop took, in ms, and the mic chunks missing."""
    ours, chunks = asyncio.run(_held(AsyncDefaultAudioInterface()))
    theirs, their_chunks = asyncio.run(_held(SdkAsyncDefaultAudioInterface()))
    due = int(SECONDS / 0.25) - 1
    return [
        Figure("event loop held, worst", ours, "ms", 5, theirs, "SDK"),
        Figure(
            "mic chunks missing",
            float(max(due - chunks, 0)),
            f"of {due}",
            0,
            float(max(due - their_chunks, 0)),
            "SDK",
        ),
    ]


async def _held(interface: Any) -> tuple[float, int]:
    """Drive ``interface`` for a while; return the worst step in ms and the chunks delivered."""
    worst = 0.0
    run = asyncio.events.Handle._run

    def timed(handle: asyncio.events.Handle) -> None:
        nonlocal worst
        began = time.perf_counter()
        run(handle)
        worst = max(worst, time.perf_counter() - began)

    chunks = 0

    async def callback(_audio: bytes) -> None:
        nonlocal chunks
        chunks += 1

    await interface.start(callback)
    asyncio.events.Handle._run = timed
    try:
        await _converse(interface)
    finally:
        asyncio.events.Handle._run = run
    await interface.stop()
    return worst * 1000, chunks


async def _converse(interface: Any) -> None:
    chunk = to_bytes(tone(1.0))
    for second in range(SECONDS):
        await interface.output(chunk)
        await asyncio.sleep(0.5)
        if second % 3 == 2:
            await interface.interrupt()
        await asyncio.sleep(0.5)
