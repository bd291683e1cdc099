"""Run every benchmark, print the table, write JSON: ``python -m tests.benchmarks``."""

from __future__ import annotations

import argparse
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks import (
    calls,
    library,
    long_log,
    loop,
    opening,
    panels,
    playhead,
    review,
    silence,
    truth,
    window,
)
from tests.benchmarks.table import Figure, to_markdown, write_json
from tests.rig.sound_card import SoundCard

JSON = Path("build/bench.json")


def _playhead(card: SoundCard) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        return playhead.measure(card, Path(folder))


BENCHMARKS: dict[str, Callable[[SoundCard], list[Figure]]] = {
    "silence": lambda card: silence.measure(card, trials=30),
    "calls": lambda _card: calls.measure_calls(2000),
    "uplink": lambda card: calls.measure_uplink(card, clicks=30),
    "loop": lambda _card: loop.measure(),
    "report": lambda card: truth.measure_report(card, trials=30),
    "recording": lambda card: truth.measure_recording(card, seconds=60),
    "frames": lambda card: window.measure_frames(card, seconds=20),
    "opening": lambda _card: opening.measure(),
    "events": lambda _card: long_log.measure_long_log(),
    "panels": lambda _card: panels.measure_panels(),
    "review": lambda _card: review.measure_review(),
    "playhead": _playhead,
    "library": lambda _card: library.measure(),
    "startup": lambda _card: window.measure_startup(runs=5),
}


def main() -> int:
    """Run the benchmarks that were named, or all of them; 1 if one could not be run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--json", type=Path, default=JSON)
    arguments = parser.parse_args()
    figures: list[Figure] = []
    failed: list[str] = []
    with SoundCard() as card, card.in_this_process():
        for name in arguments.names or BENCHMARKS:
            print(f"measuring {name} …", flush=True)
            try:
                figures += BENCHMARKS[name](card)
            except Exception:  # noqa: BLE001 - what the others have measured is not lost with it
                traceback.print_exc()
                failed.append(name)
    print(to_markdown(figures))
    write_json(figures, arguments.json)
    if failed:
        print(f"not measured: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
