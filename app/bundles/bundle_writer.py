"""The files of one bundle while it is written, and their return when they were taken away.

One thread at a time, the recorder's, but for what is said to be for any.
"""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, NamedTuple

from app.bundles.bundle_files import EventLog, sync_folder, write_json
from app.bundles.bundle_lock import BundleLock
from app.bundles.disk_sync import Syncable
from app.bundles.notes import NOTES_NAME, Change, Notes, edit_notes, save_notes
from app.timeline.events import Event, Timeline
from app.timeline.tracks import Track, Tracks
from audio.errors import AudioError, FileUnwritable
from audio.pcm import SAMPLE_RATE
from audio.wavfile import StreamingWav

SESSION_NAME = "session.json"


class Missing(NamedTuple):
    """Samples ``[start, stop)`` of ``track`` that were gone before the disk could take them."""

    track: str
    start: int
    stop: int


class BundleWriter:
    """The open files of the bundle in ``folder``, marked as being written.

    After each ``write_tracks`` the user's and the agent's file are equally long and their headers
    right. ``missing`` lists what silence stands for.
    """

    PIECE = 30 * SAMPLE_RATE
    """The most that is written at once."""

    def __init__(
        self,
        folder: Path,
        facts: Mapping[str, Any],
        tracks: Tracks,
        on_events: Callable[[list[Event]], None] | None = None,
    ) -> None:
        """Create the files in ``folder``, which is there and empty.

        Raises:
            OSError: a file cannot be made.
            FileError: an audio file cannot be made.

        """
        self.folder = folder
        self.missing: list[Missing] = []
        self._tracks = tracks
        self._device = folder.stat().st_dev
        self._notes = Notes()
        # Guards the notes between two threads of which one puts them back; held as long as the disk
        # takes.
        self._noting = threading.Lock()
        # Guards session.json against two who replace it at once; held as long as the disk takes.
        self._replacing = threading.Lock()
        with ExitStack() as opened:
            self._lock = BundleLock(folder)
            opened.callback(self._lock.release)
            self.write_facts(facts)
            self._user = opened.enter_context(StreamingWav(folder / "user.wav"))
            self._agent = opened.enter_context(StreamingWav(folder / "agent.wav"))
            self._received = opened.enter_context(StreamingWav(folder / "received.wav"))
            self._events = EventLog(folder / "events.jsonl", on_events)
            opened.pop_all()  # all of them are open: they stay so
        sync_folder(folder)
        sync_folder(folder.parent)

    # -- read by any thread --------------------------------------------------------------------

    @property
    def lost_samples(self) -> int:
        """Samples of all tracks that silence stands for."""
        return sum(item.stop - item.start for item in self.missing)

    @property
    def lost_events(self) -> int:
        """Events that the timeline had let go of before the disk could take them."""
        return self._events.lost_events

    @property
    def written_s(self) -> float:
        """Up to which session second both tracks are in their files."""
        return min(self._user.flushed_samples, self._agent.flushed_samples) / SAMPLE_RATE

    @property
    def is_whole(self) -> bool:
        """Whether the files hold just what the tracks do, and nothing is silence that was not."""
        pairs = (
            (self._user, self._tracks.user),
            (self._agent, self._tracks.agent),
            (self._received, self._tracks.received),
        )
        same = all(wav.samples_written >= track.duration_samples for wav, track in pairs)
        return same and not self.missing and not self.lost_events

    def to_sync(self) -> Iterable[Syncable]:
        """Return the files that are to reach the medium."""
        return (self._user, self._agent, self._received, self._events)

    # -- writing -------------------------------------------------------------------------------

    def write_tracks(self, *, is_last: bool) -> None:
        """Bring the audio up to date; the two tracks grow to the same length.

        Raises:
            FileError: the disk is full or gone; what is there is unharmed.

        """
        user, agent = self._tracks.user, self._tracks.agent
        both = (user.duration_samples, agent.duration_samples)
        stop = max(both) if is_last else min(both)
        self._write_track(self._user, user, "user", stop)
        self._write_track(self._agent, agent, "agent", stop)
        self._write_received()
        for wav in (self._user, self._agent, self._received):
            wav.flush()

    def _write_track(self, wav: StreamingWav, track: Track, name: str, stop: int) -> None:
        while wav.samples_written < min(stop, track.duration_samples):
            position = wav.samples_written
            start, samples = track.ring.read(position, min(stop, position + self.PIECE))
            self._write_missing(wav, name, start)
            wav.write(samples)
        if wav.samples_written < stop:
            wav.write_silence(stop - wav.samples_written)

    def _write_missing(self, wav: StreamingWav, name: str, stop: int) -> None:
        """Write silence up to ``stop`` for samples that are not to be had any more."""
        start = wav.samples_written
        if start < stop:
            wav.write_silence(stop - start)
            self.missing.append(Missing(name, start, stop))

    def _write_received(self) -> None:
        handover = self._tracks.to_recorder
        while (piece := handover.first()) is not None:
            self._write_missing(self._received, "received", piece.start)
            self._received.write(piece.samples)
            handover.done()

    def write_events(self, timeline: Timeline) -> None:
        """Append the events that are new. Raises ``OSError``."""
        self._events.write(timeline)

    def write_facts(self, facts: Mapping[str, Any]) -> None:
        """Replace ``session.json``. Any thread. Raises ``OSError``."""
        with self._replacing:
            write_json(self.folder / SESSION_NAME, facts)

    def write_notes(self, change: Change) -> None:
        """Change the notes. Any thread. Raises ``OSError``."""
        with self._noting:
            self._put_notes_back()
            self._notes = edit_notes(self.folder, change)

    def _put_notes_back(self) -> None:
        if self._notes != Notes() and not _is_there(self.folder / NOTES_NAME):
            save_notes(self.folder, self._notes)

    # -- files that were taken away ------------------------------------------------------------

    def is_in_place(self) -> bool:
        """Whether every file is where it was made."""
        files = (self._lock, self._user, self._agent, self._received, self._events)
        return all(file.is_in_place() for file in files) and _is_there(self.folder / SESSION_NAME)

    def put_back(self, facts: Mapping[str, Any]) -> None:
        """Go on in the same place: in the files that are there, or in new ones.

        What a file lacks is read from the one that was written so far, which can be read while it
        is open even when it was deleted; what cannot be read any more comes from the tracks' rings.

        Raises:
            OSError: the folder's disk is away, or a file cannot be made.
            FileError: an audio file cannot be made.

        """
        if not self.folder.is_dir():
            self._check_disk()
            self.folder.mkdir(parents=True)
        if not self._lock.is_in_place():
            lock = BundleLock(self.folder)
            self._lock.release()
            self._lock = lock
        self.write_facts(facts)
        with self._noting:
            self._put_notes_back()
        self._user = self._reopened(self._user, self._tracks.user, "user")
        self._agent = self._reopened(self._agent, self._tracks.agent, "agent")
        self._received = self._reopened(self._received, self._tracks.received, "received")
        self._events.reopen()
        sync_folder(self.folder)
        sync_folder(self.folder.parent)

    def _check_disk(self) -> None:
        """Raise where the folder's place is on another disk now: its own was taken out."""
        above = next(item for item in self.folder.parents if item.is_dir())
        if above.stat().st_dev != self._device:
            raise OSError(errno.ENODEV, "its disk is not there", str(self.folder))

    def _reopened(self, old: StreamingWav, track: Track, name: str) -> StreamingWav:
        is_there = old.path.exists()
        new = StreamingWav(old.path, resume=is_there, most=old.samples_written)
        try:
            if new.samples_written > old.samples_written:
                sentence = f"“{old.path}” cannot be written: another file has taken its place."
                raise FileUnwritable(old.path, sentence)
            new.append_from(old)
            self._write_track(new, track, name, old.samples_written)
            new.flush()
        except (OSError, AudioError):
            with suppress(OSError, AudioError):
                new.close()
            raise
        with suppress(OSError, AudioError):
            old.close()
        return new

    def close(self) -> None:
        """Close all files, whatever the disk says of any; the first error is raised at the end."""
        with ExitStack() as stack:
            for close in (
                self._lock.release,
                self._user.close,
                self._agent.close,
                self._received.close,
                self._events.close,
            ):
                stack.callback(close)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # no permission to look: writing will tell
        return True
