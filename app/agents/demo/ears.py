"""The demo agent's ears: mic chunks of any size in, onsets and ends of speech out.

Owned by the one thread that serves the conversation. A window of 32 ms costs about 1.5 ms, so the
caller hands over no more than a quarter of a second at once.
"""

from __future__ import annotations

from app.agents.demo.user_turn import Heard
from audio.pcm import to_samples
from audio.vad import WINDOW_SAMPLES, SpeechEdge, Vad, VadSettings

_WINDOW_BYTES = WINDOW_SAMPLES * 2
# Quicker at both ends than for measuring: whether the turn is over is the endpointing's matter.
_SETTINGS = VadSettings(min_speech_ms=96, hang_ms=224)


class Ears:
    """Listens to one conversation."""

    def __init__(self) -> None:
        """Load the detector; its model comes with its package."""
        self._vad = Vad(_SETTINGS)
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
            edges += self._vad.feed(to_samples(content[start : start + _WINDOW_BYTES]))
            score = max(score, self._vad.probability)
            if self._vad.probability >= _SETTINGS.end_probability:
                self._speech_until = self._vad.position
        return Heard(self._received_bytes // 2, self._speech_until, tuple(edges), score)
