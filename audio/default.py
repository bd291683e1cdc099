"""``DefaultAudioInterface``: a real microphone and a real speaker, through PyAudio.

Each direction is a stream of its own with a small device block, so that neither the mic chunk nor
the most that is handed on at a time bounds how fast an interrupt acts.
"""

from __future__ import annotations

from audio import portaudio
from audio.devices import address
from audio.duplex import DuplexInterface, Feed, OnFault, OnXrun, Pull

DEVICE_BLOCK_FRAMES = 128
"""The device's own block: 8 ms. An interrupt is heard two to three blocks later."""


class DeviceSource:
    """A microphone as a ``Source``; ``device`` is an id or label of ``devices``, or None."""

    def __init__(self, device: str | None = None, block_frames: int = DEVICE_BLOCK_FRAMES) -> None:
        """Remember the device; it is looked up when it opens. Raises ``MissingDependency``."""
        portaudio.load()
        self.device = device
        self.label = device or "system default microphone"
        self._block_frames = block_frames
        self._stream: portaudio.DeviceStream | None = None

    def open(self, feed: Feed, on_fault: OnFault, on_xrun: OnXrun) -> None:  # noqa: ARG002
        """Open the microphone; raises ``DeviceError``."""
        found = address(self.device, "microphone")
        self.label = found.label
        stream = portaudio.DeviceStream("microphone", found, self._block_frames)
        stream.open_input(feed, on_xrun)
        self._stream = stream

    def close(self) -> None:
        """Close the microphone."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()


class DeviceSink:
    """A speaker as a ``Sink``; ``device`` is an id or label of ``devices``, None the default."""

    def __init__(self, device: str | None = None, block_frames: int = DEVICE_BLOCK_FRAMES) -> None:
        """Remember the device; it is looked up when it opens. Raises ``MissingDependency``."""
        portaudio.load()
        self.device = device
        self.label = device or "system default speaker"
        self._block_frames = block_frames
        self._stream: portaudio.DeviceStream | None = None

    def open(self, pull: Pull, on_fault: OnFault, on_xrun: OnXrun) -> None:  # noqa: ARG002
        """Open the speaker; raises ``DeviceError``."""
        found = address(self.device, "speaker")
        self.label = found.label
        stream = portaudio.DeviceStream("speaker", found, self._block_frames)
        stream.open_output(pull, on_xrun)
        self._stream = stream

    def close(self) -> None:
        """Close the speaker."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()


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
        device_block_frames: int = DEVICE_BLOCK_FRAMES,
    ) -> None:
        """Use these devices (ids or labels of ``audio.devices``), by default the system's.

        Args:
            input_device: the microphone.
            output_device: the speaker.
            input_frames: samples in each mic chunk, by default ``INPUT_FRAMES_PER_BUFFER``.
            output_frames: the most that is handed on at a time, by default
                ``OUTPUT_FRAMES_PER_BUFFER``.
            device_block_frames: the device's own block in samples.

        Raises:
            MissingDependency: PyAudio is not installed.

        """
        super().__init__(
            DeviceSource(input_device, device_block_frames),
            DeviceSink(output_device, device_block_frames),
            input_frames=input_frames,
            output_frames=output_frames,
        )
