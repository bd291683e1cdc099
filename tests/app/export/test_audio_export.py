"""Audio exports, read back by soundfile, by sox, and by what the formats' own headers say."""

from __future__ import annotations

import shutil
import struct
import subprocess
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.export.audio import CODECS, Cut, packed_share, write_audio
from app.export.errors import ExportError
from app.export.exporting import export
from app.export.formats import Order, Wish
from app.export.progress import Progress
from app.recordings.sources import open_sources
from tests.app.export.recorded import record, write_wav

RATE = 16_000
CLICKS = (4_001, 30_000, 75_543)


def read(path: Path) -> np.ndarray:
    samples, rate = soundfile.read(path, dtype="int16", always_2d=True)
    assert rate == RATE
    return samples


def sox_samples(path: Path) -> np.ndarray:
    """The samples as sox decodes them, with its own reader, as one column a channel."""
    channels = int(soxi("-c", path))
    raw = subprocess.run(
        ["sox", path, "-t", "raw", "-e", "signed", "-b", "16", "-"],
        check=True,
        capture_output=True,
    )
    assert raw.stderr == b""
    return np.frombuffer(raw.stdout, "<i2").reshape(-1, channels)


def soxi(what: str, path: Path) -> str:
    answer = subprocess.run(["soxi", what, path], check=True, capture_output=True, text=True)
    return answer.stdout.strip()


needs_sox = pytest.mark.skipif(shutil.which("sox") is None, reason="sox is the other reader")


@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_stereo_holds_the_very_samples_user_left_agent_right(recorded, exports, kind):
    (path,) = exports(kind)
    assert path.name == f"out.{kind}"
    samples = read(path)
    assert np.array_equal(samples, np.stack((recorded.user, recorded.agent), axis=1))


@needs_sox
@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_sox_reads_the_same_samples(recorded, exports, kind):
    (path,) = exports(kind)
    assert (soxi("-r", path), soxi("-s", path)) == ("16000", str(recorded.samples))
    assert np.array_equal(sox_samples(path), np.stack((recorded.user, recorded.agent), axis=1))


def test_the_tracks_apart(recorded, exports):
    user, agent = exports("tracks")
    assert [user.name, agent.name] == ["out-user.wav", "out-agent.wav"]
    assert np.array_equal(read(user)[:, 0], recorded.user)
    assert np.array_equal(read(agent)[:, 0], recorded.agent)


@pytest.mark.parametrize("kind", ["opus", "mp3"])
def test_what_is_lossy_has_as_many_samples_and_sounds_the_same(recorded, exports, kind):
    (path,) = exports(kind)
    samples = read(path)
    assert samples.shape == (recorded.samples, 2)
    assert np.corrcoef(samples[:, 0], recorded.user)[0, 1] > 0.9
    assert np.corrcoef(samples[:, 1], recorded.agent)[0, 1] > 0.9


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("kind", ["wav", "flac", "opus", "mp3"])
@pytest.mark.parametrize("length", [100_003, 96_000])
def test_a_click_stays_where_it_is(tmp_path, kind, channels, length):
    rng = np.random.default_rng(1)
    track = (rng.standard_normal(length) * 200).astype(np.int16)
    for at in CLICKS:
        track[at - 2 : at + 3] = (8_000, 16_000, 24_000, 16_000, 8_000)
    quiet = (rng.standard_normal(length) * 200).astype(np.int16)
    names = [write_wav(tmp_path / "a.wav", track), write_wav(tmp_path / "b.wav", quiet)]
    out = tmp_path / "out"
    with ExitStack() as opened, out.open("x+b") as file:
        sources = [opened.enter_context(open_sources(name)) for name in names[:channels]]
        tracks = tuple(each.user for each in sources)
        write_audio(file, kind, Cut(tracks, ((0, length),)), Progress())
    decoded = read(out)[:, 0].astype(int)
    assert len(decoded) == length
    for at in CLICKS:
        around = np.abs(decoded[at - 1500 : at + 1500])
        assert abs(int(around.argmax()) - 1500) <= (0 if kind in {"wav", "flac"} else 2)


def test_opus_says_by_itself_how_long_it_is(recorded, exports):
    (path,) = exports("opus")
    data = path.read_bytes()
    head = data.index(b"OpusHead")
    channels, pre_skip, rate = struct.unpack_from("<BHI", data, head + 9)
    assert (channels, rate) == (2, RATE)
    last = data.rindex(b"OggS")
    (granule,) = struct.unpack_from("<q", data, last + 6)
    assert granule - pre_skip == recorded.samples * 3  # Opus counts at 48 kHz


def test_mp3_says_by_itself_how_long_it_is(recorded, exports):
    (path,) = exports("mp3")
    data = path.read_bytes()
    tag = data.index(b"Info")
    flags, frames = struct.unpack_from(">II", data, tag + 4)
    assert flags & 1
    at = tag + 8 + sum(size for bit, size in ((1, 4), (2, 4), (4, 100), (8, 4)) if flags & bit)
    gaps = int.from_bytes(data[at + 21 : at + 24], "big")
    delay, padding = gaps >> 12, gaps & 0xFFF
    assert frames * 576 - delay - padding == recorded.samples


@pytest.mark.parametrize(("start", "stop"), [(4.0, 7.0), (5.6100001, 5.641), (0.0, 28.0)])
def test_a_selection_begins_at_zero(recorded, exports, start, stop):
    (path,) = exports("wav", start_s=start, stop_s=stop)
    first, last = round(start * RATE), round(stop * RATE)
    expected = np.stack((recorded.user, recorded.agent), axis=1)[first:last]
    assert np.array_equal(read(path), expected)


def test_a_selection_says_where_it_was(exports):
    (path,) = exports("flac", start_s=4.0, stop_s=7.0)
    with soundfile.SoundFile(path) as file:
        said = file.comment
    assert said == "User left, agent right. From 4.000 s to 7.000 s of the session."


def test_without_the_user_only_the_agent_is_there(recorded, exports):
    together, agent = exports("wav", "tracks", user=False)
    assert [together.name, agent.name] == ["out.wav", "out-agent.wav"]
    for path in (together, agent):
        assert np.array_equal(read(path), recorded.agent[:, None])


def test_the_agent_as_received_is_back_to_back_and_of_its_own_length(recorded, exports):
    (path,) = exports("flac", agent="received")
    assert path.name == "out-received.flac"
    assert np.array_equal(read(path)[:, 0], recorded.received)
    assert len(recorded.received) != recorded.samples


def test_a_selection_of_what_was_received_is_what_stands_there_heard_or_not(recorded, exports):
    user, received = exports("tracks", agent="received", start_s=5.0, stop_s=7.0)
    assert [user.name, received.name] == ["out-user.wav", "out-received.wav"]
    # heard from 0.8 s to 5.641 s; what was discarded would have gone on from there
    first = round((5.0 - 0.8) * RATE)
    assert np.array_equal(read(received)[:, 0], recorded.received[first : first + 2 * RATE])
    assert np.array_equal(read(user)[:, 0], recorded.user[5 * RATE : 7 * RATE])


def test_an_audio_file_has_its_channels_as_user_and_agent(tmp_path, exports):
    frames = (np.random.default_rng(2).standard_normal((48_000, 2)) * 3000).astype(np.int16)
    source = tmp_path / "call.flac"
    soundfile.write(source, frames, RATE)
    wav, user, agent = exports("wav", "tracks", session=source)
    assert np.array_equal(read(wav), frames)
    assert np.array_equal(read(user)[:, 0], frames[:, 0])
    assert np.array_equal(read(agent)[:, 0], frames[:, 1])
    with pytest.raises(ExportError, match=r"“call\.flac” is an audio file"):
        exports("srt", session=source)


def test_the_left_channel_can_be_the_agent(tmp_path, exports):
    frames = np.stack((np.full(1000, 5), np.full(1000, 7)), axis=1).astype(np.int16)
    soundfile.write(tmp_path / "call.wav", frames, RATE)
    (path,) = exports("wav", session=tmp_path / "call.wav", swap=True)
    assert read(path)[0].tolist() == [7, 5]


def test_a_file_of_one_channel_is_one_channel(tmp_path, exports):
    source = write_wav(tmp_path / "caller.wav", np.arange(1000, dtype=np.int16))
    (path,) = exports("wav", session=source)
    assert read(path)[:, 0].tolist() == list(range(1000))
    with pytest.raises(ExportError, match="no agent track, and the user’s voice is left out"):
        exports("flac", session=source, user=False)


def test_a_track_that_is_missing_leaves_the_other_alone(tmp_path, exports):
    session = record(tmp_path)
    (session.path / "agent.wav").unlink()
    (session.path / "received.wav").write_text("no audio")
    (path,) = exports("wav", session=session.path)
    assert np.array_equal(read(path)[:, 0], session.user)
    with pytest.raises(ExportError, match="no received track"):
        exports("flac", session=session.path, agent="received")


@pytest.mark.parametrize(
    ("start", "stop"), [(28.0, None), (5.0, 5.0), (7.0, 4.0), (100.0, 200.0), (5.0, 5.00001)]
)
def test_an_empty_selection_says_so(exports, start, stop):
    with pytest.raises(ExportError, match=r"There is nothing from .* the session lasts 28\.000 s"):
        exports("wav", start_s=start, stop_s=stop)


def test_no_audio_at_all_is_a_wav_and_nothing_else(tmp_path, exports):
    source = write_wav(tmp_path / "empty.wav", np.zeros(0, np.int16))
    (path,) = exports("wav", session=source)
    assert read(path).shape == (0, 1)
    for kind in ("flac", "opus", "mp3"):
        with pytest.raises(ExportError, match="There is no audio in it"):
            exports(kind, session=source)
    assert [each.name for each in path.parent.iterdir()] == ["out.wav"]


def test_a_wav_of_more_than_four_gigabytes_is_rf64():
    class Endless:
        duration_samples = 2**33

        def read(self, start, stop):
            return np.zeros(stop - start, np.int16)

    from app.export.audio import _how

    assert _how(CODECS["wav"], Cut((Endless(),), ((0, 2**30),)))["format"] == "WAV"
    assert _how(CODECS["wav"], Cut((Endless(),) * 2, ((0, 2**30),)))["format"] == "RF64"


def test_what_codecs_make_of_it_is_known_before(recorded, exports):
    with open_sources(recorded.path) as sources:
        for kind, tolerance in (("flac", 0.1), ("opus", 0.3), ("mp3", 0.1)):
            (path,) = exports(kind)
            told = packed_share(kind, (sources.user, sources.agent)) * recorded.samples * 4
            assert told == pytest.approx(path.stat().st_size, rel=tolerance)


def test_an_order_names_its_only_file(recorded, tmp_path):
    target = tmp_path / "as I like.WAV"
    order = Order(recorded.path, Wish(("wav",)), tmp_path, single=target)
    assert export(order) == [target]
    assert len(read(target)) == recorded.samples
