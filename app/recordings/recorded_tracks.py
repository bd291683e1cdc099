"""The tracks of a recording, and the work of reading their peaks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.recordings.audio_form import AudioForm
from app.recordings.peaks_cache import file_mark, keep_peaks, load_peaks
from app.recordings.sources import FileLane
from audio.detail import FileDetail
from audio.peaks import PeakPyramid

PLAIN_FRAMES_A_SECOND = 100_000_000
DECODED_FRAMES_A_SECOND = 20_000_000
"""How fast files are read, more or less: for telling progress alone."""


class RecordedTrack:
    """One track of a recording."""

    def __init__(self, form: AudioForm | None = None, channel: int = 0) -> None:
        """Begin without peaks; None is a track that the recording lacks."""
        self.source = None if form is None else FileLane(form, channel)
        detail = None if form is None else FileDetail(self.again)
        self.peaks = PeakPyramid(detail=detail)

    @property
    def duration_samples(self) -> int:
        """Its length."""
        told = 0 if self.source is None else self.source.duration_samples
        return max(told, len(self.peaks))

    def again(self) -> FileLane:
        """Return the track once more, for another thread that reads it; there must be one."""
        assert self.source is not None
        again = FileLane(self.source.form, self.source.channel)
        again.duration_samples = self.duration_samples
        return again

    def load_peaks(self, bundle: Path, name: str) -> bool:
        """Take the peaks from the bundle's cache; say whether they are there and are its own."""
        kept = load_peaks(bundle, name)
        if kept is None or kept.samples != self.duration_samples:
            return False
        self.peaks.append_bins(kept.bins, kept.samples)
        return True


@dataclass(frozen=True, slots=True)
class RecordedTracks:
    """The tracks of a recording; one that it lacks is empty."""

    user: RecordedTrack
    agent: RecordedTrack
    received: RecordedTrack


@dataclass(frozen=True, slots=True)
class PeaksJob:
    """Peaks of one file that are yet to be read, and where to keep them, if anywhere."""

    form: AudioForm
    tracks: list[RecordedTrack]
    bundle: Path | None = None
    name: str = ""

    @property
    def cost_s(self) -> float:
        """How long it takes, more or less."""
        speed = PLAIN_FRAMES_A_SECOND if self.form.is_plain else DECODED_FRAMES_A_SECOND
        return self.form.frames / speed

    def run(self, stopping: threading.Event, note: Callable[[float], None]) -> list[str]:
        """Read them; ``note`` is told the part that is done. Return sentences on what was wrong."""
        from app.recordings.peaks_reading import read_peaks

        whole, done = max(self.form.frames, 1), 0

        def count(frames: int) -> None:
            nonlocal done
            done += frames
            note(min(done / whole, 1.0))

        mark = file_mark(self.form.path) if self.bundle is not None else None
        warning = read_peaks(self.form, [track.peaks for track in self.tracks], stopping, count)
        if stopping.is_set():
            return []
        for track in self.tracks:
            if track.source is not None:
                track.source.duration_samples = len(track.peaks)
        if self.bundle is not None and mark is not None and not warning:
            keep_peaks(self.bundle, self.name, self.tracks[0].peaks, mark)
        return [warning] if warning else []
