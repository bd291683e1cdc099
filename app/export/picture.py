"""A picture of the timeline, asked of whoever can draw: the app itself knows no screen.

Blocks on the disk until all there is to see is worked out; one thread at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.export.content import Stretch
from app.export.motif import Motif
from app.export.progress import Progress
from app.recordings.gaps import gaps_in
from app.timeline.events import Trouble

if TYPE_CHECKING:
    from app.export.material import Material


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
