"""Turn-taking: when the demo agent speaks, gives way, answers and speaks up.

Pure logic without I/O and without a clock: whoever calls says what happened and what time it is
(seconds on any monotonic clock), and collects the messages that this makes due.
One thread, the one that serves the conversation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from app.agents.demo import wire
from app.agents.demo.pulse import Scores
from app.agents.demo.script import Line, Script
from app.agents.demo.speech import SAMPLES_PER_MS, Speech
from app.agents.demo.user_turn import Heard, UserTurn
from app.agents.demo.utterance import Utterance
from app.agents.demo.wire import Message
from audio.vad import SpeechEdge

# Mic chunks that stay away for so long, beyond the endpointing silence, end the user's turn too:
# a client that mutes may stop sending altogether.
STALLED_AUDIO_S = 1.0


class Kind(Enum):
    """What the agent is about to say."""

    GREETING = auto()
    REPLY = auto()
    ACKNOWLEDGEMENT = auto()
    IDLE_PROMPT = auto()


@dataclass(frozen=True, slots=True)
class _Pending:
    kind: Kind
    at: float


class Dialogue:
    """One conversation.

    At any moment the agent is in playout, or about to speak, or listening. Event ids grow: every
    reply has one, shared by its text and all its audio; every interruption and every transcript
    has its own.
    """

    def __init__(
        self,
        script: Script,
        speeches: Mapping[str, Speech],
        now: float,
        *,
        greeting: int = 0,
        text_only: bool = False,
    ) -> None:
        """Begin: the greeting is due after its delay; ``greeting`` says which, counted round."""
        self._timing = script.timing
        self._behaviour = script.behaviour
        self._speeches = speeches
        self._text_only = text_only
        self._lines: dict[Kind, tuple[Line, ...]] = {
            Kind.GREETING: script.greetings,
            Kind.REPLY: script.replies,
            Kind.ACKNOWLEDGEMENT: script.acknowledgements,
            Kind.IDLE_PROMPT: script.idle_prompts,
        }
        self._said = {Kind.GREETING: greeting, Kind.REPLY: 0}
        self._out: list[Message] = []
        self._event_id = 0
        self._reused_id: int | None = None
        self._utterance: Utterance | None = None
        self._utterance_position = 0
        self._pending: _Pending | None = None
        self._turn: UserTurn | None = None
        self._yields_at: float | None = None
        self._position = 0
        self._speech_until = 0
        self._heard_at = now
        self._quiet_since = now
        self._idle_prompts = 0
        self._scores = Scores(script.timing.vad_score_every_ms)
        self._plan(Kind.GREETING, now + self._timing.greeting_delay_ms / 1000)

    # What happens to the agent. Each is followed by `step`.

    def hear(self, now: float, heard: Heard) -> None:
        """Take in what the ears made of a mic chunk that came just now."""
        self._position = heard.position
        self._speech_until = heard.speech_until
        self._heard_at = now
        self._out += self._scores.report(heard.position, heard.score)
        for edge in heard.edges:
            self._note_speech(now, edge)
        if self._must_yield(now, heard):
            self._yields_at = now + self._behaviour.yield_delay_ms / 1000
        self._yield_when_due(now)
        if self._turn and self._turn.silence_ms(heard.position) >= self._timing.endpoint_silence_ms:
            self._end_turn(now)

    def user_message(self, now: float) -> None:
        """Answer typed text at once, even in the middle of the agent's own speech."""
        if self._utterance is not None:
            self._interrupt(now)
        self._idle_prompts = 0
        self._plan(Kind.REPLY, now)
        self._begin_pending(now)

    def user_activity(self, now: float) -> None:
        """Do not speak up for a while: the user is typing."""
        self._quiet_since = now

    # Time passes.

    def step(self, now: float) -> list[Message]:
        """Do all that is due, and return the messages to send, in order."""
        self._yield_when_due(now)
        if now >= self._stalled_at():
            self._end_stalled_turn(now)
        self._speak(now)
        if now >= self._speaks_at():
            self._begin_pending(now)
        if now >= self._idle_at():
            self._speak_up(now)
        out, self._out = self._out, []
        return out

    def due_at(self) -> float:
        """Return when ``step`` has something to do next, if nothing happens before; else inf."""
        times = [self._idle_at(), self._stalled_at(), self._speaks_at()]
        if self._yields_at is not None:
            times.append(self._yields_at)
        if self._utterance is not None:
            next_chunk_at = self._utterance.next_chunk_at
            times.append(self._utterance.ends_at if next_chunk_at is None else next_chunk_at)
        return min(times)

    # The agent's own speech.

    def _plan(self, kind: Kind, at: float) -> None:
        if self._lines[kind]:
            self._pending = _Pending(kind, at)

    def _speaks_at(self) -> float:
        """When the planned line is due; never while the user speaks or another line is heard."""
        if self._pending is None or self._turn is not None:
            return float("inf")
        if self._utterance is not None:
            return max(self._pending.at, self._utterance.ends_at)
        return self._pending.at

    def _begin_pending(self, now: float) -> None:
        if self._pending is None:
            return
        kind, self._pending = self._pending.kind, None
        lines = self._lines[kind]
        count = self._said.get(kind, 0)
        self._said[kind] = count + 1
        speech = self._speeches[lines[count % len(lines)].id]
        event_id = self._reply_id()
        self._out.append(wire.agent_response(speech.text, event_id))
        self._quiet_since = now
        if not self._text_only:
            self._begin_utterance(speech, event_id, now)

    def _begin_utterance(self, speech: Speech, event_id: int, now: float) -> None:
        timing = self._timing
        self._utterance = Utterance(
            speech, event_id, now, chunk_ms=timing.chunk_ms, pace=timing.pace
        )
        self._utterance_position = self._position
        self._speak(now)

    def _speak(self, now: float) -> None:
        """Send the chunks that are due; once the last one was heard, listen."""
        utterance = self._utterance
        if utterance is None:
            return
        while (at := utterance.next_chunk_at) is not None and at <= now:
            self._send_chunk(utterance)
        if utterance.next_chunk_at is None and now >= utterance.ends_at:
            self._utterance = self._yields_at = None
            self._quiet_since = now

    def _send_chunk(self, utterance: Utterance) -> None:
        start, stop = utterance.take_chunk()
        speech = utterance.speech
        alignment = speech.alignment(start, stop) if self._behaviour.send_alignment else None
        pcm = speech.pcm[start * 2 : stop * 2]
        self._out.append(wire.audio(pcm, utterance.event_id, alignment))

    def _yield_when_due(self, now: float) -> None:
        if self._yields_at is None or self._utterance is None or now < self._yields_at:
            return
        if now < self._utterance.ends_at:
            self._interrupt(now)
        self._yields_at = None

    def _interrupt(self, now: float) -> None:
        """Give way: what was not sent stays unsent, and the client is told to drop the rest."""
        utterance = self._utterance
        if utterance is None:
            return
        self._utterance = None
        if self._turn is not None or self._yields_at is None:
            # an agent that was slow to give way may have planned its answer by then
            self._pending = None
        self._yields_at = None
        self._quiet_since = now
        interruption_id = self._next_id()
        if self._behaviour.reuse_interruption_id:
            self._reused_id = interruption_id
        self._out.append(wire.interruption(interruption_id))
        if self._behaviour.send_correction:
            original = utterance.speech.text
            heard = utterance.speech.text_heard(utterance.heard_samples(now))
            self._out.append(wire.agent_response_correction(original, heard, utterance.event_id))

    def _next_id(self) -> int:
        self._event_id += 1
        return self._event_id

    def _reply_id(self) -> int:
        reused, self._reused_id = self._reused_id, None
        return reused if reused is not None else self._next_id()

    # The user's speech.

    def _note_speech(self, now: float, edge: SpeechEdge) -> None:
        if edge.kind == "end":
            if self._turn:
                self._turn.pause(edge.position)
        elif self._turn:
            self._turn.resume(edge.position)
        else:
            over_agent = self._utterance is not None and now < self._utterance.ends_at
            self._turn = UserTurn(edge.position, over_agent=over_agent)
        self._quiet_since = now

    def _must_yield(self, now: float, heard: Heard) -> bool:
        utterance = self._utterance
        if utterance is None or self._yields_at is not None or self._behaviour.never_yields:
            return False
        if now >= utterance.ends_at:
            return False
        if self._is_spoken_over():
            return True
        loud = heard.loud_until - max(heard.loud_from, self._utterance_position)
        return loud > 0 and loud >= self._behaviour.yield_after_ms * SAMPLES_PER_MS

    def _is_spoken_over(self) -> bool:
        """Whether the user's turn has run over the agent's for long enough; the turn notes it."""
        if self._turn is None:
            return False
        overlap_ms = self._turn.overlap_ms(self._speech_until, self._utterance_position)
        if overlap_ms < self._behaviour.yield_after_ms:
            return False
        self._turn.interrupted_agent = True
        return True

    def _end_turn(self, now: float) -> None:
        """Report the turn and plan the answer to it, if it deserves one."""
        turn, self._turn = self._turn, None
        if turn is None:
            return
        self._quiet_since = now
        self._idle_prompts = 0
        said = f"(you spoke for {turn.spoken_ms() / 1000:.1f} s)"
        self._out.append(wire.user_transcript(said, self._next_id()))
        kind = self._answer_to(turn)
        if kind is not None:
            self._plan(kind, now + self._timing.reply_delay_ms / 1000)

    def _answer_to(self, turn: UserTurn) -> Kind | None:
        """A word in passing gets no answer, a short interruption an acknowledgement."""
        spoken_ms = turn.spoken_ms()
        if turn.interrupted_agent:
            short = spoken_ms < self._timing.acknowledge_below_ms
            return Kind.ACKNOWLEDGEMENT if short and self._has_acknowledgement else Kind.REPLY
        in_passing = turn.over_agent and spoken_ms < self._behaviour.yield_after_ms
        return None if in_passing else Kind.REPLY

    @property
    def _has_acknowledgement(self) -> bool:
        return bool(self._lines[Kind.ACKNOWLEDGEMENT])

    def _stalled_at(self) -> float:
        if self._turn is None:
            return float("inf")
        return self._heard_at + self._timing.endpoint_silence_ms / 1000 + STALLED_AUDIO_S

    def _end_stalled_turn(self, now: float) -> None:
        if self._turn is not None and self._turn.speaking:
            self._turn.pause(self._speech_until)
        self._end_turn(now)

    # Small talk.

    def _idle_at(self) -> float:
        """When the agent speaks up, if nobody does before."""
        if self._utterance or self._pending or self._turn or not self._lines[Kind.IDLE_PROMPT]:
            return float("inf")
        if self._idle_prompts >= self._timing.idle_prompts_max:
            return float("inf")
        return self._quiet_since + self._timing.idle_prompt_after_s

    def _speak_up(self, now: float) -> None:
        self._idle_prompts += 1
        self._plan(Kind.IDLE_PROMPT, now)
        self._begin_pending(now)
