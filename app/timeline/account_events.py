"""From an account's records, in the account's positions, to events in session seconds.

Entered by the analysis thread alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from app.timeline.clock import SessionClock
from app.timeline.events import (
    AgentDiscarded,
    AgentHeard,
    Event,
    Interrupted,
    InterruptSource,
    Level,
    MicChunkSent,
    Silenced,
    Timeline,
    Trouble,
)
from audio import account as records
from audio.account import Account
from audio.pcm import SAMPLE_RATE, samples_to_ms

Say = Callable[[Mapping[str, Any]], str]
"""Gives the sentence of a trouble with such data."""
AMOUNTS = ("ms", "samples", "records")
"""What of a trouble's data adds up: several are about as much as all of them together."""


class Cause(Protocol):
    """Whose an interrupt was."""

    @property
    def source(self) -> InterruptSource:
        """Who called for it."""

    @property
    def event_id(self) -> int | None:
        """The agent's event that it belongs to."""


class Translator(Protocol):
    """What the tap knows that the account does not. Times are monotonic seconds."""

    @property
    def estimated(self) -> bool:
        """Whether the account is modelled, for the interface keeps none."""

    def cause_at(self, at: float) -> Cause | None:
        """Return whose the interrupt was that the account dates ``at``."""

    @property
    def mic_sent_since(self) -> float | None:
        """When mic chunks began to be sent to the agent; None while all of them wait."""

    @property
    def mic_dropped_until(self) -> int:
        """The input position before which mic chunks were never sent."""

    def received_spans(self, start: int, stop: int) -> list[tuple[int, int]]:
        """Return the received ranges that the account's positions ``[start, stop)`` stand for."""


@dataclass(slots=True)
class _Dry:
    """An underrun of the account's, and what ended it."""

    underrun: records.Underrun
    since: float
    """When it was noticed."""
    position: int | None = None
    """The received position that was heard next."""


class AccountReader:
    """Reads one account's journal and puts what it says on the timeline, in the same order.

    Arrivals are not among it: the tap tells them itself, with what it knows of them.
    Heard pieces that follow each other without a break become one event, at most
    ``HEARD_LATE_S`` after the first of them was noticed. An underrun is told ``DRY_LATE_S`` late:
    the text that comes with a reply's first audio tells whether the silence was the pause before
    that reply, and no underrun.
    """

    HEARD_LATE_S = 0.12
    DRY_LATE_S = 0.3
    MOST_DRY = 256

    def __init__(
        self,
        account: Account,
        translator: Translator,
        timeline: Timeline,
        clock: SessionClock,
        begins_reply: Callable[[int], bool] = lambda _position: False,
    ) -> None:
        """Read ``account`` from its beginning; ``begins_reply`` says it of a received position."""
        self.heard_until: float | None = None
        """When, in session seconds, the last agent sample known of left the speaker."""
        self._account = account
        self._translator = translator
        self._timeline = timeline
        self._of = clock.of
        self._cursor = 0
        self._heard: records.Heard | None = None
        self._heard_since = 0.0
        # as many as the tap lets wait: 10 s, in chunks of some length or other
        self._unsent: deque[records.MicChunk] = deque(maxlen=10_000)
        self._begins_reply = begins_reply
        self._dry: deque[_Dry] = deque()
        self._now = 0.0
        self._troubles = TroubleLimiter(timeline)
        self._handlers: dict[type[Any], Callable[[Any], None]] = {
            records.Heard: self._on_heard,
            records.Discarded: self._on_discarded,
            records.Interrupted: self._on_interrupted,
            records.Silenced: self._on_silenced,
            records.MicChunk: self._on_mic_chunk,
            records.Xrun: self._on_xrun,
            records.Underrun: self._on_underrun,
            records.Dropped: self._on_dropped,
            records.CallbackFailed: self._on_callback_failed,
            records.DeviceFault: self._on_device_fault,
        }

    def read(self, now: float) -> None:
        """Take what has come; ``now`` is in session seconds."""
        self._now = now
        items, self._cursor, lost = self._account.journal.read(self._cursor)
        fault = self._handle(items, now)
        if lost:
            data = {"records": lost}
            self._troubles.report(Trouble(now, "dropped", _lost(data), data=data), _lost)
        if self._heard is not None and now - self._heard_since >= self.HEARD_LATE_S:
            self._tell_heard()
        self._tell_mic_chunks()
        self._tell_dry(now - self.DRY_LATE_S)
        self._troubles.tick(now)
        if fault is not None:
            raise fault

    def _handle(self, items: list[records.Record], now: float) -> Exception | None:
        """Tell of each record; return the first fault, which takes no other record with it."""
        fault: Exception | None = None
        for item in items:
            handler = self._handlers.get(type(item))
            if handler is None:
                continue
            try:
                handler(item)
            except Exception as error:  # noqa: BLE001 - raised once all records have been told of
                fault = fault or error
            self._heard_since = now if self._heard is item else self._heard_since
        return fault

    def finish(self, now: float) -> None:
        """Take what has come, and hold nothing back."""
        self.read(now)
        self._tell_heard()
        self._tell_dry(now)
        self._troubles.flush()

    # -- playout -------------------------------------------------------------------------------

    def _on_heard(self, heard: records.Heard) -> None:
        self._note_resumed(heard)
        self.heard_until = self._of(heard.at) + (heard.stop - heard.start) / SAMPLE_RATE
        last = self._heard
        if last is None:
            self._heard = heard
            return
        count = last.stop - last.start
        if heard.start == last.stop and heard.position == last.position + count:
            self._heard = replace(last, stop=heard.stop)
            return
        self._tell_heard()
        self._heard = heard

    def _tell_heard(self) -> None:
        heard, self._heard = self._heard, None
        if heard is None:
            return
        # the clock's line is smoother than the one report that the record was made with
        played_at = self._account.output_clock.time_at(heard.position)
        at = self._of(heard.at if played_at is None else played_at)
        for start, stop in self._translator.received_spans(heard.start, heard.stop):
            self._tell(AgentHeard(at, start, stop, at, self._translator.estimated))
            at += (stop - start) / SAMPLE_RATE

    def _on_discarded(self, discarded: records.Discarded) -> None:
        self._tell_heard()
        at = self._of(discarded.at)
        for start, stop in self._translator.received_spans(discarded.start, discarded.stop):
            self._tell(AgentDiscarded(at, start, stop, discarded.reason))

    def _on_interrupted(self, interrupted: records.Interrupted) -> None:
        self._tell_heard()
        cause = self._translator.cause_at(interrupted.at)
        # nobody called: the interface did it by itself
        source: InterruptSource = cause.source if cause is not None else "vad"
        event_id = cause.event_id if cause is not None else None
        at = self._of(interrupted.at)
        self._tell(Interrupted(at, interrupted.epoch, source, interrupted.queued, event_id))

    def _on_silenced(self, silenced: records.Silenced) -> None:
        self._tell_heard()
        interrupted_at = self._of(silenced.interrupted_at)
        silent_at = None if silenced.silent_at is None else self._of(silenced.silent_at)
        at = interrupted_at if silent_at is None else silent_at
        estimated = self._translator.estimated
        self._tell(Silenced(at, silenced.epoch, interrupted_at, silent_at, estimated))

    # -- capture -------------------------------------------------------------------------------

    def _on_mic_chunk(self, chunk: records.MicChunk) -> None:
        self._unsent.append(chunk)
        self._tell_mic_chunks()

    def _tell_mic_chunks(self) -> None:
        """Tell of the chunks that were sent: the first ones wait for the agent to begin."""
        since = self._translator.mic_sent_since
        while since is not None and self._unsent:
            chunk = self._unsent.popleft()
            if chunk.start < self._translator.mic_dropped_until:
                continue
            self._tell(
                MicChunkSent(
                    self._of(max(chunk.called_at, since)),
                    chunk.start,
                    chunk.stop,
                    self._of(chunk.captured_at),
                    self._of(chunk.completed_at),
                    chunk.returned_at - chunk.called_at,
                    self._translator.estimated,
                )
            )

    # -- trouble -------------------------------------------------------------------------------

    def _on_xrun(self, xrun: records.Xrun) -> None:
        sentence = (
            "The microphone's device lost audio (an input overflow)."
            if xrun.side == "input"
            else "The speaker's device ran out of audio (an output underflow)."
        )
        self._trouble(xrun.at, "xrun", sentence, xrun.side)

    def _on_underrun(self, underrun: records.Underrun) -> None:
        self._dry.append(_Dry(underrun, self._now))
        if len(self._dry) > self.MOST_DRY:
            self._tell_underrun(self._dry.popleft().underrun)

    def _note_resumed(self, heard: records.Heard) -> None:
        dry = self._dry[-1] if self._dry else None
        if dry is not None and dry.position is None:
            spans = self._translator.received_spans(heard.start, heard.stop)
            dry.position = spans[0][0] if spans else None

    def _tell_dry(self, until: float) -> None:
        """Tell of the underruns noticed before ``until``, session seconds."""
        while self._dry and self._dry[0].since <= until:
            dry = self._dry.popleft()
            if dry.position is None or not self._begins_reply(dry.position):
                self._tell_underrun(dry.underrun)

    def _tell_underrun(self, underrun: records.Underrun) -> None:
        data = {"ms": round((underrun.resumed_at - underrun.at) * 1000, 1)}
        self._trouble(underrun.at, "underrun", _ran_dry, "output", data=data)

    def _on_dropped(self, dropped: records.Dropped) -> None:
        say = _dropped_input if dropped.side == "input" else _dropped_output
        data = {"samples": dropped.samples}
        self._trouble(dropped.at, "dropped", say, dropped.side, data=data)

    def _on_callback_failed(self, failed: records.CallbackFailed) -> None:
        sentence = f"A mic chunk could not be handed to the agent: {failed.error}."
        self._trouble(failed.at, "callback", sentence, "input", "error")

    def _on_device_fault(self, fault: records.DeviceFault) -> None:
        self._trouble(fault.at, "device", fault.sentence, fault.side, "error")

    def _trouble(  # noqa: PLR0917 - the fields of a Trouble, in their order
        self,
        at: float,
        kind: str,
        say: Say | str,
        side: str,
        level: Level = "warning",
        data: dict[str, Any] | None = None,
    ) -> None:
        told = data or {}
        sentence = say if isinstance(say, str) else say(told)
        event = Trouble(self._of(at), kind, sentence, side, level, told)
        self._troubles.report(event, None if isinstance(say, str) else say)

    def _tell(self, event: Event) -> None:
        self._timeline.append(event)


def _lost(data: Mapping[str, Any]) -> str:
    return f"{data['records']} records of what was heard were lost: the account was read too late."


def _ran_dry(data: Mapping[str, Any]) -> str:
    return f"The playout queue ran dry for {data['ms']:.0f} ms inside a reply."


def _dropped_input(data: Mapping[str, Any]) -> str:
    ms = samples_to_ms(data["samples"])
    return f"{ms:.0f} ms of the user's audio was dropped: the agent did not take it in time."


def _dropped_output(data: Mapping[str, Any]) -> str:
    ms = samples_to_ms(data["samples"])
    return f"{ms:.0f} ms of agent audio was dropped: the playout queue was full."


@dataclass(slots=True)
class _Held:
    """Troubles of one sort that wait for their second to be over."""

    until: float
    last: Trouble | None = None
    say: Say | None = None
    count: int = 0
    amounts: dict[str, float] = field(default_factory=dict)
    """By their names in the data, the sums of what adds up."""

    def add(self, trouble: Trouble, say: Say | None) -> None:
        """Hold one more."""
        self.last, self.say = trouble, say
        self.count += 1
        for name in AMOUNTS:
            if name in trouble.data:
                self.amounts[name] = self.amounts.get(name, 0) + trouble.data[name]

    def take(self) -> Trouble | None:
        """Return one event for all of them."""
        last, count = self.last, self.count
        if last is None:
            return None
        amounts = {name: round(amount, 1) for name, amount in self.amounts.items()}
        data = {**last.data, **amounts, "count": count}
        sentence = last.sentence if self.say is None else self.say(data)
        if count > 1:
            sentence = f"{sentence} ({count} times in a second)"
        self.last, self.say, self.count = None, None, 0
        self.amounts.clear()
        return replace(last, sentence=sentence, data=data)


class TroubleLimiter:
    """Puts at most two troubles of one kind and side a second on the timeline, and counts the rest.

    A device in distress reports a hundred xruns a second: the first is told at once, those
    within a second of it as one event whose data has their ``count`` and the sums of the
    `AMOUNTS` that they tell.
    """

    PERIOD_S = 1.0

    def __init__(self, timeline: Timeline) -> None:
        """Tell ``timeline``."""
        self._timeline = timeline
        self._held: dict[tuple[str, str], _Held] = {}

    def report(self, trouble: Trouble, say: Say | None = None) -> None:
        """Tell ``trouble``, now or within a second.

        ``say`` gives the sentence for the data of several; else the last one's is told.
        """
        held = self._held.get((trouble.kind, trouble.side))
        if held is None:
            until = trouble.t + self.PERIOD_S
            self._held[trouble.kind, trouble.side] = _Held(until)
            self._timeline.append(replace(trouble, data={"count": 1, **trouble.data}))
            return
        held.add(trouble, say)

    def tick(self, now: float) -> None:
        """Tell what has waited its second; ``now`` is in session seconds."""
        for key, held in list(self._held.items()):
            if now >= held.until:
                self._release(key, held)

    def flush(self) -> None:
        """Tell all that waits."""
        for key, held in list(self._held.items()):
            self._release(key, held)

    def _release(self, key: tuple[str, str], held: _Held) -> None:
        told = held.take()
        if told is None:
            del self._held[key]
            return
        held.until += self.PERIOD_S
        self._timeline.append(told)
