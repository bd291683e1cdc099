"""Saving a recording's audio as WAV."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.bundle import BundleError
from app.export import save_audio
from audio.errors import FileUnwritable
from audio.wavfile import StreamingWav


def write(path: Path, samples: np.ndarray) -> Path:
    with StreamingWav(path) as wav:
        wav.write(samples.astype(np.int16))
    return path


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "2026-11-22_10-15-03_demo"
    folder.mkdir()
    (folder / "session.json").write_text(json.dumps({"schema": 1}))
    (folder / "events.jsonl").write_text("")
    write(folder / "user.wav", np.full(16_000, 1000))
    write(folder / "agent.wav", np.full(16_000, 200))
    return folder


def heard(path: Path) -> np.ndarray:
    samples, _ = soundfile.read(path, dtype="int16")
    return samples


def test_a_recording_is_saved_as_stereo(bundle, tmp_path):
    target = tmp_path / "saved.wav"
    target.write_text("something else")
    assert save_audio(bundle, target) == [target]
    samples, rate = soundfile.read(target, dtype="int16")
    assert (rate, samples.shape) == (16_000, (16_000, 2))
    assert samples[0].tolist() == [1000, 200]
    assert sorted(path.name for path in tmp_path.iterdir()) == [bundle.name, "saved.wav"]


def test_a_recording_is_saved_apart(bundle, tmp_path):
    written = save_audio(bundle, tmp_path / "talk.wav", apart=True)
    assert [path.name for path in written] == ["talk-user.wav", "talk-agent.wav"]
    assert heard(written[1])[0] == 200


def test_saving_never_harms_the_recording(bundle):
    with pytest.raises(FileUnwritable, match="is the recording itself"):
        save_audio(bundle, bundle / "user.wav")
    assert len(heard(bundle / "user.wav")) == 16_000


def test_what_cannot_be_saved_says_so(bundle, tmp_path):
    with pytest.raises(FileUnwritable, match="nowhere"):
        save_audio(bundle, tmp_path / "nowhere" / "x.wav")
    (bundle / "agent.wav").unlink()
    with pytest.raises(BundleError, match="no agent track"):
        save_audio(bundle, tmp_path / "x.wav")
