"""A realistic session as fast as it can be computed: some 28 events a second, a cut every 30 s.

It has the read side of a session. All of it runs on the thread that calls it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.live.session import SessionFacts, State
from app.notices import NoticeBoard
from app.timeline.events import (
    AgentChunkReceived,
    AgentDiscarded,
    AgentHeard,
    Alignment,
    Event,
    Interrupted,
    MessageReceived,
    MessageSent,
    MicChunkSent,
    Silenced,
    SpeechEnded,
    SpeechStarted,
    StateChanged,
    Timeline,
)
from app.timeline.tracks import Tracks

RATE = 16_000
ROUND_S = 30.0
CHUNK_S = 0.25
HEARD_S = 0.12
WORDS = "time to silence runs from the interrupt until last sample leaves speaker mouth begins when"
WORDS += " you speak because agent hears late answer queue long words heard nobody ever struck out"


class Talk:
    """What happens, a round of 30 s at a time: a reply that is cut, and one that is heard out."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)
        self._words = WORDS.split()
        self._received = self._event_id = self._epoch = self._mic = 0

    def rounds(self) -> Iterator[list[Event]]:
        """Yield the events of each round, in the order in which they are noticed."""
        zero = 0.0
        while True:
            yield sorted(self._round(zero), key=lambda event: event.t)
            zero += ROUND_S

    def _jitter(self, t: float, by: float = 0.004) -> float:
        return round(t + abs(self._random.gauss(0, by)), 6)

    def _round(self, zero: float) -> list[Event]:
        cut, silent = self._jitter(zero + 9.1, 0.1), 0.031
        first, begins, audio_s = self._received, self._jitter(zero + 0.6), 14.0
        text, events = self._reply(zero + 0.2, audio_s)
        played = round((cut + silent - begins) * RATE)
        events += self._heard(begins, first, first + played)
        events += self._user(zero + 8.4, 2.6)
        events += self._cut(cut, silent, first + played, text)
        first, begins = self._received, self._jitter(zero + 12.4)
        _, more = self._reply(zero + 12.0, audio_s)
        events += more + self._heard(begins, first, first + round(audio_s * RATE))
        return events + self._user(zero + 27.0, 2.0) + self._always(zero)

    def _reply(self, at: float, seconds: float) -> tuple[str, list[Event]]:
        self._event_id += 1
        letters = round(seconds * 15)
        text = " ".join(self._random.choice(self._words) for _ in range(letters // 4))[:letters]
        body = {"agent_response": text, "event_id": self._event_id}
        events: list[Event] = [
            MessageReceived(
                self._jitter(at),
                "agent_response",
                {"agent_response_event": body},
                self._event_id,
            )
        ]
        chunks = round(seconds / CHUNK_S)
        for number in range(chunks):
            t = self._jitter(at + 0.01 + number * 0.09)
            part = text[number * letters // chunks : (number + 1) * letters // chunks]
            events += self._chunk(t, part, round(CHUNK_S * RATE))
        return text, events

    def _chunk(self, t: float, text: str, samples: int) -> list[Event]:
        number, start = self._event_id, self._received
        self._received += samples
        step = CHUNK_S * 1000 / max(len(text), 1)
        starts = tuple(round(step * n + self._random.uniform(0, 9)) for n in range(len(text)))
        lengths = tuple(self._random.randrange(30, 90) for _ in text)
        payload = {"audio_event": {"event_id": number}}
        return [
            MessageReceived(t, "audio", payload, number, 2 * samples),
            AgentChunkReceived(
                t + 0.0001, start, start + samples, number, Alignment(tuple(text), starts, lengths)
            ),
        ]

    def _heard(self, begins: float, start: int, stop: int) -> list[Event]:
        events: list[Event] = []
        for first in range(start, stop, round(HEARD_S * RATE)):
            last = min(first + round(HEARD_S * RATE), stop)
            at = begins + (first - start) / RATE
            events.append(AgentHeard(self._jitter(at + 0.2), first, last, round(at, 6)))
        return events

    def _cut(self, at: float, silent: float, discarded: int, text: str) -> list[Event]:
        self._epoch += 1
        number, queued = self._event_id, self._received - discarded
        body = {
            "original_agent_response": text,
            "corrected_agent_response": text[: len(text) // 2],
            "event_id": number,
        }
        return [
            MessageReceived(
                at - 0.001, "interruption", {"interruption_event": {"event_id": number}}, number
            ),
            # noticed after what was heard until then
            Interrupted(at, self._epoch, "agent", queued, number),
            AgentDiscarded(at + 0.0001, discarded, self._received, "interrupt"),
            Silenced(at + silent, self._epoch, at, round(at + silent, 6)),
            MessageReceived(
                at + 0.1,
                "agent_response_correction",
                {"agent_response_correction_event": body},
                number,
            ),
        ]

    def _user(self, at: float, seconds: float) -> list[Event]:
        text = " ".join(self._random.choice(self._words) for _ in range(round(seconds * 3)))
        body = {"user_transcript": text, "event_id": self._event_id}
        return [
            SpeechStarted(self._jitter(at), at + 0.11),
            SpeechEnded(self._jitter(at + seconds), at + seconds + 0.5),
            MessageReceived(
                self._jitter(at + seconds + 0.6),
                "user_transcript",
                {"user_transcription_event": body},
                self._event_id,
            ),
        ]

    def _always(self, zero: float) -> list[Event]:
        """Return what comes whether anybody speaks or not."""
        events: list[Event] = []
        for number in range(round(ROUND_S * 10)):
            score = {"vad_score_event": {"vad_score": round(self._random.random(), 6)}}
            events.append(MessageReceived(self._jitter(zero + number / 10), "vad_score", score))
        for number in range(round(ROUND_S * 4)):
            done = self._jitter(zero + (number + 1) / 4)
            events.append(
                MicChunkSent(
                    done + 0.0004,
                    self._mic,
                    self._mic + 4000,
                    round(done - 0.25, 6),
                    done,
                    round(self._random.expovariate(2500), 9),
                )
            )
            self._mic += 4000
        ping = {"event_id": self._event_id, "ping_ms": self._random.randrange(80)}
        events.append(MessageReceived(self._jitter(zero + 15), "ping", {"ping_event": ping}))
        pong = {"event_id": self._event_id}
        return [*events, MessageSent(self._jitter(zero + 15.01), "pong", pong, 31)]


class SimulatedSession:
    """A session with real tracks and a real timeline, which `advance` lets go on."""

    STEP_S = 0.1
    agent_label, conversation_id, sentence = "Simulated agent", "conv_x", ""
    is_estimated = input_has_ended = False
    agent_speaking = user_speaking = muted = False
    queued_ms = 0.0
    bundle = None

    def __init__(self, seed: int = 1) -> None:
        self.timeline, self.tracks = Timeline(), Tracks(is_recorded=False)
        self.notices, self.facts = NoticeBoard(), SessionFacts()
        self.state = State.RUNNING
        self._events = _flat(Talk(seed).rounds())
        self._next: Event = StateChanged(0.0, "running")
        self._voice = _voice(seed)
        self._steps = 0

    def now(self) -> float:
        return round(self._steps * self.STEP_S, 6)

    def health(self) -> dict[str, int]:
        return {"underruns": 0, "input_xruns": 0}

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass, as analysis and agent receive would."""
        for _ in range(round(seconds / self.STEP_S)):
            self._step()

    def _step(self) -> None:
        self._steps += 1
        now = self.now()
        self.tracks.user.append(self._piece(7 * self._steps))
        self.tracks.agent.append(self._piece(11 * self._steps))
        while self._next.t <= now:
            event, self._next = self._next, next(self._events)
            if isinstance(event, AgentChunkReceived):
                self.tracks.receive(event.start, self._voice[: event.stop - event.start])
            self.timeline.append(event)
        for _ in range(5):  # the analysis thread's cycles in a step
            self.timeline.compact()

    def _piece(self, number: int) -> NDArray[np.int16]:
        samples = round(self.STEP_S * RATE)
        first = number * 997 % (len(self._voice) - samples)
        return self._voice[first : first + samples]


def _flat(rounds: Iterator[list[Event]]) -> Iterator[Event]:
    for each in rounds:
        yield from each


def _voice(seed: int) -> NDArray[np.int16]:
    noise: Any = np.random.default_rng(seed).normal(0, 3000, 4 * RATE)
    rhythm = np.clip(np.sin(np.arange(len(noise)) * 2 * np.pi * 3 / RATE) + 0.4, 0, 1)
    return (noise * rhythm).astype(np.int16)
