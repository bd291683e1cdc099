"""Waveform envelopes as pictures, made by numpy from two values a column. Main thread only.

A column is rasterised once, when all of its samples are known; a picture that scrolls is shifted
and only its new columns are drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor, QImage

Bounds = tuple[NDArray[np.int16], NDArray[np.int16]]
View = Callable[[float, float, int], Bounds]
"""``view(start, stop, columns)``: lowest and highest sample of each column, as `PeakPyramid` has
it: where there is no audio the low is above the high."""


@dataclass(frozen=True, slots=True)
class Grid:
    """What a picture is drawn on: ``width`` columns from absolute column ``first`` on.

    ``samples`` are in a column, ``height`` is in device pixels, ``ratio`` device pixels to one of
    Qt's.
    """

    first: int
    width: int
    samples: float
    height: int
    ratio: float


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
    rows = np.arange(height, dtype=np.float32)[:, None]
    share = np.minimum(bottom, rows + 1) - np.maximum(top, rows)
    shades = (np.clip(share, 0, 1) * 255).astype(np.uint8)
    shades[:, low > high] = 0
    return shades


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

    def update(self, view: View, written: int, grid: Grid, colour: QColor) -> QImage:
        """Bring the picture to ``grid`` and ``written`` samples, and return it.

        Columns past ``written`` stay empty.
        """
        shape = (max(grid.height, 1), max(grid.width, 1))
        key = (view, shape, grid.samples, grid.ratio, colour.rgba())
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
        low, high = view(begin * samples, end * samples, end - begin)
        shades = coverage(low, high, self._words.shape[0])
        self._words[:, begin - self._first : end - self._first] = self._ramp[shades]
        self._done = min(floor(written / samples), end)


def hatched(
    low: NDArray[np.int16], high: NDArray[np.int16], height: int, first: int = 0
) -> NDArray[np.uint8]:
    """Return opacities of a ghost: the envelope, hatched, with a rim that keeps its shape.

    ``first`` is the number of the first column: the hatching goes on across pictures.
    """
    filled = coverage(low, high, height)
    rows, columns = np.ogrid[:height, first : first + filled.shape[1]]
    stripes = np.where((rows + columns) % 7 < 2, 0.85, 0.10)
    ghost = (filled * stripes).astype(np.uint8)
    return np.maximum(ghost, outlined(low, high, height) // 2)


def outlined(low: NDArray[np.int16], high: NDArray[np.int16], height: int) -> NDArray[np.uint8]:
    """Return opacities of the envelope's rim, one pixel thick."""
    filled = coverage(low, high, height)
    solid = filled > 127
    inner = solid.copy()
    inner[1:] &= solid[:-1]
    inner[:-1] &= solid[1:]
    inner[:, 1:] &= solid[:, :-1]
    inner[:, :-1] &= solid[:, 1:]
    return np.where(inner, 0, filled).astype(np.uint8)


def picture(shades: NDArray[np.uint8], colour: QColor, ratio: float) -> QImage:
    """Return opacities ``shades`` of ``colour`` as a picture of its own."""
    words = ramp(colour)[shades]
    return as_image(words, ratio).copy()
