"""What the calls of the contract cost whoever makes them, and how promptly mic chunks arrive."""

from __future__ import annotations

import time

import numpy as np

from audio import DefaultAudioInterface, clock
from audio.pcm import SAMPLE_RATE, to_bytes, to_samples
from tests.benchmarks.table import Figure, percentile, spread
from tests.rig.sound_card import MICROPHONE, SoundCard
from tests.rig.speech import click, silence, tone
from tests.rig.waiting import wait_until


def measure_calls(calls: int) -> list[Figure]:
    """Return p99 of ``output()`` of a 1 s chunk during playout, and of ``interrupt()``, in µs."""
    chunk = to_bytes(tone(1.0))
    outputs, interrupts = [], []
    interface = DefaultAudioInterface()
    interface.start(lambda _audio: None)
    try:
        for call in range(calls):
            outputs.append(_timed(lambda: interface.output(chunk)))
            if call % 10 == 9:
                interrupts.append(_timed(interface.interrupt))
            time.sleep(0.003)  # the pace of a busy receive thread, with playout in between
    finally:
        interface.stop()
    return [
        Figure("output() of 1 s, p99", percentile(outputs, 99), "µs", 100, detail=spread(outputs)),
        Figure(
            "interrupt(), p99", percentile(interrupts, 99), "µs", 200, detail=spread(interrupts)
        ),
    ]


def _timed(call) -> float:
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1e6


def measure_uplink(card: SoundCard, clicks: int) -> list[Figure]:
    """Return p95 from the last sample of a mic chunk at the microphone to ``input_callback``.

    Clicks tie the chunks' samples to the microphone's own time, as an outside listener has it.
    """
    chunks: list[tuple[float, bytes]] = []
    interface = DefaultAudioInterface()
    interface.start(lambda audio: chunks.append((clock.now(), audio)))
    train = np.concatenate([np.concatenate((silence(0.73), click())) for _ in range(clicks)])
    try:
        with card.monitor(MICROPHONE) as monitor:
            card.speak(train).wait(clicks * 2 + 10)
            wait_until(lambda: len(chunks) * 0.25 > clicks * 0.74 + 1, 20, "the last chunks")
            late = _lateness(chunks, monitor)
    finally:
        interface.stop()
    return [
        Figure(
            "mic chunk complete to input_callback, p95",
            percentile(late, 95),
            "ms",
            15,
            detail=spread(late),
        )
    ]


def _lateness(chunks, monitor) -> list[float]:
    heard = _onsets(monitor.samples)
    delivered = _onsets(np.concatenate([to_samples(audio) for _, audio in chunks]))
    frames = len(to_samples(chunks[0][1]))
    late = []
    for at_monitor, in_chunks in zip(heard, delivered, strict=False):
        index = in_chunks // frames
        to_end_s = ((index + 1) * frames - in_chunks) / SAMPLE_RATE
        complete_at = monitor.time_of(at_monitor) + to_end_s
        late.append((chunks[index][0] - complete_at) * 1000)
    return late


def _onsets(samples: np.ndarray) -> list[int]:
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > 3000)
    if not len(loud):
        return []
    return [int(loud[0]), *(int(n) for n in loud[1:][np.diff(loud) > SAMPLE_RATE // 10])]
