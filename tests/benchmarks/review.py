"""What a frame of the review costs: panning and zooming through two hours, at any span.

The real window runs in a process of its own on a virtual screen, with a real recording opened.
``python -m tests.benchmarks.review`` is that process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from math import exp, log
from pathlib import Path

import numpy as np

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
        child = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.review", str(bundle), str(frames)],
            env={**os.environ, **screen.environment(), "HOME": folder},
            capture_output=True,
            text=True,
            timeout=frames + 120,
            check=False,
        )
    if child.returncode:
        raise RuntimeError(f"The window's process failed: {child.stderr[-2000:]}")
    measured = json.loads(child.stdout.splitlines()[-1])
    size = f"at {WIDTH} x {HEIGHT}"
    return [
        Figure(
            f"{way} {size}, p99",
            percentile(ms, 99),
            "ms",
            LIMIT_MS,
            detail=f"{spread(ms)}; the main thread's own work p99 {percentile(own_ms, 99):.3g}",
        )
        for way, (ms, own_ms) in measured.items()
    ]


# -- the window's own process ------------------------------------------------------------------


def _run(bundle: str, frames: int) -> None:
    from PySide6.QtCore import QCoreApplication, QEvent, QTimer

    from app.__main__ import SWITCH_S
    from ui.app_services import WindowServices
    from ui.application import create_application
    from ui.main_window import MainWindow
    from ui.parts.theme import Theme

    sys.setswitchinterval(SWITCH_S)  # as the program has it
    app = create_application()
    app.setQuitOnLastWindowClosed(False)
    services = WindowServices(settings_path=Path(bundle).parent / "settings.json")
    window = MainWindow(services, Theme(app))
    window.closed.connect(app.quit)
    window.resize(WIDTH, HEIGHT)
    window.show()
    window.open_path(Path(bundle))
    result: dict[str, list[list[float]]] = {}

    def frame(move: Callable[[], None]) -> tuple[float, float]:
        """Move, draw and flush, as the frame clock does it.

        Returns how long it took in ms, and how long of that the main thread worked: on a machine
        that is busy with other things the rest is theirs.
        """
        began, own = time.perf_counter(), time.thread_time()
        move()
        window.frame_clock.tick()
        QCoreApplication.sendPostedEvents(window, QEvent.Type.UpdateRequest)
        return (time.perf_counter() - began) * 1e3, (time.thread_time() - own) * 1e3

    def measure() -> None:
        for name, moves in ways(window.parts.timeline, frames):
            durations = []
            for move in moves:
                durations.append(frame(move))
                app.processEvents()
            result[name] = [list(each) for each in zip(*durations[10:], strict=True)]
        window.close()

    def wait() -> None:
        ready = window.viewing.viewed is not None and window.viewing.is_settled
        QTimer.singleShot(500 if ready else 50, measure if ready else wait)

    wait()
    app.exec()
    print(json.dumps(result))


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
    _run(sys.argv[1], int(sys.argv[2]))
