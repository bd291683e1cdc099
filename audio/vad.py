"""Voice activity: where speech begins and ends on a track, in samples.

Silero (``audio.speech_net``) judges windows of 32 ms, and at both ends of speech it is a window
or three late. So its judgement only says that there is speech; the edges are put where the sound
leaves and reaches the noise around it, in steps of 4 ms. All decisions hang on sample positions
alone: the same track gives the same edges however it is cut up, live or afterwards.

A window costs some 0.4 ms by itself, and a quarter of that among many. A ``Vad`` belongs to one
thread at a time and shares nothing with others.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from audio.pcm import SAMPLE_RATE, Samples, ms_to_samples
from audio.speech_net import WINDOW_SAMPLES, load_net

HOP_SAMPLES = 64
_HOPS = WINDOW_SAMPLES // HOP_SAMPLES


@dataclass(frozen=True, slots=True)
class SpeechEdge:
    """Speech began at sample ``position``, or its last sample was the one before ``position``.

    ``noticed`` is how many samples it took to be certain.
    """

    kind: Literal["onset", "end"]
    position: int
    noticed: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class VadSettings:
    """What counts as speech.

    Speech begins with a window of ``onset_probability`` and goes on while windows reach
    ``end_probability``. It is told when it has lasted ``min_speech_ms``, and its end when
    ``hang_ms`` of something else have followed.
    """

    onset_probability: float = 0.5
    end_probability: float = 0.35
    min_speech_ms: float = 64.0
    hang_ms: float = 352.0


class Vad:
    """Finds the edges of speech on one track of contract samples.

    ``probability`` is the latest window's, ``speaking`` whether an onset was told and no end yet,
    ``position`` how many samples were fed.
    """

    MOST_WINDOWS = 256
    """So many are judged at a time: more need memory, and are no faster."""

    def __init__(self, settings: VadSettings | None = None) -> None:
        """Begin at sample 0; the first of a process reads the network (0.1 s)."""
        self.settings = settings or VadSettings()
        self._net = load_net()
        self._min_speech = ms_to_samples(self.settings.min_speech_ms)
        self._hang = ms_to_samples(self.settings.hang_ms)
        self.reset()

    def reset(self) -> None:
        """Begin a new track at sample 0."""
        self._net.reset()
        self._levels = _Levels(self._hang)
        self._voice = _Voice(self.settings.onset_probability)
        self._rest: Samples = np.zeros(0, dtype=np.int16)
        self._judged = 0
        self._began: int | None = None
        self._last_speech = 0
        self._last_edge = 0
        self.probability = 0.0
        self.speaking = False

    @property
    def position(self) -> int:
        """Samples fed so far."""
        return self._judged + len(self._rest)

    def feed(self, samples: Samples) -> list[SpeechEdge]:
        """Take the next samples, any number, and return the edges that are certain now."""
        samples = np.concatenate((self._rest, samples))
        whole = len(samples) - len(samples) % WINDOW_SAMPLES
        self._rest = samples[whole:]
        windows = samples[:whole].reshape(-1, WINDOW_SAMPLES)
        edges: list[SpeechEdge] = []
        for first in range(0, len(windows), self.MOST_WINDOWS):
            some = windows[first : first + self.MOST_WINDOWS]
            judged = zip(self._levels.measure(some), self._net.judge(some), strict=True)
            for powers, probability in judged:
                edges += self._judge(powers, probability)
        return edges

    def finish(self) -> list[SpeechEdge]:
        """Return the end of speech that still goes on where the track ends; then ``reset``."""
        edges = [self._end()] if self.speaking else []
        self.reset()
        return edges

    def _judge(self, powers: NDArray[np.float32], probability: float) -> list[SpeechEdge]:
        self.probability = probability
        self._levels.append(powers)
        start, self._judged = self._judged, self._judged + WINDOW_SAMPLES
        settings = self.settings
        is_near = self._voice.is_near(powers, probability)
        if self._began is None and is_near and probability >= settings.onset_probability:
            self._began = start
        if self._began is None:
            return []
        if is_near and probability >= settings.end_probability:
            self._last_speech = self._judged
        if self.speaking and self._voice.has_come_near(start - self._began):
            return self._begin_anew(start)
        return self._follow(self._began)

    def _begin_anew(self, start: int) -> list[SpeechEdge]:
        """Tell that what was speech so far was somebody in the background."""
        self._began = start
        self._last_edge = max(self._levels.onset(start, _Voice.RANGE_DB), self._last_edge)
        return [SpeechEdge(kind, self._last_edge, self._judged) for kind in ("end", "onset")]

    def _follow(self, began: int) -> list[SpeechEdge]:
        """Tell the onset of speech that ``began``, its end, or nothing yet."""
        pause = self._judged - self._last_speech
        if self.speaking and pause >= self._hang:
            return [self._end()]
        if not self.speaking and self._last_speech - began >= self._min_speech:
            self.speaking = True
            self._last_edge = max(self._levels.onset(began), self._last_edge)
            return [SpeechEdge("onset", self._last_edge, self._judged)]
        if not self.speaking and pause >= 2 * WINDOW_SAMPLES:
            # too short for speech
            self._began = None
        return []

    def _end(self) -> SpeechEdge:
        self.speaking, self._began = False, None
        self._last_edge = max(self._levels.end(self._last_speech), self._last_edge)
        return SpeechEdge("end", self._last_edge, self._judged)


class _Voice:
    """How loud the voice near the microphone is: far softer ones are people in the background.

    To the network they are speech like any other. A voice goes up and down by less than
    ``RANGE_DB`` within ``HOLD`` windows; its loudest is forgotten slowly, for who comes back may
    speak softly.
    """

    RANGE_DB = 16.0
    FORGET_DB = 0.5 * WINDOW_SAMPLES / SAMPLE_RATE
    """Half a decibel a second."""
    HOLD = 6
    """190 ms: the soft end of a word is as near as its beginning."""
    SOON = 12
    """A word may rise from a soft sound to a loud one within so many windows."""

    def __init__(self, onset_probability: float) -> None:
        self._onset_probability = onset_probability
        self._loudest = -np.inf
        self._latest: deque[float] = deque(maxlen=self.HOLD)
        self._before: deque[float] = deque(maxlen=self.SOON)
        self._loudest_before = -np.inf

    def is_near(self, powers: NDArray[np.float32], probability: float) -> bool:
        """Take the next window; say whether what speaks in it is near."""
        level = float(10.0 * np.log10(powers.sum() / len(powers) + 0.1))
        self._loudest -= self.FORGET_DB
        self._loudest_before -= self.FORGET_DB
        if probability >= self._onset_probability:
            if len(self._before) == self.SOON:
                self._loudest_before = max(self._loudest_before, self._before[0])
            self._before.append(level)
            self._loudest = max(self._loudest, level)
        self._latest.append(level)
        return max(self._latest) >= self._loudest - self.RANGE_DB

    def has_come_near(self, speech_samples: int) -> bool:
        """Say whether speech that has lasted so long is far softer than what speaks now."""
        if speech_samples < 2 * self.SOON * WINDOW_SAMPLES:
            return False
        if self._latest[-1] < self._loudest_before + self.RANGE_DB:
            return False
        self._loudest_before = self._loudest
        return True


class _Levels:
    """The levels of the last seconds, and where in them speech begins and ends.

    A hop is 4 ms. Its levels are those of five bands, in dB against one step of a sample, so that a
    soft "s" and the last of a low vowel both stand out of noise that is louder than they are.
    """

    BAND_EDGES_HZ = (125, 500, 1000, 2000, 4000, 8001)
    MARGINS_DB = (6.5, 6.0, 5.0, 4.0, 3.0)
    """How far above the noise counts: the narrower the band, the more its level wanders."""
    RESTLESS_DB = 3.0
    """How far above all but the loudest fifth of it: voices in the background come and go."""
    RANGE_DB = 45.0
    """What is further below the loudest part is not heard as the beginning or end of it."""
    FLOOR_DB = 20.0
    """Ten steps of a sample: no microphone is quieter."""
    BACK_HOPS = 80
    """An edge lies at most 320 ms before the window that gave it away."""
    GAP_HOPS = 20
    """The closure of a stop consonant, as in "stop": silent, and inside the word."""
    NOISE_HOPS = 250
    """One second beside the speech tells how loud the noise is."""
    NOISE_GUARD_HOPS = 20
    """The noise is looked for this far from where speech was judged to be."""

    def __init__(self, hang_samples: int) -> None:
        self._keep = self.BACK_HOPS + self.NOISE_HOPS + hang_samples // HOP_SAMPLES + 16 * _HOPS
        self._powers: list[NDArray[np.float32]] = []
        self._from = 0
        self._tail: Samples = np.zeros(_FRAME_SAMPLES - HOP_SAMPLES, dtype=np.int16)

    def measure(self, windows: Samples) -> NDArray[np.float32]:
        """Return the powers of the next windows: (windows, hops, bands).

        They are multiplied window by window, so their last bits do not hang on how many there are.
        """
        track = np.concatenate((self._tail, windows.reshape(-1)))
        self._tail = track[-len(self._tail) :]
        frames = sliding_window_view(track, _FRAME_SAMPLES)[::HOP_SAMPLES] * _TAPER
        spectra = np.abs(np.fft.rfft(frames)) ** 2
        powers = spectra.reshape(len(windows), _HOPS, -1) @ _BANDS
        return powers.astype(np.float32)

    def append(self, powers: NDArray[np.float32]) -> None:
        """Add the powers of the next window."""
        self._powers.extend(powers)
        if len(self._powers) > 2 * self._keep:
            self._from += len(self._powers) - self._keep
            del self._powers[: -self._keep]

    def onset(self, began: int, range_db: float = RANGE_DB) -> int:
        """Return where speech begins whose first window begins at sample ``began``."""
        hop = began // HOP_SAMPLES
        quiet_until = hop - self.NOISE_GUARD_HOPS
        noise = self._cut(quiet_until - self.NOISE_HOPS, quiet_until)
        first = max(hop - self.BACK_HOPS, self._from)
        edge: int | None = None
        for start, stop in reversed(
            self._loud(first, self._from + len(self._powers), noise, range_db)
        ):
            if edge is None or stop > hop or edge - stop <= self.GAP_HOPS:
                edge = start
        return began if edge is None else edge * HOP_SAMPLES

    def end(self, stopped: int) -> int:
        """Return where speech ends whose last window ends at sample ``stopped``."""
        hop = stopped // HOP_SAMPLES
        noise = self._cut(hop + self.NOISE_GUARD_HOPS, self._from + len(self._powers))
        first = max(hop - self.BACK_HOPS, self._from)
        edge: int | None = None
        for start, stop in self._loud(first, hop + self.BACK_HOPS // 2, noise):
            if edge is None or start < hop or start - edge <= self.GAP_HOPS:
                edge = stop
        return stopped if edge is None else edge * HOP_SAMPLES

    def _loud(
        self, first: int, stop: int, noise: NDArray[np.float32], range_db: float = RANGE_DB
    ) -> list[tuple[int, int]]:
        """Return the stretches of hops ``[first, stop)`` that stand out of the noise."""
        around = self._cut(first, stop)
        if not len(around):
            return []
        noise = noise if len(noise) >= 4 * _HOPS else around
        quiet = np.median(noise, axis=0) + self.MARGINS_DB
        if noise is not around:
            quiet = np.maximum(quiet, np.percentile(noise, 80, axis=0) + self.RESTLESS_DB)
        least = max(float(around.max()) - range_db, self.FLOOR_DB)
        loud = np.any(around > np.maximum(quiet, least), axis=1)
        bounded = np.concatenate(([False], loud, [False]))
        turns = np.flatnonzero(bounded[1:] != bounded[:-1]).reshape(-1, 2) + first
        return [(int(start), int(stop)) for start, stop in turns if stop - start >= 2]

    def _cut(self, first: int, stop: int) -> NDArray[np.float32]:
        """Return the levels of hops ``[first, stop)``, over 12 ms around each: (hops, bands)."""
        hops = self._powers[max(first - self._from, 0) : max(stop - self._from, 0)]
        powers = np.array(hops, dtype=np.float32).reshape(-1, len(self.MARGINS_DB))
        if not len(powers):
            return powers
        around = np.concatenate((powers[:1], powers, powers[-1:]))
        smooth = (around[:-2] + around[1:-1] + around[2:]) / np.float32(3.0)
        levels: NDArray[np.float32] = np.float32(10.0) * np.log10(smooth + np.float32(0.1))
        return levels


_FRAME_SAMPLES = 2 * HOP_SAMPLES
_TAPER = np.hanning(_FRAME_SAMPLES).astype(np.float32)


def _band_weights() -> NDArray[np.float32]:
    """Return what turns squared spectra into mean squares of each band: (bins, bands)."""
    hz = np.fft.rfftfreq(_FRAME_SAMPLES, 1 / SAMPLE_RATE)[:, None]
    edges = np.array(_Levels.BAND_EDGES_HZ)
    # one side of the spectrum stands for both, and the taper takes its part
    scale = 2.0 / (_FRAME_SAMPLES * np.sum(_TAPER**2))
    return (((hz >= edges[:-1]) & (hz < edges[1:])) * scale).astype(np.float32)


_BANDS = _band_weights()
