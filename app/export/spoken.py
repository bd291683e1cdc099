"""When each word of the transcript was spoken. Pure logic.

A word of the agent stands where its middle was heard, by the alignment that came with the audio;
where there is none, the words share the heard audio of their reply in proportion to their letters,
and say that they are estimated. So do the words of a user's turn, whose audio nobody aligns. Words
that nobody heard have no time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from app.analysis.replies import aligned_words
from app.analysis.turn_records import AudioSpan, Line, Turn
from app.analysis.viewed import TurnView
from app.timeline.events import AgentChunkReceived
from audio.pcm import SAMPLE_RATE

LETTERS_A_SECOND = 15.0
"""As fast as people speak and read; for words whose time nothing else tells."""
_AT_ONCE_S = 0.001

Piece = tuple[float, float]
"""A stretch of session time in which somebody was heard."""


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word, and when it was spoken, in session seconds."""

    text: str
    start: float
    stop: float


@dataclass(frozen=True, slots=True)
class SpokenLine:
    """A line of the transcript with the times of its spoken words, in order."""

    line: Line
    words: tuple[SpokenWord, ...]
    estimated: bool
    """Whether the words' times are."""

    @property
    def start(self) -> float:
        """When it begins."""
        return self.words[0].start if self.words else self.line.at

    @property
    def stop(self) -> float:
        """When it ends; where it began, if none of it was heard."""
        return self.words[-1].stop if self.words else self.line.at


def spoken_lines(turns: TurnView, chunks: Sequence[AgentChunkReceived]) -> list[SpokenLine]:
    """Return the transcript's lines, in its order; ``chunks`` are all that were received."""
    lines = turns.transcript
    users = _user_words([line for line in lines if line.who == "user"], turns.user_turns)
    agent = [line for line in lines if line.who == "agent" and line.heard_text]
    heard = _Heard(turns.spans)
    of_line = _chunks_of(sorted(line.at for line in agent), chunks, heard)
    spoken = []
    for line in lines:
        if line.who == "user":
            spoken.append(users[id(line)])
        else:
            spoken.append(_agent_line(line, of_line.get(line.at, []), heard))
    return spoken


class _Heard:
    """The way from received positions to the time at which they were heard."""

    def __init__(self, spans: Iterable[AudioSpan]) -> None:
        self._spans = sorted(
            (span for span in spans if span.kind == "heard"), key=lambda span: span.start
        )
        self._starts = [span.start for span in self._spans]

    def at(self, position: float) -> float | None:
        """Return when ``position`` was heard; None where it was not."""
        index = bisect_right(self._starts, position) - 1
        if index < 0 or position >= self._spans[index].stop:
            return None
        span = self._spans[index]
        return span.at + (position - span.start) / SAMPLE_RATE

    def pieces(self, start: int, stop: int) -> list[Piece]:
        """Return when parts of ``[start, stop)`` were heard."""
        found = []
        for index in range(max(bisect_right(self._starts, start) - 1, 0), len(self._spans)):
            span = self._spans[index]
            if span.start >= stop:
                break
            first, last = max(start, span.start), min(stop, span.stop)
            if first < last:
                at = span.at + (first - span.start) / SAMPLE_RATE
                found.append((at, at + (last - first) / SAMPLE_RATE))
        return found


def _chunks_of(
    starts: list[float], chunks: Iterable[AgentChunkReceived], heard: _Heard
) -> dict[float, list[AgentChunkReceived]]:
    """Give each chunk to the agent's line that was being heard when it began to be.

    One that nobody heard goes with those before it: the last word heard may end in it.
    """
    found: dict[float, list[AgentChunkReceived]] = {}
    index = -1
    for chunk in chunks:
        pieces = heard.pieces(chunk.start, chunk.stop)
        if pieces:
            index = bisect_right(starts, pieces[0][0] + _AT_ONCE_S) - 1
        if index >= 0:
            found.setdefault(starts[index], []).append(chunk)
    return found


def _agent_line(line: Line, chunks: list[AgentChunkReceived], heard: _Heard) -> SpokenLine:
    texts = line.heard_text.split()
    if not texts:
        return SpokenLine(line, (), line.estimated)
    aligned = _aligned(texts, chunks, heard) if not line.estimated else None
    if aligned is not None:
        return SpokenLine(line, aligned, estimated=False)
    pieces = [piece for chunk in chunks for piece in heard.pieces(chunk.start, chunk.stop)]
    return SpokenLine(line, _share(texts, pieces or [_reading(line.at, texts)]), estimated=True)


def _aligned(
    texts: list[str], chunks: list[AgentChunkReceived], heard: _Heard
) -> tuple[SpokenWord, ...] | None:
    """Return the heard words where the alignment has them; None where it tells of others."""
    found: list[SpokenWord] = []
    for word in aligned_words(chunks):
        middle = heard.at(word.middle)
        if middle is not None:
            start = heard.at(word.start)
            start = middle if start is None else min(start, middle)
            found.append(SpokenWord(word.text, start, 2 * middle - start))
    # the last may have come in part only: the reply's text has all of it
    agree = len(found) == len(texts) and all(
        text.startswith(word.text) for text, word in zip(texts, found, strict=True)
    )
    if not agree:
        return None
    return tuple(
        SpokenWord(text, word.start, word.stop) for text, word in zip(texts, found, strict=True)
    )


def _user_words(lines: list[Line], turns: list[Turn]) -> dict[int, SpokenLine]:
    """Spread each user line over its turn; several of one turn share it."""
    found: dict[int, SpokenLine] = {}
    starts = [turn.start for turn in turns]
    for (at, typed), group in groupby(lines, key=lambda line: (line.at, line.typed)):
        together = list(group)
        texts = [_user_texts(line.text) for line in together]
        flat = [text for each in texts for text in each]
        piece = _reading(at, flat)
        index = bisect_right(starts, at + _AT_ONCE_S) - 1
        if index >= 0 and not typed:
            stop = turns[index].stop
            piece = (at, stop) if stop is not None and stop > at else piece
        words = list(_share(flat, [piece]))
        for line, each in zip(together, texts, strict=True):
            found[id(line)] = SpokenLine(line, tuple(words[: len(each)]), estimated=True)
            del words[: len(each)]
    return found


def _user_texts(text: str) -> list[str]:
    """Return the words of a user's line: one that is all in brackets is a remark, and stays whole.

    An agent that knows no words says so: “(you spoke for 3.7 s)”. Half of that says nothing.
    """
    text = text.strip()
    return [text] if text.startswith("(") and text.endswith(")") else text.split()


def _reading(at: float, texts: list[str]) -> Piece:
    """Return how long it takes to say ``texts``, from ``at`` on."""
    return at, at + max(sum(len(text) + 1 for text in texts) / LETTERS_A_SECOND, 1.0)


def _share(texts: list[str], pieces: list[Piece]) -> tuple[SpokenWord, ...]:
    """Spread words over stretches of time in proportion to their letters."""
    total_s = sum(stop - start for start, stop in pieces)
    letters = sum(len(text) + 1 for text in texts)
    words, done = [], 0
    for text in texts:
        start = _place(pieces, done / letters * total_s)
        done += len(text) + 1
        words.append(SpokenWord(text, start, max(_place(pieces, done / letters * total_s), start)))
    return tuple(words)


def _place(pieces: list[Piece], into_s: float) -> float:
    """Return the session time that is ``into_s`` seconds of the stretches in."""
    for start, stop in pieces:
        if into_s <= stop - start:
            return start + into_s
        into_s -= stop - start
    return pieces[-1][1]
