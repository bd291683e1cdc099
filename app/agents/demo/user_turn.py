"""The user's turn, told from the onsets and ends that the VAD hears. Pure; positions in samples."""

from __future__ import annotations

from dataclasses import dataclass

from app.agents.demo.speech import SAMPLES_PER_MS
from audio.vad import SpeechEdge


@dataclass(frozen=True, slots=True)
class Heard:
    """What the ears made of a chunk.

    ``position`` is that after the chunk, ``speech_until`` the end of the last 32 ms that sounded
    like speech, ``score`` the highest probability of speech in the chunk. Sound that is loud
    enough, speech or not, was last heard in ``[loud_from, loud_until)``.
    """

    position: int
    speech_until: int
    edges: tuple[SpeechEdge, ...]
    score: float
    loud_from: int = 0
    loud_until: int = 0


class UserTurn:
    """One turn: speech, perhaps with pauses, until the silence after it is long enough.

    Positions count the samples of the user's audio since the conversation began.
    """

    def __init__(self, onset: int, *, over_agent: bool) -> None:
        """Begin with the first onset, over the agent's own speech or not."""
        self.began = onset
        self.over_agent = over_agent
        self.interrupted_agent = False
        self.speaking = True
        self._stretch_began = onset
        self._ended = onset

    def resume(self, onset: int) -> None:
        """Go on after a pause."""
        self.speaking = True
        self._stretch_began = onset

    def pause(self, end: int) -> None:
        """Fall silent, perhaps for good."""
        self.speaking = False
        self._ended = end

    def spoken_ms(self) -> float:
        """How long the turn was, from its first onset to its last end."""
        return (self._ended - self.began) / SAMPLES_PER_MS

    def silence_ms(self, position: int) -> float:
        """How long the user has been silent at a position; 0 while speaking."""
        return 0.0 if self.speaking else (position - self._ended) / SAMPLES_PER_MS

    def overlap_ms(self, speech_until: int, agent_began: int) -> float:
        """How long the present stretch of speech has run beside the agent's.

        Counted to where speech was last heard, lest the silence in which the VAD still waits for
        more make a word in passing look long.
        """
        until = speech_until if self.speaking else self._ended
        return max(0, until - max(self._stretch_began, agent_began)) / SAMPLES_PER_MS
