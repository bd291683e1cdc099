"""What became of every received sample: heard, discarded, or waiting in the queue. Pure logic."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

from app.analysis.replies import Ranges
from app.analysis.turn_records import AudioSpan
from app.timeline.events import AgentChunkReceived, AgentDiscarded, AgentHeard
from audio.pcm import SAMPLE_RATE


@dataclass(slots=True)
class _Waiting:
    start: int
    stop: int
    since: float


class SpanKeeper:
    """Follows chunks from the queue's tail to their fate, in O(1) an event.

    ``settled`` holds heard and discarded spans as they became known; those of a kind that follow
    each other without a break are one, which grows in place.
    """

    JOIN_S = 0.010

    def __init__(self) -> None:
        """Begin with nothing received."""
        self.settled: list[AudioSpan] = []
        self.heard = Ranges()
        self.gone = Ranges()
        self.received_samples = 0
        self.heard_samples = 0
        self.discarded_samples = 0
        self.heard_until: float | None = None
        """When the last heard sample known of left the speaker."""
        self.last_heard: int | None = None
        """Its received position."""
        self._queue: deque[_Waiting] = deque()
        self._growing: int | None = None
        self._changed = 0

    def receive(self, chunk: AgentChunkReceived) -> None:
        """Note a chunk's arrival; one that is held back never waits."""
        self.received_samples += chunk.stop - chunk.start
        if not chunk.held_back and chunk.stop > chunk.start:
            self._queue.append(_Waiting(chunk.start, chunk.stop, chunk.t))

    def hear(self, heard: AgentHeard) -> None:
        """Note that samples were played."""
        self._take(heard.stop)
        self.heard.add(heard.start, heard.stop)
        self.heard_samples += heard.stop - heard.start
        self.heard_until = heard.at + (heard.stop - heard.start) / SAMPLE_RATE
        self.last_heard = heard.stop - 1
        span = AudioSpan("heard", heard.start, heard.stop, heard.at)
        if self._growing is None or not self._follows(self.settled[self._growing], span):
            self._growing = len(self.settled)
            self.settled.append(span)
        else:
            grown = replace(self.settled[self._growing], stop=span.stop)
            self._change(self._growing, grown)

    def discard(self, discarded: AgentDiscarded, at: float) -> int:
        """Note that samples will never be played; return the number of their span.

        ``at`` is where they would have been heard.
        """
        if discarded.reason == "overflow":
            self._take_last(discarded.start)
        else:
            self._take(discarded.stop)
        return self.give_up(discarded.start, discarded.stop, at)

    def give_up(self, start: int, stop: int, at: float) -> int:
        """Note that ``[start, stop)`` is lost, be it queued or not; return the span's number."""
        self.gone.add(start, stop)
        self.discarded_samples += stop - start
        span = AudioSpan("discarded", start, stop, at)
        last = self.settled[-1] if self.settled else None
        if last is not None and last.kind == "discarded" and self._follows(last, span):
            self._change(len(self.settled) - 1, replace(last, stop=stop))
        else:
            self.settled.append(span)
        return len(self.settled) - 1

    def move(self, number: int, at: float) -> None:
        """Correct where a discarded span would have been heard."""
        self._change(number, replace(self.settled[number], at=at))

    def take_changed(self) -> int:
        """Return the number of the first settled span that is new or another since the last call.

        All before it are as they were.
        """
        changed, self._changed = self._changed, len(self.settled)
        return changed

    def _change(self, number: int, span: AudioSpan) -> None:
        self.settled[number] = span
        self._changed = min(self._changed, number)

    @property
    def next_queued(self) -> int | None:
        """The received position that plays next; None where nothing waits."""
        return self._queue[0].start if self._queue else None

    def count_waiting(self) -> int:
        """Return how many pieces wait to be heard."""
        return len(self._queue)

    def queued(self) -> list[AudioSpan]:
        """Return what waits, where it will be heard if nothing comes between."""
        spans: list[AudioSpan] = []
        at = self.heard_until or 0.0
        for piece in self._queue:
            at = max(at, piece.since)
            last = spans[-1] if spans else None
            if last is not None and last.stop == piece.start:
                spans[-1] = replace(last, stop=piece.stop)
            else:
                spans.append(AudioSpan("queued", piece.start, piece.stop, at))
            at += (piece.stop - piece.start) / SAMPLE_RATE
        return spans

    def _follows(self, last: AudioSpan, span: AudioSpan) -> bool:
        return last.stop == span.start and abs(span.at - last.until) < self.JOIN_S

    def _take(self, stop: int) -> None:
        """Take all before ``stop`` from the queue: it plays in order, so what is older is past."""
        queue = self._queue
        while queue and queue[0].stop <= stop:
            queue.popleft()
        if queue:
            queue[0].start = max(queue[0].start, stop)

    def _take_last(self, start: int) -> None:
        queue = self._queue
        while queue and queue[-1].start >= start:
            queue.pop()
        if queue:
            queue[-1].stop = min(queue[-1].stop, start)
