"""What an audio file is, before it is read: its format, its length, and what is wrong with it.

No state; any thread that may wait for the disk.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.timeline.sane_events import LONGEST_S
from audio.errors import FileUnreadable
from audio.pcm import SAMPLE_RATE, samples_to_seconds
from audio.pcmwav import PcmLayout, PcmWav
from audio.readahead import open_audio

LOWEST_RATE, HIGHEST_RATE = 1_000, 1_000_000
"""Frames a second. A header that tells of others is wrong."""
MOST_CHANNELS = 1024
MOST_READ = 2_000_000
"""Samples of all channels that are read at a time."""


@dataclass(frozen=True, slots=True)
class AudioForm:
    """The form of an audio file."""

    path: Path
    rate: int
    """Frames a second."""
    channels: int
    frames: int
    """How many there are, one sample of each channel, as far as the file tells."""
    is_plain: bool
    """Whether it is 16-bit PCM at 16 kHz in a WAV file, whose samples are taken as they are."""
    name: str
    """Its format, for a person."""
    warnings: list[str] = field(default_factory=list)

    @property
    def block_frames(self) -> int:
        """How many frames are read at a time: a second, less of very many channels."""
        return max(min(self.rate, MOST_READ // self.channels), 1)

    @property
    def duration_samples(self) -> int:
        """Its length at 16 kHz."""
        return -(-self.frames * SAMPLE_RATE // self.rate)


def examine(path: Path) -> AudioForm:
    """Return what the audio file ``path`` is.

    Raises:
        FileMissing: there is no such file.
        FileUnreadable: it is not audio, or may not be read.

    """
    layout = _plain_layout(path)
    if layout is not None:
        warnings = [] if layout.told_frames is None else [_cut_short(path, layout)]
        name = "WAV, 16-bit PCM"
        return AudioForm(path, layout.rate, layout.channels, layout.frames, True, name, warnings)
    return _examine_by_library(path)


def _plain_layout(path: Path) -> PcmLayout | None:
    try:
        wav = PcmWav(path)
    except FileUnreadable:
        return None  # the library says why
    wav.close()
    layout = wav.layout
    return layout if layout.rate == SAMPLE_RATE and layout.channels <= MOST_CHANNELS else None


def _cut_short(path: Path, layout: PcmLayout) -> str:
    told, held = (samples_to_seconds(frames) for frames in (layout.told_frames or 0, layout.frames))
    return (
        f"The header of “{path.name}” tells of {told:.1f} s; the {held:.1f} s that are there "
        "are shown."
    )


def _examine_by_library(path: Path) -> AudioForm:
    file: Any
    with closing(open_audio(path)) as file:
        rate, channels = file.samplerate, file.channels
        if not LOWEST_RATE <= rate <= HIGHEST_RATE:
            sentence = f"“{path}” cannot be read: its header tells of {rate} samples a second."
            raise FileUnreadable(path, sentence)
        if not 1 <= channels <= MOST_CHANNELS:
            raise FileUnreadable(path, f"“{path}” cannot be read: it has {channels} channels.")
        frames: int = file.frames
        if not 0 <= frames <= LONGEST_S * rate:
            frames = _count_frames(path, file, max(MOST_READ // channels, 1))
        return AudioForm(path, rate, channels, frames, False, f"{file.format}, {file.subtype}")


def _count_frames(path: Path, file: Any, block: int) -> int:
    """Read the file to its end."""
    frames = 0
    try:
        while count := len(file.read(block, dtype="int16", always_2d=True)):
            frames += count
    except (OSError, RuntimeError) as error:
        raise FileUnreadable(path, f"“{path}” cannot be read to its end.") from error
    return frames
