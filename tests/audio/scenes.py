"""Two parties on two tracks, with everything known: who speaks when, and what reaches the user's.

Levels are those of microphones in use: speech peaks at 10,000.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from audio.pcm import SAMPLE_RATE, Samples, round_to_samples
from tests.rig.speech import say

AGENT = (
    "Thank you for calling. I can help you with your order, your account, or a delivery.",
    "We are open every day from nine in the morning until six in the evening.",
    "Let me look that up for you. It will take only a moment, please stay on the line.",
    "Your parcel left our warehouse yesterday and should arrive by Friday at the latest.",
)
USER = (
    "Stop, I have a question.",
    "No wait, not that one.",
    "Can you tell me the price first?",
    "Actually I want to change my address.",
    "Hold on, please.",
    "Excuse me, that is wrong.",
)
VOICES = ("en-us", "en-gb", "en-us+f3", "en-gb+f4", "en-us+m3")
SPEEDS = (120, 150, 180, 220)

Spans = list[tuple[int, int]]


@dataclass
class Scene:
    """Both tracks, and the sample positions of what each party said."""

    user: Samples
    agent: Samples
    user_speech: Spans = field(default_factory=list)
    agent_speech: Spans = field(default_factory=list)


def speech(text: str, voice: str = "en-us", speed: int = 170) -> np.ndarray:
    """Return the words without the silence around them."""
    sound = say(text, voice, speed).astype(float)
    sound *= 10_000 / np.abs(sound).max()
    heard = np.flatnonzero(np.abs(sound) > 200)
    return sound[heard[0] : heard[-1] + 1]


def noise(count: int, seed: int = 5, color: str = "white") -> np.ndarray:
    """Return noise of RMS 1; pink falls by 3 dB an octave, from 50 Hz on."""
    random = np.random.default_rng(seed)
    sound = random.normal(size=count)
    if color == "pink":
        spectrum = np.fft.rfft(sound)
        hz = np.fft.rfftfreq(count, 1 / SAMPLE_RATE)
        sound = np.fft.irfft(spectrum / np.sqrt(np.maximum(hz, 50.0)), count)
    return sound / sound.std()


def echo(agent: np.ndarray, delay_ms: float, level_db: float, reverb_s: float = 0.0) -> np.ndarray:
    """Return the agent's track as it comes back, through a room that rings for ``reverb_s``."""
    back = agent
    if reverb_s:
        count = round(reverb_s * SAMPLE_RATE)
        tail = noise(count, 11) * 10 ** (-3 * np.arange(count) / count) * 0.06
        tail[:40], tail[0] = 0.0, 1.0
        back = np.convolve(agent, tail)[: len(agent)]
    shift = round(delay_ms * SAMPLE_RATE / 1000)
    back = np.concatenate((np.zeros(shift), back))[: len(agent)]
    power = np.mean(back**2)
    return back * np.sqrt(np.mean(agent**2) / power) * 10 ** (level_db / 20) if power else back


def scene(
    seconds: float,
    seed: int = 1,
    *,
    echo_db: float | None = None,
    delay_ms: float = 120.0,
    reverb_s: float = 0.0,
    noise_dbfs: float = -65.0,
    color: str = "white",
    user_speaks: bool = True,
    agent_speaks: bool = True,
) -> Scene:
    """Return an agent that talks on, a user who cuts in now and then, and the agent's echo."""
    random = np.random.default_rng(seed)
    count = round(seconds * SAMPLE_RATE)
    agent, agent_speech = np.zeros(count), []
    if agent_speaks:
        texts = [speech(text) for text in AGENT]
        agent_speech = _place(agent, texts, SAMPLE_RATE, random, (0.3, 2.0))
    user, user_speech = np.zeros(count), []
    if user_speaks:
        texts = [
            speech(text, str(random.choice(VOICES)), int(random.choice(SPEEDS))) for text in USER
        ]
        user_speech = _place(user, texts, 3 * SAMPLE_RATE, random, (2.0, 4.0))
    track = user + noise(count, seed, color) * 32768 * 10 ** (noise_dbfs / 20)
    if echo_db is not None:
        track += echo(agent, delay_ms, echo_db, reverb_s)
    return Scene(round_to_samples(track), round_to_samples(agent), user_speech, agent_speech)


def _place(
    track: np.ndarray,
    texts: list[np.ndarray],
    at: int,
    random: np.random.Generator,
    pauses_s: tuple[float, float],
) -> Spans:
    spans: Spans = []
    while True:
        sound = texts[int(random.integers(len(texts)))]
        if at + len(sound) > len(track) - SAMPLE_RATE // 2:
            return spans
        track[at : at + len(sound)] = sound
        spans.append((at, at + len(sound)))
        at += len(sound) + round(random.uniform(*pauses_s) * SAMPLE_RATE)
