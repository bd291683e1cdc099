"""The demo agent's ears: mic chunks of any size in, onsets and ends of speech out.

Owned by the one thread that serves the conversation. A window of 32 ms costs about 1.5 ms, so the
caller hands over no more than a quarter of a second at once.
"""

from __future__ import annotations

import numpy as np

from app.agents.demo.user_turn import Heard
from audio.pcm import Samples, to_samples
from audio.speech_net import WINDOW_SAMPLES
from audio.vad import SpeechEdge, Vad, VadSettings

_WINDOW_BYTES = WINDOW_SAMPLES * 2
# Quicker at both ends than for measuring: whether the turn is over is the endpointing's matter.
_SETTINGS = VadSettings(min_speech_ms=96, hang_ms=224)
_LULL_SAMPLES = 3 * WINDOW_SAMPLES
"""A sound goes on over a lull of up to 96 ms, as between two syllables."""


class Ears:
    """Listens to one conversation."""

    def __init__(self, loud_dbfs: float = 0.0) -> None:
        """Load the detector; its model comes with its package.

        RMS of ``loud_dbfs`` is loud, speech or not; at 0 nothing is.
        """
        self._vad = Vad(_SETTINGS)
        self._loud_power = (32768.0 * 10 ** (loud_dbfs / 20)) ** 2
        self._loud_from = self._loud_until = 0
        self._rest = b""
        self._received_bytes = 0
        self._speech_until = 0

    def feed(self, pcm: bytes) -> Heard:
        """Listen to 16-bit mono PCM at 16 kHz; half a sample is joined to the next chunk."""
        self._received_bytes += len(pcm)
        content = self._rest + pcm
        whole = len(content) - len(content) % _WINDOW_BYTES
        self._rest = content[whole:]
        edges: list[SpeechEdge] = []
        score = 0.0
        for start in range(0, whole, _WINDOW_BYTES):
            window = to_samples(content[start : start + _WINDOW_BYTES])
            edges += self._vad.feed(window)
            self._note_loudness(window)
            score = max(score, self._vad.probability)
            if self._vad.probability >= _SETTINGS.end_probability:
                self._speech_until = self._vad.position
        return Heard(
            self._received_bytes // 2,
            self._speech_until,
            tuple(edges),
            score,
            self._loud_from,
            self._loud_until,
        )

    def _note_loudness(self, window: Samples) -> None:
        if np.mean(np.square(window, dtype=np.float64)) < self._loud_power:
            return
        began = self._vad.position - WINDOW_SAMPLES
        if began - self._loud_until > _LULL_SAMPLES or not self._loud_until:
            self._loud_from = began
        self._loud_until = self._vad.position
