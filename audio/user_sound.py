"""What the user track holds: the user's speech, the agent's own voice, bursts, noise or nothing.

`UserSound` takes both tracks and tells, by sample position, where the user's own speech begins and
ends and where VAD would take the agent's voice for it. What was there just before a moment it
tells on request. All hangs on the samples: live and afterwards it says the same. One thread at a
time.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from itertools import groupby, takewhile
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from audio.echo_trace import EchoFigures, EchoTrace, Past, TracedWindow, sum_of
from audio.pcm import SAMPLE_RATE, Samples, samples_to_ms
from audio.speech_net import WINDOW_SAMPLES, load_net
from audio.vad import SpeechEdge, Vad

SoundKind = Literal["silence", "noise", "burst", "echo", "speech"]

_SILENT_DBFS = -100.0


@dataclass(frozen=True, slots=True)
class EchoStretch:
    """Samples ``[start, stop)`` of the user track are the agent's own voice, and sound as speech.

    It came ``delay_ms`` after its sound, ``level_db`` against that; ``correlation`` says how much
    of its course the agent's track explains, 0 to 1.
    """

    start: int
    stop: int
    delay_ms: float
    level_db: float
    correlation: float
    noticed: int = 0
    """How many samples it took to be certain."""


@dataclass(frozen=True, slots=True)
class SoundMeasured:
    """What samples ``[start, stop)`` of the user track hold, before ``moment``.

    ``noise_dbfs`` is the level around which nothing is heard, ``peak_dbfs`` that of the loudest
    sample. ``burst_ms`` is how much stands out of the noise and is not the agent's voice.
    """

    kind: SoundKind
    start: int
    stop: int
    peak_dbfs: float
    noise_dbfs: float
    burst_ms: float
    correlation: float = 0.0
    echo_delay_ms: float | None = None
    echo_db: float | None = None
    moment: float = 0.0
    """Before which it was, in seconds."""
    noticed: int = 0
    """How many samples it took to be certain."""


Told = SpeechEdge | EchoStretch | SoundMeasured


class SpeechFinder(Protocol):
    """What finds the edges of speech: `Vad`."""

    def feed(self, samples: Samples) -> list[SpeechEdge]:
        """Take the next samples; return the edges that are certain now."""

    def finish(self) -> list[SpeechEdge]:
        """Return the end of speech that goes on where the track ends."""


class UserSound:
    """Listens to the user track beside the agent's, from sample 0 of both."""

    BEFORE_SAMPLES = 3 * SAMPLE_RATE // 2
    """So much before a moment is looked at: a cough reaches the agent and comes back by then."""
    AFTER_SAMPLES = SAMPLE_RATE // 20
    """Speech that begins so soon after a moment may be its cause, put a little late."""
    SETTLE_SAMPLES = SAMPLE_RATE // 4
    """VAD is sure of speech so much later."""
    KEPT_WINDOWS = 5 * SAMPLE_RATE // WINDOW_SAMPLES
    TOGETHER = 256
    """So many windows are judged at a time."""

    def __init__(self, vad: SpeechFinder | None = None) -> None:
        """Begin at sample 0."""
        self._trace = EchoTrace()
        self._vad = vad or Vad()
        self._position = 0
        self._windows: deque[TracedWindow] = deque(maxlen=self.KEPT_WINDOWS)
        self._speech: deque[tuple[int, int | None]] = deque(maxlen=16)
        self._edges: deque[SpeechEdge] = deque()
        self._asked: deque[tuple[int, float]] = deque()
        self._echoes = _EchoFinder(self._speech)
        self._doubt = _Doubt(self._windows)
        self._last_edge = 0
        self._beyond_doubt = -1
        """The latest onset that was held back and told after all."""

    def ask(self, moment: float, since: int = 0) -> None:
        """Have what was before ``moment``, in seconds, told once it is certain.

        Sample 0 is sample ``since`` of the tracks. Moments are to be asked about in their order.
        """
        self._asked.append((round(moment * SAMPLE_RATE) - since, moment))

    def feed(self, user: Samples, agent: Samples) -> list[Told]:
        """Take the next samples of both tracks, any number of each; return what is certain now."""
        return self._listen(self._trace.feed(user, agent))

    def finish(self) -> list[Told]:
        """Return what is still open: the tracks have ended."""
        told = self._listen(self._trace.finish())
        self._edges.extend(self._vad.finish())
        told += self._tell_edges(None)
        told += self._echoes.finish()
        while self._asked:
            told.append(self._before(*self._asked.popleft()))
        return told

    def _listen(self, windows: list[TracedWindow]) -> list[Told]:
        told: list[Told] = []
        for first in range(0, len(windows), self.TOGETHER):
            some = windows[first : first + self.TOGETHER]
            self._edges.extend(self._vad.feed(np.concatenate([window.own for window in some])))
            for window, probability in zip(some, self._echoes.judge(some), strict=True):
                told += self._pass(window, probability)
        return told

    def _pass(self, window: TracedWindow, probability: float) -> list[Told]:
        """Take one window: all that is told hangs on those before it, not on how many came."""
        self._windows.append(window)
        self._position += WINDOW_SAMPLES
        told: list[Told] = [*self._tell_edges(self._position)]
        if window.past is not None:
            told += self._take_back(window.past)
        told += self._echoes.take(window, probability)
        while self._asked and self._position >= self._asked[0][0] + self.SETTLE_SAMPLES:
            told.append(self._before(*self._asked.popleft()))
        return told

    def _take_back(self, past: Past) -> list[Told]:
        """Tell that the latest speech is the agent's voice, if that is known of its beginning now.

        The path was not known yet then, or the delay was another.
        """
        begins, ends = self._speech[-1] if self._speech else (-1, None)
        first = begins // WINDOW_SAMPLES - past.first
        if first < 0 or begins == self._beyond_doubt:
            return []
        stop = -(-(self._position if ends is None else ends) // WINDOW_SAMPLES) - past.first
        figures, left = past.figures[first:stop], sum(past.left[first:stop])
        heard = sum(each.heard for each in figures)
        if len(figures) < _EchoFinder.LEAST_WINDOWS or left >= _Doubt.LEFT * heard:
            return []
        self._speech.pop()
        until = (past.first + first + len(figures)) * WINDOW_SAMPLES
        echo = self._echoes.add(begins, until, figures, self._position)
        if ends is not None:
            return [echo]
        self._doubt.hold(SpeechEdge("onset", begins, self._position), left / heard)
        return [SpeechEdge("end", until, self._position), echo]

    def _tell_edges(self, until: int | None) -> list[SpeechEdge]:
        """Return the edges noticed up to sample ``until`` that are the user's own."""
        place = self._position, self._echoes.heard_until
        told = self._doubt.look(*place)
        self._beyond_doubt = told[0].position if told else self._beyond_doubt
        while self._edges and (until is None or self._edges[0].noticed <= until):
            told += self._doubt.take(self._edges.popleft(), *place)
        return [self._keep(edge) for edge in told]

    def _keep(self, edge: SpeechEdge) -> SpeechEdge:
        """Note an edge that is told, and return it: none lies before the one before it.

        VAD may put one there: it does not know what was held back.
        """
        edge = replace(edge, position=max(edge.position, self._last_edge))
        self._last_edge = edge.position
        if edge.kind == "onset":
            self._speech.append((edge.position, None))
        elif self._speech:
            self._speech[-1] = (self._speech[-1][0], edge.position)
        return edge

    def _before(self, at: int, moment: float) -> SoundMeasured:
        kept = list(self._windows)
        first = self._position // WINDOW_SAMPLES - len(kept)
        start = max(at - self.BEFORE_SAMPLES, first * WINDOW_SAMPLES, 0)
        stop = max(min(at, self._position), start)
        here = slice(start // WINDOW_SAMPLES - first, -(-stop // WINDOW_SAMPLES) - first)
        is_speech = any(
            begins <= at + self.AFTER_SAMPLES and (ends is None or ends >= start)
            for begins, ends in self._speech
        )
        measured = _measure(kept, here, start, stop, is_speech=is_speech)
        return replace(measured, moment=moment, noticed=self._position)


class _Doubt:
    """Holds back what VAD takes for speech while nearly all of it is the agent's voice, taken out.

    In the first words of an agent, and where its sound changes, the path does not know all of the
    echo: what it leaves is short and far below the echo, and sounds as speech. Where the user does
    begin to speak, less than that is taken out.
    """

    LEFT = 0.25
    """So much of the power, at most, is left where it is the agent's voice."""

    def __init__(self, windows: deque[TracedWindow]) -> None:
        self._windows = windows
        self._held: SpeechEdge | None = None
        self._raw = self._own = 0.0
        """Power since the onset that is held, of the track as it is and of what is left."""

    def take(self, edge: SpeechEdge, position: int, heard_until: int) -> list[SpeechEdge]:
        """Take the next edge, at sample ``position``; return what is the user's.

        No speech begins before ``heard_until``: what is there is known to be the agent's voice.
        """
        if edge.kind == "end":
            held, self._held = self._held, None
            return [edge] if held is None else []
        edge = replace(edge, position=max(edge.position, heard_until))
        since = self._since(edge, position)
        self._raw = sum(_power(window.raw) for window in since)
        self._own = sum(_power(window.own) for window in since)
        if not self._raw or self._stands_out(self._raw, self._own):
            return [edge]
        self._held = edge
        return []

    def _since(self, edge: SpeechEdge, position: int) -> list[TracedWindow]:
        """Return the windows from ``edge`` up to sample ``position``, the end of the latest."""
        count = max(-(-(position - edge.position) // WINDOW_SAMPLES), 0)
        return list(self._windows)[len(self._windows) - count :]

    def hold(self, edge: SpeechEdge, part: float) -> None:
        """Hold ``edge`` back, which was told just now: only ``part`` of its power is the user's."""
        self._held = edge
        self._raw = sum(_power(window.raw) for window in self._since(edge, edge.noticed))
        self._own = part * self._raw

    def look(self, position: int, heard_until: int) -> list[SpeechEdge]:
        """Take the latest window; return the onset that turns out to be the user's.

        It is where VAD has it, but where more was known to be the agent's voice meanwhile.
        """
        if self._held is None:
            return []
        self._raw += _power(self._windows[-1].raw)
        self._own += _power(self._windows[-1].own)
        if not self._stands_out(self._raw, self._own):
            return []
        held, self._held = self._held, None
        if heard_until <= held.position:
            return [replace(held, noticed=position)]
        run = takewhile(
            lambda window: self._stands_out(_power(window.raw), _power(window.own)),
            reversed(self._windows),
        )
        began = position - WINDOW_SAMPLES * sum(1 for _ in run)
        return [SpeechEdge("onset", max(began, heard_until), position)]

    @classmethod
    def _stands_out(cls, raw: float, own: float) -> bool:
        return own > cls.LEFT * raw


class _EchoFinder:
    """Finds where the agent's voice is on the user track so that VAD takes it for speech.

    What is speech of the user's own is none of it: that is known some windows later.
    """

    LEAST_PROBABILITY = 0.5
    TAKEN_OUT = 0.25
    """What is left of an echo's power, at most."""
    LEAST_WINDOWS = 2
    SETTLE_WINDOWS = 8
    """VAD is sure of the user's own speech so much later."""
    GAP_WINDOWS = 6
    """A pause of up to 0.2 s is inside."""
    LONGEST_WINDOWS = SAMPLE_RATE // WINDOW_SAMPLES
    """A longer one is told in pieces, while it goes on."""

    def __init__(self, speech: deque[tuple[int, int | None]]) -> None:
        self._speech = speech
        self._net = load_net()
        self._position = 0
        self._waiting: deque[tuple[int, EchoFigures]] = deque()
        self._first = self._last = 0
        self._figures: list[EchoFigures] = []
        self._known_until = 0

    @property
    def heard_until(self) -> int:
        """The sample behind the last that is known to be the agent's voice."""
        return max(self._last * WINDOW_SAMPLES, self._known_until)

    def add(self, start: int, stop: int, figures: list[EchoFigures], noticed: int) -> EchoStretch:
        """Return the stretch of samples ``[start, stop)``, of which it is known only now."""
        self._known_until = max(self._known_until, stop)
        return _stretch(start, stop, figures, noticed)

    def judge(self, windows: list[TracedWindow]) -> list[float]:
        """Return how likely each window holds speech of anybody, 0 where nothing was taken out."""
        probabilities: list[float] = []
        for is_out, group in groupby(windows, lambda window: window.figures is not None):
            some = list(group)
            if not is_out:
                self._net.reset()
                probabilities += [0.0] * len(some)
            else:
                probabilities += self._net.judge(np.stack([window.raw for window in some]))
        return probabilities

    def take(self, window: TracedWindow, probability: float) -> list[EchoStretch]:
        """Take the next window; return the stretch that ends by it."""
        figures = window.figures
        sounds = figures is not None and probability >= self.LEAST_PROBABILITY
        if figures and sounds and _power(window.own) <= self.TAKEN_OUT * _power(window.raw):
            self._waiting.append((self._position, figures))
        self._position += 1
        if not self._waiting and not self._figures:
            return []
        return self._settle(self._position - self.SETTLE_WINDOWS)

    def finish(self) -> list[EchoStretch]:
        """Return the stretch that is open: the tracks have ended."""
        return self._settle(self._position) + self._close()

    def _settle(self, until: int) -> list[EchoStretch]:
        """Take the windows before ``until``: whose they are is certain."""
        told: list[EchoStretch] = []
        while self._waiting and self._waiting[0][0] < until:
            number, figures = self._waiting.popleft()
            is_own = self._is_speech(number)
            if is_own or number - self._last > self.GAP_WINDOWS:
                told += self._close()
            if not is_own:
                self._first = self._first if self._figures else number
                self._figures.append(figures)
                self._last = number + 1
            if self._last - self._first >= self.LONGEST_WINDOWS:
                told += self._close()
        if until - self._last > self.GAP_WINDOWS:
            told += self._close()
        return told

    def _is_speech(self, number: int) -> bool:
        start = number * WINDOW_SAMPLES
        return any(
            begins < start + WINDOW_SAMPLES and (ends is None or ends > start)
            for begins, ends in self._speech
        )

    def _close(self) -> list[EchoStretch]:
        figures, self._figures = self._figures, []
        if len(figures) < self.LEAST_WINDOWS:
            return []
        first, last = self._first * WINDOW_SAMPLES, self._last * WINDOW_SAMPLES
        return [_stretch(first, last, figures, self._position * WINDOW_SAMPLES)]


def _stretch(start: int, stop: int, figures: list[EchoFigures], noticed: int) -> EchoStretch:
    whole = sum_of(figures)
    delay_ms = samples_to_ms(whole.delay)
    return EchoStretch(start, stop, delay_ms, whole.level_db, whole.correlation, noticed)


# -- what a stretch holds -------------------------------------------------------------------------

_HOP = 128
_QUIET_PART = 0.2
_OUT_DB = 9.0
"""What is so far above the noise stands out of it."""
_LEFT_DB, _FAINT_DB = 6.0, 15.0
"""What is so far below the track as it is, or below the loudest of it, may be left of an echo."""
_HEARD_DBFS = -55.0
"""What is below in level is silence."""
_LEAST_MS, _LONGEST_BURST_MS = 24.0, 600.0
_LEAST_CORRELATION = 0.5


def _measure(
    kept: list[TracedWindow], here: slice, start: int, stop: int, *, is_speech: bool
) -> SoundMeasured:
    windows = kept[here]
    if not windows:
        kind: SoundKind = "speech" if is_speech else "silence"
        return SoundMeasured(kind, start, stop, _SILENT_DBFS, _SILENT_DBFS, 0.0)
    raw, own = (np.concatenate([each[which] for each in windows]) for which in (0, 1))
    quiet = _levels(np.concatenate([window.own for window in kept]))
    noise_dbfs = float(np.quantile(quiet, _QUIET_PART))
    figures = [window.figures for window in windows if window.figures is not None]
    echo = sum_of(figures) if figures else None
    is_like = echo is not None and echo.correlation >= _LEAST_CORRELATION
    heard_ms = _out_ms(raw, noise_dbfs)
    burst_ms = _out_ms(own, noise_dbfs, raw if is_like else None)
    is_echo = is_like and heard_ms >= _LEAST_MS and burst_ms <= heard_ms / 2
    told = echo if is_echo else None
    return SoundMeasured(
        _kind(own, burst_ms, is_speech=is_speech, is_echo=is_echo),
        start,
        stop,
        _dbfs(float(np.abs(raw.astype(np.int32)).max())),
        noise_dbfs,
        burst_ms,
        0.0 if echo is None else echo.correlation,
        None if told is None else samples_to_ms(told.delay),
        None if told is None else told.level_db,
    )


def _kind(own: Samples, burst_ms: float, *, is_speech: bool, is_echo: bool) -> SoundKind:
    if is_speech:
        return "speech"
    if is_echo and burst_ms < _LEAST_MS:
        return "echo"
    if _LEAST_MS <= burst_ms <= _LONGEST_BURST_MS:
        return "echo" if is_echo and burst_ms < 2 * _LEAST_MS else "burst"
    if burst_ms > _LONGEST_BURST_MS:
        return "echo" if is_echo else "noise"
    return "noise" if float(np.median(_levels(own))) >= _HEARD_DBFS else "silence"


def _out_ms(samples: Samples, noise_dbfs: float, echoing: Samples | None = None) -> float:
    """Return how much stands out of the noise; of ``echoing`` without its echo, what is no rest."""
    levels = _levels(samples)
    out = levels > max(noise_dbfs + _OUT_DB, _HEARD_DBFS)
    if echoing is not None:
        before = _levels(echoing)
        out &= levels > np.maximum(before - _LEFT_DB, before.max() - _FAINT_DB)
    return float(out.sum()) * samples_to_ms(_HOP)


def _levels(samples: Samples) -> NDArray[np.float64]:
    """Return the level of each 8 ms in dBFS."""
    hops = samples.astype(np.float64).reshape(-1, _HOP) / 32768
    levels: NDArray[np.float64] = 10 * np.log10(np.mean(hops**2, axis=1) + 1e-10)
    return levels


def _power(samples: Samples) -> float:
    return float(np.sum(samples.astype(np.float64) ** 2))


def _dbfs(peak: float) -> float:
    return float(20 * np.log10(max(peak, 0.33) / 32768))
