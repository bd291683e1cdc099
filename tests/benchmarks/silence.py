"""Time to silence: from the ``interrupt()`` call to the last agent sample at the speaker's monitor.

The monitor is an outside listener, and itself a few milliseconds late: the figures are too large by
that, for both interfaces alike.
"""

from __future__ import annotations

import random
import time
from typing import Any

from elevenlabs.conversational_ai.default_audio_interface import (
    DefaultAudioInterface as SdkDefaultAudioInterface,
)

from audio import DefaultAudioInterface, clock
from audio.pcm import to_bytes
from tests.benchmarks.table import Figure, percentile, spread
from tests.rig.monitor import Monitor
from tests.rig.sound_card import SoundCard
from tests.rig.speech import tone
from tests.rig.waiting import wait_until

CHUNKS_MS = (100, 1000, 3000)
REPLY_MS = 6000
SETTLE_S = 0.25


def measure(card: SoundCard, trials: int) -> list[Figure]:
    """Return p95 of the time to silence at each chunk size, the SDK's interface beside ours."""
    figures = []
    for chunk_ms in CHUNKS_MS:
        with card.monitor() as monitor:
            ours = _trials(DefaultAudioInterface(), monitor, chunk_ms, trials)
            theirs = _trials(SdkDefaultAudioInterface(), monitor, chunk_ms, trials)
        figures.append(
            Figure(
                f"time to silence, {chunk_ms} ms chunks, p95",
                percentile(ours, 95),
                "ms",
                bar=40,
                rival=percentile(theirs, 95),
                rival_name="SDK",
                detail=spread(ours),
            )
        )
    return figures


def _trials(interface: Any, monitor: Monitor, chunk_ms: int, trials: int) -> list[float]:
    chance = random.Random(chunk_ms)
    chunk = to_bytes(tone(chunk_ms / 1000, dbfs=-6.0))
    interface.start(lambda _audio: None)
    try:
        return [_trial(interface, monitor, chunk, chunk_ms, chance) for _ in range(trials)]
    finally:
        interface.stop()


def _trial(
    interface: Any, monitor: Monitor, chunk: bytes, chunk_ms: int, chance: random.Random
) -> float:
    began = monitor.length
    for _ in range(max(REPLY_MS // chunk_ms, 1)):
        interface.output(chunk)
    monitor.wait_for_sound(after=began, deadline_s=10)
    time.sleep(chance.uniform(0.2, 0.5))  # not to wait: to interrupt at a random moment
    interrupted_at = clock.now()
    interface.interrupt()
    wait_until(lambda: clock.now() > interrupted_at + SETTLE_S, what="a moment after it")
    last = monitor.wait_for_silence(SETTLE_S, deadline_s=10)
    return (monitor.time_of(last) - interrupted_at) * 1000
