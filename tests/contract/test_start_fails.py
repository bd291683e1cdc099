"""A start that fails half-way: says which part failed and why, and leaves nothing open."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from audio import DefaultAudioInterface
from audio.default import DeviceSink
from audio.duplex import DuplexInterface
from audio.errors import DeviceError, FileMissing
from audio.file import FileSource
from tests.rig.waiting import wait_until


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counted, not read


def ignore(_chunk: bytes) -> None:
    pass


@pytest.mark.parametrize(
    ("make", "role", "device"),
    [
        (lambda: DefaultAudioInterface(output_device="pulse:gone"), "speaker", "gone"),
        (lambda: DefaultAudioInterface(input_device="pulse:gone"), "microphone", "gone"),
        (lambda: DefaultAudioInterface(input_device="No such thing"), "microphone", "No such"),
    ],
)
def test_says_which_device_failed_and_leaves_nothing_open(sound_card, make, role, device):
    interface = make()
    with pytest.raises(DeviceError, match=f"{role} “{device}"):
        interface.start(ignore)
    before, threads = open_files(), threading.active_count()
    for _ in range(3):
        with pytest.raises(DeviceError):
            interface.start(ignore)
    assert open_files() <= before
    assert threading.active_count() <= threads


def test_the_speaker_is_closed_again_when_the_microphone_fails(sound_card, tmp_path: Path):
    interface = DuplexInterface(FileSource(tmp_path / "gone.wav"), DeviceSink())
    with pytest.raises(FileMissing, match=r"gone\.wav"):
        interface.start(ignore)
    wait_until(lambda: not sound_card.pactl("list", "short", "sink-inputs"), what="no stream left")


def test_without_a_sound_server_it_says_so_in_a_sentence(sound_card):
    sound_card.stop()
    try:
        with pytest.raises(DeviceError) as raised:
            DefaultAudioInterface().start(ignore)
    finally:
        sound_card.start()
    assert str(raised.value).endswith(".")
    assert "speaker" in str(raised.value)
