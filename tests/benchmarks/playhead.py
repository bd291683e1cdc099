"""The playhead against the ear: ``position_s`` when a click is heard at the speaker's monitor.

``python -m tests.benchmarks.playhead`` on the virtual sound card. A recording of clicks at known
places is played; the place that the player tells at the moment at which the monitor hears a click
is to be the click's own. The monitor hears everything some 4.5 ms early (see
``tests.rig.monitor``), so that an error of as much, times the speed, is none of the player's.
"""

from __future__ import annotations

import bisect
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from app.playing.passage import Manner, Passage
from app.playing.player import Player
from app.recordings.audio_form import examine
from app.recordings.sources import FileLane, open_sources, sources_of
from audio import clock
from audio.default import DeviceSink
from audio.pcm import SAMPLE_RATE
from audio.stretch import Stretch
from tests.benchmarks.table import Figure, percentile, spread, to_markdown, write_json
from tests.rig.monitor import Monitor
from tests.rig.sound_card import SoundCard
from tests.rig.speech import click, say, silence, tone, write_wav
from tests.rig.waiting import wait_until

EVERY_S = 0.31
BAR_MS = 20.0
JUMP_S = 0.2
BURST_S = 0.1
"""Copies of one click, which a stretch may leave, are this near to each other at the most."""


def write_clicks(path: Path, seconds: float, every_s: float = EVERY_S) -> list[float]:
    """Write a recording of clicks, and return their places."""
    # at odd distances: a playhead that is off by one click must not look right
    gaps = every_s + 0.1 * np.random.default_rng(3).random(int(seconds / every_s))
    places = [float(place) for place in np.cumsum(gaps) if place < seconds - every_s]
    train = silence(seconds)
    for place in places:
        start = round(place * SAMPLE_RATE)
        train[start : start + len(click())] = click()
    write_wav(path, train)
    return places


class Watch:
    """Samples ``position_s`` of a player, some hundred times a second."""

    def __init__(self, player: Player) -> None:
        self._player = player
        self._stopping = threading.Event()
        self._seen: list[tuple[float, float]] = []
        self._thread = threading.Thread(target=self._watch, name="watch")

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def place_at(self, at: float) -> float:
        """The place that was told at the monotonic time ``at``, between two looks at it."""
        times = [each[0] for each in self._seen]
        after = bisect.bisect(times, at)
        (before_at, before), (after_at, place) = self._seen[after - 1], self._seen[after]
        assert after_at - before_at < 0.5, "The playhead was not looked at then."
        if abs(place - before) > JUMP_S:  # it went elsewhere between the two
            return before if at - before_at < after_at - at else place
        return before + (place - before) * (at - before_at) / (after_at - before_at)

    def _watch(self) -> None:
        while not self._stopping.wait(0.002):
            began = clock.now()
            place = self._player.position_s
            ended = clock.now()
            if ended - began < 0.002:  # else nobody knows when in between it was told
                self._seen.append(((began + ended) / 2, place))


@contextmanager
def playing(path: Path, **manner: object) -> Iterator[Player]:
    """A player of ``path`` on the default speaker."""
    player = Player(open_sources(path), DeviceSink(), **manner)
    player.start()
    try:
        yield player
    finally:
        player.close()


def heard_clicks(monitor: Monitor) -> list[float]:
    """When each click was heard: of copies near to each other, the loudest."""
    samples = np.abs(monitor.samples.astype(np.int32))
    loud = np.flatnonzero(samples > 1500)
    if not len(loud):
        return []
    groups = np.split(loud, np.flatnonzero(np.diff(loud) > BURST_S * SAMPLE_RATE) + 1)
    # the first of those that are as loud as the loudest: a click begins there
    peaks = [group[samples[group] > 0.8 * samples[group].max()][0] for group in groups]
    return [monitor.time_of(int(peak)) for peak in peaks]


def errors_ms(monitor: Monitor, watch: Watch, places: list[float]) -> list[float]:
    """For each click that was heard, how far from its place the playhead was, in ms."""
    known = np.array(places)
    found = []
    for at in heard_clicks(monitor):
        told = watch.place_at(at)
        found.append(float(told - known[np.argmin(np.abs(known - told))]) * 1000)
    return found


Act = Callable[[Player], None]


class Run(NamedTuple):
    """The errors of one run in ms, and how often the device ran dry in it."""

    errors_ms: list[float]
    xruns: int


def measure_run(card: SoundCard, folder: Path, seconds: float, act: Act, **manner: object) -> Run:
    """Play clicks, and ``act`` meanwhile."""
    path = folder / "clicks.wav"
    places = write_clicks(path, 60.0)
    with card.monitor() as monitor, playing(path, **manner) as player, Watch(player) as watch:
        wait_until(monitor.first_sound, 10, "the first click")
        act(player)
        began = clock.now()
        wait_until(lambda: clock.now() - began > seconds or player.over, seconds + 5)
        player.pause()
        wait_until(lambda: clock.now() - began > seconds + 0.3, seconds + 5)
        xruns = player._outlet._audio.account.counters.output_xruns
        return Run(errors_ms(monitor, watch, places), xruns)


def measure_steady(
    card: SoundCard, folder: Path, seconds: float, act: Act, **manner: object
) -> Run:
    """Return a run without xruns, of three at the most: what a busy machine drops is not ours."""
    for _ in range(3):
        run = measure_run(card, folder, seconds, act, **manner)
        if not run.xruns:
            break
    return run


def nothing(_player: Player) -> None:
    """Let it play."""


def pause_and_resume(player: Player, times: int = 6) -> None:
    """Pause at odd moments, for odd times."""
    for number in range(times):
        began = clock.now()
        wait_until(lambda: clock.now() - began > 0.37 + 0.05 * number)  # noqa: B023
        player.pause()
        wait_until(lambda: clock.now() - began > 0.7 + 0.07 * number)  # noqa: B023
        player.resume()


def pause_twice(player: Player) -> None:
    """Pause at two odd moments."""
    pause_and_resume(player, 2)


def change_speeds(player: Player) -> None:
    """Go through the speeds, and to other places."""
    for number, speed in enumerate((0.5, 2.0, 1.0, 1.5, 0.75, 1.0)):
        began = clock.now()
        player.set_speed(speed)
        if number % 2:
            player.seek(5.0 * number + 0.1)
        wait_until(lambda: clock.now() - began > 1.1)  # noqa: B023


def measure(card: SoundCard, folder: Path, seconds: float = 8.0) -> list[Figure]:
    """Return the worst error of the playhead at each speed, and after each command."""
    runs: list[tuple[str, Act, dict[str, object]]] = [
        ("at half speed", nothing, {"speed": 0.5}),
        ("at 1", nothing, {}),
        ("at 1.5", nothing, {"speed": 1.5}),
        ("at double speed", nothing, {"speed": 2.0}),
        ("after pauses", pause_and_resume, {}),
        ("after pauses, at double speed", pause_and_resume, {"speed": 2.0}),
        ("in a loop of 0.8 s", nothing, {"from_s": 1.0, "to_s": 1.8, "loop": True}),
        (
            "in a loop of 0.8 s, at half speed",
            nothing,
            {"from_s": 1.0, "to_s": 1.8, "loop": True, "speed": 0.5},
        ),
        ("after changes of speed and place", change_speeds, {}),
    ]
    figures = []
    for name, act, manner in runs:
        errors, xruns = measure_steady(card, folder, seconds, act, **manner)
        worst = percentile(np.abs(errors), 100)
        detail = f"signed median {percentile(errors, 50):+.1f}, {spread(np.abs(errors))}"
        detail += f", {xruns} xruns" if xruns else ""
        figures.append(Figure(f"playhead {name}", worst, "ms", BAR_MS, detail=detail))
    return figures


def measure_commands(card: SoundCard, folder: Path, trials: int = 10) -> list[Figure]:
    """Return how long it takes until commands are heard at the monitor, p95, in ms."""
    path = write_wav(folder / "tone.wav", np.concatenate((tone(60.0), silence(60.0))))
    silencing: dict[str, tuple[Act, Act]] = {
        "pause": (Player.pause, Player.resume),
        "muting": (
            lambda player: player.set_tracks(False, False),
            lambda player: player.set_tracks(True, True),
        ),
        "a jump": (lambda player: player.seek(90.0), lambda player: player.seek(1.0)),
        "a loop elsewhere": (
            lambda player: player.set_loop((70.0, 71.0)),
            lambda player: player.set_loop((1.0, 50.0)),
        ),
    }
    figures = []
    with card.monitor() as monitor, playing(path) as player:
        for name, (hush, go_on) in silencing.items():
            off, on = [], []
            for _ in range(trials):
                monitor.wait_for_sound(after=monitor.length)
                began = clock.now()
                hush(player)
                last = monitor.wait_for_silence(0.25)
                off.append((monitor.time_of(last) - began) * 1000)
                after, began = monitor.length, clock.now()
                go_on(player)
                first = monitor.wait_for_sound(after=after)
                on.append((monitor.time_of(first) - began) * 1000)
            for what, times in (
                (f"{name} to silence", off),
                (f"going on after {name} to sound", on),
            ):
                figures.append(
                    Figure(
                        f"from {what}, p95", percentile(times, 95), "ms", 100, detail=spread(times)
                    )
                )
    return figures


def measure_piece(folder: Path) -> list[Figure]:
    """Return what one piece of two tracks costs, read, mixed and stretched, in ms of processor."""
    speech = np.tile(say("The quick brown fox jumps over the lazy dog."), 20)
    tracks = [FileLane(examine(write_wav(folder / f"{n}.wav", speech))) for n in range(2)]
    sources = sources_of(*tracks)
    figures = []
    for speed in (0.5, 1.0, 2.0):
        passage = Passage(sources, Manner(0, sources.duration_samples, speed=speed), 0)
        costs, lasts = [], 0.0
        while True:
            began = time.thread_time()
            piece = passage.next()
            costs.append((time.thread_time() - began) * 1000)
            if piece is None:
                break
            lasts += len(piece.samples) / SAMPLE_RATE
        figures.append(
            Figure(
                f"a piece of 12.5 ms of two tracks at {speed:g}, p99",
                percentile(costs, 99),
                "ms",
                1.0,
                detail=f"{spread(costs)}; {sum(costs) / 1000 / lasts:.2%} of a processor",
            )
        )
    sources.close()
    return figures


def measure_stretch() -> list[Figure]:
    """Return what one block of a stretch costs, in ms of processor, and its share of one."""
    speech = say("The quick brown fox jumps over the lazy dog, and then it goes to sleep.")
    figures = []
    for speed in (0.5, 1.0, 2.0):
        stretch, costs = Stretch(speed), []
        stretch.push(np.tile(speech, 4))
        stretch.end()
        while not stretch.over:
            began = time.thread_time()
            stretch.pull()
            costs.append((time.thread_time() - began) * 1000)
        share = percentile(costs, 50) / (Stretch.BLOCK / SAMPLE_RATE * 1000)
        figures.append(
            Figure(
                f"stretch at {speed:g}: a block of 12.5 ms, p99",
                percentile(costs, 99),
                "ms",
                1.0,
                detail=f"median {percentile(costs, 50):.3g}, {share:.2%} of a processor",
            )
        )
    return figures


def main() -> None:
    """Measure, print the table, write JSON."""
    import tempfile

    with (
        tempfile.TemporaryDirectory() as folder,
        SoundCard() as card,
        card.in_this_process(),
    ):
        figures = measure(card, Path(folder)) + measure_commands(card, Path(folder))
        figures += measure_stretch() + measure_piece(Path(folder))
    print(to_markdown(figures))
    write_json(figures, Path("build/playhead.json"))


if __name__ == "__main__":
    main()
