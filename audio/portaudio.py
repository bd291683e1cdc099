"""The only importer of PyAudio: streams with times on the project's clock, and the list of devices.

PortAudio's thread for each stream enters the callbacks, under the interpreter lock; they never
wait and never raise. Opening, closing and listing are serialised by one lock, for PortAudio is not
thread-safe there. ``time_info`` is in PortAudio's clock: a stream's ``ClockTie`` maps it to ours.
"""

from __future__ import annotations

import ctypes
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

from audio.alsa_latency import output_latency
from audio.clock import now
from audio.duplex import Feed, OnXrun, Pull
from audio.errors import DeviceError, MissingDependency, Role, SoundSystemSilent
from audio.pcm import SAMPLE_RATE

log = logging.getLogger(__name__)

# Guards PortAudio's global state: its count of users, its device list, and the environment
# variables that PulseAudio's bridge reads at the moment a stream opens.
_portaudio = threading.Lock()
_LOCK_S = 5.0
_PRIORITY = 5
"""As PulseAudio's own threads have it."""
_NICE = -11
ALSA_LATENCY_S = 0.014
"""How long a callback of the speaker may be kept waiting on Linux before it runs dry."""


def load() -> ModuleType:
    """Import PyAudio.

    Raises:
        MissingDependency: PyAudio is not installed; the sentence says how to install it.

    """
    try:
        import pyaudio  # only whoever uses a device needs it installed
    except ImportError as error:
        raise MissingDependency(
            "Microphones and speakers need PyAudio, which is not installed: run "
            "“pip install pyaudio” (on Debian and Ubuntu after “sudo apt install portaudio19-dev”, "
            "on macOS after “brew install portaudio”)."
        ) from error
    module: ModuleType = pyaudio
    _hush_libraries()
    return module


@cache
def _hush_libraries() -> None:
    """Keep ALSA and JACK from printing to the terminal what is counted, or told as an error, here.

    They are told so, and stderr is left alone, for it is the whole process's and opening may hang.
    Their handlers are C functions that may be called on the audio thread: one of libc's that
    ignores what it is given serves, where one in Python would wait for the interpreter there.
    """
    if not sys.platform.startswith("linux"):
        return
    ignore = ctypes.cast(ctypes.CDLL(None).getpid, ctypes.c_void_p)
    handlers = (
        ("libasound.so.2", "snd_lib_error_set_handler"),
        ("libjack.so.0", "jack_set_error_function"),
        ("libjack.so.0", "jack_set_info_function"),
    )
    for library, setter in handlers:
        with suppress(OSError, AttributeError):  # PortAudio was built without it: nothing to hush
            getattr(ctypes.CDLL(library, os.RTLD_NOLOAD), setter)(ignore)


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _portaudio_lock(or_else: DeviceError) -> Iterator[None]:
    if not _portaudio.acquire(timeout=_LOCK_S):
        raise or_else
    try:
        yield
    finally:
        _portaudio.release()


def _hurry() -> None:
    """Let the calling thread run before others, where the system allows it; once for each stream.

    On a loaded machine an ordinary thread may be kept waiting for longer than the device's buffer
    lasts. On Linux PortAudio leaves its thread at ordinary priority; elsewhere it sees to it.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(_PRIORITY))
    except OSError:
        with suppress(OSError):  # an ordinary user may do neither; then it stays as it is
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


class ClockTie:
    """Maps PortAudio's stream time to the monotonic clock.

    The two run at one speed; what differs is an offset. A callback sees it too large by however
    long it waited for the interpreter lock, so the smallest of the last ``WINDOW`` is the true one.
    A machine that was suspended moves it at once, for PortAudio's clock may have stood still: more
    than ``ASLEEP_S`` is taken for that.

    Some host APIs report no times, or none that make sense (WMME has no capture times: PortAudio
    #135; WDM-KS has none at all: #531). There the stream's stated latency stands in for them.
    """

    WINDOW = 1000
    ASLEEP_S = 3.0
    FAR_S = 2.0
    """No device plays or captured a block this far from now."""

    def __init__(self) -> None:
        """Start with no observation."""
        self.latency_s = 0.0
        """From now to the first sample of a block, by the stream's own word; negative for input."""
        self.trusted = True
        self._offset = float("inf")
        self._next = float("inf")
        self._seen = 0

    def to_monotonic(self, stream_time: float, current: float) -> float:
        """Return ``stream_time`` in monotonic seconds; ``current`` is the stream's own now."""
        at = now()
        if stream_time <= 0 or abs(stream_time - current) > self.FAR_S:
            if self.trusted:
                self.trusted = False
                log.warning("The device tells no times; its stated latency stands in for them")
            return at + self.latency_s
        offset = at - current
        if offset - self._offset > self.ASLEEP_S:
            self._offset = self._next = offset
        self._next = min(self._next, offset)
        self._offset = min(self._offset, offset)
        self._seen += 1
        if self._seen % self.WINDOW == 0:  # so that a step of either clock is followed in time
            self._offset, self._next = self._next, float("inf")
        return stream_time + self._offset


@dataclass(frozen=True, slots=True)
class DeviceAddress:
    """How PortAudio reaches a device: a device name (None: the default), and environment for it."""

    label: str
    portaudio_name: str | None
    environment: Mapping[str, str]


class DeviceStream:
    """One open stream of one device, with a block of ``block_frames`` samples."""

    def __init__(self, role: Role, address: DeviceAddress, block_frames: int) -> None:
        """Remember what to open; ``open_input`` or ``open_output`` opens it."""
        self._role: Role = role
        self._address = address
        self._block_frames = block_frames
        self._pyaudio = load()
        self._library: Any = None
        self._stream: Any = None
        self._silent = False
        self._hurries = False
        self._tie = ClockTie()

    def open_input(self, feed: Feed, on_xrun: OnXrun) -> DeviceStream:
        """Feed captured blocks from PortAudio's thread, and return this; raises ``DeviceError``."""
        self._open(self._input_callback(feed, on_xrun))
        return self

    def open_output(self, pull: Pull, on_xrun: OnXrun) -> DeviceStream:
        """Pull blocks from PortAudio's thread, and return this; raises ``DeviceError``."""
        self._open(self._output_callback(pull, on_xrun))
        return self

    def close(self) -> None:
        """Abort and close the stream; once this returns no callback runs. Safe when not open.

        Waits for PortAudio as long as it takes: to be called on a thread that can be left behind.
        """
        self._silent = True
        with _portaudio:
            stream, self._stream = self._stream, None
            library, self._library = self._library, None
            try:
                if stream is not None:
                    stream.close()
            finally:
                if library is not None:
                    library.terminate()

    def _open(self, callback: Callable[..., tuple[bytes | None, int]]) -> None:
        role, label = self._role, self._address.label
        held_up = DeviceError(role, label, SoundSystemSilent.WHY)
        with _portaudio_lock(held_up), _environment(self._address.environment):
            try:
                self._library = self._pyaudio.PyAudio()
                settings = self._stream_settings(callback)
                with self._room():
                    self._stream = self._library.open(**settings)
                self._tie.latency_s = self._latency_s()
            except DeviceError:
                self._terminate()
                raise
            except (OSError, ValueError) as error:
                self._terminate()
                raise DeviceError(role, label, f"cannot be opened: {_why(error, role)}") from error

    def _room(self) -> AbstractContextManager[bool]:
        """Leave the speaker's callback more time than PyAudio asks for, where that can be had."""
        if self._role == "microphone":
            return nullcontext(enter_result=False)
        index = self._index()
        found = self._library
        info = (
            found.get_default_output_device_info()
            if index is None
            else found.get_device_info_by_index(index)
        )
        host = found.get_host_api_info_by_index(info["hostApi"])
        if host["type"] != self._pyaudio.paALSA:
            return nullcontext(enter_result=False)
        return output_latency(info, ALSA_LATENCY_S)

    def _latency_s(self) -> float:
        if self._role == "microphone":
            return -float(self._stream.get_input_latency())
        return float(self._stream.get_output_latency())

    def _terminate(self) -> None:
        library, self._library = self._library, None
        if library is not None:
            library.terminate()

    def _stream_settings(self, callback: Callable[..., Any]) -> dict[str, Any]:
        side = "input" if self._role == "microphone" else "output"
        return {
            "format": self._pyaudio.paInt16,
            "channels": 1,
            "rate": SAMPLE_RATE,
            side: True,
            f"{side}_device_index": self._index(),
            "frames_per_buffer": self._block_frames,
            "stream_callback": callback,
        }

    def _index(self) -> int | None:
        name = self._address.portaudio_name
        if name is None:
            return None
        for info in _infos(self._library):
            if device_name(self._library, info) == name and _channels(info, self._role):
                return int(info["index"])
        raise DeviceError(self._role, self._address.label, "is not there any more")

    def _input_callback(self, feed: Feed, on_xrun: OnXrun) -> Callable[..., tuple[None, int]]:
        overflow, go_on, tie = self._pyaudio.paInputOverflow, self._pyaudio.paContinue, self._tie

        def callback(audio: bytes, _frames: int, times: Any, status: int) -> tuple[None, int]:
            try:
                if not self._silent:
                    self._hurry()
                    at = tie.to_monotonic(times["input_buffer_adc_time"], times["current_time"])
                    feed(np.frombuffer(audio, np.int16), at)
                    if status & overflow:
                        on_xrun()
            except Exception:  # noqa: BLE001 - raising would end the stream and hit another thread
                self._report()
            return None, go_on

        return callback

    def _output_callback(self, pull: Pull, on_xrun: OnXrun) -> Callable[..., tuple[bytes, int]]:
        underflow, go_on, tie = self._pyaudio.paOutputUnderflow, self._pyaudio.paContinue, self._tie

        def callback(_: None, frames: int, times: Any, status: int) -> tuple[bytes, int]:
            try:
                if not self._silent:
                    self._hurry()
                    at = tie.to_monotonic(times["output_buffer_dac_time"], times["current_time"])
                    block = pull(frames, at).tobytes()
                    if status & underflow:
                        on_xrun()
                    return block, go_on
            except Exception:  # noqa: BLE001 - raising would end the stream and hit another thread
                self._report()
            return bytes(2 * frames), go_on

        return callback

    def _hurry(self) -> None:
        if not self._hurries:
            self._hurries = True
            _hurry()

    def _report(self) -> None:
        """Log a fault in a callback once: one that fails at each block must not fill a disk."""
        if not self._silent:
            self._silent = True
            log.exception("The callback of %s failed; it is silent now", self._address.label)


def _why(error: Exception, role: Role) -> str:
    text = error.args[-1] if error.args else error
    known = {
        "no default": f"there is no {role}",  # whichever of the two PyAudio says it is
        "invalid device": "there is no such device",
        "device unavailable": "it is in use, or access was refused",
    }
    fallback = str(text).rstrip(".")
    return next((said for key, said in known.items() if key in fallback.lower()), fallback)


def _infos(library: Any) -> list[dict[str, Any]]:
    return [library.get_device_info_by_index(n) for n in range(library.get_device_count())]


def _channels(info: Mapping[str, Any], role: Role) -> int:
    return int(info["maxInputChannels" if role == "microphone" else "maxOutputChannels"])


def device_name(library: Any, info: Mapping[str, Any]) -> str:
    """Return a device's stable name, host API and name; an index changes as devices come and go."""
    host = library.get_host_api_info_by_index(info["hostApi"])["name"]
    return f"{host}: {info['name']}"


@dataclass(frozen=True, slots=True)
class FoundDevice:
    """A device that PortAudio lists for one role."""

    name: str
    role: Role
    is_default: bool


def find_devices() -> list[FoundDevice]:
    """Return what PortAudio lists, both roles. While a stream is open the list is as it was then.

    Raises:
        MissingDependency: PyAudio is not installed.
        SoundSystemSilent: it is held up by another device that opens or closes.

    """
    module = load()
    with _portaudio_lock(SoundSystemSilent()):
        library = module.PyAudio()
        try:
            return list(_found(library))
        finally:
            library.terminate()


def _found(library: Any) -> Iterator[FoundDevice]:
    roles: tuple[tuple[Role, str], ...] = (
        ("microphone", "get_default_input_device_info"),
        ("speaker", "get_default_output_device_info"),
    )
    for role, getter in roles:
        default = _default_index(library, getter)
        for info in _infos(library):
            if _channels(info, role):
                yield FoundDevice(device_name(library, info), role, info["index"] == default)


def _default_index(library: Any, getter: str) -> int | None:
    try:
        return int(getattr(library, getter)()["index"])
    except OSError:  # there is none
        return None
