"""An echo on tracks that do not stay together: they creep, and one of them jumps."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from audio.echo_path import HOP, DelayFinder, TrackPiece
from audio.echo_trace import EchoTrace
from audio.pcm import SAMPLE_RATE, round_to_samples
from audio.user_sound import EchoStretch, UserSound
from audio.vad import SpeechEdge
from tests.audio.scenes import Scene, echo, scene

pytestmark = pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="espeak-ng is not installed"
)

JUMP_AT, JUMP = 10 * SAMPLE_RATE, SAMPLE_RATE // 50
DELAY_MS, LEVEL_DB = 80.0, -15.0


def wandering(ppm: float, seed: int, *, user_speaks: bool) -> Scene:
    """Return tracks whose delay creeps by ``ppm`` and jumps by 20 ms; its middle is DELAY_MS."""
    shown = scene(24, seed, user_speaks=user_speaks)
    alone = scene(24, seed, user_speaks=user_speaks, agent_speaks=False, noise_dbfs=-75)
    back = echo(shown.agent.astype(float), DELAY_MS, LEVEL_DB)
    at = np.arange(len(back))
    crept = np.interp(at - (at - len(at) // 2) * ppm * 1e-6, at, back)
    # the speaker loses its place: what it plays is laid later from here on
    hole = np.zeros(JUMP, np.int16)
    said = np.concatenate((shown.agent[:JUMP_AT], hole, shown.agent[JUMP_AT:]))[: len(back)]
    return Scene(round_to_samples(alone.user + crept), said, alone.user_speech, shown.agent_speech)


def delay_ms_at(sample: int, ppm: float, count: int) -> float:
    crept = (sample - count // 2) * ppm * 1e-6 * 1000 / SAMPLE_RATE
    jumped = 20.0 if sample > JUMP_AT else 0.0
    return DELAY_MS + crept - jumped


def heard(shown: Scene, block: int = 100_000) -> tuple[list[tuple[int, int]], list[EchoStretch]]:
    sound, told = UserSound(), []
    for start in range(0, len(shown.user), block):
        piece = slice(start, start + block)
        told += sound.feed(shown.user[piece], shown.agent[piece])
    told += sound.finish()
    edges = [each.position for each in told if isinstance(each, SpeechEdge)]
    speech = list(zip(edges[::2], edges[1::2], strict=True))
    return speech, [each for each in told if isinstance(each, EchoStretch)]


@pytest.mark.parametrize("ppm", [500, -500])
def test_an_echo_is_followed_where_the_tracks_creep_and_jump(ppm):
    shown = wandering(ppm, 7, user_speaks=False)
    speech, stretches = heard(shown)
    assert speech == []
    found = sum(each.stop - each.start for each in stretches)
    assert found > 0.9 * sum(stop - start for start, stop in shown.agent_speech)
    for each in stretches:
        if not each.start < JUMP_AT + SAMPLE_RATE // 2 < each.stop:
            true = delay_ms_at(each.stop, ppm, len(shown.user))
            assert each.delay_ms == pytest.approx(true, abs=1)
            assert each.level_db == pytest.approx(LEVEL_DB, abs=1)


@pytest.mark.parametrize("ppm", [500, -500])
def test_who_speaks_over_such_an_echo_is_heard_from_the_first_sound_on(ppm):
    shown = wandering(ppm, 9, user_speaks=True)
    speech, _stretches = heard(shown)
    assert len(speech) == len(shown.user_speech)
    for (onset, _), (start, _) in zip(speech, shown.user_speech, strict=True):
        assert abs(onset - start) < 0.08 * SAMPLE_RATE


def test_how_such_tracks_are_cut_up_changes_nothing():
    shown = wandering(500, 9, user_speaks=True)
    assert heard(shown, 317) == heard(shown)


def test_a_delay_is_known_to_a_part_of_a_sample():
    random = np.random.default_rng(3)
    said = round_to_samples(random.normal(size=6 * SAMPLE_RATE) * 1000)
    at = np.arange(len(said), dtype=float)
    user, agent, finder = TrackPiece(), TrackPiece(), DelayFinder()
    agent.append(said)
    user.append(round_to_samples(np.interp(at - 800.5 - at * 300e-6, at, said)))
    for first in range(8, 330, 4):
        finder.compare(user, agent, first, first + 4)
    frames = np.arange(200, 330)
    assert finder.lags(200, 330) == pytest.approx(800.5 + frames * HOP * 300e-6, abs=0.5)


def test_frames_that_were_kept_are_those_that_would_be_made_anew():
    random = np.random.default_rng(4)
    said = round_to_samples(random.normal(size=4 * SAMPLE_RATE) * 1000)
    agent, lags = TrackPiece(), np.linspace(90.25, 91.0, 12)
    agent.append(said)
    for first, moved in ((40, 0.0), (45, 0.0), (45, 7.5), (173, 0.0), (45, 0.0)):
        fresh = TrackPiece()
        fresh.append(said)
        expected = fresh.delayed_spectra(first, lags + moved)
        assert (agent.delayed_spectra(first, lags + moved) == expected).all()
        assert (agent.spectra(first, first + 12) == fresh.spectra(first, first + 12)).all()


def test_an_echo_that_is_there_from_the_first_sample_on_is_taken_out():
    shown = scene(12, 3, user_speaks=False)
    began = np.flatnonzero(np.abs(shown.agent) > 200)[0]
    agent = shown.agent[began:]
    speech, stretches = heard(Scene(agent, agent), 4000)
    assert speech == []
    assert stretches


def test_every_window_comes_back_whatever_the_tracks_are():
    random = np.random.default_rng(4)
    for _ in range(60):
        agent = random.normal(0, 5000, random.integers(1, 3 * SAMPLE_RATE)).astype(np.int16)
        delay, level = random.integers(0, 4000), random.choice([1.0, -0.5, 0.03, 0.0])
        user = (np.concatenate((np.zeros(delay), agent))[: len(agent)] * level).astype(np.int16)
        trace, windows, at = EchoTrace(), [], 0
        while at < len(user):
            count = random.choice([7, 160, 4000, 20_000])
            windows += trace.feed(user[at : at + count], agent[at : at + count])
            at += count
        windows += trace.finish()
        back = np.concatenate([np.empty(0), *(window.raw for window in windows)])
        assert np.array_equal(back, user[: len(user) // 512 * 512])
