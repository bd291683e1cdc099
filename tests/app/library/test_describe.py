"""What there is to know of a recording, in words."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.bundles.bundle import BundleError
from app.library.describe import describe


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "2026-11-22_10-15-03_demo"
    (folder / "peaks").mkdir(parents=True)
    for name in ("user", "agent", "received"):
        soundfile.write(folder / f"{name}.wav", np.zeros(32_000, np.int16), 16_000)
    (folder / "events.jsonl").write_text("")
    (folder / "peaks" / "user.peaks").write_bytes(b"x" * 1000)
    write_facts(folder)
    return folder


def write_facts(folder: Path, **more: object) -> None:
    facts = {
        "schema": 1,
        "began_utc": "2026-11-22T10:15:03+00:00",
        "agent": {"kind": "demo", "label": "Demo\nagent \x1b[31m", "conversation_id": "conv_7"},
        "devices": {"microphone": "Headset", "speaker": ""},
        "formats": {"user_input": "pcm_16000"},
        "replays": "2026-11-21_09-00-00_demo",
        "versions": {"turnscope": "0.1.0"},
        "end": {"duration_s": 75.0, "reason": "user", "sentence": "You ended the session."},
        **more,
    }
    (folder / "session.json").write_text(json.dumps(facts))


def test_a_session_is_described_with_its_sizes(bundle: Path) -> None:
    facts = dict(describe(bundle))
    assert facts["Agent"] == "Demo agent [31m"
    assert facts["Duration"] == "1:15"
    assert facts["Ended"] == "You ended the session."
    assert facts["Speaker"] == "–"
    assert facts["Format to the agent"] == "pcm_16000"
    assert facts["Replays"] == "2026-11-21_09-00-00_demo"
    assert facts["Recovered"] == "no"
    assert facts["User track"] == "64.0 kB"
    assert facts["Version of turnscope"] == "0.1.0"
    assert facts["Folder"] == str(bundle)
    whole = sum(file.stat().st_size for file in bundle.rglob("*") if file.is_file())
    assert facts["On disk"] == f"{whole / 1000:.0f} kB"


def test_a_recovered_session_says_when(bundle: Path) -> None:
    write_facts(bundle, recovered={"utc": "2026-11-22T12:00:00+00:00"})
    assert dict(describe(bundle))["Recovered"].startswith("yes, 2026-11-22")
    write_facts(bundle, recovered={"utc": "9999-12-31T23:59:59-14:00"}, began_utc="0001-01-01")
    assert dict(describe(bundle))["Recovered"] == "yes"
    write_facts(bundle, recovered={"utc": 17})
    assert dict(describe(bundle))["Recovered"].startswith("yes")


def test_an_audio_file_is_described_by_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "call.flac"
    soundfile.write(path, np.zeros((48_000, 2), np.int16), 48_000)
    facts = dict(describe(path))
    assert facts["Sample rate"] == "48000 Hz"
    assert facts["Channels"].startswith("2")
    assert facts["Duration"] == "0:01"
    assert facts["File"] == str(path)


def test_a_folder_that_is_no_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="is not a recording"):
        describe(tmp_path)
