"""When each word of a transcript's line was spoken, found again from the events around it. Pure.

A line keeps no times: a session may last all day. Those of one line are worked out when somebody
asks, from the events of about two minutes, which may have to be read from the disk. No state; any
thread.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf

from app.analysis.replies import Fate, Replies, Reply, Word, letter_edges
from app.analysis.turn_messages import reply_text
from app.analysis.turn_records import AudioSpan, Line, Turn
from app.analysis.viewed import EventSource
from app.timeline.events import AgentChunkReceived, Event, MessageReceived
from audio.pcm import SAMPLE_RATE

BEFORE_S = 60.0
"""A reply's audio comes at most so long before it is heard."""
AFTER_S = 60.0
"""And so long after its first sample was heard."""
AT_ONCE = 256
MOMENT_S = 0.3
"""A pause shorter than that is one between two words."""
_ORDER: dict[Fate, int] = {"heard": 0, "waiting": 1, "unheard": 2}


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word and when it was spoken, in session seconds.

    Of a word that was not heard these are the times at which it would have been; None where its
    audio never came.
    """

    text: str
    start: float | None
    stop: float | None
    fate: Fate = "heard"


def agent_words(
    line: Line, events: EventSource, spans: Sequence[AudioSpan]
) -> tuple[TimedWord, ...]:
    """Return the words of an agent's line as it shows them: heard, waiting, unheard.

    ``spans`` are those of the session's audio. Nothing is returned where the reply is not found,
    as where the events have gone. With ``line.estimated`` the times are estimates.
    """
    times = _Times(spans)
    reply = _reply_of(line, _events_about(events, line.at), times)
    if reply is None:
        return ()
    is_over = bool(line.unheard_text) and not line.waiting_text
    words = [
        TimedWord(word.text, *times.of(start, stop), times.fate(word.middle, is_over=is_over))
        for word, start, stop in _with_edges(reply)
    ]
    return tuple(sorted(words, key=lambda word: _ORDER[word.fate]))


def user_words(line: Line, turns: Sequence[Turn]) -> tuple[TimedWord, ...]:
    """Return the words of a user's line, spread over the turn they were spoken in by their letters.

    Estimates, all of them: no agent tells when the user's words were spoken. Nothing is returned
    for what was typed, or is not over yet.
    """
    turn = next((each for each in reversed(turns) if each.start == line.at), None)
    texts = line.text.split()
    if line.typed or turn is None or turn.stop is None or not texts:
        return ()
    edges = letter_edges(texts)
    per_letter = (turn.stop - turn.start) / edges[-1]
    return tuple(
        TimedWord(text, turn.start + left * per_letter, turn.start + right * per_letter)
        for text, (left, right) in zip(texts, pairwise(edges), strict=True)
    )


def word_at(words: Sequence[TimedWord], t: float) -> int | None:
    """Return the number of the heard word that is spoken at ``t``, or was a moment before.

    None in a longer pause.
    """
    found: tuple[int, float] | None = None
    for number, word in enumerate(words):
        if word.fate == "heard" and word.start is not None and word.start <= t:
            found = number, word.start if word.stop is None else word.stop
    return found[0] if found is not None and t < found[1] + MOMENT_S else None


class _Times:
    """When received samples were heard, or would have been."""

    def __init__(self, spans: Sequence[AudioSpan]) -> None:
        self._spans = sorted(spans, key=lambda span: span.start)
        self._starts = [span.start for span in self._spans]

    def span_at(self, position: float) -> AudioSpan | None:
        index = bisect_right(self._starts, position) - 1
        if index < 0 or position >= self._spans[index].stop:
            return None
        return self._spans[index]

    def at(self, position: float) -> float | None:
        span = self.span_at(position)
        return None if span is None else span.at + (position - span.start) / SAMPLE_RATE

    def of(self, start: float, stop: float) -> tuple[float | None, float | None]:
        """Return when a word begins and ends; it may begin in one span and end in another."""
        begins, ends = self.at(start), self.at(stop - 1)
        if begins is None:
            return None, None
        length_s = (stop - start) / SAMPLE_RATE
        # one that is cut in two ends where it would have ended
        whole = ends is not None and 0 <= ends - begins <= length_s + 1.0
        return begins, ends if whole else begins + length_s

    def fate(self, middle: float, *, is_over: bool) -> Fate:
        span = self.span_at(middle)
        if span is not None and span.kind == "heard":
            return "heard"
        lost = is_over if span is None else span.kind == "discarded"
        return "unheard" if lost or is_over else "waiting"


def _with_edges(reply: Reply) -> Iterator[tuple[Word, float, float]]:
    """Go through a reply's words, each with its first and last received position.

    A word that has none of its own begins and ends half way to its neighbours.
    """
    words = reply.words()
    first = reply.start or 0
    stop = reply.chunks[-1].stop if reply.chunks else first
    middles = [first, *(word.middle for word in words if word.middle < inf), stop]
    for number, word in enumerate(words):
        if word.middle == inf:
            yield word, inf, inf
        elif word.start < inf:
            yield word, word.start, word.stop if word.stop < inf else 2 * word.middle - word.start
        else:
            before, here, after = middles[number : number + 3]
            left = before if number == 0 else (before + here) / 2
            yield word, left, (here + after) / 2


def _reply_of(line: Line, events: Iterator[Event], times: _Times) -> Reply | None:
    """Return the reply that a line shows: that of the same text that was heard nearest to it."""
    replies = Replies()
    for event in events:
        if isinstance(event, AgentChunkReceived):
            replies.add_chunk(event)
        elif isinstance(event, MessageReceived) and event.kind == "agent_response":
            replies.add_text(event.t, reply_text(event), event.event_id)
    alike = [reply for reply in replies.all if reply.shown_text == line.text]
    return min(alike, key=lambda reply: _distance(reply, line, times), default=None)


def _distance(reply: Reply, line: Line, times: _Times) -> float:
    at = None if reply.start is None else times.at(reply.start)
    return abs((reply.at if at is None else at) - line.at)


def _events_about(events: EventSource, t: float) -> Iterator[Event]:
    number = _first_at(events, t - BEFORE_S)
    while number < events.appended:
        piece = events.slice(number, number + AT_ONCE)
        yield from piece
        if not piece or piece[-1].t > t + AFTER_S:
            return
        number += len(piece)


def _first_at(events: EventSource, t: float) -> int:
    """Return the number of the first event at or after ``t``, as nearly as their order allows."""
    low, high = events.first, events.appended
    while low < high:
        middle = (low + high) // 2
        found = events.slice(middle, middle + 1)
        if not found or found[0].t < t:
            low = middle + 1
        else:
            high = middle
    return low
