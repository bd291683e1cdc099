"""What is to be played of a recording, piece by piece, and where each piece is from.

A passage belongs to one thread, which may wait for the disk in it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from app.playing.mixing import mix
from app.recordings.sources import Sources
from audio.pcm import SAMPLE_RATE, Samples, silence
from audio.stretch import Block, Stretch


@dataclass(frozen=True, slots=True)
class Manner:
    """What to play and how: samples ``[start, stop)`` once or in a loop, and who is heard."""

    start: int
    stop: int
    loop: bool = False
    speed: float = 1.0
    user: bool = True
    agent: bool = True


class Span(NamedTuple):
    """``length`` samples for the speaker; the ``n``-th is that of place ``begins + n * pace``."""

    length: int
    begins: float
    pace: float


class Piece(NamedTuple):
    """Samples for the speaker, and the spans that they are made of, in order."""

    samples: Samples
    spans: list[Span]


class _Lap(NamedTuple):
    """From input sample ``position`` on, what is read is the recording from ``source`` on."""

    position: int
    source: int


class Passage:
    """A recording from one sample on, in a given manner. A loop has no end and no seam."""

    READ = SAMPLE_RATE // 10
    """How much is read at a time: 0.1 s."""

    def __init__(self, sources: Sources, manner: Manner, at: int) -> None:
        """Begin at sample ``at``; a loop that lies before it begins anew."""
        self._sources = sources
        self._manner = manner
        self._next = at
        self._position = 0
        self._laps = deque([_Lap(0, at)])
        self._stretch = Stretch(manner.speed)
        self._ended = False
        self._read: Samples = silence(0)
        self._read_from = at

    def next(self) -> Piece | None:
        """Return the next piece, some 12.5 ms; None once all has been returned.

        Raises:
            AudioError: a track cannot be read.

        """
        self._supply()
        if self._stretch.over:
            return None
        block = self._stretch.pull()
        return Piece(block.samples, list(self._trace(block)))

    def _supply(self) -> None:
        while missing := self._stretch.missing:
            samples = self._take(missing)
            if not len(samples):
                self._stretch.end()
                self._ended = True
                return
            self._stretch.push(samples)

    def _take(self, count: int) -> Samples:
        """Return at most ``count`` samples from the present lap; none at the end."""
        manner = self._manner
        if self._next >= manner.stop and manner.loop:
            self._next = manner.start
            self._laps.append(_Lap(self._position, self._next))
        stop = min(self._next + count, manner.stop)
        samples = self._cut(self._next, stop) if stop > self._next else silence(0)
        self._next += len(samples)
        self._position += len(samples)
        return samples

    def _cut(self, start: int, stop: int) -> Samples:
        if not self._read_from <= start <= stop <= self._read_from + len(self._read):
            # not beyond the end of the range: a loop comes back from there
            until = min(max(stop, start + self.READ), self._manner.stop)
            manner = self._manner
            self._read = mix(self._sources, start, until, user=manner.user, agent=manner.agent)
            self._read_from = start
        return self._read[start - self._read_from : stop - self._read_from]

    def _trace(self, block: Block) -> Iterator[Span]:
        """Tell where in the recording ``block`` is from, lap by lap."""
        begins, left, pace = block.begins, len(block.samples), block.pace
        if self._ended and left:
            # the last frames may reach beyond the end, which is no place
            begins = min(begins, self._position)
            pace = min(pace, (self._position - begins) / left)
        while left:
            while len(self._laps) > 1 and self._laps[1].position <= begins:
                self._laps.popleft()
            lap = self._laps[0]
            count = left
            if len(self._laps) > 1 and pace > 0:
                to_next = math.ceil((self._laps[1].position - begins) / pace)
                # at least one, whatever rounding does
                count = min(left, max(to_next, 1))
            yield Span(count, lap.source + begins - lap.position, pace)
            begins += count * pace
            left -= count
