"""From events to turns, interruptions, latencies and a transcript. Pure logic: no clock, no I/O.

The same events give the same records, live and from a bundle. Feeding an event costs O(1)
amortised; what words an event changes is worked out when the records are next read. A tracker
belongs to one thread: each reader of a timeline has its own.

Events come in the order in which they were noticed: what was heard is told up to a quarter of a
second after a message of the same moment, and an onset of speech later still.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from itertools import takewhile
from typing import Any

from app.analysis.bounds import MOST, MOST_PIECES, Bounds, Counted
from app.analysis.cut import OF_SOURCE, Cut
from app.analysis.discards import DiscardKeeper
from app.analysis.interruptions import CutKeeper
from app.analysis.limits import PAUSE_S
from app.analysis.overlaps import OverlapKeeper
from app.analysis.responses import RefusedKeeper, ResponseKeeper
from app.analysis.said import Said
from app.analysis.spans import SpanKeeper
from app.analysis.turn_keeper import TurnKeeper
from app.analysis.turn_messages import MessageReader
from app.analysis.turn_records import (
    AudioSpan,
    Interruption,
    Line,
    Overlap,
    Refused,
    Response,
    Summary,
    Turn,
    spread,
)
from app.timeline.events import (
    AgentChunkReceived,
    AgentDiscarded,
    AgentHeard,
    EchoHeard,
    Event,
    Interrupted,
    MessageReceived,
    MessageSent,
    MicChunkSent,
    Muted,
    Silenced,
    SoundBefore,
    SpeechEnded,
    SpeechStarted,
    StateChanged,
    Trouble,
)
from audio.pcm import SAMPLE_RATE, samples_to_ms

ECHO_TOLERANCE_S = 0.1
"""VAD may put the onset of an echo so long before the echo."""


class TurnTracker:
    """Feed it every event of a session in the order of its timeline; read at any time between.

    The lists it returns are its own and grow: read them, and leave them as they are. An item that
    is still open (a turn, the last heard span, an interruption, a line) is replaced by a new one as
    more becomes known.
    """

    LENGTHS = 64
    """So many lengths of mic chunks, and kinds of trouble, are told apart."""
    ECHOES = 32
    """So many of the latest echoes, and onsets of speech, are compared with each other."""

    def __init__(self, pause_s: float = PAUSE_S) -> None:
        """Begin with an empty session; a silence of ``pause_s`` ends a turn."""
        self._spans = SpanKeeper()
        self._turns = TurnKeeper(pause_s)
        self._overlaps = OverlapKeeper()
        self._refused = RefusedKeeper()
        self._said = Said(self._spans, self._turns.user)
        self._responses = ResponseKeeper(self._said.replies.begins_at)
        self._cuts = CutKeeper()
        self._discards = DiscardKeeper(self._spans, self._cuts, self._said)
        self._messages = MessageReader(
            self._turns, self._cuts, self._said, self._responses, self._refused
        )
        self._interruptions: list[Interruption] = []
        self._echoes: deque[EchoHeard] = deque(maxlen=self.ECHOES)
        self._onsets: deque[float] = deque(maxlen=self.ECHOES)
        self._changed_cuts: set[int] = set()
        self._changed_record = 0
        self._troubles: Counter[str] = Counter()
        self._mic_chunks: Counter[int] = Counter()
        self._duration = 0.0
        self._bounds = Bounds(self._counted())

    def _counted(self) -> list[Counted]:
        return [
            ("turns of the user's", MOST, self._turns.user.__len__),
            ("turns of the agent's", MOST, self._turns.agent.__len__),
            ("interruptions", MOST, self._cuts.all.__len__),
            ("overlaps", MOST, self._overlaps.overlaps.__len__),
            ("pieces of refused audio", MOST, self._refused.refused.__len__),
            ("lines of the transcript", MOST, self._said.transcript.lines.__len__),
            ("replies", MOST, self._said.replies.all.__len__),
            ("pieces of agent audio", MOST_PIECES, self._spans.settled.__len__),
            ("pieces of agent audio", MOST_PIECES, self._spans.count_waiting),
        ]

    def feed(self, event: Event) -> None:
        """Take the next event."""
        if self._bounds.is_reached:
            self._duration = max(event.t, self._duration)
            return
        handler = _HANDLERS.get(type(event))
        if handler is not None:
            handler(self, event)
        if event.t > self._duration:
            self._duration = event.t
            self._turns.pass_time(event.t)
            self._overlaps.pass_time(event.t)
            self._claim_all(self._cuts.pass_time(event.t))
        if self._bounds.check(self._duration):
            self._finish(self._duration)

    @property
    def is_full(self) -> bool:
        """Whether it takes no more events, for there are too many records of a kind."""
        return self._bounds.is_reached

    @property
    def warnings(self) -> list[str]:
        """Sentences on what is not analysed."""
        return self._bounds.warnings

    # -- what is read --------------------------------------------------------------------------

    @property
    def user_turns(self) -> list[Turn]:
        """The user's turns; the last may be open."""
        return self._turns.user

    @property
    def agent_turns(self) -> list[Turn]:
        """The agent's turns, as heard; the last may be open."""
        return self._turns.agent

    @property
    def response_latencies_ms(self) -> list[float]:
        """How long the agent took to answer, one for each user turn that was answered."""
        return self._turns.latencies_ms

    @property
    def spans(self) -> list[AudioSpan]:
        """All of the received audio: settled, then queued; a new list."""
        return self._spans.settled + self._spans.queued()

    @property
    def settled_spans(self) -> list[AudioSpan]:
        """The received audio whose fate is known."""
        return self._spans.settled

    def queued_spans(self) -> list[AudioSpan]:
        """Return the received audio that waits to be heard."""
        return self._spans.queued()

    def take_changed_spans(self) -> int:
        """Return the number of the first of ``settled_spans`` that changed since the last call."""
        return self._spans.take_changed()

    def take_changed_interruptions(self) -> int:
        """Return the index of the first of ``interruptions`` that changed since the last call."""
        self._refresh()
        changed, self._changed_record = self._changed_record, len(self._interruptions)
        return changed

    def take_changed_overlaps(self) -> int:
        """Return the index of the first of ``overlaps`` that changed since the last call."""
        return self._overlaps.overlaps.take_changed()

    def take_changed_turns(self) -> tuple[int, int]:
        """Return the index of the first user turn, and agent turn, changed since the last call."""
        return self._turns.user.take_changed(), self._turns.agent.take_changed()

    @property
    def interruptions(self) -> list[Interruption]:
        """The interruptions, in order."""
        self._refresh()
        return self._interruptions

    @property
    def overlaps(self) -> list[Overlap]:
        """When both spoke at once, in the order of their starts."""
        return self._overlaps.overlaps

    @property
    def responses(self) -> list[Response]:
        """The agent's turns, each with how it came about."""
        return self._bring_responses()

    @property
    def refused(self) -> list[Refused]:
        """Agent audio that was never given to the speaker."""
        return self._refused.refused

    @property
    def transcript(self) -> list[Line]:
        """The lines, in order."""
        self._refresh()
        return self._said.transcript.lines

    @property
    def duration_s(self) -> float:
        """The latest time of any event."""
        return self._duration

    def summary(self) -> Summary:
        """Return the session in figures, as far as it has come."""
        cuts = self.interruptions
        silences = [cut.time_to_silence_ms for cut in cuts]
        mouths = [cut.mouth_to_silence_ms for cut in cuts]
        return Summary(
            duration_s=self._duration,
            user_turns=len(self.user_turns),
            agent_turns=len(self.agent_turns),
            interruptions=len(cuts),
            time_to_silence_ms=spread([ms for ms in silences if ms is not None]),
            mouth_to_silence_ms=spread([ms for ms in mouths if ms is not None]),
            response_latency_ms=spread(self.response_latencies_ms),
            received_ms=samples_to_ms(self._spans.received_samples),
            heard_ms=samples_to_ms(self._spans.heard_samples),
            discarded_ms=samples_to_ms(self._spans.discarded_samples),
            mic_chunks=self._mic_chunks.total(),
            troubles=dict(self._troubles),
            mic_chunk_ms=self._mic_chunk_ms(),
        )

    def _mic_chunk_ms(self) -> float | None:
        """Return how long most mic chunks are; of two that are as many, the longer one."""
        lengths = self._mic_chunks
        usual = max(lengths, key=lambda length: (lengths[length], length), default=0)
        return samples_to_ms(usual) if usual > 0 else None

    # -- agent audio ---------------------------------------------------------------------------

    def _on_agent_chunk(self, chunk: AgentChunkReceived) -> None:
        self._spans.receive(chunk)
        self._responses.receive(chunk)
        number = self._said.add_chunk(chunk)
        if chunk.held_back:
            self._discards.hold_back(chunk, number)

    def _on_heard(self, heard: AgentHeard) -> None:
        self._spans.hear(heard)
        until = heard.at + (heard.stop - heard.start) / SAMPLE_RATE
        held_up = self._responses.had_come(heard.start, self._turns.heard_until)
        begins = self._turns.agent_heard(heard.at, until, held_up=held_up)
        if begins or self._responses.breaks(heard.at):
            # of what is kept for old turns some may go now
            self._bring_responses()
        self._overlaps.agent_heard(heard.at, until)
        self._responses.hear(heard, until, begins=begins)
        self._touch_response()
        if begins:
            self._mark_cuts(self._cuts.agent_speaks(heard.at))
        self._said.hear(heard)

    def _bring_responses(self) -> list[Response]:
        return self._responses.responses(self._turns.agent, self._turns.answered)

    def _touch_response(self) -> None:
        self._responses.touch(len(self._turns.agent) - 1)

    def _on_discarded(self, discarded: AgentDiscarded) -> None:
        self._discards.discard(discarded)
        if discarded.reason != "overflow":
            self._responses.discard(discarded.stop)

    # -- interrupts ----------------------------------------------------------------------------

    def _on_interrupted(self, event: Interrupted) -> None:
        cut = self._cuts.add(event, self._turns.agent)
        for echo in self._echoes:
            self._cuts.hear_echo(echo)
        self._mark_cut(cut)
        self._claim(cut)
        self._discards.interrupt(cut)

    def _on_silenced(self, silenced: Silenced) -> None:
        cut = self._cuts.silence(silenced)
        if cut is None:
            return
        self._claim_all([cut])
        if cut.silent_at is not None:
            self._turns.agent_cut()
            self._overlaps.agent_cut()
            self._discards.silence(cut, cut.silent_at)
            self._said.silence(cut)

    # -- the user ------------------------------------------------------------------------------

    def _on_speech_started(self, event: SpeechStarted) -> None:
        self._onsets.append(event.t)
        self._turns.user_starts(event.t)
        self._overlaps.speech_starts(event.t)
        self._claim_all(self._cuts.speech_starts(event.t))
        self._touch_response()
        echo = next((echo for echo in self._echoes if _is_in(event.t, echo)), None)
        if echo is not None:
            self._forget_speech(event.t, echo)

    def _on_speech_ended(self, event: SpeechEnded) -> None:
        self._turns.user_stops(event.t)
        self._overlaps.speech_stops(event.t)
        self._claim_all(self._cuts.speech_stops(event.t))
        self._touch_response()

    def _on_echo(self, echo: EchoHeard) -> None:
        self._echoes.append(echo)
        for onset in list(self._onsets):
            if _is_in(onset, echo):
                self._forget_speech(onset, echo)
        self._mark_cuts(self._cuts.hear_echo(echo))

    def _forget_speech(self, onset: float, echo: EchoHeard) -> None:
        """Take back what was made of speech that was the agent's own voice."""
        self._onsets.remove(onset)
        self._overlaps.forget_speech(onset)
        first = max(len(self._turns.agent) - 2 * self.ECHOES, 0)
        before = self._turns.answers_from(first)
        if self._turns.forget_speech(onset):
            pairs = zip(before, self._turns.answers_from(first), strict=False)
            same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
            self._responses.touch(first + same)
        self._claim_all(self._cuts.forget_speech(onset, echo))

    def _claim_all(self, cuts: list[Cut]) -> None:
        self._mark_cuts(cuts)
        for cut in cuts:
            self._claim(cut)

    def _claim(self, cut: Cut) -> None:
        """Let the overlap know that an interrupt followed it."""
        is_own = cut.event.source in OF_SOURCE
        if is_own or cut.onset is not None:
            self._overlaps.claim(None if is_own else cut.onset, cut.event.t, cut.number)
        else:
            self._overlaps.unclaim(cut.number)

    def _on_sound(self, event: SoundBefore) -> None:
        cut = self._cuts.hear_sound(event)
        if cut is not None:
            self._claim_all([cut])

    def _on_mic_chunk(self, event: MicChunkSent) -> None:
        length = event.stop - event.start
        if length in self._mic_chunks or len(self._mic_chunks) < self.LENGTHS:
            self._mic_chunks[length] += 1
        else:
            self._mic_chunks[0] += 1
        self._mark_cuts(self._cuts.mic_chunk(event))

    def _on_muted(self, event: Muted) -> None:
        self._cuts.mute(muted=event.muted)

    # -- messages ------------------------------------------------------------------------------

    def _on_message(self, message: MessageReceived) -> None:
        self._mark_cut(self._messages.read(message))

    def _on_message_sent(self, message: MessageSent) -> None:
        self._messages.read_sent(message)

    # -- the rest ------------------------------------------------------------------------------

    def _on_state(self, event: StateChanged) -> None:
        if event.state in {"ended", "failed"}:
            self._finish(event.t)

    def _finish(self, t: float) -> None:
        self._turns.finish(t)
        self._overlaps.finish(t)
        self._said.end()

    def _on_trouble(self, event: Trouble) -> None:
        count = event.data.get("count", 1)
        is_known = event.kind in self._troubles or len(self._troubles) < self.LENGTHS
        self._troubles[event.kind if is_known else "other"] += count if type(count) is int else 1
        if event.kind == "underrun":
            self._responses.ran_dry(event)
            self._touch_response()

    def _mark_cuts(self, cuts: list[Cut]) -> None:
        self._changed_cuts.update(cut.number for cut in cuts)

    def _mark_cut(self, cut: Cut | None) -> None:
        if cut is not None:
            self._changed_cuts.add(cut.number)

    # -- what is worked out when it is read ----------------------------------------------------

    def _refresh(self) -> None:
        self._changed_cuts |= self._said.refresh()
        for number in sorted(self._changed_cuts):
            self._refresh_cut(self._cuts.all[number - 1])
        self._changed_cuts.clear()

    def _refresh_cut(self, cut: Cut) -> None:
        record = cut.record(self._said.words_of(cut))
        if cut.number > len(self._interruptions):
            self._interruptions.append(record)
        else:
            self._interruptions[cut.number - 1] = record
            self._changed_record = min(self._changed_record, cut.number - 1)


_HANDLERS: dict[type[Event], Callable[[TurnTracker, Any], None]] = {
    AgentChunkReceived: TurnTracker._on_agent_chunk,
    AgentHeard: TurnTracker._on_heard,
    AgentDiscarded: TurnTracker._on_discarded,
    Interrupted: TurnTracker._on_interrupted,
    Silenced: TurnTracker._on_silenced,
    SpeechStarted: TurnTracker._on_speech_started,
    SpeechEnded: TurnTracker._on_speech_ended,
    EchoHeard: TurnTracker._on_echo,
    SoundBefore: TurnTracker._on_sound,
    MessageReceived: TurnTracker._on_message,
    MessageSent: TurnTracker._on_message_sent,
    MicChunkSent: TurnTracker._on_mic_chunk,
    Muted: TurnTracker._on_muted,
    StateChanged: TurnTracker._on_state,
    Trouble: TurnTracker._on_trouble,
}
"""What takes events, by type; the others say nothing of turns."""


def _is_in(onset: float, echo: EchoHeard) -> bool:
    return echo.t - ECHO_TOLERANCE_S <= onset < echo.stop
