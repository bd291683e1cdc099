"""The same caller against the demo agent, again and again: is it the same conversation each time?

``python -m tests.benchmarks.replays``: five replays one after the other, five at once, and five at
once while other processes keep every core busy. ``--runs`` says how many. Exit code 1 when a bar is
missed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.table import Figure, spread, to_markdown, write_json
from tests.rig.speech import Samples, say, silence, write_wav

JSON = Path("build/replays.json")
COUNTS = ("user_turns", "agent_turns", "interruptions")
BUSY = "while True: sum(range(10_000))"


def main() -> int:
    """Run all replays, print the table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        caller = write_wav(Path(folder) / "caller.wav", caller_with_an_edge())
        figures = judge("one by one", [replay(caller, 1)[0] for _ in range(runs)])
        figures += judge("at once", replay(caller, runs))
        with busy_cores():
            figures += judge("at once, cores busy", replay(caller, runs))
    print(to_markdown(figures))
    write_json(figures, JSON)
    return 0 if all(figure.holds for figure in figures) else 1


def caller_with_an_edge() -> Samples:
    """Speak where it is close: short words over the agent, pauses about as long as its patience."""
    return np.concatenate(
        (
            *(silence(1.2), say("Hold on."), silence(2.6)),
            *(say("Could you tell me something about the weather?"), silence(2.9)),
            *(say("Mm."), silence(2.0), say("Yes."), silence(1.5)),
            *(say("Hold on, I have a question about that."), silence(0.8)),
            *(say("It is a rather long one."), silence(3.2), say("Stop."), silence(0.95)),
            *(say("Okay go on then please."), silence(4.0), say("Right."), silence(1.1)),
            *(say("Wait wait wait, that is not what I asked for."), silence(2.0)),
            *(say("And another thing."), silence(0.9), say("What about tomorrow?")),
            *(silence(3.0), say("Hm, no."), silence(2.5)),
        )
    )


def replay(caller: Path, count: int) -> list[dict[str, Any]]:
    """Replay ``caller`` in so many processes at once; return their summaries."""
    command = [sys.executable, "-m", "app", "replay", str(caller), "--no-record", "--json"]
    runs = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for _ in range(count)
    ]
    told = [json.loads(run.communicate()[0].splitlines()[-1]) for run in runs]
    for one in told:
        latencies = ", ".join(f"{ms:.0f}" for ms in one["response_latencies_ms"])
        print(*(f"{one[name]} {name}" for name in COUNTS), latencies, sep="; ", file=sys.stderr)
    return told


@contextmanager
def busy_cores() -> Iterator[None]:
    """Keep every core busy with something else."""
    others = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def judge(how: str, told: Sequence[dict[str, Any]]) -> list[Figure]:
    """Return how far the runs are apart."""
    figures = [
        Figure(
            f"{name.replace('_', ' ')}, {how}: most less fewest",
            max(values) - min(values),
            "",
            0,
            detail=f"{values[0]} in {len(values)} replays",
        )
        for name in COUNTS
        for values in [[run[name] for run in told]]
    ]
    latencies = [run["response_latencies_ms"] for run in told]
    silences = [
        [cut["time_to_silence_ms"] or 0.0 for cut in run["interruption_list"]] for run in told
    ]
    kinds = {tuple(cut["kind"] for cut in run["interruption_list"]) for run in told}
    figures.append(Figure(f"orders of interruption classes, {how}", len(kinds), "", 1))
    for name, of in (("response latency", latencies), ("time to silence", silences)):
        apart = widths(of)
        title = f"{name} of one turn, {how}: slowest less fastest"
        figures.append(Figure(title, max(apart), "ms", detail=spread(apart)))
    return figures


def widths(values: Sequence[Sequence[float]]) -> list[float]:
    """Return for each turn how far the runs are apart; NaN where one has fewer turns."""
    if len({len(of) for of in values}) != 1 or not values[0]:
        return [float("nan")]
    return [max(turn) - min(turn) for turn in zip(*values, strict=True)]


if __name__ == "__main__":
    sys.exit(main())
