"""The tools of the truth set: what they make and find is what they are asked for."""

from __future__ import annotations

import numpy as np
import pytest

from tests.truth import sounds
from tests.truth.hearing import agent_spans, correlation
from tests.truth.scenario import Cut, Reply, Said, Story
from tests.truth.scenarios import SCENARIOS
from tests.truth.voice import Voice, agent_speech

RATE = 16_000


@pytest.mark.parametrize("kind", ["white", "pink", "babble"])
@pytest.mark.parametrize("snr_db", [20.0, 10.0])
def test_noise_is_as_far_below_speech_as_it_says(kind: sounds.Noise, snr_db: float) -> None:
    noise = sounds.background(kind, 5 * RATE, snr_db, seed=3)
    level_db = 20 * np.log10(sounds.SPEECH_RMS / np.sqrt(np.mean(noise**2)))
    assert level_db == pytest.approx(snr_db, abs=0.1)


def test_speech_begins_with_its_first_sample_and_has_the_level_of_all_speech() -> None:
    for voice, speed in (("en-us+m3", 165), ("en-gb+f4", 220)):
        speech = sounds.speech("Hold on a second please.", voice, speed).astype(float)
        edge = sounds.EDGE * np.abs(speech).max()
        assert abs(speech[0]) >= edge - 1
        assert abs(speech[-1]) >= edge - 1
        assert sounds.active_rms(speech) == pytest.approx(sounds.SPEECH_RMS, rel=0.05)


def test_a_sound_is_found_where_it_is_under_noise() -> None:
    sound = sounds.cough(200, seed=1)
    around = np.random.default_rng(2).normal(0, 300, 3 * RATE)
    around[12_345 : 12_345 + len(sound)] += sound
    assert int(np.argmax(correlation(around, sound))) == 12_345


def test_the_agents_hiss_tells_when_it_is_silent() -> None:
    speech = agent_speech("one two", Voice("en-us+f3", 172), gap_ms=400)
    samples = np.frombuffer(speech.pcm, "<i2")
    pause = np.zeros(RATE, np.int16)
    track = np.concatenate((pause, samples, pause, samples[:8000], pause))
    spans = agent_spans(track)
    wanted = [(RATE, RATE + len(samples)), (2 * RATE + len(samples), len(track) - RATE)]
    assert np.abs(np.array(spans) - np.array(wanted)).max() <= 16


def test_a_story_puts_the_interruption_behind_the_onset() -> None:
    scenario = Story("one").barge_in("I have a long answer for you today.", 1.0, 300, "Stop.").end()
    said, (reply, cut, *_) = scenario.said[0], scenario.actions
    assert isinstance(reply, Reply)
    assert isinstance(cut, Cut)
    assert isinstance(said, Said)
    assert said.at == pytest.approx(reply.at + 1.0)
    assert cut.at == pytest.approx(said.at + 0.3)
    assert np.flatnonzero(scenario.track())[0] == round(said.at * RATE)


def test_the_set_holds_what_it_is_to_hold() -> None:
    assert len(SCENARIOS) >= 40
    surroundings = {scenario.setting.surroundings for scenario in SCENARIOS.values()}
    assert surroundings == {"clean", "20 dB", "10 dB", "echo"}
    kinds = {
        action.kind
        for scenario in SCENARIOS.values()
        for action in scenario.actions
        if isinstance(action, Cut)
    }
    assert kinds == {"barge-in", "false", "button"}
    over = {said.over for scenario in SCENARIOS.values() for said in scenario.said}
    assert over == {None, "missed", "backchannel", "talked over"}
