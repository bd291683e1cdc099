"""Waveform envelopes as pictures, made by numpy from two values a column. Main thread only.

A column is rasterised once, when all of its samples are known; a picture that scrolls is shifted
and only its new columns are drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor, QImage

from audio.peaks import BASE_SAMPLES
from ui.lanes.grid import Grid

Bounds = tuple[NDArray[np.int16], NDArray[np.int16]]
View = Callable[[float, float, int], Bounds]
"""``view(start, stop, columns)``: lowest and highest sample of each column, as `PeakPyramid` has
it: where there is no audio the low is above the high."""

FEW_SAMPLES = 64
"""With fewer in a column, neighbours may lie so far apart that the wave would fall to pieces."""


def ramp(colour: QColor) -> NDArray[np.uint32]:
    """Return ``colour`` at 256 opacities, premultiplied, as ARGB32 words."""
    alpha = np.arange(256, dtype=np.uint32) * colour.alpha() // 255
    word = alpha << 24
    for shift, channel in ((16, colour.red()), (8, colour.green()), (0, colour.blue())):
        word |= (alpha * channel // 255) << shift
    return word


def coverage(low: NDArray[np.int16], high: NDArray[np.int16], height: int) -> NDArray[np.uint8]:
    """Return how much of each pixel the envelope covers, 0 to 255, shape ``(height, columns)``.

    Full scale touches the edges; silence is a line one pixel thick; no audio leaves a gap.
    """
    middle = height / 2
    scale = (middle - 1) / 32768
    top = middle - high.astype(np.float32) * scale
    bottom = middle - low.astype(np.float32) * scale
    thin = np.maximum(1 - (bottom - top), 0) / 2
    top, bottom = top - thin, bottom + thin
    # Rows between the first and the last of a column are covered whole: only those two are shaded.
    first, last = np.floor(top).astype(np.int32), np.floor(bottom).astype(np.int32)
    rows = np.arange(height, dtype=np.int32)[:, None]
    shades = ((rows > first) & (rows < last)).view(np.uint8) * np.uint8(255)
    columns = np.arange(len(low))
    within = np.where(first == last, bottom - top, first + 1 - top)
    shades[np.clip(first, 0, height - 1), columns] = within * 255
    below = (last > first) & (last < height)
    shades[last[below], columns[below]] = (bottom - last)[below] * 255
    shades[:, low > high] = 0
    return shades


def joined(low: NDArray[np.int16], high: NDArray[np.int16]) -> Bounds:
    """Return all columns but the first, widened to meet the one before: steep waves stay whole."""
    is_there = low[:-1] <= high[:-1]
    lows = np.where(is_there, np.minimum(low[1:], high[:-1]), low[1:])
    highs = np.where(is_there, np.maximum(high[1:], low[:-1]), high[1:])
    empty = low[1:] > high[1:]
    lows[empty], highs[empty] = low[1:][empty], high[1:][empty]
    return lows, highs


def as_image(words: NDArray[np.uint32], ratio: float) -> QImage:
    """Return a picture that shares ``words``; the caller keeps the array alive."""
    height, width = words.shape
    image = QImage(
        words.data, width, height, words.strides[0], QImage.Format.Format_ARGB32_Premultiplied
    )
    image.setDevicePixelRatio(ratio)
    return image


class LaneImage:
    """The picture of one track for columns ``[first, first + width)`` of the time axis."""

    def __init__(self) -> None:
        """Begin without a picture."""
        self._words: NDArray[np.uint32] = np.zeros((1, 1), np.uint32)
        self._image = as_image(self._words, 1.0)
        self._key: tuple[object, ...] = ()
        self._first = 0
        self._done = 0
        self._ramp = ramp(QColor("black"))

    def update(
        self, view: View, written: int, grid: Grid, colour: QColor, version: int = 0
    ) -> QImage:
        """Bring the picture to ``grid`` and ``written`` samples, and return it.

        Columns past ``written`` stay empty. With another ``version`` all is drawn anew: what the
        view told of before it can tell in more detail now.
        """
        shape = (max(grid.height, 1), max(grid.width, 1))
        key = (view, shape, grid.samples, grid.ratio, colour.rgba(), version)
        if key != self._key:
            self._key = key
            self._restart(shape, grid, colour)
        self._scroll_to(grid.first)
        self._draw_new(view, written, grid.samples)
        return self._image

    def _restart(self, shape: tuple[int, int], grid: Grid, colour: QColor) -> None:
        self._first = self._done = grid.first
        self._ramp = ramp(colour)
        self._words = np.zeros(shape, np.uint32)
        self._image = as_image(self._words, grid.ratio)

    def _scroll_to(self, first: int) -> None:
        shift, width = first - self._first, self._words.shape[1]
        if shift == 0:
            return
        if 0 < shift < width:
            self._words[:, : width - shift] = self._words[:, shift:]
            self._words[:, width - shift :] = 0
            self._done = max(self._done, first)
        else:
            self._words[:] = 0
            self._done = first
        self._first = first

    def _draw_new(self, view: View, written: int, samples: float) -> None:
        begin = max(self._done, self._first)
        end = min(ceil(written / samples), self._first + self._words.shape[1])
        if end <= begin:
            return
        if samples < FEW_SAMPLES:
            low, high = joined(*view((begin - 1) * samples, end * samples, end - begin + 1))
        else:
            low, high = view(begin * samples, end * samples, end - begin)
        shades = coverage(low, high, self._words.shape[0])
        drawn = self._words[:, begin - self._first : end - self._first]
        drawn[:] = np.take(self._ramp, shades)
        # A bin that reaches past the end may yet widen, and with it the column it began in.
        whole = written - max(samples, BASE_SAMPLES)
        self._done = min(max(floor(whole / samples), 0), end)


def hatched(
    low: NDArray[np.int16], high: NDArray[np.int16], height: int, first: int = 0
) -> NDArray[np.uint8]:
    """Return opacities of a ghost: the envelope, hatched, with a rim that keeps its shape.

    ``first`` is the number of the first column: the hatching goes on across pictures.
    """
    filled = coverage(low, high, height)
    columns = (first + np.arange(filled.shape[1])) % STRIPE_COLUMNS
    stripes = _stripes(height)[:, columns]
    ghost = ((filled.astype(np.uint16) * stripes) >> 8).astype(np.uint8)
    return np.maximum(ghost, _rim(filled) // 2)


STRIPE_COLUMNS = 7


@lru_cache(maxsize=4)
def _stripes(height: int) -> NDArray[np.uint16]:
    """Return how much of a ghost each pixel keeps, of 256; the columns repeat."""
    rows, columns = np.ogrid[:height, :STRIPE_COLUMNS]
    is_line = (rows + columns) % STRIPE_COLUMNS < 2
    return np.where(is_line, 218, 26).astype(np.uint16)


def outlined(low: NDArray[np.int16], high: NDArray[np.int16], height: int) -> NDArray[np.uint8]:
    """Return opacities of the envelope's rim, one pixel thick."""
    return _rim(coverage(low, high, height))


def _rim(filled: NDArray[np.uint8]) -> NDArray[np.uint8]:
    solid = filled > 127
    inner = solid.copy()
    inner[1:] &= solid[:-1]
    inner[:-1] &= solid[1:]
    inner[:, 1:] &= solid[:, :-1]
    inner[:, :-1] &= solid[:, 1:]
    return np.where(inner, np.uint8(0), filled)


def picture(shades: NDArray[np.uint8], colour: QColor, ratio: float) -> QImage:
    """Return opacities ``shades`` of ``colour`` as a picture of its own."""
    words = ramp(colour)[shades]
    return as_image(words, ratio).copy()
