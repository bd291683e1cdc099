"""The recorder thread: tracks and timeline to a session bundle, while the session runs.

The session's thread enters by ``start``, ``update``, ``watch`` and ``finish``, any by ``note``; the
thread named recorder does the rest, ten times a second, and with recorder-sync is all that waits
for the disk. What is on disk is whole after each round: both tracks equally long, headers right,
events in whole lines.
"""

from __future__ import annotations

import errno
import logging
import re
import shutil
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from app.analysis.turns import TurnTracker
from app.bundles.bundle_writer import BundleWriter, Missing
from app.bundles.disk_sync import DiskSync, Syncable
from app.bundles.notes import Change
from app.bundles.outage import (
    Told,
    facts_refused,
    put_back,
    resumed,
    stalled,
    stopped,
    too_slow,
    why,
)
from app.bundles.session_info import SCHEMA_VERSION, SessionInfo, summary_facts, utc_text
from app.notices import AppError, Notice, NoticeBoard
from app.secrets import scrub
from app.timeline.events import Event, Level, Timeline, Trouble
from app.timeline.tracks import Tracks
from audio.clock import now as monotonic_now
from audio.errors import AudioError
from audio.pcm import SAMPLE_RATE
from audio.worker import Worker

log = logging.getLogger(__name__)


class RecorderError(AppError):
    """A recording cannot be begun."""


class Recorder:
    """Writes one bundle. A disk that fails is told once, tried again, and ends no session.

    ``folder`` is None before ``start``. ``failed`` is true while the disk takes nothing.
    """

    PERIOD_S = 0.1
    RETRY_S = 1.0
    STALL_S = 3.0
    """A write that takes longer than this is told of."""
    FACTS_TRIES = 3
    """A full disk refuses the facts first, and the audio, which is told of, a moment later."""
    CACHES_S = 1.0
    """How long the end may wait for what only spares work later."""

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
        # Guards facts and notes, at the end, against a thread that is still at them; held as long
        # as the disk takes.
        self._writing_facts = threading.Lock()
        self._facts_are_last = False
        self._facts_failures = 0
        self._facts_due = 0.0
        self._changes: deque[Change] = deque()
        self._tracker: TurnTracker | None = TurnTracker()
        self._writer: BundleWriter | None = None
        self._is_dead = False
        self._is_written = False
        self._stopped_at: float | None = None
        self._told_missing = 0
        self._busy_since: float | None = None
        self._stall_told = False
        self._end: dict[str, Any] = {}
        self._ended = threading.Event()
        self._sync = DiskSync(self._to_sync, self._write_facts)
        self._worker = Worker("recorder", self._run, self._note_failure)

    # -- read by any thread --------------------------------------------------------------------

    @property
    def lost_samples(self) -> int:
        """Samples of all tracks that were gone before the disk could take them: silence now."""
        return self._writer.lost_samples if self._writer is not None else 0

    @property
    def lost_events(self) -> int:
        """Events that the timeline had let go of before the disk could take them."""
        return self._writer.lost_events if self._writer is not None else 0

    @property
    def waiting_samples(self) -> int:
        """Samples of the longer track that are not in its file yet."""
        if self._writer is None:
            return 0
        longer = max(self._tracks.user.duration_samples, self._tracks.agent.duration_samples)
        return max(longer - round(self._writer.written_s * SAMPLE_RATE), 0)

    # -- the session's thread ------------------------------------------------------------------

    def start(self) -> None:
        """Create the bundle's folder and files, and start the thread.

        Raises:
            RecorderError: the folder or a file cannot be made; the sentence names it.

        """
        try:
            self.folder = _make_folder(self._parent, self._began_utc, self._info.agent_kind)
            self._writer = BundleWriter(self.folder, self._facts(), self._tracks, self._follow)
        except (OSError, AudioError) as error:
            self._take_back()
            sentence = f"Nothing can be recorded in “{self._parent}”: {why(error)}."
            raise RecorderError(sentence, "Choose another folder for recordings.") from error
        self._tracks.are_written_to(self.folder)
        self._worker.start()
        self._sync.start()

    def _to_sync(self) -> Iterable[Syncable]:
        return self._writer.to_sync() if self._writer is not None else ()

    def _take_back(self) -> None:
        """Leave no folder behind that holds no recording."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
        self.folder = self._writer = None

    def update(self, **changes: Any) -> None:
        """Change fields of ``SessionInfo`` now known; ``session.json`` follows. Any thread."""
        with self._updating:
            self._info = replace(self._info, **changes)
            self._info_changed = True

    def note(self, change: Change) -> None:
        """Have the bundle's notes changed within a round. Any thread; returns at once."""
        self._changes.append(change)

    def watch(self) -> None:
        """Tell of a disk that does not answer, which the recorder's own thread cannot."""
        since = self._busy_since
        if since is None or self._stall_told or monotonic_now() - since < self.STALL_S:
            return
        self._stall_told = True
        if self._writer is not None and not self.failed:
            self._tell(stalled(self._writer.written_s), "error")

    def finish(self, reason: str, sentence: str = "", timeout_s: float = 5.0) -> bool:
        """Write what is left, and the end and its reason, into the bundle.

        To be called once the pump has stopped. False where the disk does not answer in
        ``timeout_s``, or has not taken it all: what is there stays readable.
        """
        self._end = {
            "ended_utc": utc_text(datetime.now(UTC)),
            "duration_s": round(self._now(), 3),
            "reason": reason,
            "sentence": sentence,
        }
        self._worker.stopping.set()
        if self._ended.wait(timeout_s):
            self._worker.join(self.CACHES_S)
        return self._is_written and not self.failed and not self.lost_samples

    # -- the thread ----------------------------------------------------------------------------

    def _run(self, stopping: threading.Event) -> None:
        writer = self._writer
        if writer is None:
            return
        try:
            due = monotonic_now() + self.PERIOD_S
            while not stopping.wait(max(due - monotonic_now(), 0.0)):
                self._round(writer)
                # by the clock, so that a round that takes long makes the gap no longer
                late = max(due + self.PERIOD_S, monotonic_now())
                due = monotonic_now() + self.RETRY_S if self.failed else late
            self._sync.stop(self.CACHES_S)
            self._round(writer, is_last=True)
            self._is_written = self._attempt(writer.close)
        finally:
            self._ended.set()
        self._keep_caches(writer)

    def _round(self, writer: BundleWriter, *, is_last: bool = False) -> None:
        """Write what has come. A failure is told before the events that come after it."""
        self._busy_since = monotonic_now()
        ok = self._attempt(lambda: self._keep_in_place(writer))
        if ok:
            ok = self._attempt(lambda: writer.write_tracks(is_last=is_last))
            ok = self._attempt(lambda: writer.write_events(self._timeline)) and ok
            ok = self._attempt(lambda: self._check_medium(writer, is_last=is_last)) and ok
        if ok and (self.failed or self._stall_told or self._told_missing < len(writer.missing)):
            # only now: a disk may take the audio and refuse the events
            self._tell_resumed(writer)
            self._attempt(lambda: writer.write_events(self._timeline))
        if is_last:
            self._write_facts(is_last=True)
        self._busy_since = None

    def _attempt(self, write: Callable[[], None]) -> bool:
        try:
            write()
        except Exception as error:  # noqa: BLE001 - whatever it is, the next round may go well
            self._note_failure(error)
            return False
        return True

    def _keep_in_place(self, writer: BundleWriter) -> None:
        """Have the files where they belong, also when somebody took them away, or a disk died."""
        if not self._is_dead and writer.is_in_place():
            return
        at_s = writer.written_s
        writer.put_back(self._facts())
        self._is_dead = False
        if not self.failed:
            self._tell(put_back(at_s, self._new_missing(writer)), "warning")

    def _check_medium(self, writer: BundleWriter, *, is_last: bool) -> None:
        if is_last:
            for file in writer.to_sync():
                file.sync()
        elif (error := self._sync.take_error()) is not None:
            raise error

    def _note_failure(self, error: Exception) -> None:
        self._is_dead = self._is_dead or _errno_of(error) in _DEAD
        if self.failed:
            return
        self.failed = True
        self._stopped_at = self._writer.written_s if self._writer is not None else self._now()
        log.error("The recording cannot be written: %s", error, exc_info=error)
        self._tell(stopped(self._stopped_at, error), "error")

    def _tell_resumed(self, writer: BundleWriter) -> None:
        missing = self._new_missing(writer)
        had_stopped = self.failed or self._stall_told
        told = resumed(self._stopped_at, self._now(), missing) if had_stopped else too_slow(missing)
        self.failed = self._stall_told = False
        self._stopped_at = None
        self._tell(told, "warning" if missing else "info")

    def _new_missing(self, writer: BundleWriter) -> list[Missing]:
        missing = writer.missing[self._told_missing :]
        self._told_missing += len(missing)
        return missing

    def _tell(self, told: Told, level: Level) -> None:
        trouble = Trouble(self._now(), "recorder", told.sentence, "", level, told.data)
        self._timeline.append(trouble)
        if self._notices is not None:
            self._notices.post(Notice(level, told.sentence, told.advice))

    # -- what the bundle says of itself --------------------------------------------------------

    def _write_facts(self, *, is_last: bool = False) -> None:
        """Write facts and notes that have changed. They may fail where the audio does not.

        Done by the thread that waits for the medium, and by the recorder at the end: it alone
        writes the end, and the summary, as it alone feeds the tracker.
        """
        writer = self._writer
        if writer is None or (not is_last and (self.failed or monotonic_now() < self._facts_due)):
            return
        with self._writing_facts:
            if self._facts_are_last:
                return
            self._facts_are_last = is_last
            try:
                try:
                    self._write_notes(writer)
                finally:  # notes that are refused keep nothing else from being written
                    if self._info_changed or is_last:
                        self._info_changed = False
                        writer.write_facts(self._facts(is_last=is_last))
                self._facts_failures = 0
            except OSError as error:
                self._info_changed = True
                self._note_refusal(error, is_last=is_last)
            except Exception as error:  # what is to be written is at fault: not tried again
                log.exception("session.json cannot be made")
                if is_last:
                    self._note_failure(error)

    def _note_refusal(self, error: OSError, *, is_last: bool) -> None:
        self._facts_due = monotonic_now() + self.RETRY_S
        self._facts_failures += 1
        if is_last:
            self._note_failure(error)
        elif self._facts_failures == self.FACTS_TRIES:
            log.warning("session.json or notes.json cannot be written: %s", error)
            self._tell(facts_refused(error), "warning")

    def _write_notes(self, writer: BundleWriter) -> None:
        while self._changes:
            try:
                writer.write_notes(self._changes[0])
            except OSError:
                raise  # it waits until the disk takes it
            except Exception:  # the change itself is at fault
                log.exception("The notes of a session cannot be changed")
            self._changes.popleft()

    def _facts(self, *, is_last: bool = False) -> dict[str, Any]:
        facts = {
            "schema": SCHEMA_VERSION,
            "began_utc": utc_text(self._began_utc),
            **self._info.to_dict(),
            "end": self._end if is_last else None,
        }
        if is_last and self._tracker is not None:
            facts["summary"] = summary_facts(self._tracker.summary())
        scrubbed: dict[str, Any] = scrub(facts)
        return scrubbed

    def _follow(self, events: list[Event]) -> None:
        """Find turns in what was written; whatever goes wrong there costs the summary alone."""
        if self._tracker is None:
            return
        try:
            for event in events:
                self._tracker.feed(event)
            _ = self._tracker.interruptions  # a little now and then, not all of it at the end
        except Exception:
            log.exception("The turns of a session cannot be told")
            self._tracker = None

    def _keep_caches(self, writer: BundleWriter) -> None:
        """Keep peaks and turns, which spares reading it all when the recording is opened."""
        if self.failed or not writer.is_whole:
            return
        try:
            # here, so that whatever is wrong with a cache, the recording is whole
            from app.bundles.bundle import TRACKS
            from app.recordings.peaks_cache import save_peaks
            from app.recordings.turns_found import TurnsFound

            for name in TRACKS:
                save_peaks(writer.folder, name, getattr(self._tracks, name).peaks)
            if self._tracker is not None:
                TurnsFound.of(self._tracker).save(writer.folder)
        except Exception:  # a cache that is missing is made when it is wanted
            log.warning("Peaks or turns of a recording cannot be kept", exc_info=True)


_DEAD = {errno.EIO, errno.ESTALE, errno.ENODEV, errno.ENXIO, errno.EBADF, errno.ENOTCONN}
"""After these an open file is of no use any more, though its path may be."""


def _errno_of(error: BaseException) -> int | None:
    cause = error if isinstance(error, OSError) else error.__cause__
    return cause.errno if isinstance(cause, OSError) else None


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
