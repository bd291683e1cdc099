"""How much PortAudio buffers on Linux: the room a callback has before the speaker runs dry.

PyAudio opens every stream with the device's default latency, which for ALSA is 8.7 ms, and has no
way to ask for another. PortAudio's buffer on ALSA is that latency and one block: so the latency is
how long a callback may be kept waiting (for the interpreter lock, mostly), and the block adds to
the time to silence alone. A longer latency with a smaller block is the same buffer with more room.

PortAudio's public table of devices is where PyAudio takes the latency from. The entry is changed
for the moment in which a stream opens; whoever calls holds the lock of ``audio.portaudio``.
"""

from __future__ import annotations

import ctypes
import math
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, ClassVar


class _DeviceInfo(ctypes.Structure):
    """``PaDeviceInfo`` of portaudio.h, which has been the same since version 19."""

    _fields_: ClassVar[Any] = [
        ("structVersion", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("hostApi", ctypes.c_int),
        ("maxInputChannels", ctypes.c_int),
        ("maxOutputChannels", ctypes.c_int),
        ("defaultLowInputLatency", ctypes.c_double),
        ("defaultLowOutputLatency", ctypes.c_double),
        ("defaultHighInputLatency", ctypes.c_double),
        ("defaultHighOutputLatency", ctypes.c_double),
        ("defaultSampleRate", ctypes.c_double),
    ]


_KNOWN = (
    "structVersion",
    "hostApi",
    "maxInputChannels",
    "maxOutputChannels",
    "defaultLowInputLatency",
    "defaultLowOutputLatency",
    "defaultSampleRate",
)


@cache
def _portaudio_library() -> Any:
    """Return the library that PyAudio has loaded already; None where it is not to be had."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        library = ctypes.CDLL("libportaudio.so.2")
        library.Pa_GetDeviceInfo.restype = ctypes.POINTER(_DeviceInfo)
    except (OSError, AttributeError):
        return None
    return library


@contextmanager
def output_latency(info: Mapping[str, Any], latency_s: float) -> Iterator[bool]:
    """Have the output device ``info``, as PyAudio describes it, opened with ``latency_s``.

    Gives whether that is so: elsewhere than on ALSA, and where the table is not what PyAudio has
    just told of it, nothing is changed.
    """
    entry = _entry(info)
    if entry is None:
        yield False
        return
    before = entry.defaultLowOutputLatency
    entry.defaultLowOutputLatency = latency_s
    try:
        yield True
    finally:
        entry.defaultLowOutputLatency = before


def _entry(info: Mapping[str, Any]) -> _DeviceInfo | None:
    library = _portaudio_library()
    if library is None:
        return None
    found = library.Pa_GetDeviceInfo(int(info["index"]))
    if not found:
        return None
    entry: _DeviceInfo = found.contents
    told = all(math.isclose(float(getattr(entry, name)), float(info[name])) for name in _KNOWN)
    return entry if told else None
