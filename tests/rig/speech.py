"""Test sounds: 16-bit mono samples at 16 kHz, as numpy arrays.

Speech comes from espeak-ng; what was said once is kept for the life of the process.
"""

from __future__ import annotations

import functools
import io
import subprocess
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

RATE_HZ = 16_000

Samples = NDArray[np.int16]


@functools.cache
def say(text: str, voice: str = "en", speed: int = 160) -> Samples:
    """Speak `text` with espeak-ng at `speed` words a minute. The array is shared: read-only.

    Raises:
        FileNotFoundError: espeak-ng is not installed.
    """
    command = ["espeak-ng", "-v", voice, "-s", str(speed), "--stdin", "--stdout"]
    wav = subprocess.run(command, input=text.encode(), capture_output=True, check=True).stdout
    samples, rate_hz = soundfile.read(io.BytesIO(wav), dtype="int16")
    speech: Samples = soxr.resample(samples, rate_hz, RATE_HZ)
    speech.flags.writeable = False
    return speech


def silence(seconds: float) -> Samples:
    """Digital silence."""
    return np.zeros(round(seconds * RATE_HZ), dtype=np.int16)


def tone(seconds: float, hz: float = 440.0, dbfs: float = -12.0) -> Samples:
    """A sine whose peak is at `dbfs`, starting at a zero crossing."""
    peak = 32767 * 10 ** (dbfs / 20)
    t_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return np.round(peak * np.sin(2 * np.pi * hz * t_s)).astype(np.int16)


def click(dbfs: float = -6.0, length_ms: float = 2.0) -> Samples:
    """A burst with an instant onset, to mark a moment in a recording."""
    length = round(length_ms * RATE_HZ / 1000)
    burst = np.full(length, 32767 * 10 ** (dbfs / 20))
    burst[1::2] *= -1
    return burst.astype(np.int16)


def write_wav(path: Path, samples: Samples, rate_hz: int = RATE_HZ) -> Path:
    """Write `samples` as a 16-bit mono WAV, and return its path."""
    soundfile.write(path, samples, rate_hz, subtype="PCM_16", format="WAV")
    return path


def loudness_dbfs(samples: Samples) -> float:
    """RMS level against full scale; -inf for silence or nothing."""
    if not samples.size:
        return float("-inf")
    rms = float(np.sqrt(np.mean(np.square(samples.astype(np.float64)))))
    return 20 * float(np.log10(rms / 32768)) if rms else float("-inf")
