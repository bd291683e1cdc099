"""The samples of any recording at 16 kHz, to play, export or compare them.

A source may be read by any thread that may wait for the disk; two that read at once take turns.
"""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from app.bundles.bundle import read_facts
from app.bundles.unzip import unpack_bundle
from app.recordings.audio_form import AudioForm, examine
from audio.closing import Closing
from audio.detail import SampleReader
from audio.pcm import Samples, silence


class SampleSource(Protocol):
    """One track at 16 kHz, any part of it at any time."""

    @property
    def duration_samples(self) -> int:
        """Its length."""

    def read(self, start: int, stop: int) -> Samples:
        """Return samples ``[start, stop)``: ``stop - start`` of them, silence outside the track.

        Raises:
            FileError: the file is gone, or cannot be read any further.

        """

    def close(self) -> None:
        """Let go of the file; reading opens it again."""


class FileLane:
    """One channel of an audio file as a `SampleSource`."""

    def __init__(self, form: AudioForm, channel: int = 0) -> None:
        """Prepare; the file is opened when it is read."""
        self.form = form
        self.channel = channel
        self.duration_samples = form.duration_samples
        # Guards the open file; held while it is read.
        self._reading = threading.Lock()
        self._file: SampleReader | None = None

    def read(self, start: int, stop: int) -> Samples:
        """Return samples ``[start, stop)``, silence outside the track."""
        inside = max(start, 0), min(stop, self.duration_samples)
        with self._reading:
            if self._file is None:
                self._file = open_lane(self.form, self.channel)
            samples = self._file.read(*inside) if inside[0] < inside[1] else silence(0)
        before = min(max(-start, 0), stop - start)
        after = stop - start - before - len(samples)
        if not before and not after:
            return samples
        return np.concatenate((silence(before), samples, silence(after)))

    def close(self) -> None:
        """Let go of the file; reading opens it again."""
        with self._reading:
            if self._file is not None:
                self._file.close()
                self._file = None


def open_lane(form: AudioForm, channel: int) -> SampleReader:
    """Open one channel of a file, for one thread at a time; raises ``FileError``."""
    from app.recordings.decoding import DecodedLane
    from audio.pcmwav import WavTrack

    return WavTrack(form.path, channel) if form.is_plain else DecodedLane(form, channel)


@dataclass(frozen=True, slots=True)
class Sources(Closing):
    """The tracks of a recording. Those that it has not are None."""

    user: SampleSource | None
    agent: SampleSource | None
    received: SampleSource | None
    duration_samples: int
    """Of the user's and the agent's track, the longer one."""
    held: ExitStack = field(default_factory=ExitStack, repr=False)
    """What goes with them in the end."""

    def close(self) -> None:
        """Let go of the files. Those out of a zip are gone then; others can be read again."""
        for source in (self.user, self.agent, self.received):
            if source is not None:
                source.close()
        self.held.close()


def sources_of(
    user: SampleSource | None, agent: SampleSource | None, received: SampleSource | None = None
) -> Sources:
    """Return the tracks together."""
    lengths = [each.duration_samples for each in (user, agent) if each is not None]
    return Sources(user, agent, received, max(lengths, default=0))


def open_sources(path: Path, *, swap: bool = False) -> Sources:
    """Return the samples of a bundle's folder, its ``session.json``, a zip of one, or a file.

    Of an audio file the left channel is the user and the right the agent, the other way round with
    ``swap``; one of a single channel has no agent.

    Raises:
        BundleError: the folder, or the zip, is no bundle.
        FileError: a file is not audio, or cannot be read.

    """
    path = Path(path)
    if path.name == "session.json" and path.is_file():
        path = path.parent
    if path.is_dir():
        return _bundle_sources(path)
    if path.suffix.lower() != ".zip":
        return file_sources(examine(path), swap=swap)
    with ExitStack() as held:
        sources = _bundle_sources(held.enter_context(unpack_bundle(path)))
        return replace(sources, held=held.pop_all())


def _bundle_sources(folder: Path) -> Sources:
    bundle = read_facts(folder)
    return sources_of(*(_track(each) for each in (bundle.user, bundle.agent, bundle.received)))


def file_sources(form: AudioForm, *, swap: bool = False) -> Sources:
    """Return the lanes of an audio file."""
    if form.channels == 1:
        return sources_of(FileLane(form), None)
    left, right = FileLane(form, 0), FileLane(form, 1)
    return sources_of(right, left) if swap else sources_of(left, right)


def _track(path: Path | None) -> SampleSource | None:
    return None if path is None else FileLane(examine(path))
