"""What we report against what an outside listener at the speaker's monitor heard."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import soundfile

from app.agents.demo_agent import DemoAgent
from app.live.choices import build_audio
from app.live.session import Session, State
from audio import DefaultAudioInterface, clock
from audio.account import Silenced
from audio.pcm import SAMPLE_RATE, to_bytes
from tests.benchmarks.table import Figure, percentile, spread
from tests.rig.monitor import Monitor
from tests.rig.sound_card import SoundCard
from tests.rig.speech import say, silence, tone, write_wav
from tests.rig.waiting import wait_until

WINDOW_S = 2.0
SEARCH_S = 0.1


def measure_report(card: SoundCard, trials: int) -> list[Figure]:
    """Return p95 of the difference between our moment of silence and the monitor's, in ms."""
    interface = DefaultAudioInterface()
    interface.start(lambda _audio: None)
    try:
        with card.monitor() as monitor:
            errors = [_report_error(interface, monitor) for _ in range(trials)]
    finally:
        interface.stop()
    return [
        Figure(
            "our moment of silence against the monitor's, p95",
            percentile(np.abs(errors), 95),
            "ms",
            15,
            detail=spread(errors),
        )
    ]


def _report_error(interface: DefaultAudioInterface, monitor: Monitor) -> float:
    began = monitor.length
    interface.output(to_bytes(tone(3.0, dbfs=-6.0)))
    monitor.wait_for_sound(after=began)
    cursor = interface.account.journal.appended
    interface.interrupt()
    wait_until(lambda: _silenced(interface, cursor), what="the account to say when it was silent")
    heard = monitor.time_of(monitor.wait_for_silence())
    return (_silenced(interface, cursor)[0].silent_at - heard) * 1000


def _silenced(interface: DefaultAudioInterface, cursor: int) -> list[Silenced]:
    records = interface.account.journal.read(cursor)[0]
    return [record for record in records if isinstance(record, Silenced)]


def measure_recording(card: SoundCard, seconds: float) -> list[Figure]:
    """Return how far ``agent.wav`` stands from what the monitor recorded, worst window, in ms."""
    with tempfile.TemporaryDirectory() as folder:
        caller = write_wav(Path(folder) / "caller.wav", _caller(seconds))
        session = Session(
            DemoAgent(), build_audio(str(caller), "default"), record_to=Path(folder) / "recordings"
        )
        with card.monitor() as monitor:
            session.start()
            zero = clock.now() - session.now()
            wait_until(lambda: session.state is State.RUNNING, 20, "the session to run")
            wait_until(lambda: session.now() > seconds, seconds + 20, "the conversation")
            session.close()
        agent = soundfile.read(session.bundle / "agent.wav", dtype="int16")[0]
        offsets = _offsets(agent, monitor, zero)
    return [
        Figure(
            "agent.wav against the monitor, worst of 2 s windows",
            percentile(np.abs(offsets), 100),
            "ms",
            10,
            detail=spread(offsets),
        )
    ]


def _caller(seconds: float) -> np.ndarray:
    """Somebody who cuts in every six seconds."""
    cut_in = say("Wait a moment, I would like to say something.")
    pause = silence(6.0 - len(cut_in) / SAMPLE_RATE)
    return np.concatenate([pause, cut_in] * int(seconds // 6 + 1))


def _offsets(agent: np.ndarray, monitor: Monitor, zero: float) -> list[float]:
    """Return for each window with speech in it how much later it stands in ``agent``, in ms."""
    heard, window, search = (
        monitor.samples,
        int(WINDOW_S * SAMPLE_RATE),
        int(SEARCH_S * SAMPLE_RATE),
    )
    offsets = []
    for start in range(0, len(agent) - window, window):
        speech = agent[start : start + window].astype(float)
        at = monitor.position_at(zero + start / SAMPLE_RATE)
        around = heard[max(at - search, 0) : at + window + search].astype(float)
        if np.abs(speech).max() < 1000 or len(around) < window + 2 * search:
            continue
        alike = np.correlate(around, speech, "valid")
        # by itself it would favour what is loud, where an interrupt left the window but a syllable
        power = np.concatenate(([0.0], np.cumsum(around**2)))
        alike /= np.sqrt(power[window:] - power[:-window] + 1.0)
        lag = int(np.argmax(alike)) - search
        offsets.append(-lag * 1000 / SAMPLE_RATE)
    return offsets
