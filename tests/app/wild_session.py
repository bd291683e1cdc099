"""Sessions in which anything may happen, in nearly any order: what trackers have to agree on."""

from __future__ import annotations

import random

from app.timeline.events import (
    AgentChunkReceived,
    AgentDiscarded,
    AgentHeard,
    Alignment,
    Event,
    Interrupted,
    MessageReceived,
    MicChunkSent,
    Silenced,
    SpeechEnded,
    SpeechStarted,
    StateChanged,
)

WORDS = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa")
LETTER = 800
"""Samples."""


class WildSession:
    """Makes ``events``; the same ``seed`` gives the same ones."""

    def __init__(self, seed: int, steps: int = 120) -> None:
        self._random = random.Random(seed)
        self._t = 0.0
        self._received = self._event_id = self._epoch = 0
        self._queue: list[tuple[int, int]] = []
        self._holds_back = False
        self._is_aligned = self._random.random() < 0.7
        self._tells_texts = self._random.choice((0.0, 0.5, 1.0, 1.0))
        self._replies_at_once = self._random.choice((1, 1, 3, 12))
        self.events: list[Event] = []
        acts = (self._reply, self._hear, self._cut, self._correct, self._speak)
        for _ in range(steps):
            self._t += self._random.choice((0, 0.01, 0.1, 0.3, 1.5))
            (act,) = self._random.choices(acts, (25, 45, 15, 5, 10))
            act()
        self.events.append(StateChanged(self._t + 1, "ended"))

    def _chance(self, part: float) -> bool:
        return self._random.random() < part

    def _reply(self) -> None:
        for _ in range(self._random.randrange(1, self._replies_at_once + 1)):
            self._event_id += 1
            count = self._random.randrange(1, 30)
            text = " ".join(self._random.choice(WORDS) for _ in range(count))
            body = {"agent_response": text, "event_id": self._event_id}
            number = self._event_id if self._chance(0.9) else None
            told = MessageReceived(
                self._t, "agent_response", {"agent_response_event": body}, number
            )
            place = self._random.choice((0, 1, 99)) if self._chance(self._tells_texts) else None
            self._audio(text, told, place)
        self._holds_back = False

    def _audio(self, text: str, told: Event, place: int | None) -> None:
        step = self._random.choice((5, 20, 60))
        pieces = [text[first : first + step] for first in range(0, len(text), step)]
        is_held = self._holds_back and self._chance(0.8)
        for number, piece in enumerate(pieces):
            if number == place:
                self.events.append(told)
            self._chunk(piece, is_held)
        if place is not None and place >= len(pieces):
            self.events.append(told)

    def _chunk(self, text: str, is_held: bool) -> None:
        start, self._received = self._received, self._received + len(text) * LETTER
        alignment = None
        if self._is_aligned and self._chance(0.98):
            starts = tuple(50 * place for place in range(len(text)))
            alignment = Alignment(tuple(text), starts, (50,) * len(text))
        number = self._event_id if self._chance(0.95) else None
        self.events.append(
            AgentChunkReceived(self._t, start, self._received, number, alignment, is_held)
        )
        if not is_held:
            self._queue.append((start, self._received))
        self._t += self._random.choice((0, 0.001))

    def _hear(self) -> None:
        left = self._random.choice((1600, 8000, 40_000))
        while left > 0 and self._queue:
            left -= self._hear_up_to(left)

    def _hear_up_to(self, most: int) -> int:
        start, stop = self._queue[0]
        heard = min(most, stop - start)
        self.events.append(AgentHeard(self._t, start, start + heard, self._t - 0.1))
        self._queue[:1] = [(start + heard, stop)] if start + heard < stop else []
        return heard

    def _cut(self) -> None:
        self._epoch += 1
        source = self._random.choice(("agent", "button", "vad"))
        queued = sum(stop - start for start, stop in self._queue)
        at, silent_at = self._t, self._t + 0.02
        call = Interrupted(at, self._epoch, source, queued, self._event_id)
        silence = Silenced(silent_at, self._epoch, at, silent_at if queued else None)
        before = len(self.events)
        if self._queue:
            self._hear_up_to(self._random.choice((1, 320, 1600)))
        lost = [AgentDiscarded(at, start, stop, "interrupt") for start, stop in self._queue]
        self._queue.clear()
        # an account may tell of what it threw away before it tells of the call
        place = before if self._chance(0.7) else len(self.events)
        self.events.insert(place, call)
        self.events += [*lost, silence] if self._chance(0.9) else [silence, *lost]
        self._holds_back = source != "agent"

    def _correct(self) -> None:
        number = self._event_id - self._random.randrange(6)
        body = {"original_agent_response": "", "corrected_agent_response": f"c{number}"}
        payload = {"agent_response_correction_event": body}
        self.events.append(MessageReceived(self._t, "agent_response_correction", payload, number))

    def _speak(self) -> None:
        t = self._t
        self.events += (
            [SpeechStarted(t - 0.2, t)]
            if self._chance(0.5)
            else [SpeechEnded(t - 0.3, t), MicChunkSent(t, 0, 4000, t - 0.3, t, 0.001)]
        )
