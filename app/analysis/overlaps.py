"""When both parties spoke at once, from speech and playout. Pure logic.

An overlap is the part of one stretch of the user's speech, as VAD has it, that lies over one run
of agent playout; a run goes on over silences shorter than ``RUN_GAP_S``. Shorter ones than
``LEAST_S`` are no more than the ends of two turns that touch.

What was heard and what was said is told in any order, and speech may turn out to be none: the
overlaps are the same. The latest runs and stretches are kept for that, so many that whatever is
told late finds its other part. An event costs O(1) amortised.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from app.analysis.growing import Growing
from app.analysis.interruptions import RUN_GAP_S
from app.analysis.limits import Limits, overlap_class
from app.analysis.turn_records import Overlap, OverlapClass


@dataclass(slots=True, eq=False)
class _Stretch:
    """Speech, or a run of playout; ``stop`` is as far as it is known to go."""

    start: float
    stop: float
    is_open: bool = True
    places: dict[_Stretch, Overlap] = field(default_factory=dict)
    """Of a run: its overlap with each stretch of speech."""


class _Claim(NamedTuple):
    """Interruption ``number`` at ``at`` followed the speech from ``onset`` on.

    None is a person's own, which followed whatever speech there was.
    """

    onset: float | None
    at: float
    number: int


class OverlapKeeper:
    """Builds ``overlaps``, in the order of their starts; an item is replaced as it becomes known.

    The kind of an overlap is given when it has ended, or is long enough to be missed, and taken
    away when an interrupt claims it.
    """

    LEAST_S = 0.1
    KEPT = 16
    CLAIM_S = 0.25
    """An interrupt this long after an overlap, or before it, belongs to it."""
    SURE_S = 0.7
    """VAD is sure of an end so much later, where the agent speaks: until then speech may have ended
    already, and be a backchannel."""
    SILENCE_S = 1.0
    """A run that was silent for so long is over; what was heard is told sooner than that."""

    def __init__(self) -> None:
        """Begin in silence."""
        self.overlaps: Growing[Overlap] = Growing()
        self._speech: deque[_Stretch] = deque(maxlen=self.KEPT)
        self._runs: deque[_Stretch] = deque(maxlen=self.KEPT)
        self._claims: deque[_Claim] = deque(maxlen=self.KEPT)
        self._missed_s = Limits().missed_s

    # -- the user ------------------------------------------------------------------------------

    def speech_starts(self, t: float) -> None:
        """Note an onset."""
        speech = _Stretch(t, t)
        if self._speech:
            self._speech[-1].is_open = False
        self._speech.append(speech)
        for run in self._runs:
            self._bring(run, speech)

    def speech_stops(self, t: float) -> None:
        """Note the end of speech."""
        if self._speech and self._speech[-1].is_open:
            speech = self._speech[-1]
            speech.stop, speech.is_open = t, False
            self._bring_all(speech)

    def forget_speech(self, onset: float) -> None:
        """Undo the speech that began at ``onset``."""
        for speech in [each for each in self._speech if each.start == onset]:
            self._speech.remove(speech)
            for run in self._runs:
                self._set(run, speech, None)

    # -- the agent -----------------------------------------------------------------------------

    def agent_heard(self, at: float, until: float) -> None:
        """Note agent audio in ``[at, until)``."""
        run = self._runs[-1] if self._runs else None
        if run is None or not run.is_open or at - run.stop >= RUN_GAP_S:
            if run is not None:
                self._close(run)
            run = _Stretch(at, until)
            self._runs.append(run)
        run.stop = max(run.stop, until)
        # newest first: older speech cannot reach into what is heard now
        for speech in reversed(self._speech):
            if not speech.is_open and speech.stop < at - RUN_GAP_S:
                break
            self._bring(run, speech)

    def agent_cut(self) -> None:
        """Note that an interrupt has silenced the agent."""
        if self._runs:
            self._close(self._runs[-1])

    def pass_time(self, t: float) -> None:
        """Note that it is ``t`` now: a run ends by silence."""
        if self._runs and self._runs[-1].is_open and t - self._runs[-1].stop >= self.SILENCE_S:
            self._close(self._runs[-1])

    def finish(self, t: float) -> None:
        """Close what is open: the session is over."""
        if self._runs:
            self._close(self._runs[-1])
        if self._speech and self._speech[-1].is_open:
            self.speech_stops(max(t, self._speech[-1].start))

    def _close(self, run: _Stretch) -> None:
        if run.is_open:
            run.is_open = False
            for speech in self._speech:
                self._bring(run, speech)

    # -- interrupts ----------------------------------------------------------------------------

    def claim(self, onset: float | None, at: float, number: int) -> None:
        """Note that interruption ``number`` at ``at`` followed the speech from ``onset`` on.

        None is a person's own: it followed whatever speech there was.
        """
        self.unclaim(number)
        self._claims.append(_Claim(onset, at, number))
        self._bring_claimed(onset)

    def unclaim(self, number: int) -> None:
        """Take back what interruption ``number`` was taken to follow."""
        for claim in [each for each in self._claims if each.number == number]:
            self._claims.remove(claim)
            self._bring_claimed(claim.onset)

    def _bring_claimed(self, onset: float | None) -> None:
        for speech in self._speech:
            if onset is None or speech.start == onset:
                self._bring_all(speech)

    # -- one overlap -----------------------------------------------------------------------------

    def _bring_all(self, speech: _Stretch) -> None:
        for run in self._runs:
            self._bring(run, speech)

    def _bring(self, run: _Stretch, speech: _Stretch) -> None:
        """Bring the overlap of the two up to date."""
        start = max(run.start, speech.start)
        speaks_until = run.stop if speech.is_open else min(run.stop, speech.stop)
        if speaks_until - start < self.LEAST_S:
            self._set(run, speech, None)
            return
        # where the user has ended before what is known of the run, nothing more can come of it
        is_over = not run.is_open or (not speech.is_open and speech.stop <= run.stop)
        overlap = Overlap(
            start,
            speaks_until if is_over else None,
            speech.start,
            None if speech.is_open else speech.stop,
        )
        self._set(run, speech, self._judged(overlap, speaks_until))

    def _judged(self, overlap: Overlap, until: float) -> Overlap:
        """Return it with its kind, and with the interruption that followed it."""
        claims = [claim for claim in self._claims if self._follows(claim, overlap, until)]
        number = min((claim.number for claim in claims), default=None)
        return replace(overlap, kind=self._kind(overlap, until, number), interruption=number)

    def _follows(self, claim: _Claim, overlap: Overlap, until: float) -> bool:
        if claim.at < overlap.start - self.CLAIM_S:
            return False
        if claim.onset is None:
            return claim.at <= until + self.CLAIM_S
        return claim.onset == overlap.onset

    def _kind(self, overlap: Overlap, until: float, number: int | None) -> OverlapClass | None:
        sure = until if overlap.speech_stop is not None else until - self.SURE_S
        kind = overlap_class(replace(overlap, stop=max(sure, overlap.start)), self._missed_s)
        if kind == "talked over":
            return kind
        is_certain = overlap.stop is not None or kind == "missed"
        return kind if number is None and is_certain else None

    def _set(self, run: _Stretch, speech: _Stretch, overlap: Overlap | None) -> None:
        known = run.places.get(speech)
        if overlap == known:
            return
        if overlap is None and known is not None:
            self.overlaps.take_out(self._place(known))
            del run.places[speech]
            return
        assert overlap is not None
        run.places[speech] = overlap
        if known is None:
            self.overlaps.put_in(bisect_left(self.overlaps, overlap.start, key=_start), overlap)
        else:
            self.overlaps.put(self._place(known), overlap)

    def _place(self, overlap: Overlap) -> int:
        place = bisect_left(self.overlaps, overlap.start, key=_start)
        while self.overlaps[place] is not overlap:
            place += 1
        return place


def _start(overlap: Overlap) -> float:
    return overlap.start
