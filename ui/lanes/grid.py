"""What a picture of a waveform is drawn on. No drawing, no Qt."""

from __future__ import annotations

from dataclasses import dataclass


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
