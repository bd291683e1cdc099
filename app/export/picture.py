"""A picture of the timeline, asked of whoever can draw: the app itself knows no screen.

Blocks on the disk until all there is to see is worked out; one thread at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.export.content import Stretch
from app.export.formats import Look
from app.export.progress import Progress
from app.recordings.gaps import Gap, gaps_in
from app.timeline.events import Trouble

if TYPE_CHECKING:
    from app.bundles.notes import Marker
    from app.export.material import Material
    from app.recordings.recording import Recording


@dataclass(frozen=True, slots=True)
class Motif:
    """What is to be drawn: session seconds ``[start_s, stop_s)`` of a recording."""

    recording: Recording
    """All of it is worked out."""
    title: str
    start_s: float
    stop_s: float
    markers: Sequence[Marker]
    gaps: Sequence[Gap]


Draw = Callable[[Motif, str, Look], bytes]
"""Returns a motif as the content of a ``png`` or ``svg`` file."""


def motif_of(material: Material, stretch: Stretch, progress: Progress) -> Motif:
    """Return what a picture of ``stretch`` shows; a whole session ends a little before the edge.

    Raises:
        FileError: the session cannot be read.
        Cancelled: it is not wanted any more.

    """
    recording = material.recording(progress)
    start_s, stop_s = stretch.start, stretch.stop
    if stretch.is_whole:
        start_s, stop_s = 0.0, recording.now() * 1.01
    gaps = gaps_in(recording.timeline.of_type(Trouble))
    markers = material.notes.markers
    return Motif(recording, material.name, start_s, stop_s, markers, gaps)
