"""``DefaultAudioInterface``: a real microphone and a real speaker, through PyAudio.

Each direction is a stream of its own with a small device block, so that neither the mic chunk nor
the most that is handed on at a time bounds how fast an interrupt acts.
"""

from __future__ import annotations

import sys

from audio import portaudio
from audio.devices import address
from audio.duplex import DuplexInterface, Feed, OnFault, OnXrun, Opened, Pull
from audio.errors import Role

MICROPHONE_BLOCK_FRAMES = 160
"""The microphone's own block: 10 ms."""
SPEAKER_BLOCK_FRAMES = 80 if sys.platform.startswith("linux") else 160
"""The speaker's. Where its buffer can be made longer apart from it (``audio.alsa_latency``), a
small block is no risk, and the sooner an interrupt is heard."""


class _Device:
    """A device that is looked up anew each time it opens."""

    def __init__(self, role: Role, device: str | None, block_frames: int) -> None:
        portaudio.load()
        self.device = device
        self.label = device or f"system default {role}"
        self._role: Role = role
        self._block_frames = block_frames

    def _stream(self) -> portaudio.DeviceStream:
        found = address(self.device, self._role)
        self.label = found.label
        return portaudio.DeviceStream(self._role, found, self._block_frames)


class DeviceSource(_Device):
    """A microphone as a ``Source``; ``device`` is an id or label of ``devices``, or None."""

    def __init__(self, device: str | None = None, block_frames: int | None = None) -> None:
        """Remember the device, None for the default; raises ``MissingDependency``."""
        super().__init__("microphone", device, block_frames or MICROPHONE_BLOCK_FRAMES)

    def open(self, feed: Feed, _on_fault: OnFault, on_xrun: OnXrun) -> Opened:
        """Open the microphone; raises ``DeviceError``."""
        return self._stream().open_input(feed, on_xrun)


class DeviceSink(_Device):
    """A speaker as a ``Sink``; ``device`` is an id or label of ``devices``, or None."""

    def __init__(self, device: str | None = None, block_frames: int | None = None) -> None:
        """Remember the device, None for the default; raises ``MissingDependency``."""
        super().__init__("speaker", device, block_frames or SPEAKER_BLOCK_FRAMES)

    def open(self, pull: Pull, _on_fault: OnFault, on_xrun: OnXrun) -> Opened:
        """Open the speaker; raises ``DeviceError``."""
        return self._stream().open_output(pull, on_xrun)


class DefaultAudioInterface(DuplexInterface):
    """The contract on real devices. Drop-in for the ElevenLabs SDK's class of that name.

    ``start`` opens both devices and raises ``DeviceError`` if one fails, leaving nothing open.
    """

    def __init__(
        self,
        input_device: str | None = None,
        output_device: str | None = None,
        *,
        input_frames: int | None = None,
        output_frames: int | None = None,
        device_block_frames: int | None = None,
    ) -> None:
        """Use these devices (ids or labels of ``audio.devices``), by default the system's.

        Args:
            input_device: the microphone.
            output_device: the speaker.
            input_frames: samples in each mic chunk, by default ``INPUT_FRAMES_PER_BUFFER``.
            output_frames: the most that is handed on at a time, by default
                ``OUTPUT_FRAMES_PER_BUFFER``.
            device_block_frames: both devices' own block in samples, by default
                ``MICROPHONE_BLOCK_FRAMES`` and ``SPEAKER_BLOCK_FRAMES``.

        Raises:
            MissingDependency: PyAudio is not installed.

        """
        super().__init__(
            DeviceSource(input_device, device_block_frames),
            DeviceSink(output_device, device_block_frames),
            input_frames=input_frames,
            output_frames=output_frames,
        )
