"""How fast the panels open and scroll with 500 interruptions and 50,000 events.

The real window runs in a process of its own on a virtual screen, with a recording opened.
``python -m tests.benchmarks.panels`` is that process.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.opened_window import OWN, measure_opened, measured_in_a_process, timed
from tests.benchmarks.table import Figure, percentile, spread
from tests.rig.screen import Screen

WIDTH, HEIGHT = 1280, 800
SECONDS = 7000.0
"""An interruption every 14 s: 500 of them, and more than 50,000 events."""
OPEN_S = 0.3
FRAME_MS = 16
Measured = dict[str, list[tuple[float, float]]]
"""Of each thing measured, how long it took each time and how much of that was the window's."""


def measure_panels(times: int = 20, frames: int = 300) -> list[Figure]:
    """Return the worst time to open each panel, and p99 of a frame of scrolling each table."""
    from tests.benchmarks.long_session import write_long_bundle

    with tempfile.TemporaryDirectory() as folder, Screen(WIDTH, HEIGHT) as screen:
        bundle = write_long_bundle(Path(folder) / "2026-11-22_10-15-03_demo", SECONDS)
        measured = measured_in_a_process(
            "tests.benchmarks.panels", bundle, times, frames, screen=screen
        )
    size = f"{measured['interruptions']} interruptions, {measured['events']} events"
    figures = []
    for name, pairs in measured["opened"].items():
        seconds, own = zip(*pairs, strict=True)
        detail = f"{size}; {spread(seconds)}; {OWN} worst {max(own):.3g}"
        figures.append(Figure(f"{name}, worst", max(seconds), "s", OPEN_S, detail=detail))
    for name, pairs in measured["scrolled"].items():
        ms, own = ([1e3 * each for each in column] for column in zip(*pairs, strict=True))
        detail = f"{spread(ms)}; {OWN} p99 {percentile(own, 99):.3g}"
        title = f"frame of scrolling {name}, p99"
        figures.append(Figure(title, percentile(ms, 99), "ms", FRAME_MS, detail=detail))
    return figures


# -- the window's own process ------------------------------------------------------------------


def _measure(window: object, times: int, frames: int) -> dict[str, object]:
    viewed = window.viewing.viewed
    return {
        "events": viewed.timeline.appended,
        "interruptions": len(viewed.turns.interruptions),
        "opened": opened(window, times),
        "scrolled": scrolled(window, frames),
    }


def _timed(window: object, act: Callable[[], object]) -> tuple[float, float]:
    from PySide6.QtCore import QCoreApplication

    return timed(act, lambda: (window.frame_clock.tick(), QCoreApplication.processEvents()))


def opened(window: object, times: int) -> Measured:
    """Return how long each panel took to come to the front, and what fills them."""
    docks = {dock.objectName(): dock for dock in window.parts.docks}
    found: Measured = {}
    for name in ("interruptions", "turns", "events", "inspector"):
        other = docks["transcript" if name == "inspector" else "page"]
        for _ in range(times):
            _timed(window, lambda other=other: (other.show(), other.raise_()))
            seconds = _timed(window, lambda dock=docks[name]: (dock.show(), dock.raise_()))
            found.setdefault(f"{name} to the front", []).append(seconds)
    panel, turns = window.parts.interruptions, window.viewing.turns
    _timed(window, lambda: (docks["interruptions"].show(), docks["interruptions"].raise_()))
    for number in range(times):
        _timed(window, lambda: panel.show_interruptions([], []))
        seconds = _timed(
            window, lambda: panel.show_interruptions(turns.interruptions, turns.overlaps)
        )
        found.setdefault("table of interruptions filled", []).append(seconds)
        seconds = _timed(window, lambda number=number: panel.select(1 + 20 * number))
        found.setdefault("interruption opened in the inspector", []).append(seconds)
    for kind in ("trouble", "") * times:
        at = panel.kind.findData(kind)
        seconds = _timed(window, lambda at=at: panel.kind.setCurrentIndex(at))
        found.setdefault("interruptions filtered", []).append(seconds)
    return found


def scrolled(window: object, frames: int) -> Measured:
    """Return what a frame takes while a table scrolls from end to end, by rows and pages."""
    from PySide6.QtCore import QCoreApplication

    docks = {dock.objectName(): dock for dock in window.parts.docks}
    found: Measured = {}
    for name in ("interruptions", "turns", "events"):
        docks[name].show()
        docks[name].raise_()
        QCoreApplication.processEvents()
        bar = docks[name].widget().table.verticalScrollBar()
        for frame in range(frames):
            step = 1 if frame % 2 else max(bar.maximum() // frames * 2, 1)
            value = (bar.value() + step) % (bar.maximum() + 1)
            seconds = _timed(window, lambda bar=bar, value=value: bar.setValue(value))
            found.setdefault(f"the {name}", []).append(seconds)
    return found


if __name__ == "__main__":
    bundle, times, frames = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    measure_opened(bundle, (WIDTH, HEIGHT), lambda window: _measure(window, times, frames))
