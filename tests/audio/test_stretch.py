"""Speech at another speed: duration, pitch, smoothness, and where each sample is from."""

from __future__ import annotations

import numpy as np
import pytest

from audio.pcm import SAMPLE_RATE
from audio.stretch import Block, Stretch
from tests.rig.speech import click, say, silence, tone

SENTENCE = "The quick brown fox jumps over the lazy dog, and then it goes to sleep."
SPEEDS = (0.5, 0.75, 1.25, 1.5, 2.0)


def blocks(samples: np.ndarray, speed: float, at_a_time: int = 0) -> list[Block]:
    """All blocks of ``samples``, pushed ``at_a_time`` or just as they are missed."""
    stretch, pushed, pulled = Stretch(speed), 0, []
    while not stretch.over:
        while stretch.missing:
            if pushed == len(samples):
                stretch.end()
                break
            count = at_a_time or stretch.missing
            stretch.push(samples[pushed : pushed + count])
            pushed = min(pushed + count, len(samples))
        pulled.append(stretch.pull())
    return pulled


def stretched(samples: np.ndarray, speed: float) -> np.ndarray:
    return np.concatenate([block.samples for block in blocks(samples, speed)])


def places_of(pulled: list[Block]) -> np.ndarray:
    """For each sample of the output, where in the input it is from."""
    return np.concatenate(
        [block.begins + np.arange(len(block.samples)) * block.pace for block in pulled]
    )


def pitch_hz(samples: np.ndarray, middle: int) -> float | None:
    """The pitch of the 40 ms about a sample, by autocorrelation; None where it has none."""
    part = samples[middle - 320 : middle + 320].astype(float)
    part -= part.mean()
    alike = np.correlate(part, part, "full")[len(part) - 1 :]
    first, last = SAMPLE_RATE // 300, SAMPLE_RATE // 60
    lag = first + int(np.argmax(alike[first:last]))
    if alike[0] < len(part) * 500**2 or alike[lag] < 0.6 * alike[0]:
        return None
    left, top, right = alike[lag - 1 : lag + 2]
    return SAMPLE_RATE / (lag + (left - right) / (2 * (left - 2 * top + right)))


def test_at_its_own_speed_every_bit_passes() -> None:
    speech = say(SENTENCE)
    pulled = blocks(speech, 1.0)
    assert np.array_equal(np.concatenate([block.samples for block in pulled]), speech)
    assert [block.begins for block in pulled] == list(range(0, len(speech), Stretch.BLOCK))
    loudest = np.array([-32768, 32767], np.int16)
    assert np.array_equal(stretched(loudest, 1.0), loudest)


@pytest.mark.parametrize("speed", SPEEDS)
@pytest.mark.parametrize("length", [0, 1, 200, 12_345])
def test_the_duration_is_exact_to_the_sample(speed: float, length: int) -> None:
    assert len(stretched(tone(1.0)[:length], speed)) == round(length / speed)


@pytest.mark.parametrize("speed", SPEEDS)
def test_a_tone_keeps_its_frequency_and_its_level(speed: float) -> None:
    played = stretched(tone(2.0, 440), speed)
    middle = played[1000:-1000] * np.hanning(len(played) - 2000)
    spectrum = np.abs(np.fft.rfft(middle, 1 << 18))
    assert np.argmax(spectrum) * SAMPLE_RATE / (1 << 18) == pytest.approx(440, abs=1)
    assert np.abs(played).max() == pytest.approx(np.abs(tone(2.0, 440)).max(), rel=0.01)
    # nothing but the tone: what splices leave is 40 dB below it
    beside = spectrum.copy()
    beside[int(400 * (1 << 18) / SAMPLE_RATE) : int(480 * (1 << 18) / SAMPLE_RATE)] = 0
    assert beside.max() < spectrum.max() / 100


@pytest.mark.parametrize("speed", SPEEDS)
@pytest.mark.parametrize("voice", ["en", "en+f3", "en+m7"])
def test_speech_keeps_its_pitch_and_has_no_clicks(speed: float, voice: str) -> None:
    speech = say(SENTENCE, voice=voice)
    pulled = blocks(speech, speed)
    played, places = np.concatenate([block.samples for block in pulled]), places_of(pulled)
    middles = [n for n in range(400, len(played) - 400, 160) if 400 < places[n] < len(speech) - 400]
    pairs = [(pitch_hz(played, n), pitch_hz(speech, int(places[n]))) for n in middles]
    ratios = np.array([ours / own for ours, own in pairs if ours and own])
    assert len(ratios) > 30
    assert np.median(ratios) == pytest.approx(1, abs=0.005)
    assert np.mean(np.abs(ratios - 1) < 0.05) > 0.97
    # a splice that does not fit is a step, which no sample of the original has
    steps, own = (np.abs(np.diff(each.astype(int))) for each in (played, speech))
    assert steps.max() <= own.max() * 1.05
    assert np.percentile(steps, 99.9) <= np.percentile(own, 99.9) * 1.1


@pytest.mark.parametrize("speed", SPEEDS)
def test_each_sample_tells_where_it_is_from(speed: float) -> None:
    times = np.arange(0.3, 4.0, 0.37)
    train = silence(4.2)
    for at in times:
        start = round(at * SAMPLE_RATE)
        train[start : start + 32] = click()
    pulled = blocks(train, speed)
    played = np.concatenate([block.samples for block in pulled])
    places = places_of(pulled)
    assert np.diff(places).min() > -1e-6  # the place that is heard never goes back
    assert np.abs(places - np.arange(len(places)) * speed).max() <= Stretch.SEARCH + 1
    for at in times:
        near = np.flatnonzero(np.abs(places / SAMPLE_RATE - at) < 0.05)
        loudest = near[np.argmax(np.abs(played[near].astype(int)))]
        assert abs(int(played[loudest])) > 1000
        assert places[loudest] / SAMPLE_RATE == pytest.approx(at, abs=0.0125)


@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0])
def test_pieces_of_any_length_make_no_difference(speed: float) -> None:
    speech = say(SENTENCE)
    together = np.concatenate([block.samples for block in blocks(speech, speed, 10**6)])
    assert np.array_equal(together, stretched(speech, speed))


@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0])
def test_it_keeps_no_more_than_it_needs(speed: float) -> None:
    stretch = Stretch(speed)
    for _ in range(2000):
        while stretch.missing:
            stretch.push(tone(1.0)[: stretch.missing])
        stretch.pull()
        assert len(stretch._kept) <= 3 * Stretch.FRAME


def test_what_cannot_be_understood_is_refused() -> None:
    for speed in (0.0, 0.49, 2.01, -1.0, float("nan")):
        with pytest.raises(ValueError, match="times its speed"):
            Stretch(speed)
