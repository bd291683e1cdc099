"""Who speaks again: the caller of a bundle, of a zip of one, or of an audio file."""

from __future__ import annotations

import gc
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.notices import AppError
from app.recordings.replayed import Replayed, find_replayed
from app.recordings.session_path import find_recording
from audio.errors import FileError, FileMissing, FileUnreadable
from audio.file import FileAudioInterface
from tests.app.bundle_rig import OPENED_AT_S, make_bundle
from tests.rig.speech import RATE_HZ, Samples, silence, tone, write_wav
from tests.rig.waiting import wait_until

NAME = "2026-11-22_10-15-03_demo"


def heard(replayed: Replayed, count: int) -> Samples:
    """Return the first samples that an agent is sent, through the contract."""
    chunks: list[bytes] = []
    interface = FileAudioInterface(replayed.source(), input_frames=400)
    interface.start(chunks.append)
    try:
        wait_until(lambda: len(b"".join(chunks)) >= 2 * count, what="the caller to have spoken")
    finally:
        interface.stop()
    return np.frombuffer(b"".join(chunks), np.int16)[:count]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return make_bundle(tmp_path / NAME)


@pytest.fixture
def zipped(bundle: Path, tmp_path: Path) -> Path:
    path = tmp_path / "kept.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in bundle.iterdir():
            archive.write(file, f"{NAME}/{file.name}")
    return path


def test_a_session_is_replayed_from_where_its_microphone_opened(bundle: Path) -> None:
    replayed = find_replayed(bundle)
    assert replayed.first_sample == OPENED_AT_S * RATE_HZ
    assert heard(replayed, 4000).tolist() == list(range(1, 4001))
    assert replayed.settings()["replays"] == {
        "name": NAME,
        "kind": "bundle",
        "conversation_id": "conv_1",
        "began_utc": "2026-11-22T10:15:03.000Z",
        "from_s": 0.5,
    }


def test_a_session_without_events_is_replayed_from_its_beginning(bundle: Path) -> None:
    (bundle / "events.jsonl").write_text("no event\n")
    assert find_replayed(bundle).first_sample == 0
    (bundle / "events.jsonl").unlink()
    assert find_replayed(bundle).first_sample == 0
    assert find_replayed(bundle / "session.json").name == NAME


def test_a_zip_is_unpacked_for_as_long_as_it_speaks(
    zipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    replayed = find_replayed(zipped)
    assert (replayed.name, replayed.conversation_id) == ("kept.zip", "conv_1")
    assert heard(replayed, 800).tolist() == list(range(1, 801))
    assert list((tmp_path / "temporary").iterdir())
    del replayed
    gc.collect()
    assert not list((tmp_path / "temporary").iterdir())


@pytest.mark.parametrize(("swap", "level"), [(False, 1000), (True, 2000)])
def test_of_two_channels_the_left_one_is_the_caller(tmp_path: Path, swap: bool, level: int) -> None:
    path = tmp_path / "both.flac"
    both = np.tile(np.array([1000, 2000], np.int16), (RATE_HZ, 1))
    soundfile.write(path, both, RATE_HZ)
    replayed = find_replayed(path, swap=swap)
    assert set(heard(replayed, 800)) == {level}
    assert replayed.settings()["replays"].get("swapped") is (True if swap else None)


def test_a_file_of_another_rate_is_heard_at_ours(tmp_path: Path) -> None:
    path = tmp_path / "wide.wav"
    soundfile.write(path, np.full(48_000, 0.25), 48_000, subtype="FLOAT")
    samples = heard(find_replayed(path), 4000)
    assert samples[1000:].tolist() == pytest.approx([8192] * 3000, abs=2)


@pytest.mark.parametrize("name", ["mono", "bundle"])
def test_where_there_is_nothing_to_swap_that_is_said(
    bundle: Path, tmp_path: Path, name: str
) -> None:
    mono = write_wav(tmp_path / "mono.wav", tone(0.1))
    with pytest.raises(AppError, match=r"nothing to swap|which track is the user"):
        find_replayed(mono if name == "mono" else bundle, swap=True)


def test_what_has_no_caller_is_refused_with_a_sentence(bundle: Path, tmp_path: Path) -> None:
    (bundle / "user.wav").unlink()
    text = tmp_path / "text.wav"
    text.write_text("no audio")
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK no zip")
    for path in (bundle, text, broken, tmp_path, tmp_path / "gone.wav"):
        with pytest.raises(FileError, match=path.name):
            find_replayed(path)


def test_a_track_that_is_gone_by_the_time_it_is_opened_is_refused(bundle: Path) -> None:
    source = find_replayed(bundle).source()
    (bundle / "user.wav").unlink()
    with pytest.raises(FileError):
        source.check()


def test_an_empty_track_ends_at_once(tmp_path: Path) -> None:
    empty = find_replayed(write_wav(tmp_path / "empty.wav", silence(0))).source()
    interface = FileAudioInterface(empty)
    interface.start(lambda _audio: None)
    try:
        assert interface.wait_for_end_of_input(2.0)
    finally:
        interface.stop()


def test_a_recording_is_found_by_its_path_or_by_its_name(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_recording(str(bundle)) == bundle
    assert find_recording(NAME, tmp_path) == bundle
    with pytest.raises(FileMissing, match="no recording or audio file “nothing”"):
        find_recording("nothing", tmp_path)
    with pytest.raises(FileMissing):
        find_recording("x" * 5000, tmp_path)
    monkeypatch.chdir(tmp_path)
    assert find_recording(NAME) == Path(NAME)
    with pytest.raises(FileUnreadable):
        find_replayed(tmp_path)
