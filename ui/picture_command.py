"""The timeline of a recording, drawn without a window for the command line. Main thread only.

No display is needed: unless there is an application already, Qt draws into memory alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication

from app.export.motif import Look, Motif
from ui.application import create_application
from ui.feed import SessionFeed
from ui.lanes.lanes_view import LanesView
from ui.lanes.scene import Scene
from ui.lanes.time_axis import TimeAxis
from ui.lanes.view_picture import picture_of
from ui.parts.theme import Theme

DETAIL_S = 10.0
"""How long the disk may take for samples that a fine view needs; whole bins are drawn then."""
MOST_TIMES = 4
"""A session that still runs grows while it is drawn."""
PLATFORM = "QT_QPA_PLATFORM"


def draw(motif: Motif, kind: str, look: Look) -> bytes:
    """Return ``motif`` as the content of a ``png`` or ``svg`` file."""
    theme = Theme(_application(), look.theme)
    try:
        with _lanes(motif, look, theme) as lanes:
            return _drawn(lanes, motif, kind)
    finally:
        theme.deleteLater()
        # no event loop runs that would delete what asked for it
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def _drawn(lanes: LanesView, motif: Motif, kind: str) -> bytes:
    """Draw; and draw again where the samples that a fine view asks for came meanwhile."""
    tracks = motif.recording.tracks
    peaks = [track.peaks for track in (tracks.user, tracks.agent, tracks.received)]
    before, drawn = None, b""
    for _ in range(MOST_TIMES):
        now = [each.version for each in peaks]
        if now == before:
            break
        before = now
        lanes.set_scene(_scene(motif))
        drawn = picture_of(lanes, kind, motif.title, sharpness=1)
        for each in peaks:
            if each.detail is not None:
                each.detail.wait(DETAIL_S)
    return drawn


def _application() -> QApplication:
    if QApplication.instance() is not None:
        return create_application()
    before = os.environ.get(PLATFORM)
    os.environ[PLATFORM] = "offscreen"
    try:
        return create_application()
    finally:
        if before is None:
            del os.environ[PLATFORM]
        else:
            os.environ[PLATFORM] = before


@contextmanager
def _lanes(motif: Motif, look: Look, theme: Theme) -> Iterator[LanesView]:
    """Give empty lanes on an axis that shows what is wanted of the recording."""
    axis = TimeAxis()
    lanes = LanesView(axis, theme)
    try:
        lanes.resize(look.width, look.height)
        if motif.stop_s > motif.start_s:
            axis.show(motif.start_s, motif.stop_s)
        yield lanes
    finally:
        lanes.deleteLater()


def _scene(motif: Motif) -> Scene:
    feed = SessionFeed(motif.recording)
    feed.advance()
    scene = feed.scene
    scene.markers, scene.gaps = motif.markers, list(motif.gaps)
    scene.is_mono = motif.recording.is_mono
    if scene.is_mono:
        scene.names = ("Audio", "")
    return scene
