"""The agent's voice: espeak-ng with the true time of every word."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from app.agents.demo.espeak import speak
from app.agents.demo.speech import Speech, Word, from_spoken
from audio.pcm import to_bytes, to_samples
from tests.rig.speech import RATE_HZ

CARRIER = 90
"""Amplitude of the hiss under all that the agent says: by it the monitor hears silence begin even
where the agent falls silent between two words. -51 dBFS."""


@dataclass(frozen=True)
class Voice:
    """A voice of espeak-ng's, and its words a minute."""

    name: str = "en-us+m3"
    speed: int = 165


@functools.cache
def agent_speech(text: str, voice: Voice, gap_ms: int = 0) -> Speech:
    """Speak ``text``; with ``gap_ms`` word by word, so much silence after each."""
    if not gap_ms:
        return _with_carrier(from_spoken("reply", text, speak(text, voice.name, voice.speed)))
    pieces: list[np.ndarray] = []
    words: list[Word] = []
    char = at = 0
    for token in text.split(" "):
        alone = from_spoken("word", token, speak(token, voice.name, voice.speed))
        sound = to_samples(alone.pcm)[: alone.words[-1].end_ms * RATE_HZ // 1000]
        start_ms = at * 1000 // RATE_HZ
        letters = len(token.rstrip(".,?!"))
        words.append(Word(char, char + letters, start_ms, start_ms + len(sound) * 1000 // RATE_HZ))
        pieces += [sound, np.zeros(gap_ms * RATE_HZ // 1000, np.int16)]
        char, at = char + len(token) + 1, at + len(sound) + len(pieces[-1])
    pcm = to_bytes(np.concatenate(pieces).astype(np.int16))
    return _with_carrier(Speech("reply", text, pcm, tuple(words), true_timing=True))


def _with_carrier(speech: Speech) -> Speech:
    samples = to_samples(speech.pcm).astype(np.int32)
    hiss = np.random.default_rng(7).integers(-CARRIER, CARRIER + 1, len(samples))
    pcm = to_bytes(np.clip(samples + hiss, -32768, 32767).astype(np.int16))
    return Speech(speech.id, speech.text, pcm, speech.words, true_timing=True)
