"""Tracks side by side: read together, and mixed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.mixing import TrackReader, mix
from app.sources import sources_of
from audio.errors import FileUnreadable
from tests.app.played import Track
from tests.rig.speech import write_wav


def write(path: Path, samples: np.ndarray) -> Path:
    return write_wav(path, samples.astype(np.int16))


def test_longer_tracks_are_not_cut_to_the_shorter(tmp_path: Path) -> None:
    with TrackReader(
        [
            write(tmp_path / "a.wav", np.full(10, 30_000)),
            write(tmp_path / "b.wav", np.full(4, 30_000)),
        ]
    ) as reader:
        assert reader.read_mixed(100).tolist() == [32767] * 4 + [30_000] * 6
        assert len(reader.read_mixed(100)) == 0
        reader.seek(3)
        assert [len(track) for track in reader.read(2)] == [2, 2]


def test_what_is_no_track_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match="missing"):
        TrackReader([tmp_path / "nowhere.wav"])
    stereo = tmp_path / "stereo.wav"
    soundfile.write(stereo, np.zeros((100, 2)), 16_000)
    with pytest.raises(FileUnreadable, match="not 16 kHz mono"):
        TrackReader([stereo])


def test_who_is_mixed() -> None:
    loud, soft = Track(np.full(10, 30_000)), Track(np.full(5, 5000))
    both = sources_of(loud, soft)
    assert mix(both, 3, 7).tolist() == [32767, 32767, 30_000, 30_000]
    assert mix(both, 3, 7, user=False).tolist() == [5000, 5000, 0, 0]
    assert mix(both, 3, 7, agent=False).tolist() == [30_000] * 4
    assert mix(both, 3, 7, user=False, agent=False).tolist() == [0] * 4
    assert mix(sources_of(None, soft), 0, 2).tolist() == [5000, 5000]
