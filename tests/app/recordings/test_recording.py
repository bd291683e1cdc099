"""Recordings that are opened: bundles, zips of them, and files of others."""

from __future__ import annotations

import json
import os
import zipfile
from datetime import UTC, datetime

import numpy as np
import pytest
import soundfile

from app.analysis.turns import TurnTracker
from app.analysis.viewed import PeakView, TurnView, Viewed
from app.bundles.bundle_files import encode_event
from app.recordings import recording
from app.recordings.peaks_cache import file_mark, keep_peaks
from app.recordings.recorded_tracks import PeaksJob
from app.recordings.recording import open_recording
from app.recordings.turns_found import TurnsFound
from app.states import State
from app.timeline.events import Muted
from audio.peaks import PeakPyramid
from audio.wavfile import StreamingWav
from tests.app.told_events import BARGE_IN
from tests.rig.waiting import wait_until

RNG = np.random.default_rng(4)
STEREO = RNG.integers(-9000, 9000, (70_003, 2)).astype(np.int16)
STEREO[:, 1] //= 3
NAMES = ("user", "agent", "received")


@pytest.fixture
def bundle(tmp_path):
    folder = tmp_path / "2026-11-22_10-15-03_demo"
    folder.mkdir()
    end = {"reason": "user", "duration_s": 30.0, "sentence": ""}
    facts = {
        "schema": 1,
        "began_utc": "2026-11-22T09:15:03Z",
        "agent": {"kind": "demo"},
        "end": end,
    }
    (folder / "session.json").write_text(json.dumps(facts))
    events = [*BARGE_IN, Muted(40.0, True), Muted(41.0, False), Muted(44.0, True)]
    (folder / "events.jsonl").write_bytes(b"".join(encode_event(event) for event in events))
    for number, name in enumerate(NAMES):
        with StreamingWav(folder / f"{name}.wav") as wav:
            wav.write(STEREO[:, number % 2] // (1 + number // 2))
    return folder


@pytest.fixture
def stereo(tmp_path):
    path = tmp_path / "call.wav"
    soundfile.write(path, STEREO, 16_000, "PCM_16")
    return path


@pytest.fixture
def opened():
    """Open recordings to their end, and close them."""
    held = []

    def open_whole(path, **settings):
        held.append(open_recording(path, **settings))
        assert held[-1].wait(10)
        return held[-1]

    yield open_whole
    for each in held:
        each.close()


def assert_peaks(peaks: PeakView, samples):
    plain = PeakPyramid()
    plain.append(samples)
    assert len(peaks) == len(samples)
    for span in ((0, len(samples), 7), (1000.5, 30_000.25, 50)):
        for one, other in zip(peaks.view(*span), plain.view(*span), strict=True):
            assert np.array_equal(one, other)


def as_viewed(viewed: Viewed) -> Viewed:
    """Let the type checker, and the reader, see that it is one."""
    return viewed


def test_a_file_is_two_lanes_without_events_and_turns(stereo, opened):
    viewed = as_viewed(opened(stereo))
    assert_peaks(viewed.tracks.user.peaks, STEREO[:, 0])
    assert_peaks(viewed.tracks.agent.peaks, STEREO[:, 1])
    assert len(viewed.tracks.received.peaks) == 0
    assert viewed.now() == 70_003 / 16_000
    assert (viewed.state, viewed.bundle, viewed.health()) == (State.ENDED, None, {})
    assert viewed.timeline.appended == 0


def test_what_a_file_says_of_itself(stereo, opened):
    viewed = opened(stereo)
    assert (viewed.kind, viewed.title, viewed.path) == ("file", "call.wav", stereo)
    assert (viewed.is_mono, viewed.warnings, viewed.progress) == (False, [], 1.0)
    assert viewed.turns.user_turns == viewed.turns.interruptions == []
    assert (viewed.began_utc, viewed.end, viewed.info.agent_kind) == (None, None, "")


def test_lanes_change_places(stereo, opened):
    viewed = opened(stereo, swap=True)
    assert_peaks(viewed.tracks.user.peaks, STEREO[:, 1])
    assert np.array_equal(viewed.sources.agent.read(0, 99), STEREO[:99, 0])
    viewed.swap()
    assert_peaks(viewed.tracks.user.peaks, STEREO[:, 0])
    assert np.array_equal(viewed.sources.user.read(0, 99), STEREO[:99, 0])


def test_one_channel_is_the_user_alone(tmp_path, opened):
    soundfile.write(tmp_path / "mono.flac", STEREO[:, 0], 16_000)
    viewed = opened(tmp_path / "mono.flac", swap=True)
    assert viewed.is_mono
    assert_peaks(viewed.tracks.user.peaks, STEREO[:, 0])
    assert len(viewed.tracks.agent.peaks) == 0
    assert viewed.sources.agent is None


@pytest.mark.parametrize("what", ["folder", "session.json"])
def test_a_bundle_has_its_tracks_events_and_turns(bundle, opened, what):
    viewed = as_viewed(opened(bundle if what == "folder" else bundle / what))
    for number, name in enumerate(NAMES):
        assert_peaks(getattr(viewed.tracks, name).peaks, STEREO[:, number % 2] // (1 + number // 2))
    assert viewed.timeline.slice(0, len(BARGE_IN)) == list(BARGE_IN)
    assert viewed.now() == 30.0
    assert viewed.bundle == bundle


def test_what_a_bundle_says_of_itself(bundle, opened):
    viewed = opened(bundle)
    assert (viewed.kind, viewed.title, viewed.is_copy) == ("bundle", bundle.name, False)
    assert viewed.began_utc == datetime(2026, 11, 22, 9, 15, 3, tzinfo=UTC)
    assert (viewed.info.agent_kind, viewed.end["reason"]) == ("demo", "user")
    assert viewed.muted == [(40.0, 41.0), (44.0, None)]
    assert (viewed.is_mono, viewed.warnings) == (False, [])
    viewed.swap()
    assert_peaks(viewed.tracks.user.peaks, STEREO[:, 0])


def test_turns_are_those_that_were_shown_live(bundle, opened):
    tracker = TurnTracker()
    for event in [*BARGE_IN, Muted(40.0, True), Muted(41.0, False), Muted(44.0, True)]:
        tracker.feed(event)
    turns: TurnView = opened(bundle).turns
    for name in ("user_turns", "agent_turns", "response_latencies_ms", "spans", "interruptions",
                 "transcript"):  # fmt: skip
        assert list(getattr(turns, name)) == list(getattr(tracker, name))
    assert turns.summary() == tracker.summary()


def test_the_second_time_nothing_is_read_again(bundle, opened, monkeypatch):
    first = opened(bundle)
    assert {path.name for path in (bundle / "peaks").iterdir()} == {
        "user.peaks", "agent.peaks", "received.peaks", "turns.json",
    }  # fmt: skip

    def refuse(*_arguments):
        raise AssertionError("was read again")

    monkeypatch.setattr(PeaksJob, "run", refuse)
    monkeypatch.setattr(recording, "find_turns", refuse)
    second = open_recording(bundle)
    assert second.progress == 1.0
    assert second.turns == first.turns
    assert_peaks(second.tracks.agent.peaks, STEREO[:, 1])
    second.close()


def test_a_changed_track_is_read_again_and_the_cache_follows(bundle, opened):
    opened(bundle)
    with StreamingWav(bundle / "user.wav") as wav:
        wav.write(STEREO[:999, 1])
    os.utime(bundle / "user.wav", (1e9, 1e9))
    assert_peaks(opened(bundle).tracks.user.peaks, STEREO[:999, 1])
    assert_peaks(opened(bundle).tracks.user.peaks, STEREO[:999, 1])


def test_peaks_of_another_length_than_the_track_are_read_again(bundle, opened):
    short = PeakPyramid()
    short.append(STEREO[:500, 0])
    keep_peaks(bundle, "user", short, file_mark(bundle / "user.wav"))
    assert_peaks(opened(bundle).tracks.user.peaks, STEREO[:, 0])


def test_without_the_right_to_write_it_opens_all_the_same(bundle, opened):
    (bundle / "peaks").write_text("in the way")
    viewed = opened(bundle)
    assert viewed.warnings == []
    assert_peaks(viewed.tracks.user.peaks, STEREO[:, 0])
    assert viewed.turns.interruptions


def test_single_samples_come_when_they_have_been_read(bundle, stereo, opened):
    for path, lane, samples in ((bundle, "user", STEREO[:, 0]), (stereo, "agent", STEREO[:, 1])):
        peaks: PeakView = getattr(opened(path).tracks, lane).peaks
        version = peaks.version
        low, high = peaks.view(50_000, 50_100, 100)
        assert np.any(low < high)
        wait_until(lambda: peaks.version > version, what="the samples")  # noqa: B023
        low, high = peaks.view(50_000, 50_100, 100)
        assert np.array_equal(low, samples[50_000:50_100])
        assert np.array_equal(high, samples[50_000:50_100])


def test_single_samples_up_to_the_very_end_of_any_format(tmp_path, opened):
    for name, rate in (("x.flac", 44_100), ("x.ogg", 48_000), ("x.mp3", 44_100)):
        soundfile.write(tmp_path / name, STEREO, rate)
        peaks = opened(tmp_path / name).tracks.agent.peaks
        span = (len(peaks) - 300, len(peaks), 300)
        peaks.view(*span)
        wait_until(lambda: peaks.version > 0, what="the samples")  # noqa: B023
        low, high = peaks.view(*span)
        assert np.array_equal(low, high), name


def test_peaks_of_any_rate_stand_where_the_samples_stand(tmp_path, opened):
    for rate in (8_000, 44_100, 96_000):
        clicks = np.zeros((rate * 10, 2), np.float32)
        for second in (0.3, 4.7, 9.9):
            clicks[round(second * rate), 1] = -0.5
        soundfile.write(tmp_path / "x.wav", clicks, rate, "PCM_24")
        low = opened(tmp_path / "x.wav").tracks.agent.peaks.view(0, 160_000, 625).low
        assert np.flatnonzero(low < -16_000).tolist() == [
            int(second * 16_000) // 256 for second in (0.3, 4.7, 9.9)
        ]


def test_a_zip_opens_as_the_bundle_does_and_leaves_nothing_behind(bundle, tmp_path, monkeypatch):
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    path = tmp_path / "sent.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in bundle.iterdir():
            archive.write(file, f"{bundle.name}/{file.name}")
    viewed = open_recording(path)
    assert viewed.wait(10)
    assert (viewed.kind, viewed.path, viewed.title, viewed.is_copy) == (
        "bundle", path, "sent.zip", True,
    )  # fmt: skip
    assert_peaks(viewed.tracks.agent.peaks, STEREO[:, 1])
    assert viewed.turns.interruptions
    assert viewed.bundle.is_dir()
    viewed.close()
    viewed.close()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_long_file_opens_at_once_and_grows_while_it_is_looked_at(stereo, monkeypatch):
    monkeypatch.setattr(recording.Worker, "start", lambda _worker: None)
    viewed = open_recording(stereo)
    assert len(viewed.tracks.user.peaks) == 0
    assert viewed.now() == 70_003 / 16_000
    assert viewed.progress == 0.0
    seen = []
    viewed._work(_Stopping(lambda: seen.append((viewed.progress, len(viewed.tracks.user.peaks)))))
    assert [at for at, _ in seen] == sorted(at for at, _ in seen)
    assert (viewed.progress, len(viewed.tracks.user.peaks)) == (1.0, 70_003)


class _Stopping:
    """Never set, and notes each look."""

    def __init__(self, note):
        self._note = note

    def is_set(self):
        self._note()
        return False


def test_closing_stops_the_reading_and_what_was_read_of_a_track_is_not_kept(bundle, monkeypatch):
    monkeypatch.setattr(recording.Worker, "start", lambda _worker: None)
    viewed = open_recording(bundle)
    looks = iter([False, True])
    stopping = _Stopping(lambda: None)
    stopping.is_set = lambda: next(looks, True)
    viewed._work(stopping)
    assert viewed.progress < 1.0
    assert viewed.turns is None
    assert not (bundle / "peaks").exists()
    viewed.close()


def test_closing_while_it_is_read_leaves_no_thread(tmp_path):
    soundfile.write(tmp_path / "long.flac", np.zeros((6_000_000, 2), np.int16), 48_000)
    for _ in range(3):
        viewed = open_recording(tmp_path / "long.flac")
        assert viewed._worker.alive
        viewed.close()
        assert not viewed._worker.alive
        assert viewed.progress < 1.0
        assert len(viewed.tracks.user.peaks) < 2_000_000, "not all of it was read"


def test_what_goes_wrong_inside_is_said_and_ends_the_waiting(bundle, monkeypatch, caplog):
    def fail(*_arguments, **_named):
        raise ZeroDivisionError

    monkeypatch.setattr(recording, "turns_by_sound", fail)
    viewed = open_recording(bundle)
    assert viewed.wait(10)
    assert any("ZeroDivisionError" in warning for warning in viewed.warnings)
    assert viewed.turns == TurnsFound()
    viewed.close()


def test_nothing_but_the_cache_is_written(bundle, stereo, opened):
    before = {path: path.read_bytes() for path in [*bundle.iterdir(), stereo]}
    opened(bundle)
    opened(stereo)
    (bundle / "peaks" / "turns.json").unlink()
    assert {path: path.read_bytes() for path in before} == before
    assert {path.name for path in stereo.parent.iterdir()} == {stereo.name, bundle.name}
