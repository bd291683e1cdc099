"""User and agent of a recording together, to be heard. One thread at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.recordings.sources import Sources
from audio.pcm import Samples, silence


def mix(
    sources: Sources, start: int, stop: int, *, user: bool = True, agent: bool = True
) -> Samples:
    """Return samples ``[start, stop)`` of both parties together, or of one; too loud is clipped.

    One party alone is bit for bit what its track holds.
    """
    wanted = [track for track, heard in ((sources.user, user), (sources.agent, agent)) if heard]
    parts = [track.read(start, stop) for track in wanted if track is not None]
    if not parts:
        return silence(stop - start)
    return parts[0] if len(parts) == 1 else _sum(parts)


def _sum(parts: Sequence[Samples]) -> Samples:
    total = np.sum(parts, axis=0, dtype=np.int32)
    mixed: Samples = np.clip(total, -32768, 32767).astype(np.int16)
    return mixed
