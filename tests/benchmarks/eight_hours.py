"""Eight hours of a session in the window, as fast as they can be computed.

``python -m tests.benchmarks.eight_hours``; ``--hours`` shortens it. Memory is measured after each
hour; the cost of a frame at the end, beside that of a session of some minutes. Exit code 1 when a
bar is missed.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from time import thread_time
from typing import TYPE_CHECKING

import numpy as np

from app.live.session import Session
from app.live.still_heap import leave_out_what_came, still_heap
from tests.benchmarks.simulated_session import SimulatedSession
from tests.benchmarks.soak import resident_bytes
from tests.benchmarks.table import Figure, percentile, spread, to_markdown, write_json

if TYPE_CHECKING:
    from tests.benchmarks.window_parts import WindowParts

JSON = Path("build/eight_hours.json")
GROWTH_BAR_MB = 10.0
FRAME_BAR = 1.2
PANELS_EVERY = 6
SHOWN_EVERY_S = 2.0
LEFT_OUT_EVERY = round(Session.LEAVE_OUT_S / SHOWN_EVERY_S)
YOUNG_S = 600.0
TIMED_FRAMES = 900


def main() -> int:
    """Run it, print the table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=int, default=8)
    hours = parser.parse_args().hours
    if hours < 2:
        parser.error("The first hour is for warming up: two at least are needed.")
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    figures = figures_of(run(hours))
    print(to_markdown(figures))
    write_json(figures, JSON)
    return 0 if all(figure.holds for figure in figures) else 1


@dataclass
class Measured:
    """What was measured."""

    resident: list[int] = field(default_factory=list)
    """Bytes, by the hour."""
    old_ms: list[float] = field(default_factory=list)
    young_ms: list[float] = field(default_factory=list)
    """What frames cost, of this thread's time."""
    events: int = 0


def run(hours: int) -> Measured:
    """Go through a session of so many hours with the window's parts on screen."""
    from tests.benchmarks.window_parts import WindowParts

    session, measured = SimulatedSession(), Measured()
    with still_heap(), WindowParts(session) as parts:
        for _ in range(hours):
            let_pass(session, parts, 3600.0)
            gc.collect()
            measured.resident.append(resident_bytes())
        measured.events = session.timeline.appended
        young = SimulatedSession(seed=2)
        with WindowParts(young) as others:
            let_pass(young, others, YOUNG_S)
            for number in range(TIMED_FRAMES):
                # in turn, so that what else the machine does slows both
                measured.old_ms.append(timed_frame(session, parts, number))
                measured.young_ms.append(timed_frame(young, others, number))
    return measured


def let_pass(session: SimulatedSession, parts: WindowParts, seconds: float) -> None:
    """Let so much time pass, with a frame and the panels now and then."""
    for number in range(round(seconds / SHOWN_EVERY_S)):
        session.advance(SHOWN_EVERY_S)
        parts.frame(with_panels=number % PANELS_EVERY == 0)
        if number % LEFT_OUT_EVERY == 0:
            leave_out_what_came()


def timed_frame(session: SimulatedSession, parts: WindowParts, number: int) -> float:
    """Let a tenth of a second pass, and return what the frame costs in ms of this thread."""
    session.advance(session.STEP_S)
    began = thread_time()
    parts.frame(with_panels=number % PANELS_EVERY == 0)
    return (thread_time() - began) * 1000


def figures_of(measured: Measured) -> list[Figure]:
    """Return growth after the first hour, and the ratio of old frames to young ones."""
    hours, old, young = len(measured.resident), measured.old_ms, measured.young_ms
    sizes = [size / 1e6 for size in measured.resident]
    growth = float(np.polyfit(range(hours), sizes, 1)[0])
    median = percentile(old, 50) / percentile(young, 50)
    mean = float(np.mean(old) / np.mean(young))
    by_hour = ", ".join(f"{size:.0f}" for size in sizes)
    return [
        Figure("memory growth", growth, "MB/h", GROWTH_BAR_MB, detail=f"{by_hour} MB by the hour"),
        Figure(
            f"a frame after {hours} hours to one after ten minutes, median",
            median,
            "",
            FRAME_BAR,
            detail=f"{spread(old)} ms, beside {spread(young)} ms",
        ),
        Figure("the same, mean", mean, "", FRAME_BAR),
        Figure(
            "events a second",
            measured.events / hours / 3600,
            "",
            detail=f"{measured.events} in {hours} hours",
        ),
    ]


if __name__ == "__main__":
    sys.exit(main())
