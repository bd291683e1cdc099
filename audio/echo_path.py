"""The way from the speaker to the microphone: its delay, and a filter for each band.

Spectra are of frames of 512 samples, one every 256; frame ``i`` is centred on sample ``256 * i``.
No state is shared; whoever owns an object enters it from one thread.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from audio.pcm import SAMPLE_RATE, Samples, silence

HOP = 256
FRAME = 2 * HOP
BANDS = HOP + 1
VOICE = slice(6, 130)
"""The bands from 0.2 to 4 kHz, where a voice is."""

Floats = NDArray[np.float32]
Spectra = NDArray[np.complex64]

TAPER: Floats = np.sqrt(np.hanning(FRAME + 1)[:FRAME]).astype(np.float32)
"""Applied before and after: pieces that overlap by half add up to what they were."""


class TrackPiece:
    """The end of a track that grows; outside what is kept it is silent."""

    _SLACK = SAMPLE_RATE

    def __init__(self) -> None:
        """Begin at sample 0."""
        self.start = self.stop = 0
        """Which samples are kept; the next one goes to ``stop``."""
        self._samples: Samples = silence(0)
        self._added: list[Samples] = []

    def append(self, samples: Samples) -> None:
        """Add the next samples."""
        if len(samples):
            self._added.append(samples)
            self.stop += len(samples)

    def drop(self, until: int) -> None:
        """Let go of what is before sample ``until``, once it is worth the while."""
        count = min(until - self.start, len(self._samples))
        if count > self._SLACK:
            self._samples = self._samples[count:].copy()
            self.start += count

    def cut(self, start: int, stop: int) -> Samples:
        """Return samples ``[start, stop)``."""
        if self._added:
            self._samples = np.concatenate((self._samples, *self._added))
            self._added.clear()
        first = min(max(start, self.start), stop)
        last = max(min(stop, self.stop), first)
        inside = self._samples[max(first - self.start, 0) : max(last - self.start, 0)]
        if len(inside) == stop - start:
            return inside
        return np.concatenate((silence(first - start), inside, silence(stop - first - len(inside))))

    def spectra(self, first: int, stop: int, shift: int = 0) -> Spectra:
        """Return frames ``[first, stop)`` of the track delayed by ``shift`` samples."""
        samples = self.cut(HOP * (first - 1) - shift, HOP * stop - shift).astype(np.float32)
        frames = sliding_window_view(samples, FRAME)[::HOP] * TAPER
        spectra: Spectra = np.fft.rfft(frames).astype(np.complex64)
        return spectra


def power(spectra: Spectra) -> Floats:
    """Return squared magnitudes."""
    squares: Floats = spectra.real**2 + spectra.imag**2
    return squares


def smooth(values: Floats) -> Floats:
    """Return ``values`` with each band (of the last axis) a little like its neighbours."""
    result = values.copy()
    result[..., 1:-1] = (values[..., :-2] + 2 * values[..., 1:-1] + values[..., 2:]) / 4
    return result


class DelayFinder:
    """How much later the user track has what the agent track has, by whitened correlation.

    ``delay`` is in samples, None before anything was compared. It moves at once by a few samples,
    as clocks drift, and further only where another place is much the better one.
    """

    EARLIEST, LATEST = -320, 8320
    """The tracks' clocks may be some ms apart, so an echo may seem to come before its sound."""
    DECAY = 0.9
    BETTER = 1.4
    REST = 4
    """So many pieces pass from one jump to the next."""
    _SIZE = 16_384
    _WHITENING = 0.8
    _WIDTH = 8

    def __init__(self) -> None:
        """Begin without a delay."""
        self.delay: int | None = None
        self._sum = np.zeros(self.LATEST - self.EARLIEST, np.float32)
        self._rest = 0

    def compare(self, user: TrackPiece, agent: TrackPiece, start: int, stop: int) -> bool:
        """Take samples ``[start, stop)`` of the user; say whether the delay has jumped."""
        heard = self._spectrum(user.cut(start, stop))
        said = self._spectrum(agent.cut(start - self.LATEST, stop - self.EARLIEST))
        cross = heard * np.conj(said)
        cross /= (np.abs(heard) * np.abs(said) + 1.0) ** self._WHITENING
        lags = np.arange(self.EARLIEST, self.LATEST) - self.LATEST
        self._sum = self.DECAY * self._sum + np.fft.irfft(cross, self._SIZE)[lags].astype(
            np.float32
        )
        likely = np.convolve(np.abs(self._sum), np.full(self._WIDTH, 1 / self._WIDTH), "same")
        return self._follow(likely)

    def _follow(self, likely: NDArray[np.float64]) -> bool:
        best = int(np.argmax(likely))
        found, last = best + self.EARLIEST, self.delay
        self._rest -= 1
        if last is not None and abs(found - last) <= HOP // 2:
            self.delay = found
            return False
        if last is not None:
            place = last - self.EARLIEST
            near = likely[max(place - HOP // 2, 0) : place + HOP // 2].max()
            if self._rest > 0 or likely[best] <= self.BETTER * near:
                return False
        self.delay, self._rest = found, self.REST
        return True

    def _spectrum(self, samples: Samples) -> NDArray[np.complex128]:
        steps = np.diff(samples.astype(np.float32), prepend=np.float32(samples[0]))
        spectrum: NDArray[np.complex128] = np.fft.rfft(steps, self._SIZE)
        return spectrum


class EchoPath:
    """For each band, what ``TAPS`` frames of the agent's track give in one of the user's.

    A least-squares fit in which a frame counts the less, the worse it is foretold and the longer
    it is ago. Coefficients are taken to be small until the tracks say otherwise (``PRIOR``), so
    two tracks that have nothing in common do not explain each other.
    """

    TAPS = 10
    """0.16 s, from one frame before the delay."""
    DECAY = 0.985
    """A frame counts half after 0.7 s of agent audio, for the tracks may drift a little."""
    PRIOR = 20.0
    PEAKS = 0.1
    LEAST_PART = 0.05
    ABOVE_NOISE = 4.0

    def __init__(self) -> None:
        """Begin with a path that brings nothing."""
        self._ridge = self.PRIOR * np.eye(self.TAPS, dtype=np.complex64)
        self.begin_at(0)

    def begin_at(self, delay: int) -> None:
        """Forget what was learned: the delay is another one."""
        self._shift = delay - HOP
        self._squares = np.zeros((BANDS, self.TAPS, self.TAPS), np.complex64)
        self._products = np.zeros((BANDS, self.TAPS, 1), np.complex64)
        self._filters = np.zeros((BANDS, self.TAPS, 1), np.complex64)

    def sources(self, agent: TrackPiece, first: int, stop: int) -> Spectra:
        """Return the agent's frames that user frames ``[first, stop)`` come from.

        The shape is (bands, frames, taps); tap 1 is the frame at the delay.
        """
        frames = agent.spectra(first - self.TAPS + 1, stop, self._shift)
        around = sliding_window_view(frames, self.TAPS, axis=0)[:, :, ::-1]
        return np.ascontiguousarray(around.transpose(1, 0, 2))

    def foretell(self, sources: Spectra) -> Spectra:
        """Return the echo in the user's frames: (frames, bands)."""
        echo: Spectra = (sources @ self._filters)[:, :, 0].T
        return echo

    def learn(self, sources: Spectra, heard: Spectra, noise: Floats) -> float | None:
        """Take user frames ``heard`` and what they come from; ``noise`` is the power in each band.

        Return how much of them had been foretold, 1 at most and below 0 where foretelling made it
        worse; None where they say nothing.
        """
        left = power(heard - self.foretell(sources))
        told = self._part_foretold(power(sources[:, :, 1]).T, power(heard), left, noise)
        self._fit(sources, heard, smooth(left) + noise + np.float32(1.0))
        return told

    def _part_foretold(
        self, said: Floats, heard: Floats, left: Floats, noise: Floats
    ) -> float | None:
        said, heard, left = said[:, VOICE], heard[:, VOICE], left[:, VOICE]
        counts = (said > self.PEAKS * said.mean()) & (heard > self.ABOVE_NOISE * noise[VOICE])
        if counts.mean() <= self.LEAST_PART:
            return None
        # a band counts by what is in it, not by how loud it is
        weights = counts / (heard.mean(axis=0) + noise[VOICE])
        return 1.0 - float((left * weights).sum() / (heard * weights).sum())

    def _fit(self, sources: Spectra, heard: Spectra, expected: Floats) -> None:
        count = len(heard)
        ages = self.DECAY ** np.arange(count - 1, -1, -1, dtype=np.float32)
        weights = (ages[:, None] / expected).T[:, None, :]
        weighted = sources.conj().transpose(0, 2, 1) * weights
        faded = np.float32(self.DECAY**count)
        self._squares = (self._squares * faded + weighted @ sources).astype(np.complex64)
        products = weighted @ np.ascontiguousarray(heard.T)[:, :, None]
        self._products = (self._products * faded + products).astype(np.complex64)
        filters = np.linalg.solve(self._squares + self._ridge, self._products)
        self._filters = filters.astype(np.complex64)
