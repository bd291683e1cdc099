"""What a choice of microphone and speaker becomes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.live.choices import (
    ChoiceError,
    build_audio,
    build_speaker,
    end_of_input,
    load_interface,
    replayed_by,
)
from audio.default import DeviceSink, DeviceSource
from audio.duplex import DuplexInterface
from audio.file import FileAudioInterface, FileSink, FileSource
from tests.app.bundle_rig import make_bundle


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    path = tmp_path / "caller.wav"
    path.write_bytes(b"")
    return path


@pytest.mark.parametrize("mic", ["", "default", "pulse:headset", "portaudio:ALSA: x", "Headset"])
def test_devices(mic):
    interface = build_audio(mic, "default")
    assert isinstance(interface, DuplexInterface)
    assert isinstance(interface.sink, DeviceSink)
    assert isinstance(interface.source, DeviceSource)
    assert interface.source.device == (mic if mic not in ("", "default") else None)


def test_files_and_nothing(wav, tmp_path):
    interface = build_audio(str(wav), str(tmp_path / "heard.wav"))
    assert isinstance(interface, FileAudioInterface)
    interface = build_audio("none", "none")
    assert isinstance(interface, FileAudioInterface)
    assert end_of_input(interface) is None


def test_a_file_as_microphone_and_a_real_speaker(wav):
    interface = build_audio(str(wav), "pulse:box")
    assert isinstance(interface, DuplexInterface)
    assert isinstance(interface.source, FileSource)
    assert isinstance(interface.sink, DeviceSink)
    assert end_of_input(interface) is interface.source.input_ended


def test_a_real_microphone_and_nobody_listening():
    interface = build_audio("default", "none")
    assert isinstance(interface, DuplexInterface)
    assert isinstance(interface.source, DeviceSource)
    assert isinstance(interface.sink, FileSink)
    assert end_of_input(interface) is None


def test_a_recording_as_microphone_is_its_user_track(tmp_path):
    folder = make_bundle(tmp_path / "2026-11-22_10-15-03_demo")
    interface = build_audio(str(folder), "pulse:box")
    assert isinstance(interface, DuplexInterface)
    assert isinstance(interface.source, FileSource)
    assert interface.source.label == folder.name
    assert end_of_input(interface) is interface.source.input_ended
    replayed = replayed_by(str(folder))
    assert replayed is not None
    assert replayed.path == folder


def test_what_is_no_recording_replays_nothing(wav):
    for microphone in ("default", "none", "pulse:headset", str(wav), "gone.flac"):
        assert replayed_by(microphone) is None


@pytest.mark.parametrize("mic", ["gone.flac", "~/gone"])
def test_a_missing_file_is_a_file_all_the_same(mic):
    source = build_audio(mic, "none").source
    assert isinstance(source, FileSource)
    assert source.path == Path(mic).expanduser()


def test_the_speakers_file_is_wav():
    assert isinstance(build_speaker("heard.WAV"), FileSink)
    with pytest.raises(ChoiceError, match=r"does not end in \.wav"):
        build_speaker("heard.flac")


def test_a_class_that_raises_is_named():
    with pytest.raises(ChoiceError, match=r"“tests\.app\.live\.test_choices:Angry” cannot be made"):
        load_interface(f"{__name__}:Angry")


@pytest.mark.parametrize("name", ["Leaving", "gone"])
def test_a_class_or_module_that_exits_does_not_end_the_program(name, tmp_path, monkeypatch):
    (tmp_path / "leaving_module.py").write_text("raise SystemExit(7)")
    monkeypatch.syspath_prepend(str(tmp_path))
    choice = f"{__name__}:Leaving" if name == "Leaving" else "leaving_module:Thing"
    with pytest.raises(ChoiceError, match=r"cannot be made: SystemExit: 7\."):
        load_interface(choice)


def test_a_class_with_async_methods_is_refused():
    with pytest.raises(ChoiceError, match="its start and output are async, and nobody would"):
        load_interface(f"{__name__}:Awaited")


class Leaving:
    def __init__(self):
        raise SystemExit(7)


class Awaited:
    async def start(self, input_callback):
        pass

    def stop(self):
        pass

    async def output(self, audio):
        pass

    def interrupt(self):
        pass


class Angry:
    def __init__(self):
        raise OSError("no sound today")


@pytest.mark.parametrize("name", ["~nobody-of-that-name/x.wav", "x" * 5000, "x/" * 3000])
def test_what_no_file_can_be_called_is_refused_with_a_sentence(name):
    for mic, speaker in ((name, "none"), ("none", name)):
        with pytest.raises(ChoiceError, match="cannot be the name of a file"):
            build_audio(mic, speaker)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such pipes")
def test_a_pipe_is_no_speaker_for_opening_it_would_wait_for_ever(tmp_path):
    os.mkfifo(tmp_path / "heard.wav")
    with pytest.raises(ChoiceError, match="is a pipe"):
        build_audio("none", str(tmp_path / "heard.wav"))
