"""The user's side of the tap: mic chunks, muted where asked, in the format that the agent wants.

Entered by the thread that delivers mic chunks (``send``) and by agent receive (the rest).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from app.tap.mutes import MuteLog
from audio.clock import now
from audio.errors import FormatError
from audio.interface import InputCallback
from audio.pcm import SAMPLE_RATE, Encoder, Samples, to_bytes


class _Waiting(NamedTuple):
    position: int
    samples: Samples


class Uplink:
    """Sends mic chunks to the agent, once it has said in which format.

    The microphone starts before the agent's metadata comes. What is captured until then waits, at
    most ``WAITING_SAMPLES`` of it, and is sent in order with the first chunk after it; else an
    agent that wants mu-law would hear noise.
    """

    WAITING_SAMPLES = 10 * SAMPLE_RATE

    def __init__(self, mutes: MuteLog, on_trouble: Callable[[str], None]) -> None:
        """Mute by ``mutes``; tell ``on_trouble`` a sentence where the agent's format is unknown."""
        self._mutes = mutes
        self._on_trouble = on_trouble
        self._callback: InputCallback | None = None
        self._encoder: Encoder | None = None
        self._waiting: deque[_Waiting] = deque()
        self._waiting_samples = 0
        self.dropped_samples = 0
        self.dropped_until = 0
        """The input position before which mic chunks were dropped."""
        self.sends_since: float | None = None
        """The monotonic second from which mic chunks are sent; None while all of them wait."""

    def open(self, callback: InputCallback) -> None:
        """Send to ``callback`` from now on."""
        self._callback = callback

    def close(self) -> None:
        """Send nothing any more."""
        self._callback = None

    def set_format(self, name: str) -> None:
        """Encode in the format called ``name`` from now on."""
        try:
            self._encoder = Encoder(name)
        except FormatError as error:
            self._encoder = Encoder("pcm_16000")
            self._on_trouble(f"{error} The agent is sent pcm_16000.")

    def send(self, samples: Samples, captured_at: float, position: int) -> None:
        """Send ``samples``, the first of them captured at ``captured_at`` (monotonic seconds).

        It is the interface's input ``position``.
        """
        callback, encoder = self._callback, self._encoder
        samples = self._mutes.apply(samples, captured_at)
        if callback is None:
            return
        if encoder is None:
            self._wait(samples, position)
            return
        if self.sends_since is None:
            self._begin()
        while self._waiting:
            callback(encoder.encode(to_bytes(self._waiting.popleft().samples)))
        self._waiting_samples = 0
        callback(encoder.encode(to_bytes(samples)))

    def _begin(self) -> None:
        self.sends_since = now()
        if self.dropped_samples:
            dropped_s = self.dropped_samples / SAMPLE_RATE
            kept_s = self.WAITING_SAMPLES / SAMPLE_RATE
            self._on_trouble(
                f"The first {dropped_s:.1f} s of the user's audio were not sent: the agent began "
                f"the conversation more than {kept_s:g} s after them."
            )

    def _wait(self, samples: Samples, position: int) -> None:
        self._waiting.append(_Waiting(position, samples))
        self._waiting_samples += len(samples)
        while self._waiting_samples > self.WAITING_SAMPLES:
            dropped = self._waiting.popleft()
            self._waiting_samples -= len(dropped.samples)
            self.dropped_samples += len(dropped.samples)
            self.dropped_until = dropped.position + len(dropped.samples)
