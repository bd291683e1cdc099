"""The agent's replies: their text, their audio, and which words of them were heard. Pure logic.

A word was heard if its middle was. Where it stands in the audio comes from the alignment that is
sent with the audio; without one it is estimated: words share the reply's audio in proportion to
their letters, and the division is marked as estimated.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import inf
from typing import ClassVar, Literal, NamedTuple

from app.timeline.events import AgentChunkReceived
from audio.pcm import SAMPLE_RATE

Fate = Literal["heard", "waiting", "unheard"]


class Ranges:
    """Disjoint sample ranges in ascending order. Adding at the end, which is the rule, is O(1)."""

    def __init__(self) -> None:
        """Begin empty."""
        self._starts: list[int] = []
        self._stops: list[int] = []

    def add(self, start: int, stop: int) -> None:
        """Add ``[start, stop)``."""
        if stop <= start:
            return
        if self._stops and start < self._stops[-1]:
            self._insert(start, stop)
        elif self._stops and start == self._stops[-1]:
            self._stops[-1] = stop
        else:
            self._starts.append(start)
            self._stops.append(stop)

    def _insert(self, start: int, stop: int) -> None:
        first = bisect_left(self._stops, start)
        last = bisect_right(self._starts, stop)
        if first < last:
            start = min(start, self._starts[first])
            stop = max(stop, self._stops[last - 1])
        self._starts[first:last] = [start]
        self._stops[first:last] = [stop]

    def __contains__(self, position: float) -> bool:
        index = bisect_right(self._starts, position) - 1
        return index >= 0 and position < self._stops[index]


class Word(NamedTuple):
    """A word of a reply; ``middle``, ``start`` and ``stop`` are received positions."""

    text: str
    middle: float
    start: float = inf
    stop: float = inf

    def is_cut_at(self, position: float) -> bool:
        """Whether both sides of ``position`` hold a part of it that can be told by ear."""
        return self.start + AUDIBLE <= position <= self.stop - AUDIBLE


AUDIBLE = SAMPLE_RATE // 50
"""Samples: less of a word than 20 ms is not heard as a part of it."""


@dataclass(frozen=True, slots=True)
class Division:
    """A reply's words by what became of them, each as text."""

    heard: str
    waiting: str
    unheard: str
    estimated: bool

    def cut(self) -> Division:
        """Return it as it is once nothing more is heard."""
        unheard = " ".join(text for text in (self.unheard, self.waiting) if text)
        return replace(self, waiting="", unheard=unheard)


@dataclass(slots=True)
class Reply:
    """One reply of the agent, as much of it as has come.

    It is *closed* when no text and no audio of it comes any more: of its chunks the words remain.
    It is *settled* when each word that has come was heard or lost: how they divide remains.
    """

    LONGEST_S: ClassVar[float] = 60.0
    """So much audio a reply may have without any text."""
    STOPS: ClassVar[int] = 16
    SLOWEST_LETTERS_S: ClassVar[float] = 5.0
    """Letters a second; people speak some fifteen."""

    at: float
    event_id: int | None = None
    text: str | None = None
    corrected: str | None = None
    chunks: list[AgentChunkReceived] = field(default_factory=list)
    was_cut: bool = False
    """An interrupt or the end met it: what was not heard by then never will be."""
    heard_at: float | None = None
    is_closed: bool = False
    _start: int | None = None
    _words: list[Word] | None = None
    _is_estimated: bool = False
    _words_of: tuple[object, ...] = ()
    """What ``_words`` were worked out from, while that may change."""
    _division: Division | None = None
    _stops: list[int] = field(default_factory=list)
    """Where in it the agent was silenced, the latest times."""
    _cut_words: dict[int, str] = field(default_factory=dict)
    """Once it is settled: the word at each of them that was cut in two."""

    @property
    def start(self) -> int | None:
        """The received position of its first sample."""
        return self.chunks[0].start if self.chunks else self._start

    @property
    def is_full(self) -> bool:
        """Whether it has more audio than its text can have.

        An agent may send no texts, and nobody interrupt it: all of a session would be one reply.
        """
        if not self.chunks:
            return False
        audio_s = (self.chunks[-1].stop - self.chunks[0].start) / SAMPLE_RATE
        return audio_s > self.LONGEST_S + len(self.text or "") / self.SLOWEST_LETTERS_S

    @property
    def shown_text(self) -> str:
        """Its text: the agent's own, else what the alignment spells."""
        if self.text is not None:
            return self.text
        return " ".join(word.text for word in aligned_words(self.chunks))

    def words(self) -> list[Word]:
        """Return its words in order, as far as they have come; none of one that is settled."""
        return [] if self._division is not None else self._words_so_far()[0]

    def divide(self, heard: Ranges, gone: Ranges) -> Division:
        """Divide its words, given all heard and all discarded ranges of the session."""
        if self._division is not None:
            return self._division.cut() if self.was_cut else self._division
        words, estimated = self._words_so_far()
        fates: dict[Fate, list[str]] = {"heard": [], "waiting": [], "unheard": []}
        for word in words:
            fates[self._fate(word.middle, heard, gone)].append(word.text)
        heard_text = " ".join(fates["heard"])
        return Division(
            # of a reply that was heard out there is one text, and not two alike
            self.text if self.text is not None and self.text == heard_text else heard_text,
            " ".join(fates["waiting"]),
            " ".join(fates["unheard"]),
            estimated,
        )

    def _fate(self, middle: float, heard: Ranges, gone: Ranges) -> Fate:
        if middle in heard:
            return "heard"
        return "unheard" if self.was_cut or middle in gone else "waiting"

    def stop_at(self, position: int) -> None:
        """Note that the agent was silenced at received ``position``."""
        if position not in self._stops:
            self._stops = [*self._stops[1 - self.STOPS :], position]

    def word_at(self, position: int) -> str:
        """Return the word that is cut in two at ``position``, one of the latest stops, if any."""
        if self._division is not None:
            return self._cut_words.get(position, "")
        words, _ = self._words_so_far()
        return next((word.text for word in words if word.is_cut_at(position)), "")

    def close(self) -> None:
        """Let go of its chunks: no text and no audio of it comes any more."""
        self._start = self.start
        self._words_so_far()
        self.text = self.shown_text
        self.chunks = []
        self.is_closed, self._words_of = True, ()

    def settle(self, heard: Ranges, gone: Ranges) -> bool:
        """Let go of its words if none of them waits any more; say whether that is so.

        Words whose audio never came wait for ever, unless an interrupt meets the reply yet.
        """
        for word in self._words or ():
            if word.middle < inf and self._fate(word.middle, heard, gone) == "waiting":
                return False
        self._cut_words = {stop: self.word_at(stop) for stop in self._stops}
        self._division = self.divide(heard, gone)
        self._words = None
        return True

    def _words_so_far(self) -> tuple[list[Word], bool]:
        words_of = (len(self.chunks), self.chunks[-1] if self.chunks else None, self.text)
        if self._words is None or (words_of != self._words_of and not self.is_closed):
            self._words, self._is_estimated = self._spell()
            self._words_of = words_of
        return self._words, self._is_estimated

    def _spell(self) -> tuple[list[Word], bool]:
        if self.text is None or (self.chunks and all(chunk.alignment for chunk in self.chunks)):
            stop = self.chunks[-1].stop if self.chunks else 0
            aligned = aligned_words(self.chunks)
            return _completed(aligned, (self.text or "").split(), stop), False
        return _share_out(self.text.split(), self.chunks), bool(self.chunks)


def aligned_words(chunks: list[AgentChunkReceived]) -> list[Word]:
    """Return the words that the chunks' alignment spells; a word may go on in the next chunk."""
    words: list[Word] = []
    letters: list[tuple[str, float, float]] = []
    for chunk in chunks:
        for letter, start, stop in _letters(chunk):
            if letter.isspace():
                _close_word(words, letters)
            else:
                letters.append((letter, start, stop))
    _close_word(words, letters)
    return words


def _letters(chunk: AgentChunkReceived) -> list[tuple[str, float, float]]:
    alignment = chunk.alignment
    if alignment is None:
        return []
    per_ms = SAMPLE_RATE / 1000
    columns = zip(alignment.chars, alignment.start_ms, alignment.duration_ms, strict=False)
    return [
        (letter, chunk.start + start * per_ms, chunk.start + (start + duration) * per_ms)
        for letter, start, duration in columns
    ]


def _close_word(words: list[Word], letters: list[tuple[str, float, float]]) -> None:
    if letters:
        text = "".join(letter for letter, _, _ in letters)
        start, stop = letters[0][1], letters[-1][2]
        words.append(Word(text, (start + stop) / 2, start, stop))
        letters.clear()


def _completed(aligned: list[Word], texts: list[str], stop: int) -> list[Word]:
    """Return ``aligned`` and what of the whole text is still to come, if the two texts agree.

    The last word may have arrived in part, up to ``stop``: its letters tell where its middle is,
    or that it has not arrived.
    """
    if not aligned:
        return [Word(text, inf) for text in texts]
    *others, last = aligned
    count = len(others)
    agree = [word.text for word in others] == texts[:count]
    if not agree or not texts[count:] or not texts[count].startswith(last.text):
        return aligned
    middle = last.start + (last.middle - last.start) * len(texts[count]) / len(last.text)
    # of one that came in part, what is still to come
    ends = last.stop if last.text == texts[count] else 2 * middle - last.start
    completed = Word(texts[count], middle if middle < stop else inf, last.start, ends)
    return [*others, completed, *(Word(text, inf) for text in texts[count + 1 :])]


def letter_edges(texts: list[str]) -> list[int]:
    """Return at which letter of a line each word begins, and the last one ends."""
    edges = [0]
    for text in texts:
        # a space belongs to the word before it
        edges.append(edges[-1] + len(text) + 1)
    return edges


def _share_out(texts: list[str], chunks: list[AgentChunkReceived]) -> list[Word]:
    """Spread words over the chunks' audio in proportion to their letters."""
    if not chunks:
        return [Word(text, inf) for text in texts]
    ends = [0]
    for chunk in chunks:
        ends.append(ends[-1] + chunk.stop - chunk.start)
    edges = letter_edges(texts)
    per_letter = ends[-1] / edges[-1] if edges[-1] else 0.0
    words = []
    for text, (left, right) in zip(texts, pairwise(edges), strict=True):
        letters = ((left + right) / 2, left, right - 1)
        middle, start, stop = (_position(each * per_letter, chunks, ends) for each in letters)
        words.append(Word(text, middle, start, stop))
    return words


def _position(place: float, chunks: list[AgentChunkReceived], ends: list[int]) -> float:
    """Return the received position of what is ``place`` samples into the chunks."""
    index = min(bisect_right(ends, place) - 1, len(chunks) - 1)
    return chunks[index].start + place - ends[index]


def _is_at_least(event_id: int | None, least: int) -> bool:
    return event_id is not None and event_id >= least


class Replies:
    """All replies in order, and which of them each chunk and each text belongs to.

    A reply's text comes with its first audio, before or after it, and both carry event ids that
    grow. A text that is newer than the present reply's begins a reply; chunks with its id or a
    higher one that were taken for the last reply's move over.
    """

    RECENT = 8
    """So many of the latest replies may still change."""
    SETTLED_AT_ONCE = 16

    def __init__(self) -> None:
        """Begin without any."""
        self.all: list[Reply] = []
        self._closed = 0
        self._unsettled: deque[int] = deque()
        self._starts: list[int] = []
        self._started: list[int] = []

    def add_chunk(self, chunk: AgentChunkReceived) -> int:
        """Add audio, and return the number of its reply."""
        if not self.all or self._begins_reply(chunk):
            self.all.append(Reply(chunk.t, chunk.event_id))
        number = len(self.all) - 1
        reply = self.all[number]
        reply.chunks.append(chunk)
        if len(reply.chunks) == 1:
            self._note_start(number, chunk.start)
        return number

    def add_text(self, t: float, text: str, event_id: int | None) -> int:
        """Add a reply's whole text, and return the reply's number."""
        last = self.all[-1] if self.all else None
        if last is not None and self._is_of(last, event_id):
            last.text = text
            last.event_id = event_id if event_id is not None else last.event_id
            return len(self.all) - 1
        moved = self._move_over(last, event_id)
        self.all.append(Reply(t, event_id, text, chunks=moved))
        if moved:
            self._note_start(len(self.all) - 1, moved[0].start)
        return len(self.all) - 1

    def settle(self, heard: Ranges, gone: Ranges, last_heard: int) -> None:
        """Let go of what cannot change any more, given all heard and discarded ranges.

        ``last_heard`` is the received position heard last: what came before its reply is past.
        """
        while self._closed < len(self.all) - self.RECENT:
            self.all[self._closed].close()
            self._unsettled.append(self._closed)
            self._closed += 1
        past = self.at(last_heard) or 0
        for _ in range(min(len(self._unsettled), self.SETTLED_AT_ONCE)):
            number = self._unsettled.popleft()
            if number >= past or not self.all[number].settle(heard, gone):
                self._unsettled.append(number)

    def cut_last(self) -> range:
        """Note that no more is heard; return the numbers of the replies that may concern."""
        numbers = range(max(len(self.all) - self.RECENT, 0), len(self.all))
        for number in numbers:
            self.all[number].was_cut = True
        return numbers

    def at(self, position: int) -> int | None:
        """Return the number of the reply that received ``position`` belongs to."""
        index = bisect_right(self._starts, position) - 1
        return self._started[index] if index >= 0 else None

    def begins_at(self, position: int) -> bool:
        """Say whether received ``position`` belongs to another reply than what came before it."""
        return position > 0 and self.at(position) != self.at(position - 1)

    def find(self, original: str, event_id: int | None) -> int | None:
        """Return the reply that a correction speaks of: by its text, else its id, else the last."""
        recent = range(len(self.all) - 1, max(len(self.all) - self.RECENT - 1, -1), -1)
        for number in recent:
            if original and self.all[number].text == original:
                return number
        for number in recent:
            if event_id is not None and self.all[number].event_id == event_id:
                return number
        return next((number for number in recent if self.all[number].was_cut), None)

    def _note_start(self, number: int, start: int) -> None:
        self._starts.append(start)
        self._started.append(number)

    def _begins_reply(self, chunk: AgentChunkReceived) -> bool:
        """Whether ``chunk`` cannot be the present reply's, whatever text is still to come."""
        last = self.all[-1]
        if last.is_full:
            return True
        if not last.was_cut or chunk.held_back:
            return False
        if chunk.event_id is None or last.event_id is None:
            return True
        newest = last.chunks[-1].event_id if last.chunks else last.event_id
        return chunk.event_id > (last.event_id if newest is None else newest)

    @staticmethod
    def _is_of(reply: Reply, event_id: int | None) -> bool:
        if reply.text is None:
            first = reply.chunks[0].event_id if reply.chunks else None
            return event_id is None or first is None or first >= event_id
        return event_id is not None and reply.event_id == event_id

    def _move_over(self, last: Reply | None, event_id: int | None) -> list[AgentChunkReceived]:
        if last is None or event_id is None:
            return []
        keep = len(last.chunks)
        while keep and _is_at_least(last.chunks[keep - 1].event_id, event_id):
            keep -= 1
        moved, last.chunks = last.chunks[keep:], last.chunks[:keep]
        if moved and not keep:
            # the last reply had no audio of its own
            self._starts.pop()
            self._started.pop()
        return moved


class ReplyStarts:
    """Where the latest replies begin in the received audio, and nothing else of them."""

    MOST = 256

    def __init__(self) -> None:
        """Begin without any."""
        self._replies = Replies()

    def add_chunk(self, chunk: AgentChunkReceived) -> None:
        """Add audio."""
        self._replies.add_chunk(replace(chunk, alignment=None))
        self._forget()

    def add_text(self, t: float, text: str, event_id: int | None) -> None:
        """Note that a reply's whole text came."""
        self._replies.add_text(t, text, event_id)
        self._forget()

    def begins_at(self, position: int) -> bool:
        """Say whether received ``position`` belongs to another reply than what came before it."""
        return self._replies.begins_at(position)

    def _forget(self) -> None:
        if len(self._replies.all) <= self.MOST:
            return
        last, self._replies = self._replies.all[-1], Replies()
        for chunk in last.chunks:
            self._replies.add_chunk(chunk)
        if last.text is not None:
            self._replies.add_text(last.at, last.text, last.event_id)
