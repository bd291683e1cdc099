"""Samples of a file in small tiles, fetched for a viewer that does not wait.

The viewer asks and goes on; a thread named ``detail`` fetches, and is there only while something
is to be fetched: there is nothing to close. What was used last is kept, up to a bound.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np

from audio.clock import now
from audio.errors import AudioError
from audio.pcm import Samples
from audio.worker import Worker

log = logging.getLogger(__name__)

TILE_SAMPLES = 65_536
TILES = 40
"""The most that are kept: 2.6 million samples, 5 MB."""
MOST_VIEWED = TILES - 4
"""The most that one view takes up; a wider one shows whole bins."""
AGAIN_S = 0.5
"""A tile that ended too early, for the file grows or failed, is fetched again after this long."""


class SampleReader(Protocol):
    """An open file of samples."""

    def read(self, start: int, stop: int) -> Samples:
        """Return samples ``[start, stop)``, fewer where the file ends; may wait for the disk."""

    def close(self) -> None:
        """Let go of the file."""


class _Tile(NamedTuple):
    samples: Samples
    fetched_at: float

    def is_short_of(self, samples: int) -> bool:
        """Whether it ends before so many samples."""
        return len(self.samples) < samples


class FileDetail:
    """The samples of one track, as `audio.peaks.Detail` wants them. Any thread may ask."""

    def __init__(self, open_file: Callable[[], SampleReader]) -> None:
        """Fetch from what ``open_file`` opens, which is done for each burst of requests."""
        self._open_file = open_file
        # Guards all that follows; held for look-ups only, never while the file is read.
        self._looking = threading.Lock()
        self._tiles: OrderedDict[int, _Tile] = OrderedDict()
        self._wanted: deque[int] = deque(maxlen=TILES)
        self._asked: set[int] = set()
        self._fetcher: Worker | None = None
        self._version = 0

    @property
    def version(self) -> int:
        """Raised when samples that were asked for have come."""
        return self._version

    def samples(self, start: int, stop: int) -> Samples | None:
        """Return samples ``[start, stop)`` if they are here; else None, and have them fetched."""
        numbers = range(start // TILE_SAMPLES, -(-stop // TILE_SAMPLES))
        if len(numbers) > MOST_VIEWED:
            return None
        with self._looking:
            tiles = [self._look_up(number, stop) for number in numbers]
            missing = [number for number, tile in zip(numbers, tiles, strict=True) if tile is None]
            self._want(missing, numbers)
        if missing:
            return None
        parts = [tile.samples for tile in tiles if tile is not None]
        whole = parts[0] if len(parts) == 1 else np.concatenate(parts)
        begin = numbers.start * TILE_SAMPLES
        return whole[start - begin : stop - begin]

    def wait(self, timeout_s: float) -> bool:
        """Wait until all that was asked for has been fetched, as far as it can be; say whether.

        For whoever draws once and not sixty times a second.
        """
        with self._looking:
            fetcher = self._fetcher
        return fetcher is None or fetcher.join(timeout_s)

    def _look_up(self, number: int, stop: int) -> _Tile | None:
        """Return a tile that reaches as far as the view does; with the lock held."""
        tile = self._tiles.get(number)
        if tile is None:
            return None
        self._tiles.move_to_end(number)
        return None if tile.is_short_of(min(stop - number * TILE_SAMPLES, TILE_SAMPLES)) else tile

    def _want(self, missing: list[int], viewed: range) -> None:
        """Have tiles fetched: the missing ones first, then the neighbours; with the lock held."""
        ready = now() - AGAIN_S
        self._asked.update(missing)
        neighbours = [number for number in (viewed.start - 1, viewed.stop) if number >= 0]
        for number in [*neighbours, *reversed(missing)]:
            tile = self._tiles.get(number)
            if tile is None or (number in missing and tile.fetched_at < ready):
                if number in self._wanted:
                    self._wanted.remove(number)
                # what is wanted last is fetched first, and what nobody wants any more not at all
                self._wanted.append(number)
        if self._wanted and self._fetcher is None:
            self._fetcher = Worker("detail", self._fetch)
            self._fetcher.start()

    def _next(self) -> int | None:
        with self._looking:
            if self._wanted:
                return self._wanted.pop()
            self._fetcher = None
            return None

    def _fetch(self, _stopping: threading.Event) -> None:
        file: SampleReader | None = None
        try:
            while (number := self._next()) is not None:
                samples = np.zeros(0, dtype=np.int16)
                try:
                    file = file or self._open_file()
                    samples = file.read(number * TILE_SAMPLES, (number + 1) * TILE_SAMPLES)
                except (OSError, RuntimeError, AudioError) as error:
                    # whole bins are shown, and it is tried again when it is viewed again
                    log.warning("Samples cannot be read for the view: %s", error)
                self._keep(number, samples)
        finally:
            if file is not None:
                file.close()

    def _keep(self, number: int, samples: Samples) -> None:
        with self._looking:
            before = self._tiles.get(number)
            self._tiles[number] = _Tile(samples, now())
            self._tiles.move_to_end(number)
            while len(self._tiles) > TILES:
                self._tiles.popitem(last=False)
            if number in self._asked and (before is None or before.is_short_of(len(samples))):
                self._version += bool(len(samples))
            self._asked.discard(number)
