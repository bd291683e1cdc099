"""What the lanes tell of a place when the pointer rests on it. No Qt but its points."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import QPoint

from ui.lane_geometry import GUTTER, RULER, LaneGeometry
from ui.scene import Scene
from ui.time_axis import clock_text, span_text

NEAR_PX = 8
ON_THE_RULER = (
    "Session time. Drag it to move, turn the wheel to zoom at the pointer.\n"
    "In the lanes: a click sets the playhead, dragging selects, Shift and dragging moves."
)
ON_THE_SCALE = (
    "Level against full scale in dBFS; 0 is clipping.\n"
    "The wheel here, or Alt and the wheel in the lanes, raises what is quiet; D switches to dB."
)


def tip_at(place: QPoint, geometry: LaneGeometry, scene: Scene) -> str:
    """Return what there is to say of ``place``, as text that holds no markup; empty for nothing."""
    if place.x() < GUTTER:
        return ON_THE_SCALE if place.y() > RULER else ""
    if place.y() < RULER:
        return ON_THE_RULER
    t = geometry.t(place.x())
    near_s = NEAR_PX * geometry.ratio * geometry.axis.seconds_per_column
    if place.y() < geometry.top:
        return _marker_tip(t, near_s, scene)
    for mark in scene.marks:
        if abs(mark.at - t) <= near_s:
            return (
                f"Interruption #{mark.number} at {clock_text(mark.at, 3)}: {mark.text}. "
                "A double click shows it in the table."
            )
    for start, stop in scene.gaps:
        if start <= t <= stop:
            return (
                f"Not recorded: from {clock_text(start, 3)}, for {span_text(stop - start)}. "
                "Silence stands here so that all else keeps its time."
            )
    return ""


def _marker_tip(t: float, near_s: float, scene: Scene) -> str:
    near = [(abs(each.t - t), each) for each in scene.markers if abs(each.t - t) <= near_s]
    under = min(near, key=lambda pair: pair[0])[1] if near else None
    if under is None:
        before = [each for each in scene.markers if each.t <= t]
        under = before[-1] if before else None
    if under is None:
        return ""
    length = f", {span_text(under.stop - under.t)} long" if under.stop is not None else ""
    # A tool tip guesses whether its text is rich; this one never is.
    text = escape(under.text) if under.text else "Marker without a text"
    return f"<span>{text}<br>{clock_text(under.t, 3)}{length}</span>"
