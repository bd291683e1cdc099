"""How much later the same caller is in one session than in another. Pure logic.

Best told by the user's turns, whose onsets are put within a few ms. Where there are none, as in an
audio file, or they have little in common, by the loudness of the two user tracks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.analysis.viewed import PeakView, TurnView
from app.comparison.compare import find_offset, pair_onsets
from audio.pcm import SAMPLE_RATE

COLUMN_S = 0.016
"""The finest that a track tells of without its samples being read."""
LONGEST_S = 2 * 3600.0
"""So much of the tracks is looked at."""
LEAST_LIKENESS = 0.3
"""Of the loudness of both, 1 where they are the same; speech of two callers is around 0.1."""
FLOOR = 33.0
"""Quieter than -60 dBFS is silence."""


def align(
    first: TurnView | None,
    second: TurnView | None,
    tracks: tuple[PeakView, PeakView],
) -> float | None:
    """Return how many seconds later the caller is in the second one; None where nobody can tell."""
    by_turns = None
    if first is not None and second is not None:
        one, other = ([turn.start for turn in view.user_turns] for view in (first, second))
        by_turns = find_offset(one, other)
        if by_turns is not None and _is_plain(one, other, by_turns):
            return by_turns
    by_tracks = find_track_offset(*tracks)
    return by_turns if by_tracks is None else by_tracks


def _is_plain(first: Sequence[float], second: Sequence[float], offset_s: float) -> bool:
    """Whether at least half of the turns, and two of them, speak for the offset."""
    pairs = pair_onsets(first, second, offset_s)
    paired = sum(one is not None and other is not None for one, other in pairs)
    return paired >= max(2, min(len(first), len(second)) / 2)


def find_track_offset(first: PeakView, second: PeakView) -> float | None:
    """Return the offset at which the loudness of two tracks is most alike; None if it never is.

    It is right to within 8 ms.
    """
    one, other = (_loudness(track) for track in (first, second))
    if not (one.any() and other.any()):
        return None
    size = 1 << (len(one) + len(other)).bit_length()
    products = np.fft.irfft(np.conj(np.fft.rfft(one, size)) * np.fft.rfft(other, size), size)
    best = int(np.argmax(products))
    likeness = products[best] / np.sqrt(np.sum(one**2) * np.sum(other**2))
    if likeness < LEAST_LIKENESS:
        return None
    columns = best if best < len(other) else best - size
    return (columns + _between(products, best)) * COLUMN_S


def _loudness(track: PeakView) -> NDArray[np.float64]:
    """Return the loudness of each column in dB above silence, less its mean."""
    columns = int(min(len(track) / SAMPLE_RATE, LONGEST_S) / COLUMN_S)
    if columns < 1:
        return np.zeros(1)
    low, high = track.view(0, columns * COLUMN_S * SAMPLE_RATE, columns)
    height = np.maximum(high.astype(np.float64) - low, 0.0) / 2
    levels = 20 * np.log10(np.maximum(height, FLOOR) / FLOOR)
    return levels - levels.mean() if levels.any() else levels


def _between(products: NDArray[Any], best: int) -> float:
    """Return where between the columns the peak is, by a parabola through three of them."""
    before, at, after = (float(products[(best + step) % len(products)]) for step in (-1, 0, 1))
    bend = before - 2 * at + after
    return 0.0 if bend >= 0 else 0.5 * (before - after) / bend


__all__ = ["align", "find_track_offset"]
