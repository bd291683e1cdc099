"""Recorders that are stopped in the end, and a disk that is small."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager

import numpy as np
import pytest

from audio.pcm import SAMPLE_RATE
from tests.app.recorder_rig import Rig

TRACKS = ("user", "agent", "received")


@contextmanager
def recorders():
    made: list[Rig] = []

    def make_rig(parent):
        made.append(Rig(parent))
        return made[-1]

    yield make_rig
    for rig in made:
        rig.recorder._worker.stop(5)


@contextmanager
def disk_of_1_mb(tmp_path):
    """A real file system of 1 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except OSError as error:
        pytest.skip(f"Nothing can be mounted: {error}.")
    if done.returncode:
        pytest.skip(f"Only root mounts a small disk: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def assert_all_there(rig, seconds, level=1000):
    for name in TRACKS:
        samples = rig.read(f"{name}.wav")
        assert len(samples) == round(seconds * SAMPLE_RATE), name
        assert (np.abs(samples) == level).all(), name
