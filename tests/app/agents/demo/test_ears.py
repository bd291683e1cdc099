"""The ears: what they make of voices and of noise, in chunks of any size."""

from __future__ import annotations

import numpy as np
import pytest

from app.agents.demo.ears import Ears
from app.agents.demo.speech import Speech
from app.agents.demo.user_turn import Heard

RATE = 16_000


def _padded(one: Speech, before_s: float, after_s: float) -> bytes:
    return bytes(int(before_s * RATE) * 2) + one.pcm + bytes(int(after_s * RATE) * 2)


def _feed(pcm: bytes, chunk_bytes: int) -> list[Heard]:
    ears = Ears()
    return [ears.feed(pcm[at : at + chunk_bytes]) for at in range(0, len(pcm), chunk_bytes)]


@pytest.mark.parametrize("chunk_bytes", [8000, 320, 1, 2001, 10**9])
def test_speech_is_found_where_it_is_whatever_the_size_of_the_chunks(
    shipped_speech: dict[str, Speech], chunk_bytes: int
) -> None:
    one = shipped_speech["go-ahead"]
    heard = _feed(_padded(one, 1.0, 1.0), chunk_bytes)
    edges = [edge for block in heard for edge in block.edges]
    assert edges[0].kind == "onset"
    assert edges[-1].kind == "end"
    assert edges[0].position / RATE == pytest.approx(1.0, abs=0.1)
    last_word_s = 1.0 + one.words[-1].end_ms / 1000
    assert edges[-1].position / RATE == pytest.approx(last_word_s, abs=0.15)
    assert heard[-1].position == one.samples + 2 * RATE
    assert heard[-1].speech_until / RATE == pytest.approx(last_word_s, abs=0.2)


def test_an_onset_is_told_within_a_quarter_of_a_second(
    shipped_speech: dict[str, Speech],
) -> None:
    for one in shipped_speech.values():
        heard = _feed(_padded(one, 0.5, 0.0)[: RATE * 2], 640)
        told = next(block.position for block in heard if block.edges)
        assert told / RATE - 0.5 < 0.25, one.id


def test_a_sound_is_loud_from_its_beginning_to_its_end_over_short_lulls() -> None:
    samples = np.random.default_rng(1).normal(0, 4, 3 * RATE)
    for begin_s in (1.0, 1.2, 2.5):
        begin = int(begin_s * RATE)
        samples[begin : begin + 2048] = 400 * np.sin(np.arange(2048) * 0.3)
    ears = Ears(loud_dbfs=-50.0)
    heard = [
        ears.feed(samples[at : at + 512].astype("<i2").tobytes())
        for at in range(0, len(samples), 512)
    ]
    at_2_s, at_end = heard[2 * RATE // 512], heard[-1]
    assert at_2_s.loud_from / RATE == pytest.approx(1.0, abs=0.033)
    assert at_2_s.loud_until / RATE == pytest.approx(1.328, abs=0.033)
    assert at_end.loud_from / RATE == pytest.approx(2.5, abs=0.033)


def test_nothing_is_loud_where_speech_alone_counts() -> None:
    ears = Ears()
    heard = ears.feed(np.full(RATE, 32_767, "<i2").tobytes())
    assert heard.loud_until == 0


@pytest.mark.parametrize("kind", ["silence", "noise", "click", "hum"])
def test_what_is_no_speech_is_no_onset(kind: str) -> None:
    samples = np.zeros(3 * RATE)
    if kind == "noise":
        samples = np.random.default_rng(1).normal(0, 300, len(samples))
    elif kind == "click":
        samples[RATE : RATE + 80] = 20_000
    elif kind == "hum":
        samples = 2000 * np.sin(np.arange(len(samples)) * 2 * np.pi * 50 / RATE)
    heard = _feed(samples.astype("<i2").tobytes(), 8000)
    assert not any(block.edges for block in heard)
