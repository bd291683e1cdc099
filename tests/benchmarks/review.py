"""What a frame of the review costs: panning and zooming through two hours, at any span.

The real window runs in a process of its own on a virtual screen, with a real recording opened.
``python -m tests.benchmarks.review`` is that process.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from math import exp, log
from pathlib import Path

import numpy as np

from tests.benchmarks.opened_window import OWN, measure_opened, measured_in_a_process, timed
from tests.benchmarks.table import Figure, percentile, spread
from tests.rig.screen import Screen

WIDTH, HEIGHT = 1600, 1000
TWO_HOURS_S = 7200.0
LIMIT_MS = 16


def measure_review(seconds: float = TWO_HOURS_S, frames: int = 600) -> list[Figure]:
    """Return p99 of a frame in ms of each way of moving through `seconds` of a session."""
    from tests.benchmarks.long_session import write_long_bundle

    with tempfile.TemporaryDirectory() as folder, Screen(WIDTH, HEIGHT) as screen:
        bundle = write_long_bundle(Path(folder) / "2026-11-22_10-15-03_demo", seconds)
        measured = measured_in_a_process(
            "tests.benchmarks.review", bundle, frames, screen=screen, timeout_s=frames + 120
        )
    size = f"at {WIDTH} x {HEIGHT}"
    return [
        Figure(
            f"{way} {size}, p99",
            percentile(ms, 99),
            "ms",
            LIMIT_MS,
            detail=f"{spread(ms)}; {OWN} p99 {percentile(own_ms, 99):.3g}",
        )
        for way, (ms, own_ms) in measured.items()
    ]


# -- the window's own process ------------------------------------------------------------------


def _measure(window: object, frames: int) -> dict[str, list[list[float]]]:
    """Move, draw and flush, as the frame clock does it; return times in ms of each way."""
    from PySide6.QtCore import QCoreApplication, QEvent

    def draw() -> None:
        window.frame_clock.tick()
        QCoreApplication.sendPostedEvents(window, QEvent.Type.UpdateRequest)

    result: dict[str, list[list[float]]] = {}
    for name, moves in ways(window.parts.timeline, frames):
        durations = []
        for move in moves:
            durations.append([1e3 * seconds for seconds in timed(move, draw)])
            QCoreApplication.processEvents()
        result[name] = [list(each) for each in zip(*durations[10:], strict=True)]
    return result


def ways(timeline: object, frames: int) -> list[tuple[str, list[Callable[[], None]]]]:
    """Return each way of moving, as one call a frame."""
    axis, end_s = timeline.axis, timeline.scene.duration_s
    random = np.random.default_rng(1)

    def show(start_s: float, span_s: float) -> Callable[[], None]:
        return lambda: (axis.show(start_s, start_s + span_s), timeline._axis_moved())

    def anywhere() -> Callable[[], None]:
        span_s = exp(random.uniform(log(1.0), log(end_s)))
        return show(random.uniform(0, end_s - span_s), span_s)

    def pan() -> None:
        axis.pan(7)
        timeline._axis_moved()

    def zoom(factor: float) -> None:
        axis.zoom(factor, axis.width * 0.4)
        timeline._axis_moved()

    there_and_back = [1.02] * (frames // 2) + [1 / 1.02] * (frames // 2)
    pans = [
        (f"pan, {name} in view", [show(3000.0, span_s), *([pan] * frames)])
        for name, span_s in (("1 s", 1.0), ("20 s", 20.0), ("10 min", 600.0), ("1 h", 3600.0))
    ]
    zooms = [show(0.0, end_s), *(lambda f=f: zoom(f) for f in there_and_back)]
    fine = [show(3000.0, 0.002 * 1.02 ** (n % 300)) for n in range(frames)]
    return [
        ("any span anywhere", [anywhere() for _ in range(frames)]),
        *pans,
        ("zoom from all and back", zooms),
        ("zoom from 2 ms to 0.8 s", fine),
    ]


if __name__ == "__main__":
    measure_opened(sys.argv[1], (WIDTH, HEIGHT), lambda window: _measure(window, int(sys.argv[2])))
