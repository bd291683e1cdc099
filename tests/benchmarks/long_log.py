"""How smoothly two hours of events scroll, 150,000 of them, from memory and from the disk.

The real window runs in a process of its own on a virtual screen, with a real recording opened.
``python -m tests.benchmarks.long_log`` is that process.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks.opened_window import OWN, measure_opened, measured_in_a_process, timed
from tests.benchmarks.table import Figure, percentile, spread
from tests.rig.screen import Screen

WIDTH, HEIGHT = 1600, 1000
SECONDS = 7200.0
EVENTS = 150_000
FRAMES = 200
OPEN_LIMIT_MS = 300
FRAME_LIMIT_MS = 1000 / 60


def measure_long_log(seconds: float = SECONDS, events: int = EVENTS) -> list[Figure]:
    """Return how long log and transcript take to open, and p99 of a frame of scrolling."""
    with tempfile.TemporaryDirectory() as folder, Screen(WIDTH, HEIGHT) as screen:
        bundle = write_bundle(Path(folder) / "2026-11-22_10-15-03_demo", seconds, events)
        return [
            figure
            for kept in ("memory", "disk")
            for figure in _figures(
                measured_in_a_process("tests.benchmarks.long_log", bundle, kept, screen=screen),
                kept,
            )
        ]


def write_bundle(folder: Path, seconds: float, events: int) -> Path:
    """Write a bundle with so many events, an interruption every 14 s of them."""
    from tests.benchmarks.long_session import write_long_bundle

    write_long_bundle(folder, seconds)
    path = folder / "events.jsonl"
    lines = path.read_text("utf-8").splitlines()
    more = max(events - len(lines), 0)
    lines += [_score((number + 0.5) * seconds / more, number) for number in range(more)]
    lines.sort(key=lambda line: json.loads(line)["t"])
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return folder


def _score(t: float, number: int) -> str:
    payload = {"vad_score_event": {"vad_score": number % 100 / 100}}
    record = {"t": round(t, 6), "type": "message_received", "kind": "vad_score"}
    return json.dumps({**record, "payload": payload, "event_id": None, "bytes": 0, "dropped": ""})


def _figures(measured: dict[str, Any], kept: str) -> list[Figure]:
    of = f"{measured['events']} events in {kept}"
    found = [
        Figure(
            f"{name} opens, {of}",
            ms,
            "ms",
            OPEN_LIMIT_MS,
            detail=f"{OWN} {own_ms:.3g}",
        )
        for name, (ms, own_ms) in measured["opening"].items()
    ]
    for way, pairs in measured["scrolling"].items():
        ms, own_ms = zip(*pairs, strict=True)
        own = f"{OWN} p99 {percentile(own_ms, 99):.3g}"
        name = f"{way}, {of}, p99 of a frame"
        found.append(
            Figure(name, percentile(ms, 99), "ms", FRAME_LIMIT_MS, detail=f"{spread(ms)}; {own}")
        )
    bar = 0 if kept == "disk" else None
    reads = measured["reads_on_main"]
    return [*found, Figure(f"the main thread reads events, {kept}", reads, "times", bar)]


# -- the window's own process ------------------------------------------------------------------


def _measure(window: Any, reads: list[int]) -> dict[str, Any]:
    reads[0] = 0  # what it takes to open a recording is another benchmark's
    measured = _measured(window)
    return {**measured, "reads_on_main": reads[0]}


def _count_reads(*, on_disk: bool) -> list[int]:
    """Count from now on how often the main thread reads events; keep none in memory if asked."""
    import threading

    import app.recordings.recorded_events as recorded

    if on_disk:
        recorded.KEPT_BYTES = 0
    main, reads, slice_of = threading.get_ident(), [0], recorded.RecordedEvents.slice

    def counted(events: Any, start: int, stop: int) -> list[Any]:
        reads[0] += threading.get_ident() == main
        return slice_of(events, start, stop)

    recorded.RecordedEvents.slice = counted  # type: ignore[method-assign]
    return reads


def _measured(window: Any) -> dict[str, Any]:
    parts, viewing = window.parts, window.viewing
    timeline, turns = viewing.viewed.timeline, viewing.turns
    docks = {dock.objectName(): dock for dock in parts.docks}

    def open_log() -> None:
        parts.events.set_source(timeline)
        docks["events"].raise_()

    def open_chat() -> None:
        parts.transcript.show_turns(turns)
        docks["transcript"].raise_()

    parts.events.clear()
    parts.transcript.look_in(timeline)
    opening = {"the event log": _timed(open_log), "the transcript": _timed(open_chat)}
    scrolling = {}
    for name, view in (("events", parts.events.table), ("transcript", parts.transcript.chat)):
        docks[name].raise_()
        for way, moves in _scrolls(view.verticalScrollBar()).items():
            scrolling[f"{name}, {way}"] = [_timed(move) for move in moves][5:]
    return {"events": timeline.appended, "opening": opening, "scrolling": scrolling}


def _timed(move: Callable[[], object]) -> tuple[float, float]:
    """Move, and draw; return how long it took in ms, and the main thread's own work."""
    from PySide6.QtWidgets import QApplication

    took_s, own_s = timed(move, QApplication.processEvents)
    return took_s * 1e3, own_s * 1e3


def _scrolls(bar: Any) -> dict[str, list[Callable[[], object]]]:
    """Return each way of scrolling, as one call a frame."""

    def by(step: int) -> list[Callable[[], object]]:
        return [lambda: bar.setValue((bar.value() + step) % max(bar.maximum(), 1))] * FRAMES

    dragged = [lambda n=n: bar.setValue(bar.maximum() * n // FRAMES) for n in range(FRAMES)]
    return {
        "the wheel": by(3 * bar.singleStep()),
        "page by page": by(bar.pageStep()),
        "the bar dragged from end to end": dragged,
    }


if __name__ == "__main__":
    counted = _count_reads(on_disk=sys.argv[2] == "disk")
    measure_opened(sys.argv[1], (WIDTH, HEIGHT), lambda window: _measure(window, counted))
