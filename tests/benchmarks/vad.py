"""Where speech begins and ends against truth, by noise: ``python -m tests.benchmarks.vad``."""

from __future__ import annotations

import numpy as np

from audio.pcm import SAMPLE_RATE, round_to_samples
from audio.user_sound import UserSound
from audio.vad import SpeechEdge, Vad
from tests.audio.scenes import SPEEDS, USER, VOICES, Spans, noise, scene, speech
from tests.benchmarks.table import Figure, percentile, spread, to_markdown

MEDIAN_MS, P95_MS = 30.0, 80.0
ECHOES = (
    ("echo -6 dB, 30 ms", {"echo_db": -6.0, "delay_ms": 30.0}),
    ("echo -6 dB, 120 ms, room", {"echo_db": -6.0, "reverb_s": 0.3}),
    ("echo -12 dB, 450 ms, room", {"echo_db": -12.0, "delay_ms": 450.0, "reverb_s": 0.4}),
    ("echo -20 dB, 80 ms, room, noise", {
        "echo_db": -20.0, "delay_ms": 80.0, "reverb_s": 0.5, "noise_dbfs": -50.0, "color": "pink",
    }),
    ("echo -30 dB, 140 ms, room", {"echo_db": -30.0, "delay_ms": 140.0, "reverb_s": 0.3}),
    ("echo -40 dB, 200 ms", {"echo_db": -40.0, "delay_ms": 200.0}),
    ("no echo", {}),
)  # fmt: skip


def measure_edges(snr_db: float | None, color: str) -> list[Figure]:
    """Return the errors of onsets and ends of every voice at every speed."""
    onsets: list[float] = []
    ends: list[float] = []
    missed = 0
    for seed, voice in enumerate(VOICES):
        for speed in SPEEDS:
            places, track = _sayings(voice, speed, snr_db, color, seed * 100 + speed)
            vad = Vad()
            found = errors(places, vad.feed(track) + vad.finish())
            onsets += found[0]
            ends += found[1]
            missed += found[2]
    name = "no noise" if snr_db is None else f"{snr_db:g} dB {color}"
    is_held = snr_db is None or snr_db >= 20
    detail = f"{missed} of {missed + len(onsets)} not found" if missed else ""
    return _figures(name, onsets, ends, is_held=is_held, detail=detail)


def measure_echo(name: str, path: dict, seeds: int = 3) -> list[Figure]:
    """Return the errors for a user who speaks over the agent, and what of the echo was told."""
    onsets: list[float] = []
    ends: list[float] = []
    false = missed = 0
    for seed in range(seeds):
        for user_speaks in (True, False):
            shown = scene(30, seed, user_speaks=user_speaks, **path)
            sound = UserSound()
            told = sound.feed(shown.user, shown.agent) + sound.finish()
            edges = [each for each in told if isinstance(each, SpeechEdge)]
            found = errors(shown.user_speech, edges)
            onsets += found[0]
            ends += found[1]
            missed += found[2]
            false += found[3]
    detail = f"{missed} not found, {false} times the agent taken for the user"
    return _figures(name, onsets, ends, is_held=True, detail=detail)


def errors(places: Spans, edges: list[SpeechEdge]) -> tuple[list[float], list[float], int, int]:
    """Return the errors of onsets and of ends in ms, and how many were missed, or are false."""
    found = [
        (onset.position, end.position) for onset, end in zip(edges[::2], edges[1::2], strict=False)
    ]
    onsets, ends, missed = [], [], 0
    for start, stop in places:
        meets = [(at, to) for at, to in found if min(to, stop) > max(at, start)]
        if not meets:
            missed += 1
            continue
        onsets.append((meets[0][0] - start) * 1000 / SAMPLE_RATE)
        ends.append((meets[-1][1] - stop) * 1000 / SAMPLE_RATE)
    false = sum(all(min(to, b) <= max(at, a) for a, b in places) for at, to in found)
    return onsets, ends, missed, false


def _sayings(
    voice: str, speed: int, snr_db: float | None, color: str, seed: int
) -> tuple[Spans, np.ndarray]:
    track, places = [np.zeros(20_011)], []
    for text in USER:
        said = speech(text, voice, speed)
        start = sum(map(len, track))
        places.append((start, start + len(said)))
        track += [said, np.zeros(24_000 + 37 * len(places))]
    whole = np.concatenate(track)
    if snr_db is not None:
        power = np.mean([np.mean(whole[start:stop] ** 2) for start, stop in places])
        whole = whole + noise(len(whole), seed, color) * np.sqrt(power) * 10 ** (-snr_db / 20)
    return places, round_to_samples(whole)


def _figures(
    name: str, onsets: list[float], ends: list[float], *, is_held: bool, detail: str = ""
) -> list[Figure]:
    figures = []
    for which, values in (("onset", onsets), ("end", ends)):
        sizes = np.abs(values)
        for measure, part, bar in (("median", 50, MEDIAN_MS), ("p95", 95, P95_MS)):
            about = "; ".join(each for each in (spread(values), detail) if each)
            figures.append(
                Figure(
                    f"{name}: error of the {which}, {measure}",
                    percentile(sizes, part),
                    "ms",
                    bar if is_held else None,
                    detail=about if measure == "median" else "",
                )
            )
    return figures


def measure() -> list[Figure]:
    """Return all of it."""
    figures = measure_edges(None, "white")
    for snr_db in (20.0, 10.0):
        for color in ("white", "pink"):
            figures += measure_edges(snr_db, color)
    for name, path in ECHOES:
        figures += measure_echo(name, path)
    return figures


if __name__ == "__main__":
    shown = measure()
    print(to_markdown(shown))
    raise SystemExit(not all(figure.holds for figure in shown))
