"""A room with a fake clock: a user who speaks on cue, and everything the agent sends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.agents.demo.dialogue import Dialogue
from app.agents.demo.script import load_script
from app.agents.demo.speech import Speech, Word
from app.agents.demo.user_turn import Heard
from app.agents.demo.wire import Message
from audio.vad import SpeechEdge

CHUNK_S = 0.1
RATE = 16_000
ONSET_SAMPLES = 1536
END_SAMPLES = 3584

SCRIPT = """
[timing]
greeting_delay_ms = 500
endpoint_silence_ms = 600
reply_delay_ms = 200
chunk_ms = 250
pace = 4.0
vad_score_every_ms = 200
ping_every_s = 5.0
idle_prompt_after_s = 20.0
idle_prompts_max = 2
acknowledge_below_ms = 1500
[behaviour]
yield_after_ms = 300
{behaviour}
[[greeting]]
id = "hello"
text = "Hello you."
[[greeting]]
id = "welcome"
text = "Welcome you."
[[reply]]
id = "one"
text = "Reply one."
[[reply]]
id = "two"
text = "Reply two."
{more}
"""
ACKNOWLEDGEMENT = '[[acknowledgement]]\nid = "sure"\ntext = "Go ahead."\n'
IDLE_PROMPT = '[[idle_prompt]]\nid = "there"\ntext = "Still there?"\n'

SPEECH_S = {"hello": 2.0, "welcome": 2.0, "sure": 0.5, "there": 1.0}


def speech(line_id: str, text: str) -> Speech:
    """Two words, each half as long as the whole; replies last 10 s."""
    length_s = SPEECH_S.get(line_id, 10.0)
    gap, half_ms, whole_ms = text.index(" "), int(length_s * 500), int(length_s * 1000)
    words = (Word(0, gap, 0, half_ms), Word(gap + 1, len(text) - 1, half_ms, whole_ms))
    return Speech(line_id, text, bytes(int(length_s * RATE) * 2), words, true_timing=True)


class Room:
    """Time passes only when a test says so, in mic chunks of 100 ms."""

    def __init__(
        self,
        write_script: Callable[[str], Path],
        behaviour: str = "",
        more: str = ACKNOWLEDGEMENT,
        **options: Any,
    ) -> None:
        script = load_script(write_script(SCRIPT.format(behaviour=behaviour, more=more)))
        speeches = {line.id: speech(line.id, line.text) for line in script.lines}
        self.now = 1000.0
        self.position = 0
        self.speech_until = 0
        self.loud_from = self.loud_until = 0
        self.sent: list[tuple[float, Message]] = []
        self.dialogue = Dialogue(script, speeches, self.now, **options)
        self._pending: list[SpeechEdge] = []
        self._speaking = False
        self._is_loud = False

    def silence(self, seconds: float, mic: bool = True) -> None:
        """Pass time without speech; without a microphone no chunk comes at all."""
        self._change(speaking=False)
        self._pass(seconds, mic)

    def sound(self, seconds: float) -> None:
        """Pass time while there is a sound that is no speech."""
        if self.position - self.loud_until > 0.1 * RATE:
            self.loud_from = self.position
        self._is_loud = True
        self._pass(seconds, mic=True)
        self._is_loud = False

    def speech(self, seconds: float) -> None:
        """Pass time while the user speaks."""
        self._change(speaking=True)
        self._pass(seconds, mic=True)

    def types(self, *, of_audio: bool = False) -> list[str]:
        """The types sent, in order, without what comes all the time."""
        dull = {"ping", "vad_score"} | (set() if of_audio else {"audio"})
        return [message["type"] for _, message in self.sent if message["type"] not in dull]

    def events(self, kind: str) -> list[Message]:
        """The payloads of all messages of a type."""
        return [
            next(v for k, v in m.items() if k != "type") for _, m in self.sent if m["type"] == kind
        ]

    def times(self, kind: str) -> list[float]:
        """When the messages of a type were sent, in seconds since the beginning."""
        return [round(at - 1000.0, 3) for at, message in self.sent if message["type"] == kind]

    def texts(self) -> list[str]:
        """What the agent said so far."""
        return [event["agent_response"] for event in self.events("agent_response")]

    def step(self) -> None:
        """Collect what is due now."""
        self.sent += [(self.now, message) for message in self.dialogue.step(self.now)]

    def _change(self, *, speaking: bool) -> None:
        if speaking != self._speaking:
            self._speaking = speaking
            self._pending.append(SpeechEdge("onset" if speaking else "end", self.position))

    def _pass(self, seconds: float, mic: bool) -> None:
        for _ in range(round(seconds / CHUNK_S)):
            until = self.now + CHUNK_S
            self.step()
            while (due_at := self.dialogue.due_at()) < until:
                assert due_at > self.now, "something stays due for ever"
                self.now = due_at
                self.step()
            self.now = until
            if mic:
                self._hear()
            self.step()

    def _hear(self) -> None:
        """Hand on a chunk; onsets and ends come as late as the real VAD confirms them."""
        self.position += int(CHUNK_S * RATE)
        if self._speaking:
            self.speech_until = self.position
        confirmed = tuple(
            edge
            for edge in self._pending
            if self.position - edge.position
            >= (ONSET_SAMPLES if edge.kind == "onset" else END_SAMPLES)
        )
        self._pending = [edge for edge in self._pending if edge not in confirmed]
        if self._is_loud:
            self.loud_until = self.position
        score = 0.9 if self._speaking else 0.05
        loud = (self.loud_from, self.loud_until)
        heard = Heard(self.position, self.speech_until, confirmed, score, *loud)
        self.dialogue.hear(self.now, heard)
