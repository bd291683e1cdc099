"""espeak-ng as a library: text to samples, with the true time of every word.

Used by ``tools/make_demo_speech.py``, and for script lines that come without an audio file. The
library has one global state, so a lock lets one thread in at a time. It may be absent.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import dataclasses
import functools
import threading
from dataclasses import dataclass
from typing import Any

from app.agents.demo.errors import DemoError

# Values from espeak-ng's speak_lib.h.
_OUTPUT_SYNCHRONOUS = 2
_INIT_PHONEME_EVENTS = 1
_INIT_DONT_EXIT = 0x8000
_PARAMETER_RATE = 1
_POSITION_CHARACTER = 1
_CHARS_UTF8 = 1
_EVENT_LIST_TERMINATED = 0
_EVENT_WORD = 1
_EVENT_PHONEME = 7

_MAX_SPOKEN_S = 300
_NAMES = ("libespeak-ng.so.1", "libespeak-ng.dylib", "libespeak-ng.dll")


class EspeakError(DemoError):
    """The espeak-ng library is not installed, or cannot be used."""


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """One word as espeak-ng marks it: its first character, and its samples, end exclusive."""

    first_char: int
    start_sample: int
    end_sample: int


@dataclass(frozen=True, slots=True)
class Spoken:
    """A spoken text: 16-bit mono little-endian samples at ``rate`` per second, and its words."""

    pcm: bytes
    rate: int
    words: tuple[SpokenWord, ...]


@dataclass(frozen=True, slots=True)
class _Mark:
    kind: str  # "word", "phoneme" or "pause"
    position: int
    sample: int


class _EventId(ctypes.Union):
    _fields_ = (
        ("number", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("string", ctypes.c_char * 8),
    )


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    )


class _Voice(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_char_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("internal", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)
_lock = threading.Lock()  # guards the library's global state: voice, rate, callback


def speak(text: str, voice: str, rate_wpm: int) -> Spoken:
    """Speak a text with a voice of espeak-ng, such as ``en-us+f3``.

    Raises:
        EspeakError: there is no espeak-ng here, it does not know the voice, or it failed.
    """
    with _lock:
        library, rate = _library()
        if not _chosen(library, voice.encode()):
            raise EspeakError(f"espeak-ng does not know the voice {voice!r}")
        library.espeak_SetParameter(_PARAMETER_RATE, rate_wpm, 0)
        return _run(library, text, rate)


@functools.cache
def _library() -> tuple[Any, int]:
    """Load and start the library once; its sample rate comes with it."""
    for name in (*_NAMES, ctypes.util.find_library("espeak-ng")):
        try:
            library = ctypes.CDLL(name) if name else None
        except OSError:
            continue
        if library is not None:
            break
    else:
        raise EspeakError("espeak-ng is not installed")
    flags = _INIT_PHONEME_EVENTS | _INIT_DONT_EXIT
    rate = library.espeak_Initialize(_OUTPUT_SYNCHRONOUS, 0, None, flags)
    if rate <= 0:
        raise EspeakError("espeak-ng does not find its own data")
    return library, rate


def _chosen(library: Any, voice: bytes) -> bool:
    """Choose a voice by its name, or as a language; whether there is such a one."""
    if library.espeak_SetVoiceByName(voice) == 0:
        return True
    wanted = _Voice(languages=voice)
    return bool(library.espeak_SetVoiceByProperties(ctypes.byref(wanted)) == 0)


def _run(library: Any, text: str, rate: int) -> Spoken:
    blocks: list[bytes] = []
    marks: list[_Mark] = []
    samples = 0

    @_Callback  # type: ignore[untyped-decorator, unused-ignore]
    def receive(block: Any, count: int, events: Any) -> int:
        nonlocal samples
        if block and count > 0:
            blocks.append(ctypes.string_at(block, count * 2))
            samples += count
        marks.extend(_marks_of(events))
        return 1 if samples > _MAX_SPOKEN_S * rate else 0

    library.espeak_SetSynthCallback(receive)
    content = text.encode("utf-8")
    failed = library.espeak_Synth(
        content, len(content) + 1, 0, _POSITION_CHARACTER, 0, _CHARS_UTF8, None, None
    )
    if failed or not samples:
        raise EspeakError("espeak-ng could not speak the text")
    return Spoken(b"".join(blocks), rate, _words(marks, samples))


def _marks_of(events: Any) -> list[_Mark]:
    """Copy the words, phonemes and pauses out of one callback's list of events."""
    marks = []
    index = 0
    while events and events[index].type != _EVENT_LIST_TERMINATED:
        event = events[index]
        if event.type in (_EVENT_WORD, _EVENT_PHONEME):
            is_pause = event.type == _EVENT_PHONEME and bytes(event.id.string).startswith(b"_")
            kind = "pause" if is_pause else "word" if event.type == _EVENT_WORD else "phoneme"
            marks.append(_Mark(kind, event.text_position - 1, event.sample))
        index += 1
    return marks


def _words(marks: list[_Mark], samples: int) -> tuple[SpokenWord, ...]:
    """Let each word last until its last phoneme ends, where a pause or the next word begins."""
    words: list[SpokenWord] = []
    ends = [mark.sample for mark in marks[1:]] + [samples]
    for mark, end in zip(marks, ends, strict=True):
        if mark.kind == "word":
            words.append(SpokenWord(mark.position, mark.sample, end))
        elif mark.kind == "phoneme" and words:
            words[-1] = dataclasses.replace(words[-1], end_sample=end)
    return tuple(words)
