"""The events of a stretch of a session, such that they make a session of their own. Pure logic.

Times count from the beginning of the stretch. Agent audio that was, or would have been, heard in
it is received in it: what had arrived before stands at its beginning. A user who was speaking
already began below zero: what is measured from there stays right. Received positions count from
the first such sample.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.analysis.turn_records import AudioSpan
from app.export.content import Stretch
from app.timeline.events import (
    AgentChunkReceived,
    AgentDiscarded,
    AgentHeard,
    EchoHeard,
    Event,
    Interrupted,
    MessageReceived,
    MicChunkSent,
    Muted,
    Silenced,
    SoundBefore,
    SpeechEnded,
    SpeechStarted,
    StateChanged,
)
from audio.pcm import SAMPLE_RATE, seconds_to_samples

_TEXTS = frozenset({"agent_response", "agent_response_correction"})


def received_ranges(
    spans: Iterable[AudioSpan], stretch: Stretch, length: int
) -> tuple[tuple[int, int], ...]:
    """Return the received samples that were, or would have been, heard in ``stretch``, in order.

    Of a whole session these are all ``length`` samples.
    """
    if stretch.is_whole:
        return ((0, length),) if length else ()
    found: list[tuple[int, int]] = []
    for span in spans:
        first = span.start + max(seconds_to_samples(stretch.start - span.at), 0)
        last = min(span.stop, span.start + seconds_to_samples(stretch.stop - span.at), length)
        if first < last:
            found.append((first, last))
    return tuple(_joined(sorted(found)))


def _joined(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, stop in ranges:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], stop))
        else:
            joined.append((start, stop))
    return joined


@dataclass(frozen=True, slots=True)
class CutEvents:
    """The events of a stretch, in order, and which received samples they speak of."""

    events: list[Event]
    received_start: int
    received_stop: int


def cut_events(events: Sequence[Event], spans: Sequence[AudioSpan], stretch: Stretch) -> CutEvents:
    """Return the events of ``stretch``; ``spans`` tell what became of the received audio."""
    received = _whole_chunks(events, received_ranges(spans, stretch, 2**62))
    cutter = _Cutter(stretch, *received, _texts_of(events, received))
    kept: list[Event] = [StateChanged(0.0, "running"), *cutter.open_at_start(events)]
    for event in events:
        cut = cutter.cut(event)
        if cut is not None:
            kept.append(cut)
    kept.sort(key=lambda event: event.t)  # stable: those of a moment keep their order
    kept.append(StateChanged(stretch.length, "ended", "The export ends here."))
    return CutEvents(kept, *received)


def _whole_chunks(events: Iterable[Event], ranges: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return the received samples from the first chunk that is touched to the last."""
    if not ranges:
        return 0, 0
    first, last = ranges[0][0], ranges[-1][1]
    touched = [
        (event.start, event.stop)
        for event in events
        if isinstance(event, AgentChunkReceived) and event.start < last and event.stop > first
    ]
    if not touched:
        return first, last
    return min(start for start, _ in touched), max(stop for _, stop in touched)


def _texts_of(events: Iterable[Event], received: tuple[int, int]) -> frozenset[int]:
    """Return the ids of the chunks in ``received``: their texts belong to them."""
    return frozenset(
        event.event_id
        for event in events
        if isinstance(event, AgentChunkReceived)
        and event.event_id is not None
        and received[0] <= event.start < received[1]
    )


class _Cutter:
    """Takes one event after the other, and returns what of it is in the stretch."""

    def __init__(
        self, stretch: Stretch, received_start: int, received_stop: int, ids: frozenset[int]
    ) -> None:
        self._stretch, self._ids = stretch, ids
        self._received = received_start, received_stop
        self._cutters: dict[type[Event], Callable[[Any], Event | None]] = {
            AgentChunkReceived: self._chunk,
            AgentHeard: self._heard,
            AgentDiscarded: self._discarded,
            MessageReceived: self._message,
            Silenced: self._silenced,
            MicChunkSent: self._mic_chunk,
            SpeechStarted: self._speech,
            SpeechEnded: self._speech,
            EchoHeard: self._echo,
            SoundBefore: self._sound,
            StateChanged: lambda _event: None,
        }

    def cut(self, event: Event) -> Event | None:
        """Return ``event`` as it is in the stretch; None where it is not."""
        return self._cutters.get(type(event), self._other)(event)

    def open_at_start(self, events: Iterable[Event]) -> list[Event]:
        """Return what had begun before the stretch and went on: speech, and being muted."""
        speech: Event | None = None
        muted = False
        for event in events:
            if event.t < self._stretch.start:
                if isinstance(event, SpeechStarted):
                    speech = event
                elif isinstance(event, SpeechEnded):
                    speech = None
                elif isinstance(event, Muted):
                    muted = event.muted
        found: list[Event] = [Muted(0.0, muted=True)] if muted else []
        if isinstance(speech, SpeechStarted):
            noticed_at = self._shift(speech.noticed_at)
            found.append(replace(speech, t=self._shift(speech.t), noticed_at=noticed_at))
        return found

    def _is_in(self, t: float) -> bool:
        return self._stretch.start <= t < self._stretch.stop

    def _shift(self, t: float) -> float:
        return t - self._stretch.start

    def _other(self, event: Event) -> Event | None:
        if type(event) not in _PLAIN or not self._is_in(event.t):
            return None
        return replace(event, t=self._shift(event.t))

    def _speech(self, event: SpeechStarted | SpeechEnded) -> Event | None:
        if not self._is_in(event.t):
            return None
        return replace(event, t=self._shift(event.t), noticed_at=self._shift(event.noticed_at))

    def _echo(self, event: EchoHeard) -> Event | None:
        if not (event.t < self._stretch.stop and event.stop > self._stretch.start):
            return None
        stop, noticed_at = self._shift(event.stop), self._shift(event.noticed_at)
        return replace(event, t=self._shift(event.t), stop=stop, noticed_at=noticed_at)

    def _sound(self, event: SoundBefore) -> Event | None:
        if not self._is_in(event.interrupted_at):
            return None
        stop, at = self._shift(event.stop), self._shift(event.interrupted_at)
        return replace(event, t=self._shift(event.t), stop=stop, interrupted_at=at)

    def _mic_chunk(self, event: MicChunkSent) -> Event | None:
        if not self._is_in(event.t):
            return None
        captured, completed = self._shift(event.captured_at), self._shift(event.completed_at)
        t = self._shift(event.t)
        return replace(event, t=t, captured_at=captured, completed_at=completed)

    def _message(self, event: MessageReceived) -> Event | None:
        belongs = event.kind in _TEXTS and event.event_id in self._ids
        if not belongs and not self._is_in(event.t):
            return None
        return replace(event, t=self._stretch.clip(event.t))

    def _silenced(self, event: Silenced) -> Event | None:
        if not self._is_in(event.interrupted_at):
            return None
        silent_at = self._stretch.shift(event.silent_at)
        at = self._shift(event.interrupted_at)
        t = self._stretch.clip(event.t)
        return replace(event, t=t, interrupted_at=at, silent_at=silent_at)

    def _chunk(self, event: AgentChunkReceived) -> Event | None:
        start, stop = self._positions(event.start, event.stop)
        if start >= stop:
            return None
        return replace(event, t=self._stretch.clip(event.t), start=start, stop=stop)

    def _heard(self, event: AgentHeard) -> Event | None:
        late = max(seconds_to_samples(self._stretch.start - event.at), 0)
        first = event.start + late
        last = min(event.stop, event.start + seconds_to_samples(self._stretch.stop - event.at))
        start, stop = self._positions(first, last)
        if start >= stop:
            return None
        at = max(self._shift(event.at) + late / SAMPLE_RATE, 0.0)
        return replace(event, t=self._stretch.clip(event.t), start=start, stop=stop, at=at)

    def _discarded(self, event: AgentDiscarded) -> Event | None:
        start, stop = self._positions(event.start, event.stop)
        if start >= stop:
            return None
        return replace(event, t=self._stretch.clip(event.t), start=start, stop=stop)

    def _positions(self, start: int, stop: int) -> tuple[int, int]:
        first, last = self._received
        return max(start, first) - first, min(stop, last) - first


def _plain() -> frozenset[type[Event]]:
    """Return the types whose only time is ``t``."""
    from app.timeline.events import MessageSent, Trouble

    return frozenset({Interrupted, MessageSent, Muted, Trouble})


_PLAIN = _plain()
