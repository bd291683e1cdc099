"""What can be picked as microphone and speaker, by names that last.

On Linux a desktop's devices are PulseAudio's (PipeWire answers for it too), which PortAudio cannot
list: it sees only the bridge, ``pulse``. So they are listed by ``pulsectl``, named ``pulse:NAME``,
and reached through that bridge. Elsewhere, and where no such server runs, the list is PortAudio's
own, named ``portaudio:API: NAME``. May be called from any thread that may wait for the sound
server, ``ANSWER_S`` at the most; whoever asks it is a thread of its own, left behind if it hangs.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from audio import portaudio
from audio.clock import now
from audio.errors import DeviceError, Role, SoundSystemSilent
from audio.worker import Worker

log = logging.getLogger(__name__)

DEFAULT = "default"
"""The id of whatever the system uses by default at the moment a stream opens."""

ANSWER_S = 5.0
"""How long the sound system may take to say what there is."""

# Held while somebody asks it, so that one thread at the most hangs with a sound server.
_asking = threading.Lock()
_Answer = TypeVar("_Answer")

_PULSE = "pulse:"
_PORTAUDIO = "portaudio:"
_BRIDGES = ("ALSA: pulse", "ALSA: default")


@dataclass(frozen=True, slots=True)
class Device:
    """A device: ``id`` is stable over restarts, ``label`` is what a person sees."""

    id: str
    label: str
    role: Role
    is_default: bool = False


def list_devices() -> list[Device]:
    """Return microphones and speakers that can be opened now; empty where there is no sound at all.

    Raises:
        MissingDependency: PyAudio is not installed.
        SoundSystemSilent: it has not answered for ``ANSWER_S``.

    """
    return _in_time(_list_devices)


def _in_time(ask: Callable[[], _Answer]) -> _Answer:
    """Return what ``ask`` returns, or raise what it raises; ``SoundSystemSilent`` if it hangs."""
    answers: list[_Answer] = []
    errors: list[Exception] = []

    def run(_stopping: threading.Event) -> None:
        try:
            answers.append(ask())
        except Exception as error:  # noqa: BLE001 - raised below, on the thread that wants to know
            errors.append(error)
        finally:
            _asking.release()

    deadline = now() + ANSWER_S
    if not _asking.acquire(timeout=ANSWER_S):
        raise SoundSystemSilent
    asker = Worker("device-list", run)
    asker.start()
    if not asker.join(deadline - now()):
        raise SoundSystemSilent
    for error in errors:
        raise error
    return answers[0]


def _list_devices() -> list[Device]:
    found = portaudio.find_devices()
    if sys.platform.startswith("linux") and any(device.name in _BRIDGES for device in found):
        on_server = _pulse_devices()
        if on_server is not None:
            return on_server
    return [
        Device(_PORTAUDIO + device.name, device.name, device.role, device.is_default)
        for device in found
        if device.name not in _BRIDGES
    ]


def address(device: str | None, role: Role) -> portaudio.DeviceAddress:
    """Return how to reach ``device``; None or ``"default"`` is the system's default.

    A name that is neither an id nor ``default`` is looked up among the labels.

    Raises:
        DeviceError: nothing is called that, or the sound system does not answer.

    """
    if device is None or device == DEFAULT:
        return portaudio.DeviceAddress(f"system default {role}", None, {})
    try:
        return _in_time(lambda: _find(device, role))
    except SoundSystemSilent as error:
        raise DeviceError(role, device.removeprefix(_PULSE), error.WHY) from error


def _find(device: str, role: Role) -> portaudio.DeviceAddress:
    if device.startswith(_PULSE):
        return _pulse_address(device, role)
    if device.startswith(_PORTAUDIO):
        name = device.removeprefix(_PORTAUDIO)
        return portaudio.DeviceAddress(name, name, {})
    for known in _list_devices():
        if known.role == role and known.label == device:
            return _find(known.id, role)
    raise DeviceError(role, device, "is unknown; “turnscope devices” lists what there is")


def _pulse_address(device_id: str, role: Role) -> portaudio.DeviceAddress:
    name = device_id.removeprefix(_PULSE)
    there = (d for d in _pulse_devices() or [] if d.id == device_id and d.role == role)
    found = next(there, None)
    if found is None:
        # The bridge would quietly take another device instead.
        raise DeviceError(role, name, "is not there any more")
    bridge = next(
        (d.name for b in _BRIDGES for d in portaudio.find_devices() if d.name == b), _BRIDGES[0]
    )
    variable = "PULSE_SOURCE" if role == "microphone" else "PULSE_SINK"
    return portaudio.DeviceAddress(found.label, bridge, {variable: name})


def _pulse_devices() -> list[Device] | None:
    """Return the sound server's devices, without monitors of speakers; None if none answers."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        import pulsectl  # absent where there is no PulseAudio
    except (ImportError, OSError):  # OSError: libpulse itself is missing
        return None
    try:
        with pulsectl.Pulse("turnscope-devices", connect=False) as pulse:
            # without a timeout of its own: given one, pulsectl always waits all of it
            pulse.connect(autospawn=False)
            server = pulse.server_info()
            sinks, sources = pulse.sink_list(), pulse.source_list()
    except pulsectl.PulseError as error:
        log.debug("No PulseAudio server answers: %s", error)
        return None
    microphones = [
        _device(source, "microphone", server.default_source_name)
        for source in sources
        if source.proplist.get("device.class") != "monitor"
    ]
    return microphones + [_device(sink, "speaker", server.default_sink_name) for sink in sinks]


def _device(found: object, role: Role, default: str) -> Device:
    name = str(getattr(found, "name", ""))
    label = str(getattr(found, "description", "") or name)
    return Device(_PULSE + name, label, role, name == default)
