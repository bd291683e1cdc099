"""What a caller does: speech whose edges are known, coughs, and the noise around. 16 kHz.

Speech comes from espeak-ng. Everything random is seeded: the same arguments give the same samples.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tests.rig.speech import RATE_HZ, Samples, say

Noise = Literal["white", "pink", "babble"]
Wave = NDArray[np.float64]

SPEECH_RMS = 2600.0
"""Of speech while it lasts, pauses left out: -22 dBFS."""
EDGE = 0.02
"""Speech begins and ends where it reaches this share of its peak."""
_BABBLE = (
    ("en-us+m1", 170, "The train to the coast leaves at nine and is nearly always late."),
    ("en-us+f1", 190, "I told her that the garden needs water twice a day in this heat."),
    ("en-gb+m7", 150, "Nobody knows who has left the window open all night again."),
    ("en-us+f4", 210, "We could have met in town if you had called me yesterday."),
    ("en-gb+f2", 160, "There are seven kinds of bread and I like none of them."),
    ("en-us+m5", 180, "My brother has bought a boat although he gets sick on the water."),
)


def speech(text: str, voice: str, speed: int, gain_db: float = 0.0) -> Samples:
    """Say it, from its first to its last sample that counts, at the usual level and ``gain_db``."""
    spoken = say(text, voice, speed).astype(np.float64)
    loud = np.flatnonzero(np.abs(spoken) >= EDGE * np.abs(spoken).max())
    spoken = spoken[loud[0] : loud[-1] + 1]
    return to_samples(spoken * SPEECH_RMS * 10 ** (gain_db / 20) / active_rms(spoken))


def cough(length_ms: float, seed: int, dbfs: float = -9.0) -> Samples:
    """A burst of shaped noise: an instant onset, a dip, a second push, and gone."""
    count = round(length_ms * RATE_HZ / 1000)
    t = np.linspace(0.0, 1.0, count)
    shape = np.exp(-6.0 * t) + 0.45 * np.exp(-((t - 0.6) ** 2) / 0.02)
    shape *= np.minimum(1.0, np.minimum(t, 1.0 - t) * count / 32)
    burst = _band(np.random.default_rng(seed).normal(size=count), 250.0, 4500.0) * shape
    return to_samples(burst / np.abs(burst).max() * 32768 * 10 ** (dbfs / 20))


def background(kind: Noise, count: int, snr_db: float, seed: int) -> Wave:
    """Noise whose RMS is ``snr_db`` below that of speech while it lasts."""
    source = {"white": _white, "pink": _pink, "babble": _babble}[kind](count, seed)
    return source * SPEECH_RMS * 10 ** (-snr_db / 20) / np.sqrt(np.mean(source**2))


def active_rms(wave: Wave) -> float:
    """RMS of the tenths of a second that are not pauses."""
    frame = RATE_HZ // 10
    powers = [np.mean(wave[at : at + frame] ** 2) for at in range(0, len(wave), frame)]
    loud = [power for power in powers if power > 0.05 * max(powers)]
    return float(np.sqrt(np.mean(loud)))


def to_samples(wave: Wave) -> Samples:
    """Round to 16 bits."""
    return np.clip(np.round(wave), -32768, 32767).astype(np.int16)


def _white(count: int, seed: int) -> Wave:
    return np.random.default_rng(seed).normal(size=count)


def _pink(count: int, seed: int) -> Wave:
    spectrum = np.fft.rfft(_white(count, seed))
    hz = np.fft.rfftfreq(count, 1 / RATE_HZ)
    spectrum[1:] /= np.sqrt(hz[1:])
    spectrum[hz < 30.0] = 0.0
    return np.fft.irfft(spectrum, count)


def _babble(count: int, seed: int) -> Wave:
    """Six people at once, each with a pause of half a second between two sayings."""
    random, wave = np.random.default_rng(seed), np.zeros(count)
    for voice, speed, text in _BABBLE:
        said = np.concatenate((speech(text, voice, speed), np.zeros(RATE_HZ // 2)))
        wave += np.resize(np.roll(said, int(random.integers(len(said)))), count)
    return wave


def _band(wave: Wave, low_hz: float, high_hz: float) -> Wave:
    spectrum = np.fft.rfft(wave)
    hz = np.fft.rfftfreq(len(wave), 1 / RATE_HZ)
    spectrum[(hz < low_hz) | (hz > high_hz)] = 0.0
    return np.fft.irfft(spectrum, len(wave))
