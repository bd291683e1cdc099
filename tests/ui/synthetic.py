"""A session that never was: speech-like tracks and their events, revealed as a clock goes on.

It has the read side of ``app.live.session.Session`` and keeps the commands it is given. All of it
runs on the thread that calls it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.bundles.notes import Change, Notes
from app.live.session import EndReason, SessionFacts, State
from app.notices import NoticeBoard
from app.timeline.events import (
    AgentChunkReceived,
    AgentDiscarded,
    AgentHeard,
    Alignment,
    Event,
    Interrupted,
    MessageReceived,
    MicChunkSent,
    Muted,
    Silenced,
    SpeechEnded,
    SpeechStarted,
    StateChanged,
    Timeline,
)
from audio.meter import Meter
from audio.peaks import PeakPyramid
from audio.ring import SampleRing

RATE = 16_000
REPLY = (
    "Let me tell you about the weather of the week, which is <b>mild</b> & mostly dry, day by day."
)
PERIOD_S = 14.0


def speech(seconds: float, seed: int, level: float = 0.35) -> NDArray[np.int16]:
    """Return noise with the rhythm of syllables and words."""
    random = np.random.default_rng(seed)
    count = round(seconds * RATE)
    t = np.arange(count) / RATE
    voice = sum(np.sin(2 * np.pi * 120 * k * t + random.uniform(0, 6)) / k for k in range(1, 9))
    syllables = np.clip(np.sin(2 * np.pi * 3.6 * t + seed) + 0.35, 0, 1)
    words = np.clip(np.sin(2 * np.pi * 0.7 * t + 2 * seed) + 0.8, 0, 1)
    noise = random.normal(0, 0.15, count)
    wave = (voice / 2 + noise) * syllables * words * level
    return (np.clip(wave, -1, 1) * 32767).astype(np.int16)


class SyntheticTrack:
    """A track that grows as the session's clock goes on."""

    def __init__(self) -> None:
        self.ring = SampleRing(120 * RATE)
        self.peaks = PeakPyramid()
        self.meter = Meter()

    def append(self, samples: NDArray[np.int16], at: float) -> None:
        self.ring.write(samples)
        self.peaks.append(samples)
        self.meter.feed(samples, at)

    @property
    def duration_samples(self) -> int:
        return self.ring.written


@dataclass
class SyntheticTracks:
    """The three tracks."""

    user: SyntheticTrack = field(default_factory=SyntheticTrack)
    agent: SyntheticTrack = field(default_factory=SyntheticTrack)
    received: SyntheticTrack = field(default_factory=SyntheticTrack)


class Script:
    """What happens in a session of ``periods`` rounds: a reply, a barge-in, an interruption."""

    def __init__(self, periods: int = 2) -> None:
        self.length_s = periods * PERIOD_S
        self.user = np.zeros(round(self.length_s * RATE), np.int16)
        self.agent = np.zeros_like(self.user)
        self.received: list[tuple[float, NDArray[np.int16]]] = []
        self.events: list[Event] = []
        self._position = 0
        self.events.append(
            MessageReceived(0.12, "conversation_initiation_metadata", {"conversation_id": "conv_x"})
        )
        for number in range(periods):
            self._round(number, number * PERIOD_S)
        self._mic_chunks()
        self.events.sort(key=lambda event: event.t)

    def _round(self, number: int, zero: float) -> None:
        start, event_id = self._reply(zero + 0.6, 8.0, 3 * number + 1)
        barge, cut, silent = zero + 5.0, zero + 5.61, zero + 5.641
        self._say(barge, 2.4, seed=number + 40)
        self._heard(start, zero + 0.8, silent)
        queued = self._position - start - round((cut - zero - 0.8) * RATE)
        heard = start + round((silent - zero - 0.8) * RATE)
        self.events += [
            SpeechStarted(barge, barge + 0.09),
            MessageReceived(cut - 0.002, "interruption", {"event_id": event_id}, event_id),
            Interrupted(cut, number + 1, "agent", queued, event_id),
            AgentDiscarded(cut + 0.001, heard, self._position, "interrupt"),
            Silenced(silent, number + 1, cut, silent),
            self._correction(cut + 0.1, event_id),
            SpeechEnded(barge + 2.4, barge + 2.7),
            MessageReceived(
                barge + 2.9,
                "user_transcript",
                {"user_transcription_event": {"user_transcript": "(you spoke for 2.4 s)"}},
            ),
        ]
        start, _ = self._reply(zero + 8.2, 4.0, 3 * number + 2)
        self._heard(start, zero + 8.4, zero + 12.4)

    def _reply(self, at: float, seconds: float, event_id: int) -> tuple[int, int]:
        start, audio = self._position, speech(seconds, event_id, 0.5)
        payload = {"agent_response_event": {"agent_response": REPLY, "event_id": event_id}}
        self.events.append(MessageReceived(at - 0.05, "agent_response", payload, event_id))
        for index, first in enumerate(range(0, len(audio), RATE)):
            piece = audio[first : first + RATE]
            moment = at + 0.15 * index
            self.received.append((moment, piece))
            words = self._alignment(index, len(audio) // RATE)
            self.events.append(
                MessageReceived(moment - 0.001, "audio", {}, event_id, bytes=2 * len(piece))
            )
            self.events.append(
                AgentChunkReceived(
                    moment, self._position, self._position + len(piece), event_id, words
                )
            )
            self._position += len(piece)
        return start, event_id

    @staticmethod
    def _alignment(index: int, chunks: int) -> Alignment:
        share = len(REPLY) // chunks + 1
        chars = tuple(REPLY[index * share : (index + 1) * share])
        step = 1000 // max(len(chars), 1)
        return Alignment(chars, tuple(step * i for i in range(len(chars))), (step,) * len(chars))

    @staticmethod
    def _correction(at: float, event_id: int) -> MessageReceived:
        payload = {
            "agent_response_correction_event": {
                "original_agent_response": REPLY,
                "corrected_agent_response": REPLY[:56],
                "event_id": event_id,
            }
        }
        return MessageReceived(at, "agent_response_correction", payload, event_id)

    def _say(self, at: float, seconds: float, seed: int) -> None:
        first = round(at * RATE)
        voice = speech(seconds, seed)
        self.user[first : first + len(voice)] = voice

    def _heard(self, start: int, at: float, until: float) -> None:
        audio = np.concatenate([piece for _, piece in self.received])
        count = round((until - at) * RATE)
        first = round(at * RATE)
        self.agent[first : first + count] = audio[start : start + count]
        for offset in range(0, count, 3200):
            stop = min(offset + 3200, count)
            played_at = at + offset / RATE
            self.events.append(
                AgentHeard(at + stop / RATE, start + offset, start + stop, played_at)
            )

    def _mic_chunks(self) -> None:
        for first in range(0, len(self.user) - 4000, 4000):
            done = (first + 4000) / RATE
            self.events.append(
                MicChunkSent(done + 0.004, first, first + 4000, done - 0.25, done, 0.0003)
            )


class SyntheticSession:
    """Reveals a `Script` up to the time it is told; the commands it gets are kept in ``calls``."""

    agent_label = "Synthetic agent"
    conversation_id = "conv_x"
    is_estimated = False
    holding_back = False
    input_has_ended = False
    queued_ms = 0.0

    def __init__(self, script: Script | None = None) -> None:
        self.script = script or Script()
        self.timeline, self.tracks, self.notices = Timeline(), SyntheticTracks(), NoticeBoard()
        self.calls: list[Any] = []
        self.state, self.sentence = State.IDLE, ""
        self.reason: EndReason | None = None
        self.began_utc: datetime | None = None
        self.muted = False
        self.bundle: Path | None = None
        self.facts = SessionFacts(microphone="caller.wav", speaker="none")
        self.ends_at_once = True
        self.notes = Notes()
        self._now = 0.0
        self._laid = 0
        self._event = self._piece = 0

    def start(self) -> None:
        self.calls.append("start")
        self.began_utc = datetime.now(UTC)
        self.become(State.CONNECTING)
        self.become(State.RUNNING)

    def become(self, state: State, sentence: str = "") -> None:
        """Go to ``state`` as if by itself."""
        self.state, self.sentence = state, sentence
        self.timeline.append(StateChanged(self._now, str(state), sentence))

    def end(self, reason: EndReason = EndReason.USER) -> None:
        self.calls.append("end")
        if self.state.over:
            return
        self.reason = reason
        if self.ends_at_once:
            self.become(State.ENDED, "You ended the session.")
        else:
            self.become(State.ENDING)

    def close(self) -> None:
        self.calls.append("close")

    def wait(self, timeout_s: float | None = None) -> bool:
        return self.state.over

    def interrupt(self) -> bool:
        self.calls.append("interrupt")
        return True

    def set_muted(self, muted: bool) -> None:
        self.calls.append(("muted", muted))
        self.muted = muted
        self.timeline.append(Muted(self._now, muted))

    def send_text(self, text: str) -> bool:
        self.calls.append(("text", text))
        return True

    def change_notes(self, change: Change) -> bool:
        if self.state not in (State.CONNECTING, State.RUNNING):
            return False
        self.notes = change(self.notes)
        return True

    def now(self) -> float:
        return self._now

    def health(self) -> dict[str, int]:
        return {"input_xruns": 0, "mic_chunks": self._laid // 4000}

    @property
    def agent_speaking(self) -> bool:
        return bool(np.any(self.script.agent[max(self._laid - 1600, 0) : self._laid]))

    @property
    def user_speaking(self) -> bool:
        return bool(np.any(self.script.user[max(self._laid - 1600, 0) : self._laid]))

    def advance_to(self, t: float) -> None:
        """Let session time be ``t``: lay both tracks so far, and append what has happened."""
        self._now = min(t, self.script.length_s)
        stop = round(self._now * RATE)
        at = self._laid / RATE
        if stop > self._laid:
            self.tracks.user.append(self.script.user[self._laid : stop], at)
            self.tracks.agent.append(self.script.agent[self._laid : stop], at)
            self._laid = stop
        self._append_events()

    def _append_events(self) -> None:
        script = self.script
        pieces = script.received
        while self._piece < len(pieces) and pieces[self._piece][0] <= self._now:
            self.tracks.received.append(pieces[self._piece][1], self._now)
            self._piece += 1
        while self._event < len(script.events) and script.events[self._event].t <= self._now:
            self.timeline.append(script.events[self._event])
            self._event += 1
