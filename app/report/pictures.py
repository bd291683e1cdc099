"""Pictures as SVG of interruptions, and of times at which both spoke.

Both waveforms, what is marked on them, and below them the chain of an interruption.

Pure but for reading samples. Colours are classes: the page that holds it says what they are.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import accumulate
from math import ceil, inf, log10
from operator import itemgetter
from typing import Generic, TypeVar

import numpy as np

from app.analysis.chain import Part, parts_of
from app.analysis.turn_records import AudioSpan, Interruption, Overlap, Turn
from app.analysis.viewed import TurnView
from app.recordings.sources import SampleSource, Sources
from app.report.text import clock
from audio.errors import FileError
from audio.pcm import SAMPLE_RATE, Samples, seconds_to_samples

WIDTH, LEFT, RIGHT = 960, 96, 8
LANE, GAP = 64, 18
"""Heights: of a lane, and of what is between two of them; in the picture's own units."""
ROW = 18
COLUMNS = 428
"""Of two units each: what is drawn between ``LEFT`` and ``RIGHT``."""
STEP = 2
BEFORE_S, AFTER_S = 0.4, 0.8
LEAST_S, MOST_S = 2.0, 8.0
QUIET = 0.02
"""A lane is magnified so that its peak fills it, but no quieter peak than this one."""
FULL_SCALE = 32768


@dataclass(frozen=True, slots=True)
class Window:
    """Session seconds ``[start, stop)`` that a picture shows."""

    start: float
    stop: float

    def x(self, t: float) -> float:
        """Return where ``t`` is, kept inside."""
        share = (min(max(t, self.start), self.stop) - self.start) / (self.stop - self.start)
        return round(LEFT + share * COLUMNS * STEP, 1)


def window_of(start: float, stop: float) -> Window:
    """Return what is to be seen of ``[start, stop]``: it, and a little before and after."""
    begin = max(start - BEFORE_S, stop + AFTER_S - MOST_S, 0.0)
    return Window(begin, max(stop + AFTER_S, begin + LEAST_S))


@dataclass(frozen=True, slots=True)
class Marked:
    """What a picture is of, and what stands out in it: a band, moments by name, a chain."""

    title: str
    band: tuple[float, float]
    moments: tuple[tuple[float, str], ...]
    parts: tuple[Part, ...] = ()
    lost_from: float = inf
    """What was discarded is drawn where it would have been heard after this."""


def mark_cut(cut: Interruption, title: str) -> Marked:
    """Return an interruption as it is drawn: from its onset to silence."""
    start = cut.at if cut.user_onset is None else min(cut.user_onset, cut.at)
    stop = cut.at if cut.silent_at is None else max(cut.silent_at, cut.at)
    named = ((cut.user_onset, "onset"), (cut.at, "interrupt"), (cut.silent_at, "silence"))
    moments = tuple((t, name) for t, name in named if t is not None)
    parts = parts_of(cut)[:5]
    known = tuple(part for part in parts if part.start is not None or part.stop is not None)
    return Marked(title, (start, stop), moments, known, cut.at)


def mark_overlap(overlap: Overlap, title: str) -> Marked:
    """Return a time at which both spoke as it is drawn."""
    stop = overlap.start if overlap.stop is None else overlap.stop
    return Marked(title, (overlap.start, stop), ((overlap.onset, "onset"),))


T = TypeVar("T", Turn, AudioSpan)


class ByTime(Generic[T]):
    """What lies on the session clock, found by time: of a long session a picture shows little."""

    def __init__(self, items: Iterable[tuple[float, float, T]]) -> None:
        """Hold items, each with its start and stop in session seconds."""
        ordered = sorted(items, key=itemgetter(0))
        self._items: list[T] = [item for _, _, item in ordered]
        self._starts = [start for start, _, _ in ordered]
        self._reached = list(accumulate((stop for _, stop, _ in ordered), max))

    def within(self, window: Window) -> list[T]:
        """Return those that may touch ``window``, in the order of their starts."""
        first = bisect_right(self._reached, window.start)
        return self._items[first : bisect_left(self._starts, window.stop)]


class Drawing:
    """Draws pictures of one session."""

    def __init__(self, view: TurnView, sources: Sources) -> None:
        """Begin with what the session holds; samples are read as pictures need them."""
        self.user, self.agent = _turns_by_time(view.user_turns), _turns_by_time(view.agent_turns)
        self.lost = ByTime((span.at, span.until, span) for span in view.spans if _is_lost(span))
        self.sources = sources

    def draw(self, marked: Marked) -> str:
        """Return the picture of what is marked; tracks that cannot be read are flat."""
        return _draw(marked, self)


def _turns_by_time(turns: list[Turn]) -> ByTime[Turn]:
    return ByTime((turn.start, inf if turn.stop is None else turn.stop, turn) for turn in turns)


def _is_lost(span: AudioSpan) -> bool:
    return span.kind == "discarded"


def _draw(marked: Marked, of: Drawing) -> str:
    window, sources = window_of(*marked.band), of.sources
    parts = marked.parts
    top = LANE + GAP
    bottom = 2 * LANE + GAP
    height = bottom + 24 + ROW * len(parts) + 6
    pieces = [
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" xmlns="http://www.w3.org/2000/svg">',
        f"<title>{escape(marked.title)}</title>",
        *_ground(window, bottom),
        *_band(marked.band, window, bottom),
        *_turns(of.user.within(window), window, LANE, "user"),
        *_turns(of.agent.within(window), window, bottom, "agent"),
        *_lane(sources.user, window, 0, "user", "User"),
        *_lane(sources.agent, window, top, "agent", "Agent"),
        *_ghosts(of.lost.within(window), marked.lost_from, sources.received, window, top),
        *_moments(marked, window, bottom),
        *_chain(parts, window, bottom + 24),
        "</svg>",
    ]
    return "".join(pieces)


# -- what is behind the waves ------------------------------------------------------------------


def _ground(window: Window, bottom: int) -> Iterator[str]:
    for top in (0, LANE + GAP):
        yield f'<rect class="lane" x="{LEFT}" y="{top}" width="{COLUMNS * STEP}" height="{LANE}"/>'
    step = 0.5 if window.stop - window.start <= 4 else 1.0
    t = ceil(window.start / step) * step
    while t < window.stop:
        x = window.x(t)
        yield f'<path class="tick" d="M{x} 0V{bottom}"/>'
        if x < WIDTH - 56:
            yield f'<text class="small" x="{x + 3}" y="{bottom + 14}">{clock(t)}</text>'
        t += step


def _band(band: tuple[float, float], window: Window, bottom: int) -> Iterator[str]:
    left, right = window.x(band[0]), window.x(band[1])
    width = round(max(right - left, 1), 1)
    yield f'<rect class="band" x="{left}" y="0" width="{width}" height="{bottom}"/>'


def _turns(turns: list[Turn], window: Window, y: int, who: str) -> Iterator[str]:
    for turn in turns:
        stop = window.stop if turn.stop is None else turn.stop
        if turn.start < window.stop and stop > window.start:
            left, right = window.x(turn.start), window.x(stop)
            width = round(max(right - left, 1), 1)
            yield f'<rect class="{who}" x="{left}" y="{y}" width="{width}" height="4"/>'


# -- waves -------------------------------------------------------------------------------------


def _lane(
    source: SampleSource | None, window: Window, top: int, who: str, name: str
) -> Iterator[str]:
    yield f'<text class="name" x="0" y="{top + 20}">{escape(name)}</text>'
    samples = _read(source, window.start, window.stop)
    if samples is None:
        yield f'<text class="small" x="0" y="{top + 38}">no audio</text>'
        return
    lows, highs = _extremes(samples, COLUMNS)
    peak = max(float(np.abs(lows).max()), float(highs.max())) / FULL_SCALE
    level = f"{20 * log10(peak):.0f} dBFS".replace("-", "−") if peak > 0 else "silence"
    yield f'<text class="small" x="0" y="{top + 38}">{level}</text>'
    scale = (LANE / 2 - 2) / (max(peak, QUIET) * FULL_SCALE)
    yield f'<path class="{who}" d="{_outline(lows, highs, scale, LEFT, top + LANE // 2)}"/>'


def _ghosts(
    lost: list[AudioSpan],
    lost_from: float,
    received: SampleSource | None,
    window: Window,
    top: int,
) -> Iterator[str]:
    """Draw what was thrown away where it would have been heard."""
    for span in lost:
        if span.until > lost_from:
            yield from _ghost(span, received, window, top)


def _ghost(
    span: AudioSpan, received: SampleSource | None, window: Window, top: int
) -> Iterator[str]:
    left, right = window.x(span.at), window.x(span.until)
    columns = int((right - left) / STEP)
    if columns < 2:
        return
    yield (
        f'<rect class="ghost" x="{left}" y="{top}" width="{round(right - left, 1)}" '
        f'height="{LANE}"/>'
    )
    begin = span.start / SAMPLE_RATE + max(window.start - span.at, 0.0)
    samples = _read(received, begin, begin + (right - left) / (COLUMNS * STEP) * _length(window))
    if samples is None:
        return
    lows, highs = _extremes(samples, columns)
    peak = max(float(np.abs(lows).max()), float(highs.max()), QUIET * FULL_SCALE)
    outline = _outline(lows, highs, (LANE / 2 - 2) / peak, round(left), top + LANE // 2)
    yield f'<path class="lost" d="{outline}"/>'


def _length(window: Window) -> float:
    return window.stop - window.start


def _read(source: SampleSource | None, start: float, stop: float) -> Samples | None:
    if source is None:
        return None
    try:
        samples = source.read(seconds_to_samples(start), seconds_to_samples(stop))
    except FileError:
        return None
    return samples if len(samples) else None


def _extremes(samples: Samples, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the least and the greatest sample of each column, as wide numbers."""
    wide = samples.astype(np.int32)
    edges = np.linspace(0, len(wide), columns + 1).astype(int)[:-1]
    edges = np.minimum(edges, len(wide) - 1)
    return np.minimum.reduceat(wide, edges), np.maximum.reduceat(wide, edges)


def _outline(lows: np.ndarray, highs: np.ndarray, scale: float, left: int, middle: int) -> str:
    """Return a closed path along the upper edge and back along the lower one, in small steps."""
    upper = np.round(-highs * scale).astype(int)
    lower = np.maximum(np.round(-lows * scale).astype(int), upper + 1)
    along = "".join(f"l{STEP} {rise}" for rise in np.diff(upper))
    back = "".join(f"l-{STEP} {rise}" for rise in np.diff(lower[::-1]))
    return f"M{left} {middle + upper[0]}{along}V{middle + lower[-1]}{back}z"


# -- what is marked ----------------------------------------------------------------------------


def _moments(marked: Marked, window: Window, bottom: int) -> Iterator[str]:
    for t, name in marked.moments:
        if window.start <= t <= window.stop:
            yield f'<path class="moment" d="M{window.x(t)} 0V{bottom}"><title>{name}</title></path>'


def _chain(parts: Sequence[Part], window: Window, top: int) -> Iterator[str]:
    for number, part in enumerate(parts):
        y = top + ROW * number
        yield f'<text class="small" x="0" y="{y + 12}">{escape(part.name)}</text>'
        if part.start is None or part.stop is None or part.ms is None:
            yield f'<text class="small" x="{LEFT}" y="{y + 12}">–</text>'
            continue
        left, right = window.x(part.start), window.x(part.stop)
        width = round(max(right - left, 1.5), 1)
        yield (
            f'<rect class="part" x="{left}" y="{y + 3}" width="{width}" height="11">'
            f"<title>{escape(part.definition)}</title></rect>"
        )
        is_right = left + width > WIDTH - 80
        x = left - 5 if is_right else left + width + 5
        anchor = ' text-anchor="end"' if is_right else ""
        yield f'<text class="small" x="{round(x, 1)}" y="{y + 12}"{anchor}>{part.ms:.0f} ms</text>'
