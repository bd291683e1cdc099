"""What is broken, odd or hostile: each opens as far as it can, or is refused with its name."""

from __future__ import annotations

import json
import os
import subprocess

import numpy as np
import pytest
import soundfile

from app.bundles.bundle import BundleError
from app.bundles.bundle_files import encode_event
from app.recordings import recorded_events
from app.recordings.recorded_events import Unread
from app.recordings.recording import open_recording
from app.timeline.events import StateChanged
from audio.errors import FileError, FileMissing, FileUnreadable
from audio.wavfile import StreamingWav
from tests.app.told_events import BARGE_IN

RNG = np.random.default_rng(6)
TONE = (np.sin(np.arange(32_000) / 9) * 9000).astype(np.int16)


@pytest.fixture
def opened():
    held = []

    def open_whole(path):
        held.append(open_recording(path))
        assert held[-1].wait(10)
        assert held[-1].progress == 1.0
        return held[-1]

    yield open_whole
    for each in held:
        each.close()


@pytest.fixture
def bundle(tmp_path):
    folder = tmp_path / "bundle"
    folder.mkdir()
    facts = {"schema": 1, "agent": {"kind": "demo"}, "end": {"duration_s": 2.0}}
    (folder / "session.json").write_text(json.dumps(facts))
    (folder / "events.jsonl").write_bytes(b"".join(encode_event(event) for event in BARGE_IN))
    for name in ("user", "agent", "received"):
        with StreamingWav(folder / f"{name}.wav") as wav:
            wav.write(TONE)
    return folder


def loudest(track):
    low, high = track.peaks.view(0, max(len(track.peaks), 1), 1)
    return max(int(high[0]), -int(low[0]))


# -- audio files -----------------------------------------------------------------------------------


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("rate", [8_000, 16_000, 96_000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_depths_rates_and_channels(tmp_path, opened, subtype, rate, channels):
    t = np.arange(rate * 2)[:, None] / rate
    frames = np.sin(2 * np.pi * 300 * t) / (2 + np.arange(channels))
    soundfile.write(tmp_path / "x.wav", frames, rate, subtype)
    viewed = opened(tmp_path / "x.wav")
    assert viewed.now() == 2.0
    assert loudest(viewed.tracks.user) == pytest.approx(16_384, abs=400)
    if channels > 1:
        assert loudest(viewed.tracks.agent) == pytest.approx(10_923, abs=400)
    assert viewed.warnings == (
        ["“x.wav” has 6 channels: the first two are shown."] if channels == 6 else []
    )


def test_very_many_channels_are_read_in_small_pieces(tmp_path, opened):
    frames = np.zeros((3000, 900), np.int16)
    frames[:, 1] = 5000
    soundfile.write(tmp_path / "many.wav", frames, 900_000, "PCM_24")
    viewed = opened(tmp_path / "many.wav")
    assert viewed.sources.agent.form.block_frames == 2222
    assert loudest(viewed.tracks.agent) == 5000
    assert viewed.tracks.user.duration_samples == 54


@pytest.mark.parametrize("name", ["x.wav", "x.ogg", "x.aiff", "x.au"])
def test_files_of_no_seconds(tmp_path, opened, name):
    soundfile.write(tmp_path / name, TONE[:0], 16_000)
    viewed = opened(tmp_path / name)
    assert (viewed.now(), len(viewed.tracks.user.peaks), viewed.warnings) == (0.0, 0, [])
    low, high = viewed.tracks.user.peaks.view(0, 100, 10)
    assert np.all(low > high)
    assert viewed.sources.user.read(0, 10).tolist() == [0] * 10


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.wav", b""),
        ("text.wav", b"This is a text and no audio at all.\n" * 40),
        ("head.wav", b"RIFF\x24\x00\x00\x00WAVE"),
        ("page.mp3", b"<html><body>Not found</body></html>" * 100),
        ("zeros.ogg", bytes(5000)),
        ("noise.flac", bytes(RNG.integers(0, 256, 5000, dtype=np.uint8))),
        ("headerless.raw", TONE.tobytes()),
        ("no ending", b"hello"),
    ],
)
def test_what_is_no_audio_is_refused_with_its_name(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileUnreadable) as caught:
        open_recording(tmp_path / name)
    assert name in str(caught.value)
    assert str(caught.value).endswith(".")


def wav_with(**changes):
    """Return a WAV of 1,000 samples whose header tells of something else."""
    head = {"tag": 1, "channels": 1, "rate": 16_000, "bytes": 32_000, "align": 2, "bits": 16}
    head.update(changes)
    sizes = (2, 2, 4, 4, 2, 2)
    form = b"".join(
        (value % 256**size).to_bytes(size, "little")
        for value, size in zip(list(head.values())[:6], sizes, strict=True)
    )
    data = TONE[:1000].tobytes()
    told = changes.get("told", len(data))
    body = b"WAVEfmt " + (16).to_bytes(4, "little") + form
    body += b"data" + told.to_bytes(4, "little") + data
    return b"RIFF" + len(body).to_bytes(4, "little") + body


@pytest.mark.parametrize(
    "changes",
    [
        {"tag": 0},
        {"tag": 0x55},
        {"channels": 0},
        {"channels": 60_000},
        {"channels": 60_000, "align": 54_464},
        {"rate": 0},
        {"rate": 1},
        {"rate": 0xFFFFFFFF},
        {"align": 0},
        {"align": 1},
        {"align": 7},
        {"bits": 0},
        {"bits": 1},
        {"bits": 300},
        {"bytes": 0},
        {"told": 0},
        {"told": 7},
        {"told": 0x7FFFFFFF},
        {"told": 0xFFFFFFFF},
    ],
    ids=str,
)
def test_wrong_headers_are_lived_with_or_refused(tmp_path, opened, changes):
    path = tmp_path / "wrong.wav"
    path.write_bytes(wav_with(**changes))
    try:
        viewed = opened(path)
    except FileError as error:
        assert "wrong.wav" in str(error)  # noqa: PT017 - either is fine
    else:
        assert viewed.now() < 2000
        viewed.sources.user.read(0, 4000)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_a_wav_that_was_cut_short_shows_what_is_there(tmp_path, opened, subtype, rate):
    path = tmp_path / "cut.wav"
    soundfile.write(path, np.stack((TONE, TONE), 1), rate, subtype)
    os.truncate(path, path.stat().st_size // 2 + 1)
    viewed = opened(path)
    whole_s = 32_000 / rate
    assert viewed.now() == pytest.approx(whole_s / 2, abs=0.01)
    assert loudest(viewed.tracks.agent) == 8999
    is_plain = (subtype, rate) == ("PCM_16", 16_000)
    assert [("cut.wav" in warning) for warning in viewed.warnings] == [True] * is_plain


def test_a_wav_that_was_never_finished_shows_what_is_there(tmp_path, opened):
    command = "sox -n -r 16000 -c 2 -b 16 -t wav - synth 3 sine 300"
    made = subprocess.run(command.split(), capture_output=True, check=True, timeout=20)
    (tmp_path / "piped.wav").write_bytes(made.stdout)
    viewed = opened(tmp_path / "piped.wav")
    assert viewed.now() == pytest.approx(3.0, abs=0.001)
    assert loudest(viewed.tracks.agent) > 20_000


@pytest.mark.parametrize("name", ["cut.flac", "cut.ogg", "cut.opus", "cut.mp3"])
def test_a_packed_file_that_was_cut_short_shows_what_is_there(tmp_path, opened, name):
    path = tmp_path / name
    frames = RNG.normal(0, 0.1, (48_000 * 12, 2))
    settings = {"format": "OGG", "subtype": "OPUS"} if name.endswith("opus") else {}
    soundfile.write(path, frames, 48_000, **settings)
    os.truncate(path, path.stat().st_size * 6 // 10)
    viewed = opened(path)
    assert 5 < viewed.now() < 8
    assert loudest(viewed.tracks.agent) > 5000
    assert len(viewed.sources.agent.read(80_000, 90_000)) == 10_000


def test_a_file_that_is_missing_and_a_folder_of_something_else(tmp_path):
    with pytest.raises(FileMissing, match="nothing"):
        open_recording(tmp_path / "nothing.wav")
    (tmp_path / "music").mkdir()
    with pytest.raises(BundleError, match="music"):
        open_recording(tmp_path / "music")
    with pytest.raises(BundleError, match=r"nothing\.zip"):
        open_recording(tmp_path / "nothing.zip")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such pipes")
@pytest.mark.parametrize("name", ["pipe.wav", "pipe.mp3", "pipe.zip"])
def test_pipes_and_devices_are_not_waited_for(tmp_path, name):
    os.mkfifo(tmp_path / name)
    with pytest.raises((FileUnreadable, BundleError), match="pipe"):
        open_recording(tmp_path / name)


# -- bundles ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["user.wav", "agent.wav", "received.wav"])
@pytest.mark.parametrize("how", ["missing", "text", "empty", "folder"])
def test_without_a_track_the_rest_is_there(bundle, opened, name, how):
    path = bundle / name
    path.unlink()
    if how == "folder":
        path.mkdir()
    elif how != "missing":
        path.write_bytes(b"text" * 100 if how == "text" else b"")
    viewed = opened(bundle)
    (warning,) = viewed.warnings
    assert name in warning
    lacking = getattr(viewed.tracks, path.stem)
    others = [track for track in ("user", "agent", "received") if track != path.stem]
    assert len(lacking.peaks) == 0
    assert all(loudest(getattr(viewed.tracks, other)) == 8999 for other in others)
    assert getattr(viewed.sources, path.stem) is None
    assert viewed.turns.interruptions
    assert viewed.now() == 2.0


def test_a_track_in_another_format_is_shown_as_well_as_may_be(bundle, opened):
    soundfile.write(bundle / "user.wav", np.stack((TONE, TONE // 2), 1), 48_000, "PCM_24")
    viewed = opened(bundle)
    assert viewed.warnings == ["user.wav has 2 channels: the first one is shown."]
    assert loudest(viewed.tracks.user) == pytest.approx(8999, abs=2)


def test_a_recording_without_any_audio_still_has_its_events(bundle, opened):
    for name in ("user", "agent", "received"):
        (bundle / f"{name}.wav").unlink()
    (bundle / "session.json").unlink()
    viewed = opened(bundle)
    assert len(viewed.warnings) == 4
    assert viewed.timeline.appended == len(BARGE_IN)
    assert viewed.now() == BARGE_IN[-1].t


def test_broken_lines_and_unknown_types_are_said_and_shown_as_such(bundle, opened):
    with (bundle / "events.jsonl").open("ab") as file:
        file.write(b'no json\n{"t": 5, "type": "from_the_future"}\n{"t": 6, "type": "sta')
    viewed = opened(bundle)
    text = " ".join(viewed.warnings)
    assert "2 lines of events.jsonl cannot be read (line" in text
    assert "from_the_future" in text
    *_, one, two, three = viewed.timeline.slice(0, 1000)
    assert [type(event) for event in (one, two, three)] == [Unread] * 3
    again = opened(bundle)
    assert again.warnings == viewed.warnings


@pytest.mark.parametrize("name", ["events.jsonl", "session.json"])
@pytest.mark.parametrize("how", ["missing", "empty", "folder", "binary"])
def test_a_bundle_without_one_of_its_two_texts(bundle, opened, name, how):
    (bundle / name).unlink()
    if how == "folder":
        (bundle / name).mkdir()
    elif how != "missing":
        (bundle / name).write_bytes(b"" if how == "empty" else bytes(range(256)) * 20)
    viewed = opened(bundle)
    is_nothing_wrong = (name, how) == ("events.jsonl", "empty")
    assert any(name in warning for warning in viewed.warnings) != is_nothing_wrong
    assert loudest(viewed.tracks.user) == 8999


def test_a_newer_schema_is_said_and_shown(bundle, opened):
    facts = json.loads((bundle / "session.json").read_text())
    (bundle / "session.json").write_text(json.dumps({**facts, "schema": 9, "new": [1]}))
    viewed = opened(bundle)
    assert "newer version" in viewed.warnings[0]
    assert viewed.turns.interruptions


def test_more_events_than_anybody_records_are_said(bundle, opened, monkeypatch):
    monkeypatch.setattr(recorded_events, "MOST_EVENTS", 10)
    viewed = opened(bundle)
    assert viewed.timeline.appended == 10
    assert any("more than 10 events" in warning for warning in viewed.warnings)


@pytest.mark.parametrize(("t", "lasts_s"), [(1e300, BARGE_IN[-1].t), (-5.0, 2.0)])
def test_a_time_that_makes_no_sense_does_not_stretch_the_recording(bundle, opened, t, lasts_s):
    (bundle / "session.json").write_text('{"schema": 1}')
    with (bundle / "events.jsonl").open("ab") as file:
        file.write(encode_event(StateChanged(t, "running")))
    assert opened(bundle).now() == lasts_s


@pytest.mark.parametrize("name", ["user.wav", "events.jsonl", "session.json"])
def test_a_link_out_of_the_bundle_is_not_followed(bundle, tmp_path, opened, name):
    outside = tmp_path / f"private-{name}"
    (bundle / name).rename(outside)
    (bundle / name).symlink_to(outside)
    before = outside.read_bytes()
    viewed = opened(bundle)
    assert any(name in warning and "outside" in warning for warning in viewed.warnings)
    assert outside.read_bytes() == before
    if name == "user.wav":
        assert len(viewed.tracks.user.peaks) == 0
    elif name == "events.jsonl":
        assert viewed.timeline.appended == 0
    else:
        assert viewed.info.agent_kind == ""


def test_a_link_out_of_a_bundle_that_was_cut_short_is_not_repaired(bundle, tmp_path, opened):
    (bundle / "session.json").write_text('{"schema": 1, "end": null}')
    outside = tmp_path / "private.wav"
    (bundle / "user.wav").rename(outside)
    with outside.open("ab") as file:
        file.write(bytes(1001))
    (bundle / "user.wav").symlink_to(outside)
    for path in (outside, *bundle.iterdir()):
        os.utime(path, (1e9, 1e9))
    before = outside.read_bytes()
    opened(bundle)
    assert outside.read_bytes() == before


def test_a_link_within_the_bundle_is_fine(bundle, opened):
    (bundle / "user.wav").rename(bundle / "take 2.wav")
    (bundle / "user.wav").symlink_to("take 2.wav")
    viewed = opened(bundle)
    assert viewed.warnings == []
    assert loudest(viewed.tracks.user) == 8999


def test_paths_that_session_json_names_are_text_and_nothing_else(bundle, opened):
    facts = json.loads((bundle / "session.json").read_text())
    facts |= {"replays": "/etc/passwd", "user": "/etc/passwd", "tracks": {"user": "../../x.wav"}}
    (bundle / "session.json").write_text(json.dumps(facts))
    viewed = opened(bundle)
    assert viewed.info.replays == "/etc/passwd"
    assert viewed.sources.user.form.path == bundle / "user.wav"
