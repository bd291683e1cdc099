"""The recorder thread: tracks and timeline to a session bundle, while the session runs.

The session's thread enters by ``start``, ``update`` and ``finish``; the thread named recorder does
the rest, five times a second, and is the only one that waits for the disk. What is on disk is
whole after each round: both tracks equally long, headers right, events in whole lines.
"""

from __future__ import annotations

import logging
import re
import shutil
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from app.bundle_files import EventLog, write_json
from app.events import Level, Timeline, Trouble
from app.notices import AppError, Notice, NoticeBoard
from app.secrets import scrub
from app.session_info import SCHEMA_VERSION, SessionInfo
from app.tracks import Handover, Track, Tracks
from audio.errors import AudioError, FileError
from audio.pcm import SAMPLE_RATE
from audio.wavfile import StreamingWav, reason_of
from audio.worker import Worker

log = logging.getLogger(__name__)


class RecorderError(AppError):
    """A recording cannot be begun."""


class Recorder:
    """Writes one bundle. A disk that fails is told once, tried again, and ends no session.

    ``folder`` is None before ``start``. ``failed`` is true while the disk takes nothing.
    ``lost_samples`` counts what was gone when the disk could take it: silence stands in its place.
    """

    PERIOD_S = 0.2
    RETRY_S = 2.0

    def __init__(
        self,
        parent: Path,
        info: SessionInfo,
        tracks: Tracks,
        timeline: Timeline,
        *,
        began_utc: datetime,
        now: Callable[[], float],
        notices: NoticeBoard | None = None,
    ) -> None:
        """Prepare; ``now`` gives session seconds. Nothing is written before ``start``."""
        self.folder: Path | None = None
        self.failed = False
        self._parent = parent
        self._tracks = tracks
        self._timeline = timeline
        self._began_utc = began_utc
        self._now = now
        self._notices = notices
        # Guards the info against two updates at once; held for an assignment.
        self._updating = threading.Lock()
        self._info = info
        self._info_changed = False
        self._files: _Files | None = None
        self._end: dict[str, Any] = {}
        self._worker = Worker("recorder", self._run, self._note_failure)

    @property
    def lost_samples(self) -> int:
        """Samples of all tracks that silence stands for."""
        return self._files.lost_samples if self._files is not None else 0

    @property
    def lost_events(self) -> int:
        """Events that the timeline had let go of before the disk could take them."""
        return self._files.events.lost_events if self._files is not None else 0

    def start(self) -> None:
        """Create the bundle's folder and files, and start the thread.

        Raises:
            RecorderError: the folder or a file cannot be made; the sentence names it.

        """
        try:
            self.folder = _make_folder(self._parent, self._began_utc, self._info.agent_kind)
            self._files = _Files(self.folder)
            self._write_info()
        except (OSError, AudioError) as error:
            self._take_back()
            sentence = f"Nothing can be recorded in “{self._parent}”: {_why(error)}."
            raise RecorderError(sentence, "Choose another folder for recordings.") from error
        self._worker.start()

    def _take_back(self) -> None:
        """Leave no folder behind that holds no recording."""
        if self._files is not None:
            with suppress(OSError, AudioError):
                self._files.close()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
        self.folder = self._files = None

    def update(self, **changes: Any) -> None:
        """Change fields of ``SessionInfo`` now known; ``session.json`` follows. Any thread."""
        with self._updating:
            self._info = replace(self._info, **changes)
            self._info_changed = True

    def finish(self, reason: str, sentence: str = "", timeout_s: float = 5.0) -> bool:
        """Write what is left, and the end and its reason, into the bundle.

        To be called once the pump has stopped. False where the disk does not answer in
        ``timeout_s``, or has not taken it all: what is there stays readable.
        """
        self._end = {
            "ended_utc": _utc(datetime.now(UTC)),
            "duration_s": round(self._now(), 3),
            "reason": reason,
            "sentence": sentence,
        }
        return self._worker.stop(timeout_s) and not self.failed and not self.lost_samples

    # -- the thread ----------------------------------------------------------------------------

    def _run(self, stopping: threading.Event) -> None:
        while not stopping.wait(self.RETRY_S if self.failed else self.PERIOD_S):
            self._round(is_last=False)
        self._round(is_last=True)
        if self._files is not None:
            self._attempt(self._files.close)

    def _round(self, *, is_last: bool) -> None:
        """Write what has come. A failure is told before the events that come after it."""
        files = self._files
        if files is None:
            return
        ok = self._attempt(lambda: files.write_tracks(self._tracks, is_last=is_last))
        if ok and self._info_changed:
            self._info_changed = False
            ok = self._attempt(self._write_info)
            self._info_changed = self._info_changed or not ok
        ok = self._attempt(lambda: files.events.write(self._timeline)) and ok
        if ok and self.failed:
            # only now: a disk may take the audio and refuse the events
            self._recovered()
            self._attempt(lambda: files.events.write(self._timeline))
        if is_last:
            self._attempt(self._write_info)

    def _attempt(self, write: Callable[[], None]) -> bool:
        try:
            write()
        except Exception as error:  # noqa: BLE001 - whatever it is, the next round may go well
            self._note_failure(error)
            return False
        return True

    def _note_failure(self, error: Exception) -> None:
        if self.failed:
            return
        self.failed = True
        log.error("The recording cannot be written: %s", error, exc_info=error)
        sentence = f"The recording is not being written: {_why(error)}."
        is_disk = isinstance(error, OSError | FileError)
        self._tell(sentence, _DISK_ADVICE if is_disk else _FAULT_ADVICE, is_error=True)

    def _recovered(self) -> None:
        self.failed = False
        lost_s = self.lost_samples / SAMPLE_RATE
        lost = f"; {lost_s:.1f} s were lost" if lost_s else ", and nothing was lost"
        self._tell(f"The recording goes on{lost}.", "", is_error=False)

    def _tell(self, sentence: str, advice: str, *, is_error: bool) -> None:
        level: Level = "error" if is_error else "info"
        data = {"lost_samples": self.lost_samples}
        self._timeline.append(Trouble(self._now(), "recorder", sentence, "", level, data))
        if self._notices is not None:
            self._notices.post(Notice(level, sentence, advice))

    def _write_info(self) -> None:
        if self.folder is None:
            return
        facts = {
            "schema": SCHEMA_VERSION,
            "began_utc": _utc(self._began_utc),
            **self._info.to_dict(),
            "end": self._end or None,
        }
        write_json(self.folder / "session.json", scrub(facts))


class _Files:
    """The open files of one bundle."""

    PIECE = 30 * SAMPLE_RATE
    """The most that is written at once."""

    def __init__(self, folder: Path) -> None:
        self.lost_samples = 0
        with ExitStack() as opened:
            self._user = opened.enter_context(StreamingWav(folder / "user.wav"))
            self._agent = opened.enter_context(StreamingWav(folder / "agent.wav"))
            self._received = opened.enter_context(StreamingWav(folder / "received.wav"))
            self.events = EventLog(folder / "events.jsonl")
            opened.pop_all()  # all of them are open: they stay so

    def write_tracks(self, tracks: Tracks, *, is_last: bool) -> None:
        """Bring the audio up to date; the two tracks grow to the same length."""
        both = (tracks.user.duration_samples, tracks.agent.duration_samples)
        stop = max(both) if is_last else min(both)
        self._write_track(self._user, tracks.user, stop)
        self._write_track(self._agent, tracks.agent, stop)
        self._write_received(tracks.to_recorder)
        for wav in (self._user, self._agent, self._received):
            wav.flush()

    def _write_track(self, wav: StreamingWav, track: Track, stop: int) -> None:
        while wav.samples_written < min(stop, track.duration_samples):
            position = wav.samples_written
            start, samples = track.ring.read(position, min(stop, position + self.PIECE))
            self._write_missing(wav, start - position)
            wav.write(samples)
        if wav.samples_written < stop:
            wav.write_silence(stop - wav.samples_written)

    def _write_missing(self, wav: StreamingWav, count: int) -> None:
        """Write silence for samples that are not to be had any more."""
        if count > 0:
            wav.write_silence(count)
            self.lost_samples += count

    def _write_received(self, handover: Handover) -> None:
        while (piece := handover.first()) is not None:
            self._write_missing(self._received, piece.start - self._received.samples_written)
            self._received.write(piece.samples)
            handover.done()

    def close(self) -> None:
        """Close them all, whatever the disk says of any; the first error is raised at the end."""
        with ExitStack() as stack:
            for file in (self._user, self._agent, self._received, self.events):
                stack.callback(file.close)


_DISK_ADVICE = "The session goes on. Free some space: the recording goes on when there is room."
_FAULT_ADVICE = "The session goes on, and so does the recording if it can. The log has the details."


def _why(error: Exception) -> str:
    """Return what stopped a write, in words that fit after a colon."""
    if isinstance(error, OSError):
        return reason_of(error)
    if isinstance(error, AudioError):
        return str(error).rstrip(".")
    return f"a fault in the program ({type(error).__name__})"


def _make_folder(parent: Path, began_utc: datetime, kind: str) -> Path:
    """Create the bundle's folder, named by local time and agent; a taken name gets a number."""
    stamp = began_utc.astimezone().strftime("%Y-%m-%d_%H-%M-%S")
    name = f"{stamp}_{_slug(kind)}"
    parent.mkdir(parents=True, exist_ok=True)
    for number in count(1):
        folder = parent / (name if number == 1 else f"{name}_{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise AssertionError("count() has no end")


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40] or "session"


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
