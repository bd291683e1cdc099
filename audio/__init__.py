"""The audio-interface contract and everything that implements it.

Usable alone: without Qt, without the ElevenLabs SDK and without the app. Nothing here touches a
device, and PyAudio is not imported, until an interface over devices is made.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audio.async_adapter import AsyncAdapter, AsyncDefaultAudioInterface
    from audio.default import DefaultAudioInterface
    from audio.file import FileAudioInterface
    from audio.interface import AsyncAudioInterface, AudioInterface

__all__ = [
    "AsyncAdapter",
    "AsyncAudioInterface",
    "AsyncDefaultAudioInterface",
    "AudioInterface",
    "DefaultAudioInterface",
    "FileAudioInterface",
]

_HOMES = {
    "AsyncAdapter": "audio.async_adapter",
    "AsyncAudioInterface": "audio.interface",
    "AsyncDefaultAudioInterface": "audio.async_adapter",
    "AudioInterface": "audio.interface",
    "DefaultAudioInterface": "audio.default",
    "FileAudioInterface": "audio.file",
}
"""Where each of them is: loaded when it is first asked for, so that who needs one small module of
this package does not load numpy, asyncio and a sound-file library with it."""


def __getattr__(name: str) -> object:
    """Load what is asked for by name."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """Name what can be asked for beside what is loaded already."""
    return sorted({*globals(), *__all__})
