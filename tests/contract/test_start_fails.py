"""A start that fails half-way: says which part failed and why, and leaves nothing open."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from audio import DefaultAudioInterface
from audio.default import DeviceSource
from audio.duplex import DuplexInterface
from audio.errors import DeviceError, FileUnwritable
from audio.file import FileSink
from tests.rig.speech import tone, write_wav
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


def test_the_microphone_is_closed_again_when_the_speaker_fails(sound_card, tmp_path: Path):
    streams = ("list", "short", "source-outputs")
    before = sound_card.pactl(*streams).count("\n")
    interface = DuplexInterface(DeviceSource(), FileSink(tmp_path / "no" / "such" / "folder.wav"))
    with pytest.raises(FileUnwritable, match=r"folder\.wav"):
        interface.start(ignore)
    wait_until(lambda: sound_card.pactl(*streams).count("\n") <= before, what="no stream left")


def test_a_microphone_that_fails_leaves_the_listeners_last_file_alone(sound_card, tmp_path: Path):
    heard = write_wav(tmp_path / "heard.wav", tone(0.5))
    before = heard.read_bytes()
    with pytest.raises(DeviceError):
        DuplexInterface(DeviceSource("pulse:gone"), FileSink(heard)).start(ignore)
    assert heard.read_bytes() == before


def test_without_a_sound_server_it_says_so_in_a_sentence(sound_card):
    sound_card.stop()
    try:
        with pytest.raises(DeviceError) as raised:
            DefaultAudioInterface().start(ignore)
    finally:
        sound_card.start()
    assert str(raised.value).endswith(".")
    assert "microphone" in str(raised.value)
