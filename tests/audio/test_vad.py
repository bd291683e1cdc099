"""Edges of speech against speech whose place is known."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audio import pcm
from audio.vad import SpeechEdge, Vad, VadSettings

needs_espeak = pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="espeak-ng is not installed"
)
RNG_SEED = 5


def speak(folder: Path, words: str, voice: str = "en-us") -> pcm.Samples:
    """Return the words without the silence around them, peaking at 10,000."""
    path = folder / "speech.wav"
    subprocess.run(["espeak-ng", "-v", voice, "-w", path, words], check=True, timeout=20)
    samples = pcm.to_contract(*soundfile.read(path, dtype="float32")).astype(float)
    samples *= 10_000 / np.abs(samples).max()
    heard = np.flatnonzero(np.abs(samples) > 200)
    return samples[heard[0] : heard[-1] + 1].astype(np.int16)


def white_noise(count: int, rms: float) -> np.ndarray:
    return np.random.default_rng(RNG_SEED).normal(0.0, rms, count)


def edges_of(track: pcm.Samples, settings: VadSettings | None = None) -> list[SpeechEdge]:
    vad = Vad(settings)
    return vad.feed(track) + vad.finish()


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> tuple[pcm.Samples, list[tuple[int, int]]]:
    """Return four sayings at known places in silence."""
    folder = tmp_path_factory.mktemp("speech")
    sayings = [
        speak(folder, "Stop, I have a question."),
        speak(folder, "five four three two one", "en-gb+f3"),
        speak(folder, "Yes."),
        speak(folder, "No wait, not that one.", "en-us+m3"),
    ]
    track, places = [pcm.silence(20_011)], []
    for saying in sayings:
        start = sum(map(len, track))
        places.append((start, start + len(saying)))
        track += [saying, pcm.silence(19_000)]
    return np.concatenate(track), places


@needs_espeak
@pytest.mark.parametrize("snr_db", [None, 20])
def test_edges_stand_where_the_speech_does(talk, snr_db: float | None) -> None:
    track, places = talk
    if snr_db is not None:
        first, last = places[0]
        rms = np.sqrt(np.mean(track[first:last].astype(float) ** 2))
        noise = white_noise(len(track), rms * 10 ** (-snr_db / 20))
        track = pcm.round_to_samples(track + noise)
    edges = edges_of(track)
    assert [edge.kind for edge in edges] == ["onset", "end"] * len(places)
    wanted = np.array(places).ravel()
    errors_ms = np.abs(np.array([edge.position for edge in edges]) - wanted) / 16
    assert np.median(errors_ms) < 15
    assert errors_ms.max() < 80


def voices(folder: Path, count: int) -> np.ndarray:
    """Return people who talk all the time, three at once."""
    said = [
        speak(folder, "Nobody knows what became of the letter that she had sent.", "en-gb+m1"),
        speak(folder, "We were on the train when the weather turned, late at night.", "en+f2"),
        speak(folder, "Put it on the table, next to the others, and come back here.", "en-us+m7"),
    ]
    return sum(np.resize(np.roll(each, 5000 * n), count) for n, each in enumerate(said, 1)) * 1.0


def behind(folder: Path, track: pcm.Samples, speech: slice, snr_db: float) -> pcm.Samples:
    """Return the track with voices in the background, so far below its speech."""
    far = voices(folder, len(track))
    level = np.sqrt(np.mean(track[speech].astype(float) ** 2))
    far *= level / np.sqrt(np.mean(far**2)) * 10 ** (-snr_db / 20)
    return pcm.round_to_samples(track + far)


@needs_espeak
def test_people_in_the_background_are_not_the_user(talk, tmp_path) -> None:
    track, places = talk
    edges = edges_of(behind(tmp_path, track, slice(*places[0]), 20))
    onsets = [edge.position for edge in edges if edge.kind == "onset"]
    ends = [edge.position for edge in edges if edge.kind == "end"]
    for start, stop in places:
        assert min(abs(start - onset) for onset in onsets) < 150 * 16
        assert min(abs(stop - end) for end in ends) < 150 * 16
    # they are taken for the user until the user has spoken, for nobody can tell before
    assert len([onset for onset in onsets if onset > places[0][1]]) == len(places) - 1


@needs_espeak
def test_a_soft_word_after_a_loud_sentence_is_heard(tmp_path) -> None:
    loud = speak(tmp_path, "Stop, I have a question.")
    soft = speak(tmp_path, "Yes, yes.") * 0.25
    start = 16_000 + len(loud) + 48_000
    track = np.concatenate((pcm.silence(16_000), loud, pcm.silence(48_000), soft.astype(np.int16)))
    edges = edges_of(np.concatenate((track, pcm.silence(16_000))))
    assert [edge.kind for edge in edges] == ["onset", "end"] * 2
    assert abs(edges[2].position - start) < 80 * 16


@needs_espeak
@pytest.mark.parametrize("block", [1000, 160, 511, 40_000])
def test_how_a_track_is_cut_up_changes_nothing(talk, block: int) -> None:
    track, _places = talk
    expected = edges_of(track)
    vad, edges, told_late = Vad(), [], 0
    for start in range(0, len(track), block):
        for edge in vad.feed(track[start : start + block]):
            edges.append(edge)
            told_late = max(told_late, vad.position - edge.position)
    assert edges + vad.finish() == expected
    # an end is told when the hang has passed, at most a few windows after it
    assert told_late < 8000 + 6400 + block


@needs_espeak
def test_two_tracks_do_not_disturb_each_other(talk) -> None:
    track, _places = talk
    one, other, silent = Vad(), Vad(), Vad()
    edges: list[list[SpeechEdge]] = [[], [], []]
    for start in range(0, len(track), 800):
        for index, (vad, samples) in enumerate(
            ((one, track), (other, track[::-1]), (silent, pcm.silence(len(track))))
        ):
            edges[index] += vad.feed(samples[start : start + 800])
    assert edges[0] == Vad().feed(track)
    assert edges[2] == []


@needs_espeak
def test_an_onset_is_told_while_the_speech_still_goes_on(talk) -> None:
    track, places = talk
    vad = Vad()
    for start in range(0, places[0][1], 160):
        edges = vad.feed(track[start : start + 160])
        if edges:
            assert vad.speaking
            assert vad.probability >= 0.35
            assert vad.position - places[0][0] < 3200
            return
    pytest.fail("no onset was told before the speech ended")


@needs_espeak
def test_the_hang_decides_whether_a_pause_ends_speech(talk) -> None:
    track, places = talk
    first = track[places[0][0] : places[0][1]]
    pause = pcm.silence(6400)
    joined = np.concatenate((pcm.silence(8000), first, pause, first, pcm.silence(16_000)))
    assert len(edges_of(joined, VadSettings(hang_ms=200))) == 4
    assert len(edges_of(joined, VadSettings(hang_ms=600))) == 2


@needs_espeak
def test_speech_cut_off_by_the_end_of_the_track_ends_there(talk) -> None:
    track, places = talk
    cut = track[: places[0][1] - 3000]
    edges = edges_of(cut)
    assert [edge.kind for edge in edges] == ["onset", "end"]
    assert abs(edges[1].position - len(cut)) <= 1024


@needs_espeak
def test_a_track_begun_anew_starts_at_zero(talk) -> None:
    track, _places = talk
    vad = Vad()
    first = vad.feed(track) + vad.finish()
    assert vad.position == 0
    assert not vad.speaking
    assert vad.feed(track) + vad.finish() == first


@pytest.mark.parametrize("rms", [0, 30, 1000])
def test_steady_noise_is_no_speech(rms: float) -> None:
    assert edges_of(pcm.round_to_samples(white_noise(80_000, rms))) == []


@pytest.mark.parametrize("burst_ms", [20, 60, 150])
def test_a_burst_of_noise_is_no_speech(burst_ms: int) -> None:
    track = white_noise(48_000, 20)
    at = slice(20_000, 20_000 + burst_ms * 16)
    track[at] += white_noise(burst_ms * 16, 5000)
    assert edges_of(pcm.round_to_samples(track)) == []
