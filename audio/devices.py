"""What can be picked as microphone and speaker, by names that last.

On Linux a desktop's devices are PulseAudio's (PipeWire answers for it too), which PortAudio cannot
list: it sees only the bridge, ``pulse``. So they are listed by ``pulsectl``, named ``pulse:NAME``,
and reached through that bridge. Elsewhere, and where no such server runs, the list is PortAudio's
own, named ``portaudio:API: NAME``. May be called from any thread that may wait for the sound
server.
"""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass

from audio import portaudio
from audio.errors import DeviceError, Role

log = logging.getLogger(__name__)

DEFAULT = "default"
"""The id of whatever the system uses by default at the moment a stream opens."""

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
        DeviceError: the sound system does not answer.

    """
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
        DeviceError: nothing is called that.

    """
    if device is None or device == DEFAULT:
        return portaudio.DeviceAddress(f"system default {role}", None, {})
    if device.startswith(_PULSE):
        name = device.removeprefix(_PULSE)
        return _pulse_address(name, _label(device, role) or name, role)
    if device.startswith(_PORTAUDIO):
        name = device.removeprefix(_PORTAUDIO)
        return portaudio.DeviceAddress(name, name, {})
    for known in list_devices():
        if known.role == role and known.label == device:
            return address(known.id, role)
    raise DeviceError(role, device, "is unknown; “turnscope devices” lists what there is")


def _label(device_id: str, role: Role) -> str | None:
    known = _pulse_devices() or []
    return next((d.label for d in known if d.id == device_id and d.role == role), None)


def _pulse_address(name: str, label: str, role: Role) -> portaudio.DeviceAddress:
    if not any(d.id == _PULSE + name and d.role == role for d in _pulse_devices() or []):
        # The bridge would quietly take another device instead.
        raise DeviceError(role, label, "is not there any more")
    bridge = next(
        (d.name for b in _BRIDGES for d in portaudio.find_devices() if d.name == b), _BRIDGES[0]
    )
    variable = "PULSE_SOURCE" if role == "microphone" else "PULSE_SINK"
    return portaudio.DeviceAddress(label, bridge, {variable: name})


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
