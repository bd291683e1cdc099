"""Many sessions, some at once, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.truth.scenarios import SCENARIOS
from tests.truth.truth import load

TRIES = 3
"""How often a session is played at the most, where the machine was too busy for its sound."""
EXTRA_S = 60.0
"""How much longer than its scenario a process may take, on a machine that is busy."""


def play_all(
    names: Sequence[str], folder: Path, at_once: int, tell: Callable[[str], None] = lambda _: None
) -> dict[str, str]:
    """Play each into a folder of its own in ``folder``; return those that failed, and how.

    The long ones begin first, so that none is left for the end.
    """
    ordered = sorted(names, key=lambda name: -SCENARIOS[name].seconds)
    with ThreadPoolExecutor(at_once, "truth") as pool:
        said = pool.map(lambda name: _play_undisturbed(name, folder / name, tell), ordered)
        return {name: failure for name, failure in zip(ordered, said, strict=True) if failure}


def _play_undisturbed(name: str, folder: Path, tell: Callable[[str], None]) -> str:
    for _ in range(TRIES):
        failure = _play(name, folder, tell)
        if failure or not load(folder).is_disturbed:
            return failure
        tell(f"{name}: the machine was too busy for sound")
    return "the machine was too busy for sound"


def _play(name: str, folder: Path, tell: Callable[[str], None]) -> str:
    # as for the sound server: where it is not allowed, "nice" says so and goes on
    command = ["nice", "-n", "-10", sys.executable, "-m", "tests.truth.playing", name, str(folder)]
    try:
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            timeout=SCENARIOS[name].seconds + EXTRA_S,
            cwd=Path(__file__).resolve().parents[2],
        )
    except subprocess.TimeoutExpired:
        tell(f"{name}: took too long")
        return "it took too long"
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["without a word"])[-1]
        tell(f"{name}: {last}")
        return last
    tell(name)
    return ""
