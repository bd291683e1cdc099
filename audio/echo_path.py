"""The way from the speaker to the microphone: its delay, and a filter for each band.

Spectra are of frames of 512 samples, one every 256; frame ``i`` is centred on sample ``256 * i``.
No state is shared; whoever owns an object enters it from one thread.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audio.pcm import SAMPLE_RATE, Samples, silence

HOP = 256
FRAME = 2 * HOP
BANDS = HOP + 1
AUDIBLE = 33
"""Samples at -60 dBFS and above."""
VOICE = slice(6, 130)
"""The bands from 0.2 to 4 kHz, where a voice is."""

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Spectra = NDArray[np.complex64]

TAPER: Floats = np.sqrt(np.hanning(FRAME + 1)[:FRAME]).astype(np.float32)
"""Applied before and after: pieces that overlap by half add up to what they were."""

_TURNS: Floats = (-2 * np.pi / FRAME * np.arange(BANDS)).astype(np.float32)
"""What a delay by a sample turns each band by."""


class TrackPiece:
    """The end of a track that grows; outside what is kept it is silent.

    Frames are asked for again and again: the last ones are kept.
    """

    _SLACK = SAMPLE_RATE
    _KEPT_FRAMES = 128

    def __init__(self) -> None:
        """Begin at sample 0."""
        self.start = self.stop = 0
        """Which samples are kept; the next one goes to ``stop``."""
        self._samples: Samples = silence(0)
        self._added: list[Samples] = []
        self._spectra: Spectra = np.zeros((self._KEPT_FRAMES, BANDS), np.complex64)
        self._frames = np.full(self._KEPT_FRAMES, np.iinfo(np.int64).min)
        """Which frames these are, each at its number modulo their count."""
        self._lags: Doubles = np.zeros(self._KEPT_FRAMES)
        """How much each of them is delayed."""

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

    def spectra(self, first: int, stop: int) -> Spectra:
        """Return frames ``[first, stop)`` of the track."""
        return self.delayed_spectra(first, np.zeros(stop - first))

    def delayed_spectra(self, first: int, lags: Doubles) -> Spectra:
        """Return as many frames as ``lags`` has, from ``first`` on, each that much delayed.

        They are ``_KEPT_FRAMES`` at most.
        """
        frames = np.arange(first, first + len(lags))
        slots = frames % self._KEPT_FRAMES
        missing = (self._frames[slots] != frames) | (self._lags[slots] != lags)
        if missing.any():
            anew = slots[missing]
            self._spectra[anew] = self._spectra_of(frames[missing], lags[missing])
            self._frames[anew], self._lags[anew] = frames[missing], lags[missing]
        spectra: Spectra = self._spectra[slots]
        return spectra

    def _spectra_of(self, numbers: NDArray[np.int64], lags: Doubles) -> Spectra:
        whole = np.floor(lags).astype(np.int64)
        starts = HOP * (numbers - 1) - whole
        lowest = int(starts.min())
        samples = self.cut(lowest, int(starts.max()) + FRAME).astype(np.float32)
        frames = samples[(starts - lowest)[:, None] + np.arange(FRAME)] * TAPER
        spectra: Spectra = np.fft.rfft(frames).astype(np.complex64, copy=False)
        parts = (lags - whole).astype(np.float32)
        if parts.any():
            spectra *= _turned(parts[:, None] * _TURNS)
        return spectra


def _turned(angles: Floats) -> Spectra:
    turned: Spectra = np.empty(angles.shape, np.complex64)
    np.cos(angles, out=turned.real)
    np.sin(angles, out=turned.imag)
    return turned


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
    """How much later the user track has what the agent track has, frame by frame, in samples.

    Two devices' clocks drift apart, and what a sound server says of its latency wanders: the delay
    creeps by up to ``FASTEST``. So each piece is compared with where the last ones put it, to a
    part of a sample. It jumps where the speaker lost its place, and where it was not found yet:
    another place must be much the better one for that.
    """

    EARLIEST, LATEST = -320, 8320
    """The tracks' clocks may be some ms apart, so an echo may seem to come before its sound."""
    DECAY = 0.64
    BETTER = 1.4
    FAR_BETTER = 3.0
    NEARBY = SAMPLE_RATE // 25
    """A speaker that lost its place is rarely further from it."""
    REST = 1
    """So many pieces pass from one jump to the next."""
    FASTEST = 1e-3
    REACH = 12
    """The next piece is looked for so many samples around where it should be."""
    CLEAR = 7.0
    """A place stands out that is so much more likely than the usual one."""
    FOUND = 3.0
    """And so much more likely, over some pieces, is a place that can be jumped to."""
    LONG = SAMPLE_RATE // 2
    """After so many samples without a measure the next one counts alone."""
    PLACE_GAIN, RATE_GAIN, RATE_DECAY = 0.6, 0.2, 0.81
    AUDIBLE_PART = 0.1
    """So many of the agent's samples must be audible in a piece that measures."""
    BACK = 32
    """A jump was so many frames before it was noticed, or fewer."""
    _SIZE = 11_520
    """Of the transforms: the lags that are wanted are not reached by what wraps around."""
    _WHITENING = 0.8
    _WIDTH = 8
    _KEPT = 512

    def __init__(self) -> None:
        """Begin without a delay."""
        self.is_found = False
        self._sum: Floats = np.zeros(self.LATEST - self.EARLIEST, np.float32)
        self._rest = 0
        self._sure: float | None = None
        self._rate = 0.0
        self._compared = 0
        """The frame after the last that was compared."""
        self._measured = 0.0
        """The middle of the frames that last told the delay."""
        self._lags: Doubles = np.zeros(1)
        """Of the frames before that."""

    @property
    def delay(self) -> int:
        """The last one, in whole samples."""
        return round(float(self._lags[-1]))

    def lags(self, first: int, stop: int) -> Doubles:
        """Return the delays of frames ``[first, stop)``; what comes is taken to creep on."""
        places = np.arange(first, stop) - (self._compared - len(self._lags))
        ahead = np.maximum(places - len(self._lags) + 1, 0) * (HOP * self._rate)
        lags: Doubles = self._lags[np.clip(places, 0, len(self._lags) - 1)] + ahead
        return lags

    def confirm(self) -> None:
        """Note that the echo is where it was sought: it does not go far from there."""
        self._sure = float(self._lags[-1])

    def compare(self, user: TrackPiece, agent: TrackPiece, first: int, stop: int) -> bool:
        """Take frames ``[first, stop)`` of the user; say whether the delay has jumped."""
        is_audible = self._is_audible(agent, first, stop)
        if self.is_found and not is_audible:  # there is nothing to compare, and it takes long
            self._follow(None, first, stop)
            return False
        here = HOP * (first - 1), HOP * stop
        heard = self._spectrum(user.cut(*here))
        said = self._spectrum(agent.cut(here[0] - self.LATEST, here[1] - self.EARLIEST))
        cross = heard * np.conj(said)
        cross *= (np.abs(cross) + np.float32(1.0)) ** np.float32(-self._WHITENING)
        likely: Floats = np.abs(np.fft.irfft(cross, self._SIZE)[self.EARLIEST - self.LATEST :])
        self._sum *= np.float32(self.DECAY)
        self._sum += _blurred(likely, self._WIDTH)
        self._follow(likely if is_audible else None, first, stop)
        return self._jump(likely)

    def _is_audible(self, agent: TrackPiece, first: int, stop: int) -> bool:
        """Whether enough of the agent was to be heard in these frames."""
        said = agent.cut(HOP * (first - 1) - self.delay, HOP * stop - self.delay)
        return float((np.abs(said) >= AUDIBLE).mean()) >= self.AUDIBLE_PART

    def _follow(self, likely: Floats | None, first: int, stop: int) -> None:
        """Let the delay creep to where these frames put it; None where they say nothing of it."""
        middle = (first + stop - 1) / 2
        # the longer nothing was measured, the less is known of where it is
        unknown = HOP * (middle - self._measured)
        is_anew = unknown > self.LONG
        if is_anew:
            self._rate = 0.0
        place = float(self._lags[-1]) + self._rate * HOP * (middle - self._compared + 1)
        reach = self.REACH + round(self.FASTEST * min(unknown, SAMPLE_RATE))
        found = None if likely is None else self._nearest(likely, place, reach)
        self._rate *= self.RATE_DECAY
        if found is not None:
            off, self._measured = found - place, middle
            place += off if is_anew else self.PLACE_GAIN * off
            rate = 0.0 if is_anew else self.RATE_GAIN * off / (HOP * (stop - first))
            self._rate = min(max(self._rate + rate, -self.FASTEST), self.FASTEST)
        frames = np.arange(self._compared, stop)
        lags = place + self._rate * HOP * (frames - middle)
        self._lags = np.concatenate((self._lags, lags))[-self._KEPT :]
        if found is not None and is_anew:
            self._lags[-self.BACK :] = place
        self._compared = stop

    def _nearest(self, likely: Floats, expected: float, reach: int) -> float | None:
        """Return the likeliest place around ``expected``, None where none stands out."""
        at = round(expected) - self.EARLIEST
        begin = max(at - reach, 1)
        around = likely[begin : max(at + reach + 1, begin + 1)]
        best = begin + int(np.argmax(around))
        if best >= len(likely) - 1 or likely[best] < self.CLEAR * likely.mean():
            return None
        before, here, behind = likely[best - 1 : best + 2].tolist()
        bend = before - 2 * here + behind
        part = 0.5 * (before - behind) / bend if bend < 0 else 0.0
        return best + self.EARLIEST + min(max(part, -0.5), 0.5)

    def _jump(self, likely: Floats) -> bool:
        best, likely_at = self._best()
        if self._sum[best] <= self.FOUND * self._sum.mean():
            return False
        found, last = best + self.EARLIEST, self.delay
        self._rest -= 1
        if self.is_found and abs(found - last) <= self.REACH:
            return False
        if self.is_found:
            place = last - self.EARLIEST
            near = self._sum[max(place - self.REACH, 0) : max(place, 0) + self.REACH].max()
            if self._rest > 0 or likely_at <= self.BETTER * near:
                return False
        exactly = self._nearest(likely, found, self.REACH)
        self._lags[-self.BACK :] = found if exactly is None else exactly
        self._rate, self._rest = 0.0, self.REST
        self._measured = float(self._compared)
        self.is_found = True
        return True

    def _best(self) -> tuple[int, float]:
        """Return the likeliest place, and how likely: less than it seems far from a sure one."""
        if self._sure is None:
            best = int(np.argmax(self._sum))
            return best, float(self._sum[best])
        sure = round(self._sure) - self.EARLIEST
        near = max(sure - self.NEARBY, 0)
        far = sure + self.NEARBY + 1
        found = [
            (float(piece.max()) / rarely, first + int(np.argmax(piece)))
            for first, piece, rarely in (
                (0, self._sum[:near], self.FAR_BETTER),
                (near, self._sum[near:far], 1.0),
                (far, self._sum[far:], self.FAR_BETTER),
            )
            if len(piece)
        ]
        likely, best = max(found)
        return best, likely

    def _spectrum(self, samples: Samples) -> Spectra:
        steps = np.zeros(len(samples), np.float32)
        np.subtract(samples[1:], samples[:-1], out=steps[1:], dtype=np.float32)
        return np.fft.rfft(steps, self._SIZE).astype(np.complex64, copy=False)


def _blurred(values: Floats, width: int) -> Floats:
    """Return the mean of ``width`` values, a power of two, around each; outside there is 0."""
    sums = np.zeros(len(values) + width - 1, np.float32)
    sums[width // 2 : width // 2 + len(values)] = values
    reach = 1
    while reach < width:
        sums = sums[:-reach] + sums[reach:]
        reach *= 2
    return sums * np.float32(1 / width)


_Learned = tuple[Spectra, Spectra, Spectra, Floats, float]


class _Seen(NamedTuple):
    """User frames, what they come from, and the power of both: (frames, bands)."""

    sources: Spectra
    heard: Spectra
    noise: Floats
    said: Floats
    powers: Floats


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
    RIDGE = np.array([1.0, 0.3, 1, 1.5, 2, 2, 2, 2, 2, 2], np.float32)
    """How many frames' worth of evidence it takes to believe in each tap."""
    PEAKS = 0.1
    LEAST_PART = 0.05
    LEAST_EXPECTED = 0.1
    """A hole in the user track must not outweigh all the rest."""
    ABOVE_NOISE = 4.0
    CLEARLY = 0.2
    SOLVED_EVERY = 3
    """Its filters, which cost the most, change little from one time to the next."""
    YOUNG = 40.0
    """A path of so many frames, or fewer, changes with each that comes."""
    NEAR_TAPS = 5
    """0.06 s around the delay: further the agent's track does not jump."""

    def __init__(self) -> None:
        """Begin with a path that brings nothing."""
        self._kept: _Learned | None = None
        self.begin()

    def begin(self) -> None:
        """Forget what was learned."""
        self._squares: Spectra = np.zeros((BANDS, self.TAPS, self.TAPS), np.complex64)
        self._products: Spectra = np.zeros((BANDS, self.TAPS, 1), np.complex64)
        self._filters: Spectra = np.zeros((BANDS, self.TAPS, 1), np.complex64)
        self._usual: Floats = np.zeros(BANDS, np.float32)
        self._frames = 0.0
        self._unsolved = 0

    def keep(self) -> None:
        """Remember what is learned now: the room stays, whatever happens to the tracks."""
        self._kept = (self._squares, self._products, self._filters, self._usual, self._frames)

    def look(self, sources: Spectra, heard: Spectra, noise: Floats) -> float | None:
        """Take user frames ``heard`` and what they come from; ``noise`` is the power in each band.

        Return how much of them is foretold, 1 at most and below 0 where foretelling makes it
        worse; None where they say nothing.
        """
        said, powers = power(sources[:, :, 1]).T, power(heard)
        self._seen = _Seen(sources, heard, noise, said, powers)
        self._left = power(heard - self.foretell(sources))
        return self._part_foretold(self._left)

    def recall(self, told: float) -> float:
        """Go back to what was kept if it foretells the frames seen clearly better than ``told``.

        Return how much is foretold then.
        """
        if self._kept is None:
            return told
        seen = self._seen
        left = power(seen.heard - (seen.sources @ self._kept[2])[:, :, 0].T)
        better = self._part_foretold(left)
        if better is None or better < told + self.CLEARLY:
            return told
        self._squares, self._products, self._filters, self._usual, self._frames = self._kept
        self._left = left
        return better

    def loudest(self, sources: Spectra) -> Floats | None:
        """Return how loud what was kept makes the agent at most, wherever its sound is by now.

        The shape is (frames, bands); None where nothing was kept.
        """
        if self._kept is None:
            return None
        gains = power(self._kept[2])[:, :, 0].sum(axis=1)
        loudest: Floats = power(sources[:, :, : self.NEAR_TAPS]).max(axis=2).T * gains
        return smooth(loudest)

    def sources(self, agent: TrackPiece, delays: DelayFinder, first: int, stop: int) -> Spectra:
        """Return the agent's frames that user frames ``[first, stop)`` come from.

        The shape is (bands, frames, taps); tap 1 is the frame at the delay.
        """
        begin = first - self.TAPS + 2
        frames = agent.delayed_spectra(begin, delays.lags(begin, stop + 1))
        places = np.arange(stop - first)[:, None] + np.arange(self.TAPS - 1, -1, -1)
        sources: Spectra = np.ascontiguousarray(frames.T)[:, places]
        return sources

    def foretell(self, sources: Spectra) -> Spectra:
        """Return the echo in the user's frames: (frames, bands)."""
        echo: Spectra = (sources @ self._filters)[:, :, 0].T
        return echo

    def learn(self) -> None:
        """Learn the frames that were seen last."""
        seen = self._seen
        least = np.float32(self.LEAST_EXPECTED) * self._usual_power(seen.powers)
        expected = np.maximum(smooth(self._left), least) + seen.noise + np.float32(1.0)
        self._add(seen.sources, seen.heard, expected)
        self._unsolved += 1
        if self._frames < self.YOUNG or self._unsolved >= self.SOLVED_EVERY:
            self._solve()

    def _part_foretold(self, left: Floats) -> float | None:
        _sources, _heard, noise, said, powers = self._seen
        said, heard, left, noise = said[:, VOICE], powers[:, VOICE], left[:, VOICE], noise[VOICE]
        counts = (said > self.PEAKS * said.mean()) & (heard > self.ABOVE_NOISE * noise)
        if np.count_nonzero(counts) <= self.LEAST_PART * counts.size:
            return None
        # a band counts by what is in it, not by how loud it is
        weights = counts / (heard.mean(axis=0) + noise)
        return 1.0 - float((left * weights).sum() / (heard * weights).sum())

    def _usual_power(self, heard: Floats) -> Floats:
        """Return what is heard in each band, on average of these frames and of those before."""
        count = len(heard)
        faded = np.float32(self.DECAY**count)
        mean = heard.mean(axis=0)
        self._usual = faded * self._usual + (1 - faded) * mean if self._usual.any() else mean
        return self._usual

    def _add(self, sources: Spectra, heard: Spectra, expected: Floats) -> None:
        """Add what the frames say of the path to what was known of it."""
        count = len(heard)
        ages = self.DECAY ** np.arange(count - 1, -1, -1, dtype=np.float32)
        weights = (ages[:, None] / expected).T[:, None, :]
        weighted: Spectra = sources.conj().transpose(0, 2, 1)
        weighted *= weights
        faded = np.float32(self.DECAY**count)
        squares: Spectra = weighted @ sources
        squares += faded * self._squares
        products: Spectra = weighted @ np.ascontiguousarray(heard.T)[:, :, None]
        products += faded * self._products
        self._squares, self._products = squares, products
        self._frames = self._frames * float(faded) + float(ages.sum())

    def _solve(self) -> None:
        """Make the filters what all that is known makes them."""
        taps = np.arange(self.TAPS)
        squares = self._squares.copy()
        usual = squares[:, taps, taps].real.sum(axis=1) / np.float32(self.TAPS * self._frames)
        squares[:, taps, taps] += self.RIDGE * (usual + np.float32(self.PRIOR / 2))[:, None]
        self._filters = np.linalg.solve(squares, self._products)
        self._unsolved = 0
