"""Which of the user track is the agent's own voice, and what is left of it without.

The path from the speaker to the microphone is learned from both tracks (``audio.echo_path``).
What it foretells is taken out; what that leaves is held down where it is weak against what was
foretold, and noise as loud as the room's stands in its place, so that neither the level nor the
sound of the room changes with it. What the user says over the agent is not foretold, and stays.

Where the agent was not audible just before, the track passes as it is and at once. Elsewhere a
window waits until ``LOOK_AHEAD`` frames more have come, 0.26 s at most (``FIRST_LOOK_AHEAD`` in the
first seconds, 0.5 s at most, for the first words of an agent tell the path that they came by).
The delay is followed from piece to piece, for the tracks creep against each other. No path is
learned before a delay was found, and nothing is taken out before the path has foretold sound that
it had not seen.

All hangs on sample positions: the same tracks give the same result however they are cut up. An
``EchoTrace`` belongs to one thread at a time. While the agent is audible it costs 1 to 2 % of a
core.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audio.echo_path import (
    AUDIBLE,
    BANDS,
    FRAME,
    HOP,
    TAPER,
    VOICE,
    DelayFinder,
    EchoPath,
    Floats,
    Spectra,
    TrackPiece,
    power,
    smooth,
)
from audio.pcm import SAMPLE_RATE, Samples, round_to_samples
from audio.speech_net import WINDOW_SAMPLES

BATCH = 8
"""Frames whose echo is taken out together."""
_WINDOWS = BATCH * HOP // WINDOW_SAMPLES


class EchoFigures(NamedTuple):
    """The echo in one window, or in several: sums of powers, and the delay in samples."""

    delay: int
    heard: float
    """Power of the user track."""
    echo: float
    """Power of the echo in it."""
    common: float
    """What user track and echo have in common."""
    said: float
    """Power of the agent's track, the delay before."""

    @property
    def correlation(self) -> float:
        """How much of the user track's course the agent's track explains, 0 to 1."""
        both = np.sqrt(self.heard * self.echo)
        return float(min(max(self.common / both, 0.0), 1.0)) if both else 0.0

    @property
    def level_db(self) -> float:
        """The level of the echo against that of the agent's track."""
        return float(10 * np.log10((self.echo + 1e-3) / (self.said + 1e-3)))


def sum_of(figures: list[EchoFigures]) -> EchoFigures:
    """Return several windows' figures as one; the delay is the last one's."""
    _delays, heard, echo, common, said = zip(*figures, strict=True)
    return EchoFigures(figures[-1].delay, sum(heard), sum(echo), sum(common), sum(said))


class Past(NamedTuple):
    """What the path, as it is known by now, makes of windows that were told already."""

    first: int
    """The number of the first of them."""
    figures: list[EchoFigures]
    left: list[float]
    """Power of each that is not the echo's."""


class TracedWindow(NamedTuple):
    """512 samples of the user track, as they are and without the agent's voice."""

    raw: Samples
    own: Samples
    figures: EchoFigures | None
    """None where nothing was taken out: ``own`` is ``raw`` then."""
    past: Past | None = None
    """What is known better now of those before it, where that is new."""


class EchoTrace:
    """Takes both tracks and gives the user's, window by window."""

    LOOK_AHEAD = 8
    FIRST_LOOK_AHEAD = 24
    REACH_WINDOWS = 21
    """0.66 s after agent audio its echo is over: the longest delay, and some reverberation."""
    KEPT_SAMPLES = 4 * SAMPLE_RATE
    HISTORY = 24
    """So many frames tell a path anew whose delay has jumped, or that fails."""
    LEARNED_FRAMES = 8
    """The path is learned after so many frames each time."""
    FIRST_JUDGED = 20
    """So often at first, some 3 s of agent audio, it is still to be found: more is waited for."""
    ON, OFF = 0.15, 0.08
    """From and below which part foretold, on average, the path is taken for one."""
    RISE, FALL = 0.64, 0.0975
    AROUND = 4
    """So many frames more, on both sides of some that fail, are taken to fail as well."""
    MARGIN = 4.0
    """In them only what is so much louder than an echo can be is kept."""
    KNOWN = 0.5
    PAST_WINDOWS = 46
    """So much of what was told, 1.5 s, is looked at again while the path is young or has jumped."""
    PAST_LOOKS = 12
    """So often, some 1.5 s, once the path is known."""
    FAILED, FAILURES = -0.2, 2
    """A path is begun anew that made it worse so often by so much."""
    NOISE_RISE = 1.005
    NOISE_BIAS = 1.5
    """The least of a smoothed power is that much below its mean."""
    HOLD = 24.0
    """What is this often the usual remainder is taken for the remainder."""
    FAINT = 0.02
    """A frame's remainder this faint against the echo is the echo's."""
    TAIL = 0.6
    """Reverberation that the path does not know falls this much a frame."""

    def __init__(self) -> None:
        """Begin both tracks at sample 0."""
        self._user, self._agent = TrackPiece(), TrackPiece()
        self._loud = bytearray()
        self._told = 0
        self._batched = -1
        self._finder, self._path = DelayFinder(), EchoPath()
        self._learned = 0
        self._judged = 0
        self._failures = 0
        self._foretold = 0.0
        self._lost: set[int] = set()
        """Frames where the tracks do not belong together as they did."""
        self._is_echoing = False
        self._looks_back = self.PAST_LOOKS
        self._past: Past | None = None
        self._noise = _NoiseFloor()
        self._rest = 0.1
        self._tail: Floats = np.zeros(BANDS, np.float32)
        self._taken: dict[int, Floats] = {}
        self._figures: dict[int, EchoFigures] = {}

    @property
    def position(self) -> int:
        """Samples of the user track that were given back."""
        return self._told * WINDOW_SAMPLES

    def feed(self, user: Samples, agent: Samples) -> list[TracedWindow]:
        """Take the next samples of both tracks, any number of each; return what is certain now."""
        self._user.append(user)
        self._agent.append(agent)
        for window in range(len(self._loud), self._agent.stop // WINDOW_SAMPLES):
            samples = self._agent.cut(window * WINDOW_SAMPLES, (window + 1) * WINDOW_SAMPLES)
            self._loud.append(bool((np.abs(samples) >= AUDIBLE).any()))
        windows = list(self._windows())
        for track in (self._user, self._agent):
            track.drop(self.position - self.KEPT_SAMPLES)
        return windows

    def finish(self) -> list[TracedWindow]:
        """Return the whole windows that are left: both tracks have ended."""
        whole = min(self._user.stop, self._agent.stop) // WINDOW_SAMPLES - self._told
        ahead = np.zeros((2 * BATCH + self.FIRST_LOOK_AHEAD) * HOP, np.int16)
        return self.feed(ahead, ahead)[:whole]

    def _windows(self) -> Iterator[TracedWindow]:
        known = min(self._user.stop, self._agent.stop)
        while (self._told + 1) * WINDOW_SAMPLES <= known:
            window = self._told
            batch = window // _WINDOWS
            if self._is_covered(window) and self._batched < batch:
                if known < HOP * (BATCH * (batch + 1) + self._look_ahead):
                    return
                self._work(batch)
                self._batched = batch
            if window % BATCH == BATCH - 1:  # a few at a time cost less
                self._noise.hear(self._user, 2 * window + 2)
            self._told += 1
            yield self._window(window)

    @property
    def _look_ahead(self) -> int:
        return self.FIRST_LOOK_AHEAD if self._judged < self.FIRST_JUDGED else self.LOOK_AHEAD

    def _is_covered(self, window: int) -> bool:
        """Whether the agent's voice may be in the window."""
        return 1 in self._loud[max(window - self.REACH_WINDOWS, 0) : window + 1]

    def _window(self, window: int) -> TracedWindow:
        start = window * WINDOW_SAMPLES
        raw = self._user.cut(start, start + WINDOW_SAMPLES)
        past, self._past = self._past, None
        frames = [frame for frame in range(2 * window, 2 * window + 3) if frame in self._taken]
        if not frames:
            return TracedWindow(raw, raw, None, past)
        taken = np.zeros(WINDOW_SAMPLES + 2 * HOP, np.float32)
        for frame in frames:
            at = HOP * frame - start
            taken[at : at + FRAME] += self._taken[frame]
        for frame in [frame for frame in self._taken if frame < 2 * window + 2]:
            del self._taken[frame]
        own = round_to_samples(raw - taken[HOP:-HOP])
        return TracedWindow(raw, own, self._figures.pop(2 * window + 1, None), past)

    # -- learning ------------------------------------------------------------------------------

    def _work(self, batch: int) -> None:
        """Learn as far as is known, and take the echo out of the batch's frames."""
        first = BATCH * batch + 1
        stop = first + BATCH
        self._noise.hear(self._user, stop - 1)
        # half a step before the batch: so its end is as far behind the step's as can be
        self._learned = max(self._learned, first - self.LEARNED_FRAMES // 2)
        # an echo may seem to come before its sound: what it comes from must be there in any case
        head = stop + self._look_ahead - 4
        step = self.LEARNED_FRAMES
        while self._learned + step <= head:
            self._learn(self._learned, self._learned + step)
            self._learned += step
        if self._is_echoing:
            self._take_out(first, stop)
            if self._looks_back and self._foretold > self.KNOWN:
                self._looks_back -= 1
                # it costs what taking out does: every second time is enough
                self._past = self._look_back(batch) if self._looks_back % 2 else None

    def _learn(self, first: int, stop: int) -> None:
        noise = self._noise.power
        jumped = self._finder.compare(self._user, self._agent, first, stop)
        if not self._finder.is_found:
            self._judged += self._might_tell(first, stop)
            return
        # a path that is known stays the same one wherever the tracks jump to
        is_anew = self._failures >= self.FAILURES or (jumped and self._foretold < self.KNOWN)
        if is_anew:
            self._path.begin()
            self._failures = 0
            first = max(first - self.HISTORY, self._user.start // HOP + 1, 1)
        sources = self._path.sources(self._agent, self._finder, first, stop)
        told = self._path.look(sources, self._user.spectra(first, stop), noise)
        if told is not None and told < self.ON:
            told = self._path.recall(told)
        if told is not None and told < self.FAILED:
            self._lost.update(range(first - self.AROUND, stop + self.AROUND))
        if is_anew or (jumped and told is not None and told < self.ON):
            self._looks_back = self.PAST_LOOKS
        if not self._fails(told):
            self._path.learn()
        if told is not None and not is_anew:
            self._judge(told)

    def _might_tell(self, first: int, stop: int) -> bool:
        """Whether an echo, if there is one, would be in these frames: the agent was audible."""
        windows = slice(max(HOP * (first - 1), 0) // WINDOW_SAMPLES, HOP * stop // WINDOW_SAMPLES)
        return self._judged < self.FIRST_JUDGED and 1 in self._loud[windows]

    def _judge(self, told: float) -> None:
        """Note how much of some frames was foretold."""
        self._judged += 1
        rate = self.RISE if told > self._foretold else self.FALL
        self._foretold += rate * (max(told, -0.5) - self._foretold)
        if told > self.KNOWN and self._foretold > self.KNOWN:
            self._path.keep()
            self._finder.confirm()
        self._is_echoing = self._foretold > (self.OFF if self._is_echoing else self.ON)

    def _fails(self, told: float | None) -> bool:
        """Whether what was learned is better left as it is: the tracks do not belong together."""
        if told is not None and told < self.FAILED:
            self._failures += 1
            return self._foretold > self.KNOWN
        if told is not None and told > self.ON:
            self._failures = 0
        return False

    # -- looking back --------------------------------------------------------------------------

    def _look_back(self, batch: int) -> Past | None:
        """Return what the path makes of the windows before a batch; None before it is known.

        The delay may have been another in them: only what is louder than an echo can be from
        anywhere near is left of them.
        """
        stop = batch * _WINDOWS
        first = max(stop - self.PAST_WINDOWS, self._user.start // WINDOW_SAMPLES + 1)
        if first >= stop:  # an echo that is known from the first frames on
            return None
        begin = 2 * first + 1
        heard = self._user.spectra(begin, 2 * stop)[::2]
        sources = self._path.sources(self._agent, self._finder, begin, 2 * stop)[:, ::2]
        loudest = self._path.loudest(sources)
        if loudest is None:
            return None
        echo, said = self._path.foretell(sources), power(sources[:, :, 1]).T
        most = np.float32(self.MARGIN) * (loudest + self._noise.power)
        left = np.maximum(power(heard) - most, 0).sum(axis=1)
        return Past(first, _figures_of(self._finder.delay, heard, echo, said), left.tolist())

    # -- taking out ----------------------------------------------------------------------------

    def _take_out(self, first: int, stop: int) -> None:
        heard = self._user.spectra(first, stop)
        sources = self._path.sources(self._agent, self._finder, first, stop)
        echo = self._path.foretell(sources)
        noise = self._noise.power
        lost = self._lost_among(first, stop)
        loudest = self._path.loudest(sources) if lost.any() else None
        if loudest is not None:
            echo[lost] = 0
        left = heard - echo
        foretold = smooth(power(echo))
        part = self._part_kept(self._reverberate(foretold), power(left), noise)
        if loudest is not None:
            over = np.float32(self.MARGIN) * loudest / (power(left) + np.float32(1e-3))
            part[lost] = smooth(np.clip(1 - over, 0, 1))[lost]
            foretold[lost] = loudest[lost]
        # as much noise as was held down, where there was anything to hold down
        covered = np.minimum(np.sqrt(foretold / (noise + np.float32(1e-3))) * 2, 1)
        fill = np.sqrt(noise * (1 - part**2)) * covered * _PHASES[np.arange(first, stop) % _TURNS]
        taken = np.fft.irfft(heard - (part * left + fill), FRAME).astype(np.float32) * TAPER
        for index, frame in enumerate(range(first, stop)):
            if self._may_change(frame):
                self._taken[frame] = taken[index]
        # odd frames, of which a batch's first is one, lie on a window exactly
        said = power(sources[:, ::2, 1]).T
        figures = _figures_of(self._finder.delay, heard[::2], echo[::2], said)
        for frame, of in zip(range(first, stop, 2), figures, strict=True):
            if self._may_change(frame):
                self._figures[frame] = of

    def _lost_among(self, first: int, stop: int) -> NDArray[np.bool_]:
        lost = np.array([frame in self._lost for frame in range(first, stop)])
        self._lost = {frame for frame in self._lost if frame >= first}
        return lost

    def _may_change(self, frame: int) -> bool:
        """Whether none of the windows that a frame reaches into is told, or free of the agent."""
        before, behind = (HOP * (frame - 1)) // WINDOW_SAMPLES, (HOP * frame) // WINDOW_SAMPLES
        is_covered = self._is_covered(before) and self._is_covered(behind)
        return before >= self._told and is_covered

    def _reverberate(self, foretold: Floats) -> Floats:
        """Return what may be heard of the echo, beyond what the path knows of it."""
        reached = np.empty_like(foretold)
        for index, frame in enumerate(foretold):
            self._tail = reached[index] = np.maximum(frame, np.float32(self.TAIL) * self._tail)
        return reached

    def _part_kept(self, echo: Floats, left: Floats, noise: Floats) -> Floats:
        """Return which part of what the path leaves is not the echo's: 0 to 1 for each band."""
        strong = echo[:, VOICE] > 4 * noise[VOICE]
        if np.count_nonzero(strong) > 0.05 * strong.size:
            usual = _median(left[:, VOICE][strong] / echo[:, VOICE][strong])
            usual = min(max(usual, 0.003), 0.5)
            # what the user says over the agent raises it: it goes up slowly
            self._rest += (0.3 if usual < self._rest else 0.03) * (usual - self._rest)
        rest = np.float32(self.HOLD * self._rest) * echo / (left + np.float32(1e-3))
        part: Floats = smooth(np.clip(1 - rest, 0, 1))
        kept = (part**2 * left).sum(axis=1) / (echo.sum(axis=1) + np.float32(1e-3))
        part *= np.clip(kept / np.float32(self.FAINT) - 1, 0, 1)[:, None]
        return part


def _median(values: Floats) -> float:
    """Return the upper median: numpy's own takes as long as the transforms."""
    middle = len(values) // 2
    return float(np.partition(values, middle)[middle])


def _figures_of(delay: int, heard: Spectra, echo: Spectra, said: Floats) -> list[EchoFigures]:
    """Return the figures of each frame; all are given as (frames, bands)."""
    common = heard.real * echo.real + heard.imag * echo.imag
    parts = (power(heard), power(echo), common, said)
    sums = np.column_stack([part.sum(axis=1) for part in parts])
    return [EchoFigures(delay, *each) for each in sums.tolist()]


class _NoiseFloor:
    """The power of the room's noise in each band: the least of the last seconds."""

    SMOOTHED = 0.8

    def __init__(self) -> None:
        self._heard = 0
        self._smoothed: Floats | None = None
        self._least: Floats = np.ones(BANDS, np.float32)

    @property
    def power(self) -> Floats:
        """The power of it in each band."""
        return self._least * np.float32(EchoTrace.NOISE_BIAS)

    def hear(self, track: TrackPiece, stop: int) -> None:
        """Take the frames before ``stop``."""
        if stop <= self._heard:
            return
        powers = power(track.spectra(self._heard, stop))
        if self._smoothed is None:
            self._smoothed = powers[0] + np.float32(1.0)
            self._least = self._smoothed.copy()
        for frame in np.float32(1 - self.SMOOTHED) * powers:
            self._smoothed *= np.float32(self.SMOOTHED)
            self._smoothed += frame
            lower = np.float32(0.7) * self._least + np.float32(0.3) * self._smoothed
            is_lower = self._smoothed < self._least
            self._least *= np.float32(EchoTrace.NOISE_RISE)
            np.copyto(self._least, lower, where=is_lower)
        self._heard = stop


_TURNS = 64
_PHASES: Spectra = np.exp(2j * np.pi * np.random.default_rng(7).random((_TURNS, BANDS))).astype(
    np.complex64
)
