"""A caller who speaks again: a session's user track, or an audio file, as the microphone.

``find_replayed`` looks at what is on disk, on a thread that may wait for it. The source is opened
by the session's threads and read by the ``file-reader``.
"""

from __future__ import annotations

import weakref
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from app.bundles.bundle import BundleError, BundleFacts, find_events, read_facts
from app.bundles.session_info import utc_text
from app.bundles.unzip import unpack_bundle
from app.notices import AppError
from app.recordings.audio_form import examine
from app.recordings.recorded_events import RecordedEvents
from app.recordings.sources import FileLane, SampleSource
from app.timeline.events import MicChunkSent
from audio.errors import FileError, FileUnreadable
from audio.file import FileSource
from audio.pcm import SAMPLE_RATE, samples_to_seconds, seconds_to_samples
from audio.readahead import AudioFrames


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Replayed:
    """What is replayed: one track, from where the caller's microphone opened."""

    path: Path
    """What was asked for."""
    name: str
    track: SampleSource
    first_sample: int = 0
    """Where on the track the microphone opened: before it the session was still connecting."""
    conversation_id: str = ""
    began_utc: str = ""
    """When the session began; empty for an audio file."""
    is_bundle: bool = False
    is_swapped: bool = False
    held: ExitStack = field(default_factory=ExitStack, repr=False)

    def __post_init__(self) -> None:
        """See to it that what was unpacked is removed in the end, whatever becomes of it."""
        weakref.finalize(self, self.held.close)

    def settings(self) -> dict[str, Any]:
        """Return what the settings in the new session's ``session.json`` say of it."""
        facts: dict[str, Any] = {"name": self.name, "kind": "bundle" if self.is_bundle else "file"}
        if self.is_bundle:
            facts |= {"conversation_id": self.conversation_id, "began_utc": self.began_utc}
            facts["from_s"] = round(samples_to_seconds(self.first_sample), 6)
        elif self.is_swapped:
            facts["swapped"] = True
        return {"replays": facts}

    def source(self) -> FileSource:
        """Return the microphone that speaks it."""
        return _ReplayedSource(self)


def find_replayed(path: Path, *, swap: bool = False) -> Replayed:
    """Return the caller in a bundle's folder, a zip of one, or an audio file.

    Of a file with more channels than one the left one is the caller, the right one with ``swap``.

    Raises:
        AppError: ``swap``, and there is nothing to swap.
        FileError: it is missing, is neither a recording nor audio, or has no caller in it.

    """
    if path.name == "session.json" and path.is_file():
        path = path.resolve().parent
    is_zip = path.suffix.lower() == ".zip" and path.is_file()
    if not (path.is_dir() or is_zip):
        return _in_file(path, swap=swap)
    if swap:
        sentence = f"“{path.name}” is a session: it says itself which track is the user's."
        raise AppError(sentence, "Only the channels of an audio file can be swapped.")
    with ExitStack() as held:
        try:
            folder = held.enter_context(unpack_bundle(path)) if is_zip else path
            facts = read_facts(folder)
        except BundleError as error:
            raise FileUnreadable(path, str(error)) from error
        return _in_bundle(path, facts, held)


def _in_file(path: Path, *, swap: bool) -> Replayed:
    form = examine(path)
    if swap and form.channels == 1:
        sentence = f"“{path.name}” has one channel: there is nothing to swap."
        raise AppError(sentence, "Leave the swapping out.")
    return Replayed(path, path.name, FileLane(form, 1 if swap else 0), is_swapped=swap)


def _in_bundle(path: Path, facts: BundleFacts, held: ExitStack) -> Replayed:
    if facts.user is None:
        raise FileUnreadable(path, f"“{path}” has no user track: there is nobody to replay.")
    return Replayed(
        path,
        path.resolve().name,
        FileLane(examine(facts.user)),
        _opened_at(facts),
        facts.info.conversation_id,
        utc_text(facts.began_utc) if facts.began_utc is not None else "",
        is_bundle=True,
        held=held.pop_all(),
    )


def _opened_at(facts: BundleFacts) -> int:
    """Return the sample of the user track with which the first mic chunk began; 0 if not known.

    The agent's time runs from there: a caller who began earlier would be another one.
    """
    path = find_events(facts.path, [])
    if path is None:
        return 0
    try:
        events = RecordedEvents(path)
    except OSError:
        return 0
    for piece in events.iterate():
        for event in piece:
            if isinstance(event, MicChunkSent):
                zero_s = event.captured_at - samples_to_seconds(event.start)
                return max(seconds_to_samples(zero_s), 0)
    return 0


class _ReplayedSource(FileSource):
    """Speaks a replayed track; holds on to what it was unpacked to."""

    def __init__(self, replayed: Replayed) -> None:
        super().__init__(replayed.path)
        self.label = replayed.name
        self._replayed = replayed

    def check(self) -> None:
        """Raise what ``open`` would raise, and open nothing."""
        self._replayed.track.read(0, 1)
        self._replayed.track.close()

    def read_file(self, _path: Path) -> AudioFrames:
        """Open the track."""
        return _TrackFrames(self._replayed)


class _TrackFrames:
    """A track as frames, from where the microphone opened to its end."""

    samplerate = SAMPLE_RATE
    channels = 1

    def __init__(self, replayed: Replayed) -> None:
        self._track = replayed.track
        self._next = replayed.first_sample

    def read(self, frames: int, **_form: object) -> np.ndarray:
        """Return the next frames as floats of one channel."""
        stop = max(min(self._next + frames, self._track.duration_samples), self._next)
        try:
            samples = self._track.read(self._next, stop)
        except FileError as error:
            raise OSError(str(error)) from error
        self._next = stop
        levels: np.ndarray = (samples.astype(np.float32) / np.float32(32768)).reshape(-1, 1)
        return levels

    def close(self) -> None:
        """Let go of the file."""
        self._track.close()
