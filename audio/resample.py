"""A streaming resampler for audio that someone waits for.

Quality converters work in blocks: soxr at its high quality holds back up to 110 ms of an 8 kHz
stream, which a person would feel at every barge-in. This one is a windowed-sinc filter evaluated
only where an output sample is wanted. It holds back half its length, 4 ms at 8 kHz and 2 ms at
16 kHz, and always the same amount. Files, which nobody waits for, go through soxr
(``audio.pcm.ContractStream``).

A ``StreamResampler`` belongs to one thread at a time.
"""

from __future__ import annotations

from functools import lru_cache
from math import gcd

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Floats = NDArray[np.float32]

ZERO_CROSSINGS = 32
"""Half the filter's length, in samples of the slower of the two rates."""

CUTOFF = 0.46
"""Middle of the filter's slope, in parts of the slower rate: flat to 0.42, down 80 dB at 0.5."""

KAISER_BETA = 8.0

_PIECE = 4096
"""Output samples made at a time, so that a long chunk needs no more than a few MB of windows."""


class StreamResampler:
    """Converts mono float samples from one whole rate to another, piece by piece.

    Output sample ``n`` lies at ``n / out_rate`` on the input's own time axis: nothing is shifted.
    However the input is cut up, the output is the same. After ``flush`` the output is
    ``ceil(input * out_rate / in_rate)`` samples long.
    """

    def __init__(self, in_rate: int, out_rate: int) -> None:
        """Prepare the filter for the two rates, in samples a second."""
        self._up, self._down = out_rate // gcd(in_rate, out_rate), in_rate // gcd(in_rate, out_rate)
        self._phases = _phases(self._up, self._down)
        self._half = self._phases.shape[1] // 2
        self.reset()

    def reset(self) -> None:
        """Forget what is held back; the next sample is the first of a new stream."""
        self._made = 0
        self._seen = 0
        # input sample number of _held[0]; the stream is preceded by silence
        self._held_from = -self._half + 1
        self._held: Floats = np.zeros(self._half - 1, dtype=np.float32)

    @property
    def held_samples(self) -> int:
        """Output samples that wait for input that has not come yet."""
        return self._due(self._seen) - self._made

    def process(self, samples: Floats) -> Floats:
        """Take the next input samples and return the output samples that they complete."""
        self._held = np.concatenate((self._held, samples.astype(np.float32, copy=False)))
        self._seen += len(samples)
        return self._make(max(self._due(self._seen - self._half), self._made))

    def flush(self) -> Floats:
        """Return what was held back, as if silence followed, and begin a new stream."""
        self._held = np.concatenate((self._held, np.zeros(self._half, dtype=np.float32)))
        tail = self._make(self._due(self._seen))
        self.reset()
        return tail

    def _due(self, inputs: int) -> int:
        """Output samples that lie before input sample number ``inputs``."""
        return -(-max(inputs, 0) * self._up // self._down)

    def _make(self, until: int) -> Floats:
        pieces = [
            self._piece(start, min(start + _PIECE, until))
            for start in range(self._made, until, _PIECE)
        ]
        self._made = until
        keep_from = until * self._down // self._up - self._half + 1
        self._held = self._held[keep_from - self._held_from :]
        self._held_from = keep_from
        return np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.float32)

    def _piece(self, start: int, stop: int) -> Floats:
        ticks = np.arange(start, stop, dtype=np.int64) * self._down
        first = ticks // self._up - self._half + 1 - self._held_from
        windows = sliding_window_view(self._held, 2 * self._half)[first]
        made: Floats = np.einsum("ij,ij->i", windows, self._phases[ticks % self._up])
        return made


@lru_cache(maxsize=16)
def _phases(up: int, down: int) -> Floats:
    """Return one row of filter taps for each place an output sample can have between two inputs."""
    slower = min(up / down, 1.0)
    half = int(np.ceil(ZERO_CROSSINGS / slower))
    offsets = np.arange(up)[:, None] / up - np.arange(-half + 1, half + 1)[None, :]
    window = np.i0(KAISER_BETA * np.sqrt(np.maximum(0.0, 1.0 - (offsets / half) ** 2)))
    taps = np.sinc(2.0 * CUTOFF * slower * offsets) * window
    taps /= taps.sum(axis=1, keepdims=True)
    return taps.astype(np.float32)
