"""What a live frame of the window costs, and how long it takes to appear.

The window runs in a process of its own on a virtual screen, with a real session: the demo agent, a
caller from a file, and the virtual speaker. ``python -m tests.benchmarks.window`` is that process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.benchmarks.table import Figure, percentile, spread
from tests.rig.screen import Screen
from tests.rig.sound_card import SoundCard
from tests.rig.speech import say, silence, write_wav

WIDTH, HEIGHT = 1600, 1000
SETTLE_S = 12.0


def measure_frames(card: SoundCard, seconds: float) -> list[Figure]:
    """Return p95 of a live frame in ms beside plain pyqtgraph's, and the frames a second."""
    with tempfile.TemporaryDirectory() as folder, Screen(WIDTH, HEIGHT) as screen:
        caller = write_wav(Path(folder) / "caller.wav", _caller(SETTLE_S + seconds + 5))
        child = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.window", str(caller), folder, str(seconds)],
            env={**os.environ, **card.environment(), **screen.environment(), "HOME": folder},
            capture_output=True,
            text=True,
            timeout=seconds + 90,
            check=False,
        )
    if child.returncode:
        raise RuntimeError(f"The window's process failed: {child.stderr[-2000:]}")
    measured = json.loads(child.stdout.splitlines()[-1])
    ours, plain = measured["frames_ms"], measured["pyqtgraph_ms"]
    return [
        Figure(
            f"live frame at {WIDTH} x {HEIGHT}, p95",
            percentile(ours, 95),
            "ms",
            8,
            percentile(plain, 95),
            "pyqtgraph",
            spread(ours),
        ),
        Figure("frames a second, short of 60", max(60 - measured["rate"], 0.0), "frames", 1.0),
    ]


def _caller(seconds: float) -> np.ndarray:
    cut_in = np.concatenate((silence(4.0), say("Wait, let me say something here."), silence(3.0)))
    return np.concatenate([cut_in] * int(seconds * 16_000 / len(cut_in) + 1))


def measure_startup(runs: int) -> list[Figure]:
    """Return the median time from the command to a window on screen, and of its imports alone."""
    with Screen(WIDTH, HEIGHT) as screen, tempfile.TemporaryDirectory() as home:
        env = {**_with_bytecode(home), **screen.environment(), "HOME": home}
        imports = [_timed_imports(env) for _ in range(runs + 1)][1:]
        shown = [_timed_window(screen, env) for _ in range(runs + 1)][1:]
    return [
        Figure("window on screen, median", percentile(shown, 50), "s", 2.0, detail=spread(shown)),
        Figure("of which importing PySide6", percentile(imports, 50), "s", detail=spread(imports)),
    ]


def _with_bytecode(folder: str) -> dict[str, str]:
    """Return the environment of a person's second start: what was compiled once is kept.

    The first start of each kind, which compiles, is not counted.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(Path(folder) / "bytecode")}


def _timed_imports(env: dict[str, str]) -> float:
    began = time.perf_counter()
    command = "import PySide6.QtCore, PySide6.QtGui, PySide6.QtWidgets, numpy"
    subprocess.run([sys.executable, "-c", command], env=env, check=True)
    return time.perf_counter() - began


def _timed_window(screen: Screen, env: dict[str, str]) -> float:
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "app"], env=env, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    try:
        screen.find_window("Turnscope")
        return time.perf_counter() - began
    finally:
        process.terminate()
        process.wait(20)


# -- the window's own process ------------------------------------------------------------------


def _run_window(caller: str, folder: str, seconds: float) -> None:
    from PySide6.QtCore import QTimer

    from tests.benchmarks.live_window import LiveWindow

    live = LiveWindow(caller, Path(folder) / "recordings")
    result: dict[str, object] = {}

    def measure() -> None:
        live.window.frame_clock.forget()
        QTimer.singleShot(int(seconds * 1000), finish)

    def finish() -> None:
        clock = live.window.frame_clock
        starts = clock.starts_s()
        result["frames_ms"] = clock.durations_ms().tolist()
        result["rate"] = (len(starts) - 1) / (starts[-1] - starts[0])
        live.close()

    QTimer.singleShot(int(SETTLE_S * 1000), measure)
    live.run()
    result["pyqtgraph_ms"] = _plain_pyqtgraph()
    print(json.dumps(result))


def _plain_pyqtgraph(frames: int = 200) -> list[float]:
    """Return the cost of a frame in ms of two scrolling envelopes drawn as its manual shows."""
    import pyqtgraph
    from PySide6.QtWidgets import QApplication

    app = QApplication.instance()
    columns = WIDTH - 200
    view = pyqtgraph.GraphicsLayoutWidget()
    view.resize(WIDTH, HEIGHT)
    curves = []
    for row in range(2):
        plot = view.addPlot(row=row, col=0)
        curves.append(plot.plot(pen="b"))
    view.show()
    noise = np.random.default_rng(1)
    level = noise.integers(0, 12_000, columns + frames).astype(np.float64)
    durations = []
    for frame in range(frames):
        began = time.perf_counter()
        high = level[frame : frame + columns]
        x = np.repeat(np.arange(frame, frame + columns), 2)
        for curve in curves:
            curve.setData(x, np.column_stack((-high, high)).ravel())
        app.processEvents()
        durations.append((time.perf_counter() - began) * 1000)
    view.close()
    return durations[20:]


if __name__ == "__main__":
    _run_window(sys.argv[1], sys.argv[2], float(sys.argv[3]))
