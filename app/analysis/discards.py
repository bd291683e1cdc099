"""Audio that was thrown away: which interrupt it belongs to, and where it would have been heard.

A discard belongs to the interrupt next to it in time, whichever of the two is told first. What of
a reply arrives after it was interrupted by hand is held back, and belongs to that interrupt as
well. Pure logic.
"""

from __future__ import annotations

from collections import deque

from app.analysis.cut import Cut
from app.analysis.interruptions import CutKeeper
from app.analysis.said import Said
from app.analysis.spans import SpanKeeper
from app.timeline.events import AgentChunkReceived, AgentDiscarded


class DiscardKeeper:
    """Tells spans, cuts and replies of what was discarded; all three stay the tracker's."""

    LOOSE = 64
    """So many of the latest discards wait for an interrupt that is told after them."""

    def __init__(self, spans: SpanKeeper, cuts: CutKeeper, said: Said) -> None:
        """Begin with nothing discarded."""
        self._spans = spans
        self._cuts = cuts
        self._said = said
        self._loose: deque[tuple[AgentDiscarded, int]] = deque(maxlen=self.LOOSE)
        """Those of no interrupt so far, each with the number of its span."""

    def hold_back(self, chunk: AgentChunkReceived, reply: int) -> None:
        """Note a chunk of ``reply`` that was never queued: the last interrupt's doing."""
        cut = self._cuts.all[-1] if self._cuts.all else None
        at = chunk.t if cut is None else self._end_of(cut)
        number = self._spans.give_up(chunk.start, chunk.stop, at)
        if cut is not None:
            cut.held_back_samples += chunk.stop - chunk.start
            cut.add_span(number)
            self._said.link(cut, reply)

    def discard(self, discarded: AgentDiscarded) -> None:
        """Note that samples will never be played."""
        self._said.lose(discarded.start, discarded.stop)
        is_cut = discarded.reason == "interrupt"
        cut = self._cuts.near(discarded.t) if is_cut else None
        at = self._lost_at(discarded) if cut is None else self._end_of(cut)
        number = self._spans.discard(discarded, at)
        if cut is not None:
            self._attach(cut, discarded, number)
        elif is_cut:
            self._loose.append((discarded, number))

    def interrupt(self, cut: Cut) -> None:
        """Note that ``cut`` has come: what waits is of replies that it meets."""
        head, queued = self._spans.next_queued, cut.event.queued_samples
        if head is not None and queued:
            # what came after the interrupt may have been told before it
            stop = min(self._spans.received_samples, head + queued)
            for number in self._said.replies_in(head, stop):
                self._said.link(cut, number)
        for discarded, span in list(self._loose):
            if self._cuts.near(discarded.t) is cut:
                self._loose.remove((discarded, span))
                self._attach(cut, discarded, span)

    def silence(self, cut: Cut, silent_at: float) -> None:
        """Note when ``cut`` silenced the agent: its audio would have gone on from there."""
        at = silent_at
        for number in cut.spans:
            self._spans.move(number, at)
            at = self._spans.settled[number].until

    def _attach(self, cut: Cut, discarded: AgentDiscarded, span: int) -> None:
        cut.discarded_samples += discarded.stop - discarded.start
        cut.add_span(span)
        for number in self._said.replies_in(discarded.start, discarded.stop):
            self._said.link(cut, number)

    def _lost_at(self, discarded: AgentDiscarded) -> float:
        """Return where audio would be heard that was given up with no interrupt."""
        last = self._spans.settled[-1] if self._spans.settled else None
        if last is not None and last.kind == "discarded" and last.stop == discarded.start:
            return last.until
        return self._spans.heard_until or discarded.t

    def _end_of(self, cut: Cut) -> float:
        """Return where audio would be heard that follows what ``cut`` has thrown away so far."""
        if not cut.spans:
            return cut.event.t if cut.silent_at is None else cut.silent_at
        return self._spans.settled[cut.spans[-1]].until
