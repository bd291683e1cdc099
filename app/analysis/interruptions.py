"""From interrupts to interruption records. Pure logic.

The user's onset is looked for among the speech of the last ``ONSET_WINDOW_S`` before the
interrupt, and speech that goes on: the latest that overlapped the agent's turn, and had not ended
more than ``ENDED_S`` before. VAD may notice it after the interrupt, for the agent's server has a
VAD of its own. Speech that was the agent's own voice is none, and speech is not the cause that had
ended before a burst or an echo came.

Classes, where they are certain: ``button`` and ``message`` by their source; ``barge-in`` where
there is such an onset; ``false`` where agent audio was cut off, the microphone was being listened
to, and no speech was found once the user track had been listened to: what it held before the
interrupt is told then, within 0.9 s of it. Where nobody tells that, it is ``VERDICT_S``, or longer
where mic chunks are. Otherwise none.

The parts of the chain come in any order: the mic chunk that carried the onset is told before or
after it, and so are the agent's message and the interrupt, the edges of speech and the interrupt.
Whatever is told later than a class was given is weighed with the rest, as if it had been known.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from app.analysis.cut import OF_SOURCE, Cut, Speech
from app.analysis.turn_records import InterruptionClass, Turn
from app.timeline.events import EchoHeard, Interrupted, MicChunkSent, Silenced, SoundBefore

RUN_GAP_S = 0.3
"""Playout goes on over silences shorter than this."""


def playout_since(turns: Sequence[Turn]) -> float:
    """Return when the playout began that goes on in the last of the agent's ``turns``."""
    since = turns[-1].start
    for turn in reversed(turns[-9:-1]):
        if turn.stop is None or since - turn.stop >= RUN_GAP_S:
            break
        since = turn.start
    return since


class CutKeeper:
    """Keeps the cuts of a session, and decides onset and class of the latest ones."""

    ONSET_WINDOW_S = 5.0
    LONGEST_S = 60.0
    """So long the user may speak before an interrupt comes."""
    ENDED_S = 2.0
    ONSET_TOLERANCE_S = 0.05
    DOUBT_S = 0.3
    """Speech that begins this soon after an interrupt may be its cause, put late by VAD."""
    VERDICT_S = 1.0
    """So long speech is waited for where nobody tells what the user track held."""
    LATEST_VERDICT_S = 4.0
    """And so long where no mic chunk was complete since: one may be seconds long."""
    NEAR_S = 0.25
    """A discard belongs to the interrupt next to it in time; they carry the same one."""
    TOLD_S = 2.0
    """So long after the agent's message its interrupt may come."""
    RECENT = 16

    def __init__(self) -> None:
        """Begin without any."""
        self.all: list[Cut] = []
        self._speech: deque[Speech] = deque(maxlen=self.RECENT)
        self._waiting: deque[Cut] = deque(maxlen=self.RECENT)
        """Until it is over, whatever their class is so far."""
        self._told: deque[tuple[float, int | None]] = deque(maxlen=self.RECENT)
        self._sounds: deque[SoundBefore] = deque(maxlen=self.RECENT)
        self._chunks = ChunkFinder()
        self._listened_until: float | None = None
        """When the last mic chunk was complete; None while nothing listens."""
        self._is_muted = False
        self._now = 0.0

    def add(self, event: Interrupted, agent_turns: Sequence[Turn]) -> Cut:
        """Note an interrupt; the last of ``agent_turns`` is open where the agent was speaking."""
        agent_turn = agent_turns[-1] if agent_turns and agent_turns[-1].stop is None else None
        cut = Cut(len(self.all) + 1, event)
        self.all.append(cut)
        cut.turn_start = agent_turn.start if agent_turn is not None else None
        cut.playout_since = None if agent_turn is None else playout_since(agent_turns)
        cut.could_hear = self._listened_until is not None and not self._is_muted
        cut.told_at = self._told_before(event)
        cut.sound = next((each for each in self._sounds if self._is_before(each, cut)), None)
        self._decide(cut)
        if not self._is_over(cut):
            self._waiting.append(cut)
        return cut

    def near(self, t: float) -> Cut | None:
        """Return the cut of the interrupt at ``t``."""
        recent = self._recent
        cut = min(recent, key=lambda cut: abs(cut.event.t - t), default=None)
        return cut if cut is not None and abs(cut.event.t - t) <= self.NEAR_S else None

    def _of_epoch(self, silenced: Silenced) -> Cut | None:
        """Return the cut that ``silenced`` speaks of."""
        for cut in reversed(self._recent):
            near = abs(cut.event.t - silenced.interrupted_at) <= self.NEAR_S
            if cut.event.epoch == silenced.epoch and near:
                return cut
        return None

    def agent_speaks(self, at: float) -> list[Cut]:
        """Note that the agent began to speak at ``at``; return the cuts that it follows."""
        cuts = [cut for cut in self._recent if cut.next_at is None and at > cut.event.t]
        for cut in cuts:
            cut.next_at = at
        return cuts

    # -- the user ------------------------------------------------------------------------------

    def mic_chunk(self, chunk: MicChunkSent) -> list[Cut]:
        """Note a mic chunk; return the cuts whose onset it turns out to have carried.

        Without the microphone being heard, no speech means nothing.
        """
        self._listened_until = max(self._listened_until or 0.0, chunk.completed_at)
        carried = self._chunks.add(chunk)
        return [cut for cut in self._recent if any(cut.speech is each for each in carried)]

    def mute(self, *, muted: bool) -> None:
        """Note that the microphone is muted, or open again."""
        self._is_muted = muted

    def speech_starts(self, t: float) -> list[Cut]:
        """Note an onset; return the cuts that may be another's for it, as it came late."""
        speech = Speech(t)
        self._speech.append(speech)
        self._chunks.find(speech)
        return self._decide_all(cut for cut in self._recent if t <= cut.event.t + self.DOUBT_S)

    def speech_stops(self, t: float) -> list[Cut]:
        """Note the end of speech; return the cuts that it turns out not to belong to."""
        speech = self._speech[-1] if self._speech else None
        if speech is None or speech.stop is not None:
            return []
        speech.stop = t
        return self._decide_all(cut for cut in self._recent if cut.speech is speech)

    def forget_speech(self, onset: float, echo: EchoHeard) -> list[Cut]:
        """Note that what began at ``onset`` was ``echo``; return the cuts that it changes."""
        for speech in self._speech:
            if speech.start == onset:
                speech.echo = echo
                speech.stop = echo.stop if speech.stop is None else speech.stop
        return self._decide_all(cut for cut in self._recent if cut.onset == onset)

    def hear_echo(self, echo: EchoHeard) -> list[Cut]:
        """Note ``echo``; return the interrupts that had it right before them."""
        cuts = [
            cut
            for cut in self._recent
            if cut.echo is None and echo.t <= cut.event.t <= echo.stop + self.NEAR_S
        ]
        for cut in cuts:
            cut.echo = echo
        return cuts

    # -- what comes with an interrupt --------------------------------------------------------------

    def silence(self, silenced: Silenced) -> Cut | None:
        """Note when the agent fell silent; return the cut that did it."""
        cut = self._of_epoch(silenced)
        if cut is not None:
            cut.silenced = silenced
            self._decide(cut)
        return cut

    def agent_tells(self, t: float, event_id: int | None) -> Cut | None:
        """Note the agent's message of an interruption; return the cut that came before it."""
        self._told.append((t, event_id))
        for cut in self._recent:
            if cut.told_at is None and self._belongs(cut.event, t, event_id):
                cut.told_at = t
                return cut
        return None

    def hear_sound(self, sound: SoundBefore) -> Cut | None:
        """Note what the microphone held before an interrupt; return its cut."""
        self._sounds.append(sound)
        cut = next((cut for cut in self._recent if self._is_before(sound, cut)), None)
        if cut is not None:
            cut.sound = sound
            self._decide(cut)
        return cut

    # -- classes -------------------------------------------------------------------------------

    def pass_time(self, t: float) -> list[Cut]:
        """Note that it is ``t`` now; return the cuts whose class has become certain by that."""
        self._now = max(t, self._now)
        due: list[Cut] = []
        while self._waiting and self._is_over(self._waiting[0]):
            due.append(self._waiting.popleft())
        return self._decide_all(due)

    def _decide_all(self, cuts: Iterable[Cut]) -> list[Cut]:
        """Decide anew on each; return those that have come out otherwise."""
        return [cut for cut in cuts if self._decide(cut)]

    def _decide(self, cut: Cut) -> bool:
        """Weigh all that is known, in whatever order it came; say whether that changes the cut."""
        before = cut.kind, cut.speech
        kind = OF_SOURCE.get(cut.event.source)
        if kind is None:
            cut.speech = self._find_speech(cut)
            kind = self._verdict(cut) if cut.speech is None else "barge-in"
        cut.kind = kind
        return (cut.kind, cut.speech) != before

    def _verdict(self, cut: Cut) -> InterruptionClass | None:
        """Return the class of a cut with no speech behind it, so far."""
        if not cut.could_hear or not cut.was_playing or not self._is_over(cut):
            return None
        t = cut.event.t
        # speech right after the interrupt may be its cause, put a little late; of a reply that was
        # not heard yet, speech right before
        since = t + self.ONSET_TOLERANCE_S if cut.turn_start is not None else t - self.ENDED_S
        in_doubt = any(
            each.echo is None
            and each.start <= t + self.DOUBT_S
            and (each.start if cut.turn_start is not None else each.stop or t) > since
            for each in self._speech
        )
        return None if in_doubt else "false"

    def _is_over(self, cut: Cut) -> bool:
        """Whether speech before ``cut`` would have been found by now."""
        # VAD has heard the user track to behind the interrupt when it is told what was there
        if cut.sound is not None:
            return True
        since_s, heard_s = self._now - cut.event.t, (self._listened_until or 0.0) - cut.event.t
        return since_s >= (self.VERDICT_S if heard_s >= self.DOUBT_S else self.LATEST_VERDICT_S)

    def _find_speech(self, cut: Cut) -> Speech | None:
        t, turn_start = cut.event.t, cut.turn_start
        if turn_start is None:
            if not cut.event.queued_samples:
                return None
            # a reply of which nothing was heard yet: whoever speaks is the cause of it
            turn_start = t
        for speech in reversed(self._speech):
            if self._has_other_cause(cut, speech):
                continue
            goes_on = speech.stop is None or speech.stop >= t
            since = t - (self.LONGEST_S if goes_on else self.ONSET_WINDOW_S)
            in_window = since <= speech.start <= t + self.ONSET_TOLERANCE_S
            ended = speech.stop is not None and speech.stop < max(t - self.ENDED_S, turn_start)
            if in_window and not ended and speech.echo is not None:
                cut.echo, cut.is_echo = cut.echo if cut.is_echo else speech.echo, True
            elif in_window and not ended:
                return speech
        return None

    @staticmethod
    def _has_other_cause(cut: Cut, speech: Speech) -> bool:
        """Whether something else came between ``speech`` and the interrupt that stood out."""
        sound = cut.sound
        stands_out = sound is not None and sound.kind in {"burst", "echo"}
        has_ended = speech.stop is not None and sound is not None and speech.stop <= sound.t
        return stands_out and has_ended

    @property
    def _recent(self) -> list[Cut]:
        return self.all[-self.RECENT :]

    def _told_before(self, event: Interrupted) -> float | None:
        for t, event_id in reversed(self._told):
            if self._belongs(event, t, event_id):
                return t
        return None

    def _belongs(self, event: Interrupted, told_at: float, event_id: int | None) -> bool:
        after_s = event.t - told_at
        is_soon = -self.ONSET_TOLERANCE_S <= after_s <= self.TOLD_S
        return event.source == "agent" and event.event_id == event_id and is_soon

    def _is_before(self, sound: SoundBefore, cut: Cut) -> bool:
        # it was measured for this very interrupt; its time may have been rounded
        return abs(sound.interrupted_at - cut.event.t) < 0.001


class ChunkFinder:
    """Finds the mic chunk that carried an onset, whichever of the two is told first."""

    KEPT_S = 4.0
    KEPT = 512
    TOLERANCE_S = 0.02
    """An onset this long before a chunk's first sample still belongs to it: clocks differ."""

    def __init__(self) -> None:
        """Begin without any."""
        self._chunks: deque[MicChunkSent] = deque(maxlen=self.KEPT)
        self._waiting: list[Speech] = []

    def add(self, chunk: MicChunkSent) -> list[Speech]:
        """Take the next chunk; return the speech whose onset it carried."""
        self._chunks.append(chunk)
        while self._chunks[0].completed_at < chunk.completed_at - self.KEPT_S:
            self._chunks.popleft()
        due = [speech for speech in self._waiting if speech.start < chunk.completed_at]
        if not due:
            return []
        self._waiting = [speech for speech in self._waiting if speech.start >= chunk.completed_at]
        return [speech for speech in due if self._carries(chunk, speech)]

    def find(self, speech: Speech) -> None:
        """Look for the chunk that carried its onset, or wait for it."""
        for chunk in self._chunks:
            if speech.start < chunk.completed_at:
                self._carries(chunk, speech)
                return
        self._waiting = [*self._waiting[-CutKeeper.RECENT :], speech]

    def _carries(self, chunk: MicChunkSent, speech: Speech) -> bool:
        if speech.start < chunk.captured_at - self.TOLERANCE_S:
            return False  # what lay before was dropped: the onset never went to the agent
        speech.chunk = chunk
        return True
