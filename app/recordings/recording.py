"""A recording that was opened, a session's bundle or any audio file: a `Viewed`.

``open_recording`` waits for the disk. All the rest may be read by any thread, and waits for nothing
but ``close`` for the thread named ``recording``: that one works out, while the recording is looked
at, what takes longer: the peaks of files that were not opened before, and the turns, for which
the tracks are listened to where the events do not tell what they hold. Events are the
exception where their file is longer than is kept, 64 MiB: what is wanted of them is read from the
disk again, by whoever wants it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import datetime
from pathlib import Path
from typing import Literal

from app.analysis.limits import PAUSE_S
from app.analysis.viewed import TurnView
from app.bundles.bundle import BundleFacts, find_events, read_facts
from app.bundles.session_info import LISTENING_VERSION, SessionInfo
from app.bundles.unzip import unpack_bundle
from app.recordings.audio_form import AudioForm, examine
from app.recordings.recorded_events import RecordedEvents
from app.recordings.recorded_sound import SECONDS_A_SECOND
from app.recordings.recorded_tracks import PeaksJob, RecordedTrack, RecordedTracks
from app.recordings.sources import Sources, sources_of
from app.recordings.turns_by_sound import turns_by_sound
from app.recordings.turns_found import TurnsFound, find_turns
from app.states import State
from app.timeline.events import Muted
from app.timeline.sane_events import LONGEST_S
from audio.errors import FileError
from audio.pcm import samples_to_seconds
from audio.wavfile import reason_of
from audio.worker import Worker

Kind = Literal["bundle", "file"]

EVENTS_A_SECOND = 50_000
"""How many the analysis takes, more or less: for ``progress`` alone."""


class Recording:
    """What was opened. Its peaks and its turns may come a little later: ``progress`` tells.

    ``warnings``, ``turns`` and ``tracks`` are replaced as more is known, and never changed.
    """

    CLOSE_S = 5.0
    state = State.ENDED

    def __init__(
        self,
        path: Path,
        facts: BundleFacts | None,
        tracks: RecordedTracks,
        timeline: RecordedEvents,
        turns: TurnView | None,
        *,
        pause_s: float = PAUSE_S,
    ) -> None:
        """Hold together what belongs to one recording; ``open_recording`` makes and begins it."""
        self.pause_s = pause_s
        """So long a silence ends a turn in ``turns``."""
        self.path = path
        """What was asked for: a bundle's folder, a zip of one, or an audio file."""
        self.kind: Kind = "file" if facts is None else "bundle"
        self.facts = facts
        self.bundle = None if facts is None else facts.path
        self.is_copy = False
        """Whether ``bundle`` is a private copy, out of a zip, that ``close`` removes."""
        self.info = SessionInfo(versions={}) if facts is None else facts.info
        self.began_utc: datetime | None = None if facts is None else facts.began_utc
        self.end = None if facts is None else facts.end
        self.tracks = tracks
        self.timeline = timeline
        self.turns = turns
        """What the events tell of; None while that is being worked out."""
        self.muted = _mutes(timeline)
        """When the microphone was muted: from, and until, None where it stayed so."""
        self.warnings: list[str] = [] if facts is None else list(facts.warnings)
        self._told_s = _told_duration(facts, timeline)
        self.has_failed = False
        """Whether working it out was given up: what there is of it then is not all of it."""
        self._jobs: list[PeaksJob] = []
        self._listens = turns is None and self._lacks_sound()
        # Guards which tracks the turns belong to; held for no work.
        self._swapping = threading.Lock()
        self._is_done = False
        self._done_s = self._whole_s = 0.0
        self._opened = ExitStack()
        self._worker = Worker("recording", self._work, self._give_up)

    # -- reading -------------------------------------------------------------------------------

    @property
    def title(self) -> str:
        """What a person calls it: the name of its folder or file."""
        return self.path.name

    @property
    def is_mono(self) -> bool:
        """Whether it is an audio file with one channel: the user's lane alone."""
        return self.kind == "file" and self.tracks.agent.source is None

    @property
    def sources(self) -> Sources:
        """The samples at 16 kHz, for playing and exporting."""
        tracks = self.tracks
        return sources_of(tracks.user.source, tracks.agent.source, tracks.received.source)

    @property
    def progress(self) -> float:
        """How much of peaks and turns is there, 1 when all of it is."""
        if self._is_done:
            return 1.0
        return min(self._done_s / self._whole_s, 0.99) if self._whole_s else 0.0

    def now(self) -> float:
        """Return its duration in seconds."""
        tracks = (self.tracks.user, self.tracks.agent)
        return max(self._told_s, *(samples_to_seconds(track.duration_samples) for track in tracks))

    def health(self) -> dict[str, int]:
        """Return nothing: a recording holds no counters."""
        return {}

    # -- commands ------------------------------------------------------------------------------

    def swap(self) -> None:
        """Let user and agent of an audio file change places; their turns are found anew."""
        if self.kind == "bundle" or self.is_mono:
            return
        with self._swapping:
            tracks, is_over = self.tracks, self._is_done
            self.tracks = RecordedTracks(tracks.agent, tracks.user, tracks.received)
            if not is_over or self.has_failed:
                return
            self.turns, self._is_done = None, False
        self._jobs, self._done_s, self._whole_s = [], 0.0, self._listening_s()
        self._worker = Worker("recording", self._work, self._give_up)
        self._worker.start()

    def begin(self, jobs: list[PeaksJob], opened: ExitStack) -> None:
        """Work out what is missing; ``opened`` is what the recording closes in the end. Once."""
        self._jobs = jobs
        self._opened = opened
        turns_s = self.timeline.appended / EVENTS_A_SECOND if self.turns is None else 0.0
        self._whole_s = sum(job.cost_s for job in jobs) + turns_s + self._listening_s()
        self._is_done = not jobs and self.turns is not None
        if not self._is_done:
            self._worker.start()

    def wait(self, timeout_s: float) -> bool:
        """Wait until all is worked out; say whether it is."""
        return self._is_done or (self._worker.join(timeout_s) and self._is_done)

    def close(self) -> None:
        """Stop working, and let go of the files. Harmless twice."""
        self._worker.stop(self.CLOSE_S)
        self.sources.close()
        self._opened.close()

    # -- the thread ----------------------------------------------------------------------------

    def _work(self, stopping: threading.Event) -> None:
        for job in self._jobs:
            before_s = self._done_s

            def note(part: float, before_s: float = before_s, cost_s: float = job.cost_s) -> None:
                self._done_s = before_s + part * cost_s

            self._warn(job.run(stopping, note))
            note(1.0)
        if self.turns is not None:
            self._is_done = not stopping.is_set()
            return
        while not stopping.is_set() and not self._find_turns(stopping):
            pass

    def _find_turns(self, stopping: threading.Event) -> bool:
        """Find the turns; False where the lanes have changed places meanwhile."""
        tracks, before_s = self.tracks, self._done_s

        def note(seconds: float) -> None:
            self._done_s = before_s + seconds

        found = self._found(tracks, stopping, note)
        if found is None:
            return False
        if self.bundle is not None and not self.is_copy and self.pause_s == PAUSE_S:
            found.save(self.bundle, self.timeline.size_bytes)
        with self._swapping:
            if self.tracks is not tracks:
                self._done_s = before_s
                return False
            self._warn([each for each in found.warnings if each not in self.warnings])
            self.turns, self._is_done = found, True
        return True

    def _found(
        self, tracks: RecordedTracks, stopping: threading.Event, note: Callable[[float], None]
    ) -> TurnsFound | None:
        """Work out the turns, from the tracks as well where the events do not tell enough."""
        if not self._listens:

            def count(events: int) -> None:
                note(events / EVENTS_A_SECOND)

            return find_turns(self.timeline, stopping, count, self.pause_s)
        with ExitStack() as opened:
            user, agent = (
                None if track.source is None else opened.enter_context(closing(track.again()))
                for track in (tracks.user, tracks.agent)
            )
            return turns_by_sound(self.timeline, user, agent, stopping, note, pause_s=self.pause_s)

    def _lacks_sound(self) -> bool:
        """Whether its events do not tell what the tracks hold."""
        if self.tracks.user.source is None:
            return False
        is_told = self.info.versions.get("listening") == LISTENING_VERSION
        return self.timeline.appended == 0 or not is_told

    def _listening_s(self) -> float:
        """Return how long listening takes, more or less."""
        tracks = (self.tracks.user, self.tracks.agent)
        length_s = samples_to_seconds(sum(track.duration_samples for track in tracks))
        return length_s / SECONDS_A_SECOND if self._listens else 0.0

    def _warn(self, sentences: list[str]) -> None:
        self.warnings = [*self.warnings, *sentences]

    def _give_up(self, error: Exception) -> None:
        self._warn([f"Not all of it could be worked out ({type(error).__name__})."])
        self.turns = self.turns or TurnsFound()
        self.has_failed = self._is_done = True


def open_recording(path: Path, *, swap: bool = False, pause_s: float = PAUSE_S) -> Recording:
    """Open a bundle's folder, its ``session.json``, a zip of one, or any audio file.

    Of an audio file the left channel is the user and the right one the agent, the other way round
    with ``swap``; one of a single channel has no agent. What is wrong with it, and can be lived
    with, is in ``warnings``. A silence of ``pause_s`` ends a turn; with another one than is usual
    the turns are worked out anew, and not kept.

    Raises:
        BundleError: the folder, or the zip, is no bundle.
        FileError: the file is missing, is not audio, or cannot be read.

    """
    path = Path(path)
    if path.name == "session.json" and path.is_file():
        return _open_bundle(path.parent, path.parent, pause_s)
    if path.is_dir():
        return _open_bundle(path, path, pause_s)
    if path.suffix.lower() == ".zip":
        return _open_zip(path, pause_s)
    return _open_file(path, examine(path), pause_s, swap=swap)


def _open_zip(path: Path, pause_s: float) -> Recording:
    with ExitStack() as opened:
        folder = opened.enter_context(unpack_bundle(path))
        return _open_bundle(folder, path, pause_s, opened.pop_all())


def _open_bundle(
    folder: Path, asked: Path, pause_s: float, opened: ExitStack | None = None
) -> Recording:
    with opened or ExitStack() as held:
        facts = read_facts(folder)
        user, agent, received = (
            _bundle_track(each, facts.warnings)
            for each in (facts.user, facts.agent, facts.received)
        )
        timeline = _read_timeline(facts)
        is_usual = pause_s == PAUSE_S
        turns = TurnsFound.load(folder, timeline.size_bytes) if is_usual else None
        tracks = RecordedTracks(user, agent, received)
        recording = Recording(asked, facts, tracks, timeline, turns, pause_s=pause_s)
        if turns is not None:
            recording.warnings += turns.warnings
        recording.is_copy = opened is not None
        jobs = [
            PeaksJob(track.source.form, [track], None if opened else folder, name)
            for name, track in (("user", user), ("agent", agent), ("received", received))
            if track.source is not None and not track.load_peaks(folder, name)
        ]
        recording.begin(jobs, held.pop_all())
        return recording


def _bundle_track(path: Path | None, warnings: list[str]) -> RecordedTrack:
    if path is None:
        return RecordedTrack()
    try:
        form = examine(path)
    except FileError as error:
        warnings.append(str(error))
        return RecordedTrack()
    warnings += form.warnings
    if form.channels > 1:
        warnings.append(f"{path.name} has {form.channels} channels: the first one is shown.")
    return RecordedTrack(form)


def _read_timeline(facts: BundleFacts) -> RecordedEvents:
    path = find_events(facts.path, facts.warnings)
    try:
        timeline = RecordedEvents(path)
    except OSError as error:
        facts.warnings.append(f"events.jsonl cannot be read: {reason_of(error)}.")
        return RecordedEvents()
    if timeline.is_cut:
        facts.warnings.append(
            f"events.jsonl holds more than {timeline.appended} events: the first ones are shown."
        )
    return timeline


def _open_file(path: Path, form: AudioForm, pause_s: float, *, swap: bool) -> Recording:
    lanes = [RecordedTrack(form, channel) for channel in range(min(form.channels, 2))]
    user, agent = lanes[0], lanes[1] if len(lanes) > 1 else RecordedTrack()
    tracks = RecordedTracks(user, agent, RecordedTrack())
    recording = Recording(path, None, tracks, RecordedEvents(), None, pause_s=pause_s)
    recording.warnings += form.warnings
    if form.channels > 2:
        recording.warnings.append(
            f"“{path.name}” has {form.channels} channels: the first two are shown."
        )
    if swap:
        recording.swap()
    recording.begin([PeaksJob(form, lanes)], ExitStack())
    return recording


def _told_duration(facts: BundleFacts | None, timeline: RecordedEvents) -> float:
    """Return the seconds that the session's end tells of, or its last event where there is none."""
    told = None if facts is None else facts.duration_s
    if told is None:
        last = timeline.slice(timeline.appended - 1, timeline.appended)
        told = last[0].t if last and 0 <= last[0].t < LONGEST_S else 0.0
    return told


def _mutes(timeline: RecordedEvents) -> list[tuple[float, float | None]]:
    spans: list[tuple[float, float | None]] = []
    for event in timeline.of_type(Muted):
        is_open = bool(spans) and spans[-1][1] is None
        if event.muted and not is_open:
            spans.append((event.t, None))
        elif is_open and not event.muted:
            spans[-1] = (spans[-1][0], event.t)
    return spans
