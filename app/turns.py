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
from typing import Any

from app.events import (
    AgentChunkReceived,
    AgentDiscarded,
    AgentHeard,
    Event,
    Interrupted,
    MessageReceived,
    MessageSent,
    MicChunkSent,
    Muted,
    Silenced,
    SpeechEnded,
    SpeechStarted,
    StateChanged,
    Trouble,
)
from app.interruptions import Cut, CutKeeper
from app.replies import Division, Replies
from app.spans import SpanKeeper
from app.transcript import Transcript
from app.turn_keeper import TurnKeeper
from app.turn_records import (
    AudioSpan,
    Interruption,
    Line,
    Spread,
    Summary,
    Turn,
    spread,
)
from audio.pcm import SAMPLE_RATE, samples_to_ms

__all__ = ["AudioSpan", "Interruption", "Line", "Spread", "Summary", "Turn", "TurnTracker"]


class TurnTracker:
    """Feed it every event of a session in the order of its timeline; read at any time between.

    The lists it returns are its own and grow: read them, and leave them as they are. An item that
    is still open (a turn, the last heard span, an interruption, a line) is replaced by a new one as
    more becomes known.
    """

    LOOSE_DISCARDS = 64
    OPEN_CUTS = 8
    """Of the cuts of one reply so many follow its words as they change; older ones are settled."""

    def __init__(self) -> None:
        """Begin with an empty session."""
        self._spans = SpanKeeper()
        self._turns = TurnKeeper()
        self._replies = Replies()
        self._cuts = CutKeeper()
        self._transcript = Transcript()
        self._interruptions: list[Interruption] = []
        self._loose: deque[tuple[AgentDiscarded, int]] = deque(maxlen=self.LOOSE_DISCARDS)
        self._cuts_of_reply: dict[int, list[int]] = {}
        self._changed_replies: set[int] = set()
        self._changed_cuts: set[int] = set()
        self._changed_record = 0
        self._divisions: dict[int, Division] = {}
        self._chat: dict[int, str] = {}
        self._troubles: Counter[str] = Counter()
        self._mic_chunks = 0
        self._duration = 0.0
        self._handlers: dict[type[Event], Callable[[Any], None]] = {
            AgentChunkReceived: self._on_agent_chunk,
            AgentHeard: self._on_heard,
            AgentDiscarded: self._on_discarded,
            Interrupted: self._on_interrupted,
            Silenced: self._on_silenced,
            SpeechStarted: self._on_speech_started,
            SpeechEnded: self._on_speech_ended,
            MessageReceived: self._on_message,
            MessageSent: self._on_message_sent,
            MicChunkSent: self._on_mic_chunk,
            Muted: self._on_muted,
            StateChanged: self._on_state,
            Trouble: self._on_trouble,
        }

    def feed(self, event: Event) -> None:
        """Take the next event."""
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)
        if event.t > self._duration:
            self._duration = event.t
            self._turns.pass_time(event.t)
            self._mark_cut(self._cuts.pass_time(event.t))

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

    @property
    def interruptions(self) -> list[Interruption]:
        """The interruptions, in order."""
        self._refresh()
        return self._interruptions

    @property
    def transcript(self) -> list[Line]:
        """The lines, in order."""
        self._refresh()
        return self._transcript.lines

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
            mic_chunks=self._mic_chunks,
            troubles=dict(self._troubles),
        )

    # -- agent audio ---------------------------------------------------------------------------

    def _on_agent_chunk(self, chunk: AgentChunkReceived) -> None:
        self._spans.receive(chunk)
        before = len(self._replies.all)
        number = self._replies.add_chunk(chunk)
        self._changed_replies.add(number)
        self._settle_replies(before)
        if chunk.alignment is not None and chunk.alignment.chars:
            self._transcript.open_reply(number, chunk.t)
        if chunk.held_back:
            self._hold_back(chunk, number)

    def _settle_replies(self, before: int) -> None:
        """Let go of what is past, if there are more replies than the ``before`` there were."""
        if len(self._replies.all) > before:
            spans = self._spans
            self._replies.settle(spans.heard, spans.gone, spans.last_heard or 0)

    def _hold_back(self, chunk: AgentChunkReceived, reply: int) -> None:
        cut = self._cuts.all[-1] if self._cuts.all else None
        at = chunk.t if cut is None else self._end_of(cut)
        number = self._spans.give_up(chunk.start, chunk.stop, at)
        if cut is not None:
            cut.held_back_samples += chunk.stop - chunk.start
            cut.add_span(number)
            self._link(cut, reply)

    def _on_heard(self, heard: AgentHeard) -> None:
        self._spans.hear(heard)
        until = heard.at + (heard.stop - heard.start) / SAMPLE_RATE
        if self._turns.agent_heard(heard.at, until):
            self._note_next_turn(heard.at)
        for number in self._replies_in(heard.start, heard.stop):
            reply = self._replies.all[number]
            if reply.heard_at is None:
                into = max((reply.start or 0) - heard.start, 0)
                reply.heard_at = heard.at + into / SAMPLE_RATE
            self._changed_replies.add(number)

    def _note_next_turn(self, at: float) -> None:
        cut = self._cuts.all[-1] if self._cuts.all else None
        if cut is not None and cut.next_at is None and at > cut.event.t:
            cut.next_at = at
            self._mark_cut(cut)

    def _on_discarded(self, discarded: AgentDiscarded) -> None:
        for number in self._replies_in(discarded.start, discarded.stop):
            self._changed_replies.add(number)
        cut = self._cuts.near(discarded.t) if discarded.reason == "interrupt" else None
        at = self._lost_at(discarded) if cut is None else self._end_of(cut)
        number = self._spans.discard(discarded, at)
        if cut is not None:
            self._attach(cut, discarded, number)
        elif discarded.reason == "interrupt":
            self._loose.append((discarded, number))

    def _lost_at(self, discarded: AgentDiscarded) -> float:
        """Return where audio would be heard that was given up with no interrupt."""
        last = self._spans.settled[-1] if self._spans.settled else None
        if last is not None and last.kind == "discarded" and last.stop == discarded.start:
            return last.at + (last.stop - last.start) / SAMPLE_RATE
        return self._spans.heard_until or discarded.t

    def _attach(self, cut: Cut, discarded: AgentDiscarded, span: int) -> None:
        cut.discarded_samples += discarded.stop - discarded.start
        cut.add_span(span)
        for number in self._replies_in(discarded.start, discarded.stop):
            self._link(cut, number)

    def _end_of(self, cut: Cut) -> float:
        """Return where audio would be heard that follows what ``cut`` has thrown away so far."""
        if not cut.spans:
            return cut.event.t if cut.silent_at is None else cut.silent_at
        last = self._spans.settled[cut.spans[-1]]
        return last.at + (last.stop - last.start) / SAMPLE_RATE

    # -- interrupts ----------------------------------------------------------------------------

    def _on_interrupted(self, event: Interrupted) -> None:
        agent_turn = self._turns.agent[-1] if self._turns.agent_speaks else None
        cut = self._cuts.add(event, agent_turn)
        self._mark_cut(cut)
        head = self._spans.next_queued
        if head is not None and event.queued_samples:
            for number in self._replies_in(head, self._spans.received_samples):
                self._link(cut, number)
        for discarded, span in list(self._loose):
            if self._cuts.near(discarded.t) is cut:
                self._loose.remove((discarded, span))
                self._attach(cut, discarded, span)

    def _on_silenced(self, silenced: Silenced) -> None:
        cut = self._cuts.of_epoch(silenced)
        if cut is None:
            return
        cut.silenced = silenced
        self._mark_cut(cut)
        if silenced.silent_at is not None:
            self._turns.agent_cut()
            self._retime(cut, silenced.silent_at)
            reply = self._replies.at(self._spans.last_heard or 0)
            if reply is not None:
                self._link(cut, reply)

    def _retime(self, cut: Cut, silent_at: float) -> None:
        at = silent_at
        for number in cut.spans:
            self._spans.move(number, at)
            span = self._spans.settled[number]
            at += (span.stop - span.start) / SAMPLE_RATE

    def _replies_in(self, start: int, stop: int) -> range:
        first, last = self._replies.at(start), self._replies.at(stop - 1)
        return range(first or 0, last + 1) if last is not None else range(0)

    def _link(self, cut: Cut, reply: int) -> None:
        self._replies.all[reply].was_cut = True
        cut.replies.add(reply)
        cuts = self._cuts_of_reply.setdefault(reply, [])
        if cut.number not in cuts:
            cuts.append(cut.number)
            del cuts[: -self.OPEN_CUTS]
        self._changed_replies.add(reply)

    # -- the user ------------------------------------------------------------------------------

    def _on_speech_started(self, event: SpeechStarted) -> None:
        self._turns.user_starts(event.t)
        self._mark_cut(self._cuts.speech_starts(event.t))

    def _on_speech_ended(self, event: SpeechEnded) -> None:
        self._turns.user_stops(event.t)
        self._cuts.speech_stops(event.t)

    def _on_mic_chunk(self, _event: MicChunkSent) -> None:
        self._mic_chunks += 1
        self._cuts.listen()

    def _on_muted(self, event: Muted) -> None:
        self._cuts.mute(muted=event.muted)

    # -- messages ------------------------------------------------------------------------------

    def _on_message(self, message: MessageReceived) -> None:
        reader = _MESSAGES.get(message.kind)
        if reader is not None:
            key, read = reader
            body = message.payload.get(key)
            read(self, message, body if isinstance(body, dict) else message.payload)

    def _on_agent_response(self, message: MessageReceived, body: dict[str, Any]) -> None:
        self._set_text(message, _text(body, "agent_response"))

    def _on_chat_part(self, message: MessageReceived, body: dict[str, Any]) -> None:
        """Take a piece of a written reply; where there is audio, the whole text comes as well."""
        if message.event_id is not None and not self._spans.received_samples:
            text = self._chat.get(message.event_id, "") + _text(body, "text")
            self._chat = {message.event_id: text}
            if text:
                self._set_text(message, text)

    def _set_text(self, message: MessageReceived, text: str) -> None:
        before = len(self._replies.all)
        number = self._replies.add_text(message.t, text, message.event_id)
        self._transcript.open_reply(number, message.t)
        # audio may have moved over from the reply before
        self._changed_replies.update({number, max(min(before, number) - 1, 0)})
        self._settle_replies(before)

    def _on_correction(self, message: MessageReceived, body: dict[str, Any]) -> None:
        original = _text(body, "original_agent_response")
        number = self._replies.find(original, message.event_id)
        if number is None:
            return
        self._replies.all[number].corrected = _text(body, "corrected_agent_response")
        self._changed_replies.add(number)

    def _on_user_transcript(self, message: MessageReceived, body: dict[str, Any]) -> None:
        self._user_said(message, body, tentative=False)

    def _on_tentative_transcript(self, message: MessageReceived, body: dict[str, Any]) -> None:
        self._user_said(message, body, tentative=True)

    def _user_said(
        self, message: MessageReceived, body: dict[str, Any], *, tentative: bool
    ) -> None:
        text = _text(body, "user_transcript")
        at = self.user_turns[-1].start if self.user_turns else message.t
        self._transcript.user_said(text, at, tentative=tentative)

    def _on_message_sent(self, message: MessageSent) -> None:
        if message.kind == "user_message":
            self._turns.user_types()
            self._transcript.user_typed(_text(message.payload, "text"), message.t)

    # -- the rest ------------------------------------------------------------------------------

    def _on_state(self, event: StateChanged) -> None:
        if event.state in {"ended", "failed"}:
            self._turns.finish(event.t)
            self._changed_replies.update(self._replies.cut_last())

    def _on_trouble(self, event: Trouble) -> None:
        count = event.data.get("count", 1)
        self._troubles[event.kind] += count if isinstance(count, int) else 1

    def _mark_cut(self, cut: Cut | None) -> None:
        if cut is not None:
            self._changed_cuts.add(cut.number)

    # -- what is worked out when it is read ----------------------------------------------------

    def _refresh(self) -> None:
        for number in sorted(self._changed_replies):
            if number < len(self._replies.all):
                self._refresh_reply(number)
        self._changed_replies.clear()
        for number in sorted(self._changed_cuts):
            self._refresh_cut(self._cuts.all[number - 1])
        self._changed_cuts.clear()

    def _refresh_reply(self, number: int) -> None:
        reply = self._replies.all[number]
        division = reply.divide(self._spans.heard, self._spans.gone)
        self._divisions[number] = division
        self._transcript.set_reply(number, reply, division)
        self._changed_cuts.update(self._cuts_of_reply.get(number, ()))

    def _refresh_cut(self, cut: Cut) -> None:
        numbers = sorted(cut.replies)
        divisions = [self._divisions[number] for number in numbers]
        corrections = [self._replies.all[number].corrected for number in numbers]
        record = cut.record(
            " ".join(division.heard for division in divisions if division.heard),
            " ".join(division.unheard for division in divisions if division.unheard),
            next((text for text in corrections if text is not None), None),
            words_estimated=any(division.estimated for division in divisions),
        )
        if cut.number > len(self._interruptions):
            self._interruptions.append(record)
        else:
            self._interruptions[cut.number - 1] = record
            self._changed_record = min(self._changed_record, cut.number - 1)


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) else ""


_Reader = Callable[[TurnTracker, MessageReceived, dict[str, Any]], None]

_MESSAGES: dict[str, tuple[str, _Reader]] = {
    "agent_response": ("agent_response_event", TurnTracker._on_agent_response),
    "agent_chat_response_part": ("text_response_part", TurnTracker._on_chat_part),
    "agent_response_correction": (
        "agent_response_correction_event",
        TurnTracker._on_correction,
    ),
    "user_transcript": ("user_transcription_event", TurnTracker._on_user_transcript),
    "tentative_user_transcript": (
        "tentative_user_transcription_event",
        TurnTracker._on_tentative_transcript,
    ),
}
