"""From interrupts to interruption records. Pure logic.

The user's onset is looked for among the speech of the last ``ONSET_WINDOW_S`` before the
interrupt: the latest that overlapped the agent's turn, and had not ended more than ``ENDED_S``
before. VAD may notice it after the interrupt, for the agent's server has a VAD of its own.

Classes, where they are certain: ``button`` and ``message`` by their source; ``barge-in`` where
there is such an onset; ``false`` where agent audio was cut off, the microphone was being listened
to, and ``VERDICT_S`` later no speech had been noticed. Otherwise none.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from app.events import Interrupted, Silenced
from app.turn_records import Interruption, InterruptionClass, Turn
from audio.pcm import samples_to_ms


@dataclass(slots=True)
class Cut:
    """One interruption while it becomes known."""

    number: int
    event: Interrupted
    discarded_samples: int = 0
    held_back_samples: int = 0
    spans: list[int] = field(default_factory=list)
    """The numbers of its discarded spans, in playing order."""
    replies: set[int] = field(default_factory=set)
    silenced: Silenced | None = None
    onset: float | None = None
    next_at: float | None = None
    kind: InterruptionClass | None = None

    @property
    def silent_at(self) -> float | None:
        """When the last agent sample left the speaker, if one left after the interrupt."""
        return self.silenced.silent_at if self.silenced is not None else None

    @property
    def was_playing(self) -> bool:
        """Whether it cut anything off."""
        return self.event.queued_samples > 0 or self.silent_at is not None

    def add_span(self, number: int) -> None:
        """Note that discarded span ``number`` is its doing; one that has grown is noted once."""
        if not self.spans or self.spans[-1] != number:
            self.spans.append(number)

    def record(
        self, heard: str, unheard: str, corrected: str | None, *, words_estimated: bool
    ) -> Interruption:
        """Return it as a record, with the words that its replies' audio speaks of."""
        event, silent_at = self.event, self.silent_at
        since = self.silenced.interrupted_at if self.silenced is not None else event.t
        return Interruption(
            number=self.number,
            at=event.t,
            source=event.source,
            event_id=event.event_id,
            kind=self.kind,
            queued_ms=samples_to_ms(event.queued_samples),
            discarded_ms=samples_to_ms(self.discarded_samples),
            held_back_ms=samples_to_ms(self.held_back_samples),
            silent_at=silent_at,
            time_to_silence_ms=_ms(since, silent_at),
            was_silent=self.silenced is not None and silent_at is None,
            user_onset=self.onset,
            mouth_to_silence_ms=None if self.onset is None else _ms(self.onset, silent_at),
            heard_text=heard,
            unheard_text=unheard,
            corrected_text=corrected,
            agent_next_at=self.next_at,
            estimated=self.silenced is not None and self.silenced.estimated,
            words_estimated=words_estimated,
        )


def _ms(start: float, stop: float | None) -> float | None:
    return None if stop is None else (stop - start) * 1000


_OF_SOURCE: dict[str, InterruptionClass] = {"button": "button", "message": "message"}


@dataclass(slots=True)
class _Speech:
    start: float
    stop: float | None = None


class CutKeeper:
    """Keeps the cuts of a session, and decides onset and class of the latest ones."""

    ONSET_WINDOW_S = 5.0
    ENDED_S = 2.0
    ONSET_TOLERANCE_S = 0.05
    VERDICT_S = 1.5
    NEAR_S = 0.25
    """A discard belongs to the interrupt next to it in time; they carry the same one."""
    RECENT = 8

    def __init__(self) -> None:
        """Begin without any."""
        self.all: list[Cut] = []
        self._speech: deque[_Speech] = deque(maxlen=self.RECENT)
        self._undecided: deque[Cut] = deque(maxlen=self.RECENT)
        self._is_listening = False
        self._is_muted = False

    def add(self, event: Interrupted, agent_turn: Turn | None) -> Cut:
        """Note an interrupt, in ``agent_turn`` if the agent was speaking."""
        cut = Cut(len(self.all) + 1, event)
        self.all.append(cut)
        cut.kind = _OF_SOURCE.get(event.source)
        if cut.kind is not None:
            return cut
        cut.onset = self._find_onset(event.t, agent_turn)
        if cut.onset is not None:
            cut.kind = "barge-in"
        elif self._is_listening and not self._is_muted:
            self._undecided.append(cut)
        return cut

    def near(self, t: float) -> Cut | None:
        """Return the cut of the interrupt at ``t``."""
        recent = self.all[-self.RECENT :]
        cut = min(recent, key=lambda cut: abs(cut.event.t - t), default=None)
        return cut if cut is not None and abs(cut.event.t - t) <= self.NEAR_S else None

    def of_epoch(self, silenced: Silenced) -> Cut | None:
        """Return the cut that ``silenced`` speaks of."""
        for cut in reversed(self.all[-self.RECENT :]):
            near = abs(cut.event.t - silenced.interrupted_at) <= self.NEAR_S
            if cut.event.epoch == silenced.epoch and near:
                return cut
        return None

    def listen(self) -> None:
        """Note that the microphone is heard: without that, no speech means nothing."""
        self._is_listening = True

    def mute(self, *, muted: bool) -> None:
        """Note that the microphone is muted, or open again."""
        self._is_muted = muted

    def speech_starts(self, t: float) -> Cut | None:
        """Note an onset; return the cut that it turns out to belong to, if it came late."""
        self._speech.append(_Speech(t))
        for cut in list(self._undecided):
            late = t - cut.event.t
            # speech right after the interrupt may be its cause, put a little late: no verdict
            self._undecided.remove(cut)
            if -self.ONSET_WINDOW_S <= late <= self.ONSET_TOLERANCE_S:
                cut.onset, cut.kind = t, "barge-in"
                return cut
        return None

    def speech_stops(self, t: float) -> None:
        """Note the end of speech."""
        if self._speech:
            self._speech[-1].stop = t

    def pass_time(self, t: float) -> Cut | None:
        """Note that it is ``t`` now; return a cut whose class has become certain by that."""
        if not self._undecided or t - self._undecided[0].event.t < self.VERDICT_S:
            return None
        cut = self._undecided.popleft()
        cut.kind = "false" if cut.was_playing else None
        return cut

    def _find_onset(self, t: float, agent_turn: Turn | None) -> float | None:
        if agent_turn is None:
            return None
        for speech in reversed(self._speech):
            in_window = t - self.ONSET_WINDOW_S <= speech.start <= t + self.ONSET_TOLERANCE_S
            ended = speech.stop is not None and speech.stop < max(
                t - self.ENDED_S, agent_turn.start
            )
            if in_window and not ended:
                return speech.start
        return None
