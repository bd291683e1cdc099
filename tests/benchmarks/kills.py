"""Live sessions killed at random moments: ``python -m tests.benchmarks.kills [--kills 100]``.

Each is a ``turnscope run`` of its own with the demo agent, no screen and no sound card, killed with
SIGKILL. What is lost is the time from the last recorded sample to the kill, by the wall clock and
the beginning that ``session.json`` tells. Exit code 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import soundfile

from app.agents.demo_agent import DemoAgent
from app.bundles.recovery import recover_unfinished
from app.live.choices import build_audio
from app.live.session import Session, State
from audio.wavfile import HEADER_BYTES
from tests.benchmarks.table import Figure, spread, to_markdown, write_json
from tests.rig.opened import open_bundle
from tests.rig.speech import say, silence, write_wav
from tests.rig.waiting import wait_until

JSON = Path("build/kills.json")
AT_ONCE = 3
LONGEST_S = 6.0
LOST_BAR_S = 0.5
HEADER_BAR_S = 0.25
SETTLED_S = 0.5


@dataclass(frozen=True)
class Kill:
    """What became of one session."""

    ran_s: float
    recorded_s: float
    was_recovered: bool
    opens: bool
    detail: str = ""

    @property
    def lost_s(self) -> float:
        return self.ran_s - self.recorded_s


def main() -> int:
    """Kill, recover, print the table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=20, help="of a session that is watched")
    parser.add_argument("--seed", type=int, default=0, help="0 for another one each time")
    arguments = parser.parse_args()
    figures = measure_headers(arguments.seconds)
    figures += measure(arguments.kills, arguments.seed or time.time_ns())
    print(to_markdown(figures))
    write_json(figures, JSON)
    return 0 if all(figure.holds for figure in figures) else 1


def measure_headers(seconds: float) -> list[Figure]:
    """Watch one live session from without; return how far its file was ever behind."""
    with tempfile.TemporaryDirectory() as folder:
        caller = write_wav(Path(folder) / "caller.wav", _caller())
        session = Session(DemoAgent(), build_audio(str(caller), "none"), record_to=Path(folder))
        session.start()
        wait_until(lambda: session.state is State.RUNNING, 30)
        behind, changed = _watch_headers(session, seconds)
        session.close()
    # a quarter of a second at the start has nothing new: the devices' clocks are settling
    settled = [at for at in changed if at > changed[0] + SETTLED_S]
    gaps = [second - first for first, second in pairwise(settled)]
    detail = f"{spread(gaps)}, {seconds:g} s"
    return [
        Figure("between two right headers, worst", max(gaps), "s", HEADER_BAR_S, detail=detail),
        Figure("recorded behind now, worst", max(behind), "s", LOST_BAR_S, detail=spread(behind)),
    ]


def _watch_headers(session: Session, seconds: float) -> tuple[list[float], list[float]]:
    """Read the header as another program would; return how far it is behind, and its changes."""
    behind: list[float] = []
    changed: list[float] = []
    before, until = b"", session.now() + seconds
    with (session.bundle / "user.wav").open("rb", buffering=0) as file:
        while session.now() < until:
            file.seek(HEADER_BYTES - 4)
            size = file.read(4)
            now = session.now()
            if size != before:
                changed.append(now)
                before = size
            behind.append(now - int.from_bytes(size, "little") / 32_000)
            time.sleep(0.002)
    return behind, changed


def measure(kills: int, seed: int) -> list[Figure]:
    """Kill so many sessions and return what was left of them."""
    moments = random.Random(seed)
    done = kill_sessions([moments.uniform(0.0, LONGEST_S) for _ in range(kills)])
    broken = [kill for kill in done if not (kill.opens and kill.was_recovered)]
    for kill in broken:
        print(f"not whole: {kill}")
    lost = [kill.lost_s for kill in done]
    ran = [kill.ran_s for kill in done]
    worst = max(done, key=lambda kill: kill.lost_s)
    where = f"{spread(lost)}; killed after {min(ran):.1f} to {max(ran):.1f} s"
    where += f", the worst after {worst.ran_s:.1f} s"
    return [
        Figure("killed sessions that do not open", len(broken), f"of {kills}", 0),
        Figure("lost in a killed session, worst", max(lost), "s", LOST_BAR_S, detail=where),
    ]


def kill_sessions(after_s: Sequence[float]) -> list[Kill]:
    """Kill a session so long after each began, some at a time; recover it as the app would."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(AT_ONCE) as pool:
        caller = write_wav(Path(folder) / "caller.wav", _caller())
        places = [Path(folder) / f"{number}" for number in range(len(after_s))]
        return list(pool.map(lambda place, s: _kill_one(caller, place, s), places, after_s))


def _caller() -> np.ndarray:
    return np.concatenate((silence(0.5), say("Hello, can you hear me?"), silence(6.0)))


def _kill_one(caller: Path, place: Path, after_s: float) -> Kill:
    """Kill a session ``after_s`` seconds after its bundle is there, and recover it."""
    place.mkdir()
    command = [sys.executable, "-m", "app", "run", "--agent", "demo", "--mic", str(caller)]
    command += ["--speaker", "none", "--record", str(place)]
    child = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "HOME": str(place.parent)},
    )
    try:
        bundle = wait_until(lambda: _bundle_in(place), 60, "a bundle")
        time.sleep(after_s)
    finally:
        killed = datetime.now(UTC)  # before: what this thread waits for after it is no loss
        child.send_signal(signal.SIGKILL)
        child.wait(10)
    began = json.loads((bundle / "session.json").read_text())["began_utc"]
    ran_s = (killed - datetime.fromisoformat(began)).total_seconds()
    return _recover(place, bundle, ran_s)


def _bundle_in(place: Path) -> Path | None:
    found = list(place.glob("*/session.json"))
    return found[0].parent if found else None


def _recover(place: Path, bundle: Path, ran_s: float) -> Kill:
    recovered = recover_unfinished(place)
    was_recovered = [item.path for item in recovered if not item.problem] == [bundle]
    try:
        opened = open_bundle(bundle)
        user, agent = (soundfile.info(path).frames for path in (opened.user, opened.agent))
    except Exception as error:  # noqa: BLE001 - counted, and shown
        return Kill(ran_s, 0.0, was_recovered, opens=False, detail=repr(error))
    whole = not opened.warnings and not opened.unfinished and user == agent
    said = f"{opened.warnings} {user} {agent} {recovered}"
    return Kill(ran_s, user / 16_000, was_recovered, opens=whole, detail=said)


if __name__ == "__main__":
    sys.exit(main())
