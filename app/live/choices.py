"""From what a person picks, in the window or on the command line, to what carries the audio.

A choice is a string: ``default`` or a device's id or label; ``none``; or the path of a file. A
recording's folder, or a zip of one, as the microphone is its user track: a replay. No state; any
thread that may wait for the disk.
"""

from __future__ import annotations

import importlib
import inspect
import sys
import threading
from pathlib import Path

from app.notices import AppError
from app.recordings.replayed import Replayed, find_replayed
from app.tap.tap import CarriesAudio
from audio.default import DeviceSink, DeviceSource
from audio.duplex import DuplexInterface, Sink, Source
from audio.file import FileAudioInterface, FileSink, FileSource

DEFAULT, NONE = "default", "none"

_DEVICE_PREFIXES = ("pulse:", "portaudio:")
_AUDIO_SUFFIXES = frozenset(
    {".aif", ".aiff", ".au", ".caf", ".flac", ".mp3", ".oga", ".ogg", ".opus", ".w64", ".wav"}
)


class ChoiceError(AppError):
    """A choice of audio makes no sense."""


def build_audio(microphone: str | Replayed, speaker: str) -> CarriesAudio:
    """Return the audio interface for these two choices; nothing is opened yet.

    Raises:
        ChoiceError: the speaker's file would not be WAV.
        FileError: the microphone is a recording, and has no user track that can be read.
        MissingDependency: a device is chosen and PyAudio is not installed.

    """
    source, sink = _build_microphone(microphone), build_speaker(speaker)
    if isinstance(source, FileSource) and isinstance(sink, FileSink):
        # which looks at both files before it replaces one
        return FileAudioInterface(source, sink.path)
    return DuplexInterface(source, sink)


def _build_microphone(microphone: str | Replayed) -> Source:
    replayed = replayed_by(microphone) if isinstance(microphone, str) else microphone
    if replayed is not None:
        return replayed.source()
    path = _as_path(str(microphone))
    if path is not None or microphone == NONE:
        return FileSource(path)
    return DeviceSource(_device(str(microphone)))


def build_speaker(speaker: str) -> Sink:
    """Return the sink for this choice of speaker; raises as ``build_audio`` does."""
    path = _speaker_file(speaker)
    if path is not None or speaker == NONE:
        return FileSink(path)
    return DeviceSink(_device(speaker))


def replayed_by(microphone: str) -> Replayed | None:
    """Return the recording whose user track is the microphone; None where it is anything else.

    Raises:
        FileError: it has no user track, or cannot be read.

    """
    path = _as_path(microphone)
    if path is None or not (path.is_dir() or path.suffix.lower() == ".zip"):
        return None
    return find_replayed(path)


def end_of_input(audio: CarriesAudio) -> threading.Event | None:
    """Return what is set when the caller's file has ended; None where no file speaks."""
    source = audio.source if isinstance(audio, DuplexInterface) else None
    if isinstance(source, FileSource) and source.path is not None:
        return source.input_ended
    return None


def check_input(audio: CarriesAudio) -> None:
    """Raise ``FileError`` where the caller's file cannot be read; nothing is begun by then."""
    source = audio.source if isinstance(audio, DuplexInterface) else None
    if isinstance(source, FileSource):
        source.check()


def load_interface(name: str) -> CarriesAudio:
    """Return an instance of somebody's own class, named ``package.module:Class``.

    Raises:
        ChoiceError: it cannot be imported, or made without arguments, or lacks a method.

    """
    # an installed command does not look into the folder that it is called from
    folder = str(Path.cwd())
    if folder not in sys.path and "" not in sys.path:
        sys.path.append(folder)
    module_name, _, class_name = name.partition(":")
    if not module_name or not class_name:
        raise ChoiceError(
            f"“{name}” does not name a class.", "Name it as in “package.module:Class”."
        )
    try:
        made = getattr(importlib.import_module(module_name), class_name)()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        # Somebody's code runs here, and may raise anything, or call sys.exit().
        raise ChoiceError(
            f"The audio interface “{name}” cannot be made: {_described(error)}.",
            "It must be importable from here, and its class take no arguments.",
        ) from error
    methods = ("start", "stop", "output", "interrupt")
    missing = [method for method in methods if not callable(getattr(made, method, None))]
    if missing:
        raise ChoiceError(
            f"The class “{name}” is no audio interface: it has no {' and no '.join(missing)}.",
            "It needs start(input_callback), stop(), output(audio) and interrupt().",
        )
    waiting = [m for m in methods if inspect.iscoroutinefunction(getattr(made, m))]
    if waiting:
        raise ChoiceError(
            f"The class “{name}” is made for an event loop: its {' and '.join(waiting)} are async, "
            "and nobody would await them.",
            "Its methods must be ordinary ones, as those of audio.AudioInterface.",
        )
    interface: CarriesAudio = made
    return interface


def _described(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".rstrip(".")


def _device(choice: str) -> str | None:
    return None if choice in ("", DEFAULT) else choice


def _speaker_file(speaker: str) -> Path | None:
    path = _as_path(speaker)
    if path is not None and path.exists() and not (path.is_file() or path.is_dir()):
        # opening a pipe would wait for a reader, for ever
        raise ChoiceError(f"“{path}” is a pipe or a device, and no file.", "Name a .wav file.")
    if path is not None and path.suffix.lower() != ".wav":
        raise ChoiceError(
            f"What is heard is written as WAV, and “{path.name}” does not end in .wav.",
            "Name a file that ends in .wav, a speaker, or “none”.",
        )
    return path


def _as_path(choice: str) -> Path | None:
    """Return the path that ``choice`` is, None where it names a device, or nothing."""
    if choice in ("", DEFAULT, NONE) or choice.startswith(_DEVICE_PREFIXES):
        return None
    try:
        path = Path(choice).expanduser()
        exists = path.exists()
    except (OSError, RuntimeError, ValueError) as error:  # too long, or nobody's home
        raise ChoiceError(
            f"“{choice[:80]}” cannot be the name of a file: {error.args[-1]}.".replace("..", "."),
            "Check the name, or choose another file.",
        ) from error
    is_path = path.suffix.lower() in _AUDIO_SUFFIXES or len(path.parts) > 1 or exists
    return path if is_path else None
