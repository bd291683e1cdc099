"""Files of a caller and of a listener, and waiting for what is read and written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from tests.rig.waiting import wait_until

RAMP = np.arange(1, 3201, dtype=np.int16)
"""200 ms in which each sample says where it is from."""


def until(condition: Callable[[], object]) -> None:
    wait_until(condition, 10.0, "what the file's threads should have done")


def nothing(*_args: object) -> None:
    """Take no notice."""


def wav(path: Path, frames: np.ndarray, rate: int = 16_000, **options: str) -> Path:
    soundfile.write(path, frames, rate, **options)
    return path


def read(path: Path) -> np.ndarray:
    samples, rate = soundfile.read(path, dtype="int16")
    assert rate == 16_000
    return samples
