"""What is to happen in one session, and what the program ought to make of it.

Times are seconds of the plan: the caller's track begins at 0. What was really heard when is
measured while the scenario is played; the plan says what each thing *is*.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from tests.rig.speech import RATE_HZ, Samples
from tests.truth import sounds
from tests.truth.voice import Voice, agent_speech

CutKind = Literal["barge-in", "false", "button"]
OverlapKind = Literal["missed", "backchannel", "talked over"]
SoundKind = Literal["silence", "noise", "burst", "echo"]


@dataclass(frozen=True)
class Said:
    """The user speaks; ``over`` is what it is where it falls on agent audio and nothing follows."""

    at: float
    text: str
    voice: Voice
    over: OverlapKind | None = None

    @property
    def samples(self) -> Samples:
        return sounds.speech(self.text, self.voice.name, self.voice.speed)

    @property
    def stop(self) -> float:
        return self.at + len(self.samples) / RATE_HZ


@dataclass(frozen=True)
class Cough:
    """A sound of the user's that is no speech."""

    at: float
    length_ms: float


@dataclass(frozen=True)
class Reply:
    """The agent begins to send a reply."""

    at: float
    text: str
    gap_ms: int = 0
    """Words one by one, with so much silence between them; 0 for speech that runs on."""
    shares_id: bool = False
    """Whether it carries the event id of the interruption before it."""
    is_cut: bool = False
    """Whether it is cut off before its end."""


@dataclass(frozen=True)
class Cut:
    """The agent sends an interruption, or the button is pressed."""

    at: float
    kind: CutKind
    sounds: tuple[SoundKind, ...] = ()
    """What the microphone held before a false one: any of these is right."""
    onset: float | None = None
    """When the user's speech began that is behind it."""
    between_words: bool = False
    """Whether the plan has it fall into a silence between two words."""


@dataclass(frozen=True)
class Transcript:
    """The agent tells what it understood."""

    at: float
    text: str


Action = Reply | Cut | Transcript


@dataclass(frozen=True)
class Echo:
    """An acoustic path from the speaker to the microphone."""

    delay_ms: int
    gain_db: float


@dataclass(frozen=True)
class Setting:
    """What holds for all of one session."""

    user: Voice = field(default_factory=Voice)
    agent: Voice = field(default_factory=lambda: Voice("en-us+f3", 172))
    noise: sounds.Noise | None = None
    snr_db: float = 20.0
    echo: Echo | None = None
    chunk_ms: int = 250
    pace: float = 4.0
    mic_ms: int = 250
    alignment: bool = True
    correction: bool = True

    @property
    def surroundings(self) -> str:
        """``clean``, ``20 dB``, ``10 dB`` or ``echo``: what the figures are told apart by."""
        if self.echo is not None:
            return "echo"
        return "clean" if self.noise is None else f"{self.snr_db:g} dB"


@dataclass(frozen=True)
class Scenario:
    """One session: its name, what holds in it, what happens, and when it is over."""

    name: str
    setting: Setting
    said: tuple[Said, ...]
    coughs: tuple[Cough, ...]
    actions: tuple[Action, ...]
    seconds: float

    def track(self) -> Samples:
        """Everything that is played into the microphone."""
        count = round(self.seconds * RATE_HZ)
        wave = np.zeros(count)
        for at, samples in (
            *((each.at, each.samples) for each in self.said),
            *(
                (one.at, sounds.cough(one.length_ms, seed=round(one.at * 100)))
                for one in self.coughs
            ),
        ):
            first = round(at * RATE_HZ)
            wave[first : first + len(samples)] += samples[: count - first]
        setting = self.setting
        if setting.noise is not None:
            seed = sum(self.name.encode())
            wave += sounds.background(setting.noise, count, setting.snr_db, seed)
        return sounds.to_samples(wave)


class Story:
    """Builds a scenario moment by moment; each begins where the one before it has ended."""

    PAUSE_S = 0.9
    """From the end of the user's speech to the agent's answer."""
    REST_S = 1.3
    """From the last word of a reply to what comes next."""

    def __init__(self, name: str, **setting: object) -> None:
        self._name = name
        self._setting = Setting(**setting)  # type: ignore[arg-type]
        self._said: list[Said] = []
        self._coughs: list[Cough] = []
        self._actions: list[Action] = []
        self._at = 0.8

    def end(self, rest_s: float = 1.8) -> Scenario:
        """The scenario is complete; ``rest_s`` is for verdicts that take a while."""
        actions = sorted(self._actions, key=lambda action: action.at)
        return Scenario(
            self._name,
            self._setting,
            tuple(self._said),
            tuple(self._coughs),
            tuple(actions),
            self._at - min(self.REST_S, self.PAUSE_S) + rest_s,
        )

    # -- moments without an interrupt ----------------------------------------------------------

    def heard_out(self, text: str, **reply: object) -> Story:
        """The agent says something, and nobody minds."""
        self._at = self._reply(text, **reply) + self.REST_S
        return self

    def turn(self, text: str) -> Story:
        """The user says something, and the agent is silent."""
        said = self._say(self._at, text)
        self._act(Transcript(said.stop + 0.55, text))
        self._at = said.stop + self.PAUSE_S
        return self

    def backchannel(self, reply: str, into_s: float, *words: str, every_s: float = 2.2) -> Story:
        """Short words over a reply that goes on."""
        stop = self._reply(reply)
        for number, word in enumerate(words):
            self._say(self._at + into_s + number * every_s, word, "backchannel")
        self._at = max(stop, self._said[-1].stop) + self.REST_S
        return self

    def missed(self, reply: str, into_s: float, text: str) -> Story:
        """The user says a good deal over a reply that goes on."""
        stop = self._reply(reply)
        said = self._say(self._at + into_s, text, "missed")
        self._at = max(stop, said.stop) + self.REST_S
        return self

    def talked_over(self, text: str, early_s: float, reply: str) -> Story:
        """The agent begins ``early_s`` before the user has ended."""
        said = self._say(self._at, text, "talked over")
        self._at = said.stop - early_s
        self._at = self._reply(reply) + self.REST_S
        return self

    def cough(self, reply: str, into_s: float, length_ms: float = 160) -> Story:
        """A cough over a reply that goes on."""
        stop = self._reply(reply)
        self._coughs.append(Cough(self._at + into_s, length_ms))
        self._at = stop + self.REST_S
        return self

    # -- moments with one ----------------------------------------------------------------------

    def barge_in(self, reply: str, into_s: float, wait_ms: float, text: str) -> Story:
        """The user cuts in, and ``wait_ms`` after the onset the agent gives way."""
        self._reply(reply, is_cut=True)
        said = self._say(self._at + into_s, text)
        cut = Cut(said.at + wait_ms / 1000, "barge-in", onset=said.at)
        self._act(cut, Transcript(max(said.stop, cut.at) + 0.55, text))
        self._at = max(said.stop, cut.at) + self.PAUSE_S
        return self

    def between_words(self, words: str, after: int, wait_ms: float, text: str) -> Story:
        """The user cuts in so that the agent falls silent in the pause after its n-th word."""
        pause = 500
        speech = agent_speech(words, self._setting.agent, pause)
        self._reply(words, gap_ms=pause, is_cut=True)
        cut_at = self._at + (speech.words[after - 1].end_ms + pause / 2) / 1000
        said = self._say(cut_at - wait_ms / 1000, text)
        cut = Cut(cut_at, "barge-in", onset=said.at, between_words=True)
        self._act(cut, Transcript(max(said.stop, cut.at) + 0.55, text))
        self._at = max(said.stop, cut.at) + self.PAUSE_S
        return self

    def cut_by_cough(self, reply: str, into_s: float, length_ms: float, wait_ms: float) -> Story:
        """A cough, and the agent gives way to it."""
        self._coughs.append(Cough(self._at + into_s, length_ms))
        return self._false(reply, into_s + wait_ms / 1000, "burst")

    def cut_by_echo(self, reply: str, into_s: float) -> Story:
        """The agent hears itself, and gives way."""
        return self._false(reply, into_s, "echo")

    def cut_by_nothing(self, reply: str, into_s: float) -> Story:
        """The agent gives way, and there was nothing but what is always there."""
        noisy = self._setting.noise is not None
        return self._false(reply, into_s, *(("noise", "silence") if noisy else ("silence",)))

    def button(self, reply: str, into_s: float) -> Story:
        """The button is pressed."""
        self._reply(reply, is_cut=True)
        cut = Cut(self._at + into_s, "button")
        self._act(cut)
        self._at = cut.at + self.REST_S
        return self

    # -- within --------------------------------------------------------------------------------

    def _false(self, reply: str, into_s: float, *held: SoundKind) -> Story:
        self._reply(reply, is_cut=True)
        cut = Cut(self._at + into_s, "false", held)
        self._act(cut)
        self._at = cut.at + self.REST_S
        return self

    def _reply(self, text: str, **settings: object) -> float:
        reply = Reply(self._at, text, **settings)  # type: ignore[arg-type]
        self._act(reply)
        return self._at + agent_speech(text, self._setting.agent, reply.gap_ms).duration_ms / 1000

    def _say(self, at: float, text: str, over: OverlapKind | None = None) -> Said:
        said = Said(at, text, self._setting.user, over)
        self._said.append(said)
        return said

    def _act(self, *actions: Action) -> None:
        self._actions += actions


def renamed(scenario: Scenario, name: str) -> Scenario:
    """The same once more, under another name."""
    return replace(scenario, name=name)
