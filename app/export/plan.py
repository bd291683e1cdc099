"""Which files an order means, and what goes into each. Blocks on the disk; one thread at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from app.export.audio import CODECS, write_audio
from app.export.audio_files import AudioFile, Ranges, audio_files
from app.export.content import Content, content_of
from app.export.cut_events import cut_events, received_ranges
from app.export.errors import ExportError
from app.export.everything import head_of, write_everything
from app.export.formats import AUDIO_IDS, FORMAT_OF, NEEDS_TURNS, PICTURE_IDS, Order, refusal
from app.export.labels import labels_text
from app.export.material import EVENT_WEIGHT, Material
from app.export.packing import packed_bytes, packing_of
from app.export.picture import motif_of
from app.export.progress import Progress
from app.export.subtitles import srt_text, vtt_text
from app.export.tables import interruptions_csv, turns_csv
from app.export.without_user import is_users_words
from app.export.zipped import write_zip
from audio.pcm import SAMPLE_WIDTH, samples_to_seconds, seconds_to_samples

_TEXT_WEIGHT = 16_000

Write = Callable[[BinaryIO], None]


@dataclass(frozen=True, slots=True)
class Output:
    """One file of an export; ``weight`` is its work, as samples of WAV."""

    format: str
    path: Path
    weight: int
    write: Write


class Plan:
    """An order, laid out. What several formats tell of is worked out once, when it is needed."""

    def __init__(self, material: Material, order: Order, progress: Progress) -> None:
        """Lay out ``order`` for ``material``.

        Raises:
            ExportError: a format is unknown or cannot be had, or there is nothing in the stretch.

        """
        self._material, self._order, self._progress = material, order, progress
        self._wish = order.wish
        self._check()
        self._stretch = material.stretch(order.wish)

    @property
    def outputs(self) -> list[Output]:
        """The files, in the order in which they were wished for."""
        # the received track alone is the same file, whether as “wav” or as “tracks”
        found = list(
            {
                output.path: output
                for kind in self._wish.formats
                for output in self._outputs_of(kind)
            }.values()
        )
        single = self._order.single
        if single is None:
            return found
        if len(found) != 1:
            sentence = f"“{single.name}” is one file, and this makes {len(found)}."
            raise ExportError(sentence, "Give a folder instead.")
        return [Output(found[0].format, single, found[0].weight, found[0].write)]

    @property
    def expected_weight(self) -> int:
        """About what the work will be, told before any event is read."""
        stretch = self._stretch
        if stretch.is_whole or self._wish.agent == "heard":
            received: Ranges = self._received
        else:  # it is found in the events; it is about as long as what was heard
            received = ((seconds_to_samples(stretch.start), seconds_to_samples(stretch.stop)),)
        sources = self._material.sources
        files = [
            file
            for kind in self._wish.formats
            if kind in AUDIO_IDS or kind == "tracks"
            for file in audio_files(kind, sources, self._wish, stretch, received)
        ]
        return self.reading_weight + sum(_weight(file) for file in files)

    @property
    def reading_weight(self) -> int:
        """The work of reading the session, where more is wanted than its tracks."""
        drawn = PICTURE_IDS.intersection(self._wish.formats) - self._order.pictures.keys()
        worked_out = self._material.recording_weight if drawn or self._needs_turns else 0
        events = self._material.events.appended if self._needs_turns else 0
        return worked_out + events * EVENT_WEIGHT

    @property
    def _needs_turns(self) -> bool:
        whole = self._stretch.is_whole
        return bool(NEEDS_TURNS.intersection(self._wish.formats)) or (
            not whole and ("zip" in self._wish.formats or self._wish.agent == "received")
        )

    def _check(self) -> None:
        if not self._wish.formats:
            raise ExportError("No format was chosen.", "Choose at least one.")
        for kind in self._wish.formats:
            if kind not in FORMAT_OF:
                known = ", ".join(FORMAT_OF)
                raise ExportError(f"There is no format “{kind}”.", f"There are: {known}.")
            if kind in PICTURE_IDS - self._order.pictures.keys() and self._order.draw is None:
                name = FORMAT_OF[kind].name
                raise ExportError(f"A {name} can only be had from the window, which draws it.")
            why = refusal(kind, self._wish, self._material.has)
            if why:
                raise ExportError(why, f"Leave out “{FORMAT_OF[kind].name}”.")

    # -- what is in them -----------------------------------------------------------------------

    @cached_property
    def _content(self) -> Content:
        material, progress = self._material, self._progress
        return content_of(
            material.turns(progress),
            material.chunks(progress),
            material.notes.markers,
            self._stretch,
            user_text=self._wish.user_text,
        )

    @cached_property
    def _received(self) -> Ranges:
        source = self._material.sources.received
        length = 0 if source is None else source.duration_samples
        if self._stretch.is_whole or self._wish.agent == "heard":
            return ((0, length),)
        found = received_ranges(self._material.turns(self._progress).spans, self._stretch, length)
        if not found:
            raise ExportError("The agent sent nothing that belongs there.", "Choose “as heard”.")
        return found

    # -- the files -----------------------------------------------------------------------------

    def _outputs_of(self, kind: str) -> Iterator[Output]:
        if kind in AUDIO_IDS or kind == "tracks":
            sources, stretch = self._material.sources, self._stretch
            files = audio_files(kind, sources, self._wish, stretch, self._received)
            return (self._audio(kind, file) for file in files)
        if kind in PICTURE_IDS:
            return iter([self._output(kind, f".{kind}", lambda f: _put(f, self._picture(kind)))])
        return iter(self._others[kind]())

    @property
    def _others(self) -> dict[str, Callable[[], list[Output]]]:
        text = self._text
        return {
            "labels": lambda: [text("labels", "-labels.txt", lambda: labels_text(self._content))],
            "srt": lambda: [text("srt", ".srt", lambda: srt_text(self._content))],
            "vtt": lambda: [text("vtt", ".vtt", lambda: vtt_text(self._content, self._note))],
            "csv": lambda: [
                self._output("csv", "-turns.csv", lambda f: _put(f, turns_csv(self._content))),
                self._output(
                    "csv",
                    "-interruptions.csv",
                    lambda file: _put(file, interruptions_csv(self._content)),
                ),
            ],
            "json": lambda: [self._output("json", ".json", self._write_json)],
            "zip": lambda: [self._zip()],
        }

    def _path(self, ending: str) -> Path:
        return self._order.folder / f"{self._order.name or self._material.name}{ending}"

    def _output(self, kind: str, ending: str, write: Write) -> Output:
        return Output(kind, self._path(ending), _TEXT_WEIGHT, write)

    def _text(self, kind: str, ending: str, text: Callable[[], str]) -> Output:
        return self._output(
            kind, ending, lambda file: _put(file, text().encode("utf-8", "replace"))
        )

    def _picture(self, kind: str) -> bytes:
        draw, drawn = self._order.draw, self._order.pictures.get(kind)
        if drawn is None and draw is not None:
            motif = motif_of(self._material, self._stretch, self._progress)
            drawn = draw(motif, kind, self._order.look)
        return drawn or b""

    def _audio(self, kind: str, audio: AudioFile) -> Output:
        return Output(
            kind,
            self._path(audio.ending),
            _weight(audio),
            lambda file: write_audio(file, audio.codec, audio.cut, self._progress),
        )

    @property
    def _note(self) -> str:
        if self._stretch.is_whole:
            return f"Times are session seconds of {self._material.name}."
        span = f"{self._stretch.start:.3f} s to {self._stretch.stop:.3f} s"
        return f"Times count from the beginning of a selection: {span} of {self._material.name}."

    def _zip(self) -> Output:
        path = self._path(".zip")
        size = packed_bytes(self._material)

        def write(file: BinaryIO) -> None:
            packing = packing_of(self._material, self._wish, self._stretch, self._progress)
            write_zip(file, packing, path.parent, self._progress)

        return Output("zip", path, size // SAMPLE_WIDTH, write)

    def _write_json(self, file: BinaryIO) -> None:
        material, stretch = self._material, self._stretch
        samples = material.duration_samples
        if not stretch.is_whole:
            samples = seconds_to_samples(stretch.length)
        head = head_of(
            self._content,
            {} if material.facts is None else material.facts.facts,
            material.notes,
            material.turns(self._progress).summary(),
            samples_to_seconds(samples),
        )
        write_everything(file, head, self._records(), self._progress)

    def _records(self) -> Iterator[dict[str, Any]]:
        material = self._material
        if self._stretch.is_whole:
            records = material.records()
        else:
            events = list(chain.from_iterable(material.events.iterate()))
            spans = material.turns(self._progress).spans
            records = (each.to_dict() for each in cut_events(events, spans, self._stretch).events)
        for record in records:
            if self._wish.user_text or not is_users_words(record):
                yield record


def _weight(audio: AudioFile) -> int:
    return audio.cut.samples * CODECS[audio.codec].cost


def _put(file: BinaryIO, content: bytes) -> None:
    file.write(content)
