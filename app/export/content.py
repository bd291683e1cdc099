"""What a session, or a stretch of it, holds beside its audio: pure logic, no file.

Times of a stretch count from its beginning. A turn that reaches out of it is clipped, and says so.
An interruption is in it whole or not at all, by the moments from its `interrupt()` to silence: its
figures stay as they were measured. Of a line, those words are in it that were spoken there.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import inf

from app.analysis.turn_records import Interruption, Response, Sound, Turn, Who
from app.analysis.viewed import TurnView
from app.bundles.notes import Marker
from app.export.spoken import SpokenLine, SpokenWord, spoken_lines
from app.timeline.events import AgentChunkReceived

_NEAR_S = 0.05


@dataclass(frozen=True, slots=True)
class Stretch:
    """Session seconds ``[start, stop)``; the whole session where ``stop`` is infinite."""

    start: float = 0.0
    stop: float = inf

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left out."""
        return self.start <= 0 and self.stop == inf

    @property
    def length(self) -> float:
        """How long it is, in seconds."""
        return self.stop - self.start

    def touches(self, start: float, stop: float) -> bool:
        """Whether any of ``[start, stop]`` is in it."""
        return start < self.stop and (stop > self.start or start >= self.start)

    def clip(self, t: float) -> float:
        """Return ``t`` counted from the beginning, and kept inside."""
        return min(max(t, self.start), self.stop) - self.start

    def shift(self, t: float | None) -> float | None:
        """Return ``t`` counted from the beginning; None stays None."""
        return None if t is None else t - self.start


@dataclass(frozen=True, slots=True)
class TurnPart:
    """A turn, or as much of it as is in the stretch. ``number`` counts in the whole session."""

    who: Who
    number: int
    start: float
    stop: float | None
    is_clipped: bool = False
    response_latency_ms: float | None = None
    """Of an agent's turn: how long after the end of the user's turn it began, where it answers."""
    text: str = ""
    """What was said, and heard, in it."""
    response: Response | None = None
    """Of an agent's turn: how it came about, and how its audio came."""


@dataclass(frozen=True, slots=True)
class LinePart:
    """A line of the transcript, or as much of it as was spoken in the stretch."""

    who: Who
    start: float
    stop: float
    text: str
    """What was spoken, and heard, in the stretch."""
    unheard_text: str
    spoken: SpokenLine
    words: tuple[SpokenWord, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """All that tables, labels and subtitles tell of; lists are in order of time."""

    stretch: Stretch
    turns: list[TurnPart]
    interruptions: list[Interruption]
    lines: list[LinePart]
    markers: list[Marker]


def content_of(
    turns: TurnView,
    chunks: Sequence[AgentChunkReceived],
    markers: Iterable[Marker],
    stretch: Stretch,
    *,
    user_text: bool = True,
) -> Content:
    """Return what there is in ``stretch``; ``user_text`` lets the user's words in."""
    spoken = [line for line in spoken_lines(turns, chunks) if user_text or line.line.who == "agent"]
    words = {
        who: sorted(
            (word for line in spoken if line.line.who == who for word in line.words),
            key=lambda word: word.start,
        )
        for who in ("user", "agent")
    }
    parts = [
        *_turn_parts(turns.user_turns, [], words["user"], stretch),
        *_turn_parts(turns.agent_turns, turns.responses, words["agent"], stretch),
    ]
    return Content(
        stretch,
        sorted(parts, key=lambda part: (part.start, part.who)),
        [_shifted(cut, stretch) for cut in turns.interruptions if _is_in(cut, stretch)],
        sorted(_line_parts(spoken, stretch), key=lambda line: line.start),
        clipped_markers(markers, stretch),
    )


def clipped_markers(markers: Iterable[Marker], stretch: Stretch) -> list[Marker]:
    """Return the markers that touch ``stretch``, as much of each as is in it."""
    return [_clipped(marker, stretch) for marker in markers if _touches(marker, stretch)]


def _turn_parts(
    turns: Sequence[Turn],
    responses: Sequence[Response],
    words: list[SpokenWord],
    stretch: Stretch,
) -> Iterable[TurnPart]:
    starts = [word.start for word in words]
    for index, turn in enumerate(turns):
        stop = inf if turn.stop is None else turn.stop
        if not stretch.touches(turn.start, stop):
            continue
        first, last = max(turn.start, stretch.start), min(stop, stretch.stop)
        begin = bisect_left(starts, first - _NEAR_S)
        if first > turn.start and begin and words[begin - 1].stop > first:
            begin -= 1  # the word that the stretch begins in
        said = words[begin : bisect_left(starts, last)]
        response = responses[index] if index < len(responses) else None
        yield TurnPart(
            turn.who,
            index + 1,
            stretch.clip(turn.start),
            None if last == inf else stretch.clip(last),
            is_clipped=(first, last) != (turn.start, stop),
            response_latency_ms=None if response is None else response.latency_ms,
            text=" ".join(word.text for word in said),
            response=None if response is None else _shifted_response(response, stretch),
        )


def _is_in(cut: Interruption, stretch: Stretch) -> bool:
    return stretch.touches(cut.at, cut.at if cut.silent_at is None else cut.silent_at)


def _shifted(cut: Interruption, stretch: Stretch) -> Interruption:
    return replace(
        cut,
        at=cut.at - stretch.start,
        silent_at=stretch.shift(cut.silent_at),
        user_onset=stretch.shift(cut.user_onset),
        agent_next_at=stretch.shift(cut.agent_next_at),
        chunk_ended_at=stretch.shift(cut.chunk_ended_at),
        chunk_sent_at=stretch.shift(cut.chunk_sent_at),
        told_at=stretch.shift(cut.told_at),
        sound=None if cut.sound is None else _shifted_sound(cut.sound, stretch),
    )


def _shifted_sound(sound: Sound, stretch: Stretch) -> Sound:
    return replace(sound, start=sound.start - stretch.start, stop=sound.stop - stretch.start)


def _shifted_response(response: Response, stretch: Stretch) -> Response:
    return replace(
        response,
        heard_at=response.heard_at - stretch.start,
        user_stop=stretch.shift(response.user_stop),
        endpointed_at=stretch.shift(response.endpointed_at),
        first_chunk_at=stretch.shift(response.first_chunk_at),
    )


def _line_parts(lines: Iterable[SpokenLine], stretch: Stretch) -> Iterable[LinePart]:
    for spoken in lines:
        words = tuple(
            SpokenWord(word.text, stretch.clip(word.start), stretch.clip(word.stop))
            for word in spoken.words
            if stretch.touches(word.start, word.stop)
        )
        ends_here = stretch.touches(spoken.stop, spoken.stop) or spoken.stop == stretch.stop
        if words or (ends_here and not spoken.words):
            at = stretch.clip(spoken.line.at)
            yield LinePart(
                spoken.line.who,
                words[0].start if words else at,
                words[-1].stop if words else at,
                " ".join(word.text for word in words),
                spoken.line.unheard_text if ends_here else "",
                spoken,
                words,
            )


def _touches(marker: Marker, stretch: Stretch) -> bool:
    return stretch.touches(marker.t, marker.t if marker.stop is None else marker.stop)


def _clipped(marker: Marker, stretch: Stretch) -> Marker:
    stop = None if marker.stop is None else stretch.clip(marker.stop)
    return replace(marker, t=stretch.clip(marker.t), stop=stop)
