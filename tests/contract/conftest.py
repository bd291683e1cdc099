"""The implementations that the suite runs over, and the ear that listens to each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audio import (
    AsyncAdapter,
    AsyncDefaultAudioInterface,
    AudioInterface,
    DefaultAudioInterface,
    FileAudioInterface,
)
from audio.default import DeviceSink
from audio.duplex import DuplexInterface
from audio.file import FileSource
from tests.contract.sync_face import SyncFace
from tests.rig.sound_card import SoundCard
from tests.rig.speech import say, write_wav

Listener = Callable[[], np.ndarray]


@dataclass
class Subject:
    """One implementation under test, fresh; ``listen`` tells what a listener has heard so far."""

    interface: AudioInterface
    listening: Callable[[], Iterator[Listener]]
    closers: list[Callable[[], None]] = field(default_factory=list)

    @contextmanager
    def listen(self) -> Iterator[Listener]:
        yield from self.listening()


def _by_monitor(card: SoundCard) -> Callable[[], Iterator[Listener]]:
    def listening() -> Iterator[Listener]:
        with card.monitor() as monitor:
            yield lambda: monitor.samples

    return listening


def _by_file(path: Path) -> Callable[[], Iterator[Listener]]:
    def listening() -> Iterator[Listener]:
        yield lambda: soundfile.read(path, dtype="int16")[0]

    return listening


def _devices(card: SoundCard, _caller: Path, _heard: Path) -> Subject:
    return Subject(DefaultAudioInterface(), _by_monitor(card))


def _files(_card: SoundCard, caller: Path, heard: Path) -> Subject:
    return Subject(FileAudioInterface(caller, heard), _by_file(heard))


def _file_and_speaker(card: SoundCard, caller: Path, _heard: Path) -> Subject:
    return Subject(DuplexInterface(FileSource(caller), DeviceSink()), _by_monitor(card))


def _async_devices(card: SoundCard, _caller: Path, _heard: Path) -> Subject:
    face = SyncFace(AsyncDefaultAudioInterface())
    return Subject(face, _by_monitor(card), [face.close_loop])


def _async_files(_card: SoundCard, caller: Path, heard: Path) -> Subject:
    face = SyncFace(AsyncAdapter(FileAudioInterface(caller, heard)))
    return Subject(face, _by_file(heard), [face.close_loop])


IMPLEMENTATIONS = {
    "devices": _devices,
    "files": _files,
    "file-and-speaker": _file_and_speaker,
    "async-devices": _async_devices,
    "async-files": _async_files,
}


@pytest.fixture
def caller(tmp_path: Path) -> Path:
    return write_wav(tmp_path / "caller.wav", say("Hello there, can you hear me?"))


@pytest.fixture(params=IMPLEMENTATIONS)
def subject(request, sound_card: SoundCard, caller: Path, tmp_path: Path) -> Iterator[Subject]:
    made = IMPLEMENTATIONS[request.param](sound_card, caller, tmp_path / "heard.wav")
    yield made
    made.interface.stop()
    for close in made.closers:
        close()


@pytest.fixture
def interface(subject: Subject) -> AudioInterface:
    return subject.interface
