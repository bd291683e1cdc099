"""A recording, opened to be exported: its tracks, its events, its notes. Blocks on the disk.

Belongs to one thread at a time. What takes long, reading all events, is done when it is wanted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.bundles.bundle import FILES, BundleFacts, read_facts
from app.bundles.inside import is_inside
from app.bundles.notes import Notes, load_notes
from app.bundles.unzip import unpack_bundle
from app.export.content import Stretch
from app.export.errors import ExportError
from app.export.formats import Has, Wish
from app.export.progress import Progress
from app.export.zipped import is_own_file
from app.recordings.audio_form import examine
from app.recordings.recorded_events import RecordedEvents
from app.recordings.sources import FileLane, SampleSource, Sources, open_sources, sources_of
from app.timeline.events import AgentChunkReceived
from app.timeline.json_line import MAX_LINE_BYTES, parse_line
from audio.closing import Closing
from audio.errors import FileError, FileUnreadable
from audio.pcm import samples_to_seconds, seconds_to_samples
from audio.wavfile import reason_of

if TYPE_CHECKING:
    from app.analysis.viewed import TurnView
    from app.recordings.recording import Recording

_POLL_S = 0.05
EVENT_WEIGHT = 8000
"""Reading an event takes about as long as writing so many samples of WAV."""


class Material(Closing):
    """What an export is made from. ``facts`` is None for an audio file that is no recording."""

    def __init__(
        self,
        path: Path,
        sources: Sources,
        facts: BundleFacts | None,
        opened: ExitStack,
        *,
        swap: bool = False,
    ) -> None:
        """Hold it together, and close ``opened`` in the end; `open_material` makes it."""
        self.path, self.sources, self.facts = path, sources, facts
        self.own_files = [] if facts is None else _own_files(facts.path)
        """The recording's own files that were there when it was opened.

        One that is gone by now, to the trash say, is an error where it is read, and not left out.
        """
        self._had_events = facts is not None and (facts.path / "events.jsonl").is_file()
        self.warnings: list[str] = [] if facts is None else facts.warnings
        self.notes = Notes() if facts is None else load_notes(facts.path, self.warnings)
        self._opened = opened
        self._opened.callback(sources.close)
        self._chunks: list[AgentChunkReceived] | None = None
        self._recording: Recording | None = None
        self._swap = swap

    @property
    def name(self) -> str:
        """What its exports are called, unless told otherwise."""
        return self.path.resolve().name if self.path.is_dir() else self.path.stem

    @property
    def folder(self) -> Path | None:
        """The bundle's folder."""
        return None if self.facts is None else self.facts.path

    @property
    def files(self) -> list[Path]:
        """The files it is made of, which no export may replace."""
        if self.folder is None:
            return [self.path]
        return [self.path, *(self.folder / name for name in FILES)]

    @property
    def duration_samples(self) -> int:
        """The length of the session's tracks."""
        return self.sources.duration_samples

    @cached_property
    def events(self) -> RecordedEvents:
        """The events; raises ``FileUnreadable`` where they cannot be read."""
        path = self._events_path
        try:
            return RecordedEvents(path)
        except OSError as error:
            raise FileUnreadable(
                path or "", f"“{path}” cannot be read: {reason_of(error)}."
            ) from error

    @property
    def _events_path(self) -> Path | None:
        path = None if self.folder is None else self.folder / "events.jsonl"
        if path is None or self.folder is None:
            return None
        is_gone = self._had_events and not path.exists()  # whoever opens it is told
        if not (path.is_file() or is_gone):
            return None
        return path if is_inside(self.folder, path) else None

    def records(self) -> Iterator[dict[str, Any]]:
        """Yield the lines of ``events.jsonl`` that are records, of whatever type; see `lines`."""
        return (record for _, record in self.lines())

    def lines(self) -> Iterator[tuple[bytes, dict[str, Any]]]:
        """Yield the lines of ``events.jsonl`` that are records, and what each says.

        Raises:
            FileUnreadable: they cannot be read to the end.

        """
        for line in self._lines():
            try:
                record = parse_line(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(record, dict):
                yield line, record

    def _lines(self) -> Iterator[bytes]:
        path = self._events_path
        if path is None:
            return
        try:
            file = path.open("rb")
            with file:
                while line := file.readline(MAX_LINE_BYTES):
                    yield line
        except OSError as error:
            raise FileUnreadable(path, f"“{path}” cannot be read: {reason_of(error)}.") from error

    def turns(self, progress: Progress) -> TurnView:
        """Return its turns as the window shows them; the first time takes as long as `recording`.

        Raises:
            FileError: it cannot be read.
            Cancelled: it is not wanted any more.

        """
        recording = self.recording(progress)
        if recording.turns is None or recording.has_failed:
            sentence = f"The turns of “{self.name}” cannot be worked out."
            raise FileUnreadable(self.path, sentence)
        return recording.turns

    def chunks(self, progress: Progress) -> list[AgentChunkReceived]:
        """Return all agent chunks, in order; the first time reads all events."""
        if self._chunks is None:
            chunks: list[AgentChunkReceived] = []
            for some in self.events.iterate():
                progress.advance(len(some) * EVENT_WEIGHT)
                chunks += (event for event in some if isinstance(event, AgentChunkReceived))
            self._chunks = chunks
        return self._chunks

    @property
    def recording_weight(self) -> int:
        """The work of `recording`, as samples of WAV, about."""
        return 2 * self.duration_samples + self.events.appended * EVENT_WEIGHT

    def recording(self, progress: Progress) -> Recording:
        """Return it as the window shows it, all of it worked out; the first time takes long.

        Raises:
            FileError: it cannot be read.
            Cancelled: it is not wanted any more.

        """
        if self._recording is None:
            from app.recordings.recording import open_recording

            opened = open_recording(self.folder or self.path, swap=self._swap)
            self._opened.callback(opened.close)
            weight, done = self.recording_weight, 0
            is_whole = False
            while not is_whole:
                is_whole = opened.wait(_POLL_S) or opened.progress >= 1.0
                share = round(weight * opened.progress)
                progress.advance(share - done)
                done = share
            self._recording = opened
        return self._recording

    def stretch(self, wish: Wish) -> Stretch:
        """Return the stretch of session time that is wanted, to whole samples.

        Raises:
            ExportError: nothing of the session is in it.

        """
        if wish.start_s is None and wish.stop_s is None:
            return Stretch()
        end = samples_to_seconds(self.duration_samples)
        start = max(wish.start_s or 0.0, 0.0)
        stop = end if wish.stop_s is None else min(wish.stop_s, end)
        first, last = seconds_to_samples(start), seconds_to_samples(stop)
        if first >= last:
            sentence = f"There is nothing from {start:.3f} s to {wish.stop_s or end:.3f} s"
            raise ExportError(
                f"{sentence}: the session lasts {end:.3f} s.", "Choose a stretch in it."
            )
        return Stretch(samples_to_seconds(first), samples_to_seconds(last))

    @property
    def has(self) -> Has:
        """What there is of it."""
        return Has(
            name=self.path.name,
            is_session=self.facts is not None,
            events=self._events_path is not None,
            user=self.sources.user is not None,
            agent=self.sources.agent is not None,
            received=self.sources.received is not None,
        )

    def close(self) -> None:
        """Let go of the files."""
        self._opened.close()


def _own_files(folder: Path) -> list[Path]:
    return [folder / name for name in FILES if is_own_file(folder / name)]


def open_material(path: Path, *, swap: bool = False) -> Material:
    """Open a bundle's folder, its ``session.json``, a zip of one, or an audio file.

    Of an audio file the left channel is the user, the right one with ``swap``. A track of a bundle
    that cannot be read counts as missing, and ``warnings`` say so.

    Raises:
        BundleError: the folder, or the zip, is no bundle.
        FileError: the file is not audio, or cannot be read.

    """
    path = Path(path)
    if path.name == "session.json" and path.is_file():
        path = path.parent
    with ExitStack() as opened:
        if path.is_dir():
            return _open_bundle(path, path, opened)
        if path.suffix.lower() == ".zip":
            return _open_bundle(path, opened.enter_context(unpack_bundle(path)), opened)
        return Material(path, open_sources(path, swap=swap), None, opened.pop_all(), swap=swap)


def _open_bundle(asked: Path, folder: Path, opened: ExitStack) -> Material:
    facts = read_facts(folder)
    tracks = [_track(each, facts.warnings) for each in (facts.user, facts.agent, facts.received)]
    return Material(asked, sources_of(*tracks), facts, opened.pop_all())


def _track(path: Path | None, warnings: list[str]) -> SampleSource | None:
    if path is None:
        return None
    try:
        return FileLane(examine(path))
    except FileError as error:
        warnings.append(str(error))
        return None
