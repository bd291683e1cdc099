"""The library with ten thousand recordings: rebuilt, listed, searched.

``python -m tests.benchmarks.library`` measures all of it. Each recording has four exchanges, some
320 events, words of its own in its transcript, and tracks that take no room on the disk. The window
runs in a process of its own, so that listing includes all that is imported for it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app.library.library import Library
from tests.benchmarks.table import Figure, percentile, spread, to_markdown
from tests.rig.bundles import make_bundle, summary

if TYPE_CHECKING:
    from ui.library.library_panel import LibraryPanel

COUNT = 10_000
PATIENCE_S = 200.0
"""So long the window may take."""
WORDS = (
    "order refund parcel invoice address weather appointment password number balance ticket train "
    "hotel doctor insurance cancel change confirm repeat later tomorrow morning blue seven agent"
)
QUERIES = ("refund", "parcel tomorrow", "sess", '"hotel doctor"', "no", "word-that-nobody-said")


def measure(count: int = COUNT) -> list[Figure]:
    """Return how long it takes to rebuild the index, and to list and search from it."""
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home) / "recordings"
        _make_recordings(folder, count, with_figures=True)
        figures = [
            _measure_rebuild(folder, Path(home), f"library of {count:,} rebuilt", 60),
            *_measure_again(folder, Path(home)),
            *_measure_window(folder, Path(home), count),
        ]
        _take_figures_away(folder)
        name = "the same, every figure worked out of events"
        return [*figures, _measure_rebuild(folder, Path(home), name, 60)]


def _make_recordings(folder: Path, count: int, with_figures: bool) -> None:
    dice, words = random.Random(count), WORDS.split()
    for number in range(count):
        says = [" ".join(dice.choices(words, k=12)) for _ in range(2)]
        facts = {"summary": summary(1, dice.uniform(400, 1500))} if with_figures else {}
        notes = {"title": f"Session {number}", "tags": ["try"]} if number % 3 == 0 else None
        make_bundle(folder, number, user_says=says[0], agent_says=says[1], notes=notes, **facts)


def _take_figures_away(folder: Path) -> None:
    for path in folder.glob("*/session.json"):
        facts = json.loads(path.read_text())
        del facts["summary"]
        path.write_text(json.dumps(facts))


def _measure_rebuild(folder: Path, home: Path, name: str, bar: float) -> Figure:
    library = Library(folder, home / "cache")
    library.index.clear()
    listed_after: list[float] = []
    began, worked = time.perf_counter(), time.process_time()
    library.refresh(lambda progress: listed_after.append(time.perf_counter() - began))
    seconds, worked = time.perf_counter() - began, time.process_time() - worked
    size = library.index.path.stat().st_size / 1e6
    detail = f"{worked:.1f} s of processor, first rows after {listed_after[0]:.2f} s, {size:.0f} MB"
    return Figure(name, seconds, "s", bar, detail=detail)


def _measure_again(folder: Path, home: Path) -> list[Figure]:
    library = Library(folder, home / "cache")
    began = time.perf_counter()
    library.refresh()
    again = time.perf_counter() - began
    began = time.perf_counter()
    library.entries()
    read = time.perf_counter() - began
    times = []
    for query in QUERIES:
        began = time.perf_counter()
        library.search(query)
        times.append(time.perf_counter() - began)
    return [
        Figure("refreshed, nothing new", again, "s"),
        Figure("read from the index", read, "s"),
        Figure("searched, worst", percentile(times, 100), "s", detail=spread(times)),
    ]


def _measure_window(folder: Path, home: Path, count: int) -> list[Figure]:
    """Return what a panel of a new process takes until its table shows all rows."""
    runs = [_run_window(folder, home, count) for _ in range(6)][1:]
    listed = [run["listed_s"] for run in runs]
    return [
        Figure(
            "listed in the window, median",
            percentile(listed, 50),
            "s",
            0.5,
            None,
            "",
            spread(listed),
        ),
        Figure(
            "longest wait of the window meanwhile", max(run["longest_ms"] for run in runs), "ms"
        ),
        Figure(
            "sorted by a click, worst column",
            percentile([run["sorted_ms"] for run in runs], 50),
            "ms",
        ),
        Figure(
            "a step of scrolling, p95", percentile([run["scrolled_ms"] for run in runs], 50), "ms"
        ),
    ]


def _run_window(folder: Path, home: Path, count: int) -> dict[str, float]:
    child = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.library", "--window", str(folder), str(count)],
        env={
            **os.environ,
            "HOME": str(home),
            "XDG_CACHE_HOME": str(home / "xdg"),
            "QT_QPA_PLATFORM": "offscreen",
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if child.returncode:
        raise RuntimeError(f"The window's process failed: {child.stderr[-2000:]}")
    return json.loads(child.stdout.splitlines()[-1])


def show_window(folder: Path, count: int) -> dict[str, float]:
    """Show a panel of ``folder``, and measure until its table shows ``count`` rows."""
    panel = _panel_of(folder)
    began = time.perf_counter()
    panel.show()
    longest = _spin_until(lambda: panel.model.rowCount() >= count)
    panel.table.viewport().repaint()
    listed = time.perf_counter() - began
    longest = max(
        longest,
        _spin_until(lambda: panel.listing is not None and panel.listing.progress is None),
    )
    figures = {
        "listed_s": listed,
        "longest_ms": longest * 1e3,
        "scrolled_ms": percentile(_scroll(panel), 95) * 1e3,
        "sorted_ms": max(_sort(panel)) * 1e3,
    }
    panel.close_jobs()
    return figures


def _panel_of(folder: Path) -> LibraryPanel:
    # the process that measures the rest has no Qt
    from app.__main__ import SWITCH_S
    from app.settings import Settings, SettingsFile
    from ui.app_services import WindowServices
    from ui.application import create_application
    from ui.library.library_panel import LibraryPanel
    from ui.parts.icons import Icons
    from ui.parts.theme import Theme

    sys.setswitchinterval(SWITCH_S)
    path = folder.parent / "settings.json"
    SettingsFile(path).save(Settings(recordings=str(folder)))
    theme = Theme(create_application())
    panel = LibraryPanel(WindowServices(settings_path=path), theme, Icons(theme))
    panel.resize(1280, 700)
    return panel


def _spin_until(is_done: Callable[[], bool]) -> float:
    """Let Qt do what there is to do until ``is_done``; return the longest that took, in s."""
    from PySide6.QtCore import QCoreApplication

    began, longest = time.perf_counter(), 0.0
    while not is_done():
        since = time.perf_counter()
        QCoreApplication.processEvents()
        longest = max(longest, time.perf_counter() - since)
        if time.perf_counter() - began > PATIENCE_S:
            raise SystemExit("The rows did not come.")
    return longest


def _scroll(panel: LibraryPanel) -> list[float]:
    """Scroll from the first row to the last; return what each step took, in s."""
    bar, steps = panel.table.verticalScrollBar(), []
    for step in range(200):
        since = time.perf_counter()
        bar.setValue(bar.maximum() * step // 199)
        panel.table.viewport().repaint()
        steps.append(time.perf_counter() - since)
    return steps


def _sort(panel: LibraryPanel) -> list[float]:
    """Sort by each column; return what each took, in s."""
    from PySide6.QtCore import Qt

    times = []
    for column in range(panel.table.model().columnCount()):
        since = time.perf_counter()
        panel.table.sortByColumn(column, Qt.SortOrder.AscendingOrder)
        times.append(time.perf_counter() - since)
    return times


def main() -> None:
    """Measure, or be the window that is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--window", nargs=2, metavar=("FOLDER", "COUNT"))
    arguments = parser.parse_args()
    if arguments.window:
        folder, count = arguments.window
        print(json.dumps(show_window(Path(folder), int(count))))
    else:
        print(to_markdown(measure(arguments.count)))


if __name__ == "__main__":
    main()
