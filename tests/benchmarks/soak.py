"""Ten minutes of a live session with the window open, and 300 starts and stops.

``python -m tests.benchmarks.soak`` (``make soak``); ``--minutes`` and ``--starts`` shorten it.
Exit code 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np

from app.timeline.events import Interrupted
from audio import DefaultAudioInterface
from tests.benchmarks.table import Figure, to_markdown, write_json
from tests.rig.screen import Screen
from tests.rig.sound_card import SoundCard
from tests.rig.speech import say, silence, write_wav
from tests.rig.waiting import wait_until

SAMPLE_EVERY_S = 5
# Rings and libraries take what they will ever take in the first minutes: two minutes of agent
# audio, which speaks half of the time, are the last to fill.
WARM_S = 300
FLAT_PERCENT = 2.0
"""What a session keeps for its overview and its events is some 8 MB an hour. What the allocator
holds on to goes up and down by 4 MB over minutes, which no line through five minutes can tell from
growth: so flat is a share of the whole, and ``eight_hours`` holds the growth an hour to a bar."""
JSON = Path("build/soak.json")


def main() -> int:
    """Run both soaks, print the table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--starts", type=int, default=300)
    arguments = parser.parse_args()
    with SoundCard() as card, card.in_this_process():
        figures = soak_starts(arguments.starts) + soak_window(card, arguments.minutes)
    print(to_markdown(figures))
    write_json(figures, JSON)
    return 0 if all(figure.holds for figure in figures) else 1


def soak_starts(count: int) -> list[Figure]:
    """Start and stop the devices ``count`` times; return what is left behind."""
    interface = DefaultAudioInterface()
    for _ in range(20):  # what libraries allocate once is no leak
        _start_and_stop(interface)
    before = _left_behind()
    for _ in range(count):
        _start_and_stop(interface)
    after = _left_behind()
    detail = f"{count} starts and stops"
    return [
        Figure("threads left behind", after[0] - before[0], "", 0, detail=detail),
        Figure("files left open", after[1] - before[1], "", 0, detail=detail),
        Figure("memory left behind", (after[2] - before[2]) / 1e6, "MB", 8, detail=detail),
    ]


def _start_and_stop(interface: DefaultAudioInterface) -> None:
    interface.start(lambda _audio: None)
    interface.output(bytes(32_000))
    interface.stop()


def _left_behind() -> tuple[int, int, int]:
    gc.collect()
    wait_until(lambda: not [t for t in threading.enumerate() if t.name.startswith("audio")])
    return threading.active_count(), len(os.listdir("/proc/self/fd")), resident_bytes()  # noqa: PTH208


def resident_bytes() -> int:
    """Return this process's resident memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def soak_window(card: SoundCard, minutes: float) -> list[Figure]:
    """Run a session in the window; return xruns, drops and the growth of memory."""
    with tempfile.TemporaryDirectory() as folder, Screen(1600, 1000) as screen:
        caller = write_wav(Path(folder) / "caller.wav", _caller(minutes * 60 + 30))
        child = subprocess.run(
            [
                sys.executable,
                "-m",
                "tests.benchmarks.soak",
                "--child",
                str(caller),
                folder,
                str(minutes),
            ],
            env={**os.environ, **card.environment(), **screen.environment(), "HOME": folder},
            stdout=subprocess.PIPE,
            text=True,
            timeout=minutes * 60 + 120,
            check=True,
        )
    measured = json.loads(child.stdout.splitlines()[-1])
    health, detail = measured["health"], f"{minutes:g} minutes"
    per_second, seconds, size = _growth(measured["resident"])
    share = 100 * per_second * seconds / size
    xruns = health["output_xruns"] + health["input_xruns"]
    return [
        Figure("xruns", xruns, "", 0, detail=detail),
        Figure("mic samples dropped", health["dropped_input_samples"], "", 0, detail=detail),
        Figure("samples not recorded", health["unrecorded_samples"], "", 0, detail=detail),
        Figure(
            "memory growth after five minutes",
            share,
            "%",
            FLAT_PERCENT,
            detail=f"of {size / 1e6:.0f} MB; {per_second * 3600 / 1e6:.1f} MB/h",
        ),
        *_in_use(measured["allocated"]),
        Figure("interruptions seen", measured["interruptions"], "", detail=detail),
    ]


def _growth(resident: list[tuple[float, int]]) -> tuple[float, float, float]:
    """Return bytes a second by a line through all samples after warming up, their time and mean."""
    settled = [(at, size) for at, size in resident if at > WARM_S] or resident
    at, size = np.array(settled, float).T
    slope = float(np.polyfit(at, size, 1)[0]) if len(at) > 2 else 0.0
    return slope, float(at[-1] - at[0]), float(size.mean())


def _in_use(allocated: list[tuple[float, int]]) -> list[Figure]:
    """Return how much more is in use at the least in the last half after warming up.

    What is resident is what the allocator once needed at the most; this is what somebody holds.
    """
    settled = [(at, size) for at, size in allocated if at > WARM_S and size]
    half = len(settled) // 2
    if not half:
        return []
    before, after = (min(size for _, size in part) for part in (settled[:half], settled[half:]))
    detail = f"{before / 1e6:.1f} MB in the half before; the session's own data are 9 MB an hour"
    return [Figure("allocated at the least, more", (after - before) / 1e6, "MB", detail=detail)]


class _Mallinfo(ctypes.Structure):
    """Ten sizes that glibc tells of its heaps (mallinfo2 in malloc.h)."""

    MAPPED, IN_USE = 4, 7
    _fields_ = (("sizes", ctypes.c_size_t * 10),)


def allocated_bytes() -> int:
    """Return what ``malloc`` has given out, which is all but Python's small objects.

    0 where the C library does not tell.
    """
    try:
        tell = ctypes.CDLL(None).mallinfo2
    except (AttributeError, OSError):
        return 0
    tell.restype = _Mallinfo
    sizes = tell().sizes
    return int(sizes[_Mallinfo.MAPPED] + sizes[_Mallinfo.IN_USE])


def _caller(seconds: float) -> np.ndarray:
    pattern = np.concatenate(
        (silence(5.0), say("Hold on, I have a question about that."), silence(6.0))
    )
    return np.concatenate([pattern] * int(seconds * 16_000 / len(pattern) + 1))


def _child(caller: str, folder: str, minutes: float) -> None:
    from PySide6.QtCore import QTimer

    from tests.benchmarks.live_window import LiveWindow

    live = LiveWindow(caller, Path(folder) / "recordings")
    resident: list[tuple[float, int]] = []
    allocated: list[tuple[float, int]] = []

    def sample() -> None:
        resident.append((live.session.now(), resident_bytes()))
        allocated.append((live.session.now(), allocated_bytes()))

    sampler = QTimer(live.window)
    sampler.timeout.connect(sample)
    sampler.start(SAMPLE_EVERY_S * 1000)
    QTimer.singleShot(int(minutes * 60_000), live.close)
    live.run()
    events = live.session.timeline.read()[0]
    seen = sum(isinstance(event, Interrupted) for event in events)
    print(
        json.dumps(
            {
                "resident": resident,
                "allocated": allocated,
                "health": live.session.health(),
                "interruptions": seen,
            }
        )
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        _child(sys.argv[2], sys.argv[3], float(sys.argv[4]))
    else:
        sys.exit(main())
