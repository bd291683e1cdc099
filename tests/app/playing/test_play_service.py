"""What the window plays: a recording or a file, on a chosen speaker."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.bundles.bundle import BundleError
from app.services import AppServices
from audio.errors import FileError
from tests.app.played import counting, heard
from tests.rig.speech import write_wav
from ui.services import PlayWish


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "2026-11-22_10-15-03_demo"
    folder.mkdir()
    (folder / "session.json").write_text(json.dumps({"schema": 1}))
    (folder / "events.jsonl").write_text("")
    write_wav(folder / "user.wav", np.full(4000, 1000, np.int16))
    write_wav(folder / "agent.wav", np.full(4000, 200, np.int16))
    return folder


def played(wish: PlayWish) -> np.ndarray:
    player = AppServices().play(wish)
    assert player.wait(5)
    assert player.error is None
    player.close()
    return heard(Path(wish.speaker))


def test_a_recording_is_played_as_wished(bundle: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "out.wav")
    assert set(played(PlayWish(bundle, out))) == {1200}
    wish = PlayWish(bundle, out, from_s=0.1, to_s=0.2, agent=False)
    assert played(wish).tolist() == [1000] * 1600
    assert len(played(PlayWish(bundle, out, speed=2.0))) == 2000


def test_a_file_is_played_with_its_lanes_as_they_are_or_swapped(tmp_path: Path) -> None:
    stereo = np.column_stack((counting(0.2), -counting(0.2)))
    soundfile.write(tmp_path / "call.wav", stereo, 16_000)
    for swap, sign in ((False, 1), (True, -1)):
        wish = PlayWish(tmp_path / "call.wav", str(tmp_path / "out.wav"), agent=False, swap=swap)
        assert np.array_equal(played(wish), sign * counting(0.2))


def test_what_cannot_be_played_says_so(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError):
        AppServices().play(PlayWish(tmp_path, "none"))
    with pytest.raises(FileError, match=r"gone\.wav"):
        AppServices().play(PlayWish(tmp_path / "gone.wav", "none"))
    notes = tmp_path / "notes.wav"
    notes.write_text("hello")
    with pytest.raises(FileError, match=r"notes\.wav"):
        AppServices().play(PlayWish(notes, "none"))
    for name in ("user.wav", "agent.wav"):
        (bundle / name).unlink()
    with pytest.raises(BundleError, match="has no audio"):
        AppServices().play(PlayWish(bundle, "none"))
