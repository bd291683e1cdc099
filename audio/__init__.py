"""The audio-interface contract and everything that implements it.

Usable alone: without Qt, without the ElevenLabs SDK and without the app. Nothing here touches a
device, and PyAudio is not imported, until an interface over devices is made.
"""

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
