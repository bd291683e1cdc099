"""Samples of any recording, from anywhere in it."""

from __future__ import annotations

import threading
import zipfile

import numpy as np
import pytest
import soundfile

from app.bundles.bundle import BundleError
from app.recordings.sources import open_sources
from audio.errors import FileMissing, FileUnreadable
from audio.wavfile import StreamingWav

RNG = np.random.default_rng(2)


def waves(rate, seconds=6.0, channels=2):
    t = np.arange(round(rate * seconds))[:, None] / rate
    tones = np.sin(2 * np.pi * (300 + 50 * t + 170 * np.arange(channels)) * t) * 0.4
    return (tones + RNG.normal(0, 0.01, tones.shape)).astype(np.float32)


@pytest.fixture
def stereo(tmp_path):
    path = tmp_path / "stereo.wav"
    soundfile.write(path, waves(16_000), 16_000, "PCM_16")
    return path


@pytest.fixture
def bundle(tmp_path):
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "session.json").write_text('{"schema": 1, "end": {"duration_s": 1}}')
    for number, name in enumerate(("user", "agent")):
        with StreamingWav(folder / f"{name}.wav") as wav:
            wav.write(np.full(16_000 + number, number + 5, np.int16))
    return folder


def test_plain_samples_are_those_of_the_file_left_user_right_agent(stereo):
    samples = soundfile.read(stereo, dtype="int16")[0]
    with open_sources(stereo) as sources:
        assert sources.duration_samples == len(samples)
        assert np.array_equal(sources.user.read(0, len(samples)), samples[:, 0])
        assert np.array_equal(sources.agent.read(999, 4000), samples[999:4000, 1])
        assert sources.received is None
    with open_sources(stereo, swap=True) as sources:
        assert np.array_equal(sources.user.read(0, 10), samples[:10, 1])
        assert np.array_equal(sources.agent.read(0, 10), samples[:10, 0])


def test_what_lies_outside_is_silence(stereo):
    with open_sources(stereo) as sources:
        count = sources.duration_samples
        assert not sources.user.read(count, count + 100).any()
        assert not sources.user.read(-200, -100).any()
        across = sources.user.read(-50, 50)
        assert len(across) == 100
        assert not across[:50].any()
        assert np.array_equal(across[50:], sources.user.read(0, 50))
        assert len(sources.user.read(count - 10, count + 10)) == 20
        assert len(sources.user.read(-10, count + 10)) == count + 20
        assert len(sources.user.read(100, 100)) == 0


FORMATS = [
    ("x.wav", "WAV", "PCM_24", 48_000),
    ("x.wav", "WAV", "FLOAT", 44_100),
    ("x.wav", "WAV", "PCM_U8", 16_000),
    ("x.wav", "WAV", "PCM_16", 8_000),
    ("x.wav", "WAV", "ULAW", 8_000),
    ("x.wav", "WAV", "PCM_16", 96_000),
    ("x.wav", "WAV", "PCM_16", 44_101),
    ("x.flac", "FLAC", "PCM_16", 22_050),
    ("x.ogg", "OGG", "VORBIS", 44_100),
    ("x.opus", "OGG", "OPUS", 48_000),
    ("x.mp3", "MP3", "MPEG_LAYER_III", 44_100),
    ("x.aiff", "AIFF", "PCM_16", 32_000),
]


@pytest.mark.parametrize(("name", "kind", "subtype", "rate"), FORMATS)
def test_a_sample_is_the_same_wherever_reading_begins(tmp_path, name, kind, subtype, rate):
    path = tmp_path / name
    soundfile.write(path, waves(rate), rate, format=kind, subtype=subtype)
    with open_sources(path) as sources:
        whole = sources.user.read(0, sources.duration_samples).astype(int)
        assert len(whole) == sources.duration_samples == 96_000
        assert np.abs(whole).max() > 8000
        for start in (60_001, 3, 95_000, 30_000, 30_500, 31_700, 16_384):
            part = sources.user.read(start, start + 700)
            assert np.abs(part - whole[start : start + 700]).max() <= 1, start


def test_resampled_audio_stands_where_it_stood(tmp_path):
    for rate in (8_000, 44_100, 48_000, 96_000):
        path, clicks = tmp_path / f"{rate}.wav", np.zeros((rate * 3, 1), np.float32)
        for second in (0.5, 1.25, 2.75):
            clicks[round(second * rate)] = 0.9
        soundfile.write(path, clicks, rate, "PCM_24")
        with open_sources(path) as sources:
            samples = np.abs(sources.user.read(0, 48_000).astype(int))
        for second in (0.5, 1.25, 2.75):
            at = round(second * 16_000)
            assert abs(int(samples[at - 500 : at + 500].argmax()) - 500) <= 1


def test_one_channel_has_no_agent_and_of_many_the_first_two_count(tmp_path):
    for channels in (1, 6):
        soundfile.write(tmp_path / "x.wav", waves(16_000, channels=channels), 16_000, "PCM_24")
        expected = soundfile.read(tmp_path / "x.wav", always_2d=True)[0]
        with open_sources(tmp_path / "x.wav") as sources:
            assert (sources.agent is None) == (channels == 1)
            last = sources.agent or sources.user
            got = last.read(0, 96_000) / 32768
        assert np.abs(got - expected[:, min(channels, 2) - 1]).max() < 1e-4


def test_louder_than_full_scale_and_no_numbers_are_tamed(tmp_path):
    wild = np.array([0.5, 3.0, -7.0, np.nan, np.inf, -np.inf, 0.25], np.float32)
    soundfile.write(tmp_path / "x.wav", wild, 16_000, "FLOAT")
    with open_sources(tmp_path / "x.wav") as sources:
        got = sources.user.read(0, 7).tolist()
    assert got == [16384, 32767, -32768, 0, 0, 0, 8192]


@pytest.mark.parametrize("what", ["folder", "session.json", "zip"])
def test_the_tracks_of_a_bundle(bundle, tmp_path, what):
    path = {"folder": bundle, "session.json": bundle / "session.json", "zip": tmp_path / "b.ZIP"}
    with zipfile.ZipFile(tmp_path / "b.ZIP", "w") as archive:
        for file in bundle.iterdir():
            archive.write(file, f"bundle/{file.name}")
    with open_sources(path[what]) as sources:
        assert sources.duration_samples == 16_001
        assert set(sources.user.read(0, 16_000).tolist()) == {5}
        assert sources.user.read(15_999, 16_001).tolist() == [5, 0]
        assert sources.agent.read(16_000, 16_001).tolist() == [6]
        assert sources.received is None


def test_after_close_reading_opens_the_file_again(stereo):
    sources = open_sources(stereo)
    before = sources.user.read(0, 100)
    sources.close()
    sources.close()
    assert np.array_equal(sources.user.read(0, 100), before)
    sources.close()


def test_two_threads_may_read_one_track(tmp_path):
    path = tmp_path / "x.flac"
    soundfile.write(path, waves(44_100), 44_100)
    with open_sources(path) as sources:
        whole, wrong = sources.user.read(0, 96_000).astype(int), []

        def read(first):
            for start in range(first, 90_000, 7_001):
                part = sources.user.read(start, start + 500)
                if np.abs(part - whole[start : start + 500]).max() > 1:
                    wrong.append(start)

        threads = [threading.Thread(target=read, args=(first,)) for first in (0, 5000)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert not wrong


def test_what_cannot_be_opened_is_said_with_its_name(tmp_path):
    (tmp_path / "text.wav").write_text("hello")
    (tmp_path / "text.zip").write_text("hello")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileMissing, match="nothing"):
        open_sources(tmp_path / "nothing.wav")
    with pytest.raises(FileUnreadable, match="text"):
        open_sources(tmp_path / "text.wav")
    with pytest.raises(BundleError, match="text"):
        open_sources(tmp_path / "text.zip")
    with pytest.raises(BundleError, match="empty"):
        open_sources(tmp_path / "empty")


def test_a_file_that_goes_away_is_an_error_that_names_it(tmp_path):
    path = tmp_path / "gone.wav"
    soundfile.write(path, waves(16_000), 16_000, "PCM_16")
    sources = open_sources(path)
    path.unlink()
    with pytest.raises(FileMissing, match="gone"):
        sources.user.read(0, 10)
