"""What the lanes tell of a place when the pointer rests on it. No Qt but its points."""

from __future__ import annotations

from bisect import bisect_right
from textwrap import fill

from PySide6.QtCore import QPoint

from ui.lanes.lane_geometry import GUTTER, RULER, LaneGeometry
from ui.lanes.scene import Both, Mark, Scene, Stretch
from ui.lanes.time_axis import clock_text, span_text
from ui.parts.tips import plain_tip

NEAR_PX = 8
OVERLAPPING = 4
"""How many stretches may lie over each other."""
LINE_CHARS = 72
ON_THE_RULER = (
    "Session time. Drag it to move, turn the wheel to zoom at the pointer.\n"
    "In the lanes: a click sets the playhead, dragging selects, Shift and dragging moves."
)
ON_THE_SCALE = (
    "Level against full scale in dBFS; 0 is clipping.\n"
    "The wheel here, or Alt and the wheel in the lanes, raises what is quiet; D switches to dB."
)
OVERLAPS = {
    "missed": "Missed interruption: the user spoke over the agent, and no interrupt followed",
    "backchannel": "Backchannel: the user spoke shortly over the agent, and no interrupt followed",
    "talked over": "Talked over: the agent began while the user was speaking",
}


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
            return _mark_tip(mark)
    ghost = ghost_at(place, geometry, scene)
    if ghost is not None:
        return (
            f"Discarded: {span_text(ghost.length_s)} of the agent's audio that "
            "an interrupt threw away before it was played. A click lets you listen to it; so does "
            "G with the playhead in it."
        )
    return _stretch_tip(t, scene)


def _stretch_tip(t: float, scene: Scene) -> str:
    for start, stop in scene.gaps:
        if start <= t <= stop:
            return (
                f"Not recorded: from {clock_text(start, 3)}, for {span_text(stop - start)}. "
                "Silence stands here so that all else keeps its time."
            )
    both = overlap_at(t, scene)
    return "" if both is None else _overlap_tip(both, scene.now_s)


def in_lines(tip: str) -> str:
    """Return a tip in lines that are quick to read: a plain one is not broken by itself."""
    if tip.startswith("<"):
        return tip
    return "\n".join(fill(line, LINE_CHARS) for line in tip.split("\n"))


def ghost_at(place: QPoint, geometry: LaneGeometry, scene: Scene) -> Stretch | None:
    """Return the discarded audio that is drawn at ``place``; None where none is."""
    if scene.is_mono or place.x() < GUTTER or not geometry.lane(1).contains(place):
        return None
    t, ghosts = geometry.t(place.x()), scene.discarded
    after = bisect_right(ghosts, t, key=lambda ghost: ghost.at)
    near = ghosts[max(after - OVERLAPPING, 0) : after]
    return next((each for each in reversed(near) if t < each.ends_at), None)


def overlap_at(t: float, scene: Scene) -> Both | None:
    """Return when both spoke, if that was at ``t``."""
    if scene.is_mono:
        return None
    after = bisect_right(scene.overlaps, t, key=lambda each: each.start)
    near = scene.overlaps[max(after - OVERLAPPING, 0) : after]
    return next((each for each in reversed(near) if _holds(each, t, scene.now_s)), None)


def _mark_tip(mark: Mark) -> str:
    kind = f"{mark.kind}, " if mark.kind else ""
    onset = ""
    if mark.onset is not None and mark.silent_at is not None:
        ms = (mark.silent_at - mark.onset) * 1e3
        onset = f" The band begins with the user's speech, {ms:.0f} ms before silence."
    return (
        f"Interruption #{mark.number} at {clock_text(mark.at, 3)}: {kind}{mark.text}.{onset} "
        "A double click opens it."
    )


def _holds(both: Both, t: float, now_s: float) -> bool:
    return both.start <= t < (now_s if both.stop is None else both.stop)


def _overlap_tip(both: Both, now_s: float) -> str:
    length = span_text((now_s if both.stop is None else both.stop) - both.start)
    told = OVERLAPS.get(both.kind, "Both speak at once")
    return f"{told}: both spoke for {length} from {clock_text(both.start, 3)} on."


def _marker_tip(t: float, near_s: float, scene: Scene) -> str:
    near = [(abs(each.t - t), each) for each in scene.markers if abs(each.t - t) <= near_s]
    under = min(near, key=lambda pair: pair[0])[1] if near else None
    if under is None:
        before = [each for each in scene.markers if each.t <= t]
        under = before[-1] if before else None
    if under is None:
        return ""
    length = f", {span_text(under.stop - under.t)} long" if under.stop is not None else ""
    text = under.text or "Marker without a text"
    return plain_tip(f"{text}\n{clock_text(under.t, 3)}{length}")
