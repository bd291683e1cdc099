"""Where a track lays what it is given."""

from __future__ import annotations

import numpy as np
import pytest

from app.tap.positions import PositionMap
from app.timeline.tracks import Handover, Track, Tracks
from audio.pcm import SAMPLE_RATE
from audio.wavfile import StreamingWav
from tests.rig.waiting import wait_until


def ramp(count, start=0):
    return (np.arange(start, start + count) % 30_000).astype(np.int16)


def content(track):
    return track.ring.read(0, track.ring.written)[1]


def test_the_first_samples_stand_exactly_where_they_belong():
    track = Track()
    track.lay(ramp(160), 0.5)
    assert track.duration_samples == 8160
    assert not content(track)[:8000].any()
    assert np.array_equal(content(track)[8000:], ramp(160))
    assert track.gaps == 0


def test_what_was_captured_before_the_session_began_is_left_out():
    track = Track()
    track.lay(ramp(1600), -0.05)
    assert np.array_equal(content(track), ramp(800, 800))
    assert track.trimmed_samples == 0


@pytest.mark.parametrize("ppm", [-1000, -150, 150, 1000])
def test_drift_is_followed_by_single_samples_and_never_by_a_jump(ppm):
    track, rate = Track(), SAMPLE_RATE * (1 + ppm * 1e-6)
    position, worst = 0, 0.0
    while position < 60 * SAMPLE_RATE:
        at = position / rate
        track.lay(ramp(320, position), at)
        position += 320
        worst = max(worst, abs(track.duration_samples - position / rate * SAMPLE_RATE))
    assert worst < 0.001 * SAMPLE_RATE
    steps = np.diff(content(track).astype(int))
    assert set(np.unique(steps[np.abs(steps) < 14_000])) <= {0, 1, 2}
    assert track.gaps == track.trimmed_samples == 0


def test_late_samples_leave_a_gap_and_early_ones_lose_their_beginning():
    track = Track()
    track.lay(ramp(160), 0.0)
    track.lay(ramp(160, 160), 0.11)
    assert (track.gaps, track.gap_samples) == (1, 1600)
    track.lay(ramp(1600, 320), 0.10)
    assert track.trimmed_samples == 320
    assert np.array_equal(content(track)[-1280:], ramp(1280, 640))
    track.lay(ramp(100), 0.0)
    assert track.trimmed_samples == 420


def test_filling_keeps_up_and_what_follows_is_placed_exactly():
    track = Track()
    track.lay(ramp(160), 0.0)
    track.fill_to(1600)
    track.fill_to(800)
    assert track.duration_samples == 1600
    track.lay(ramp(160, 1), 1600 / SAMPLE_RATE + 0.005)
    assert np.array_equal(content(track)[1680:], ramp(160, 1))


def test_overview_and_meter_follow_the_samples():
    track = Track()
    track.lay(np.full(1600, 16_384, np.int16), 0.1)
    high = track.peaks.view(0, track.duration_samples, 4).high
    assert (high[0], high[-1]) == (0, 16_384)
    assert track.meter.reading(0.2).peak_dbfs == pytest.approx(-6.02, abs=0.01)


def test_a_track_is_bounded():
    track = Track(ring_s=1)
    track.fill_to(100 * SAMPLE_RATE)
    assert len(track.ring.read(0, track.ring.written)[1]) == SAMPLE_RATE


def test_samples_older_than_the_ring_are_read_back_from_the_recording(tmp_path):
    track = Track(ring_s=1)
    with StreamingWav(tmp_path / "user.wav") as wav:
        track.is_written_to(tmp_path / "user.wav")
        for second in range(8):
            track.append(ramp(SAMPLE_RATE, second * SAMPLE_RATE))
            wav.write(ramp(SAMPLE_RATE, second * SAMPLE_RATE))
            wav.flush()
        assert view_of(track, 7 * SAMPLE_RATE).tolist() == ramp(100, 7 * SAMPLE_RATE).tolist()
        assert track.peaks.version == 0
        assert view_of(track, 1000).tolist() != ramp(100, 1000).tolist()
        wait_until(lambda: track.peaks.version > 0, what="the samples")
        assert view_of(track, 1000).tolist() == ramp(100, 1000).tolist()


def view_of(track, start):
    return track.peaks.view(start, start + 100, 100).high


def test_each_track_is_read_back_from_its_own_file(tmp_path):
    tracks = Tracks()
    tracks.are_written_to(tmp_path)
    for number, name in enumerate(("user", "agent", "received")):
        with StreamingWav(tmp_path / f"{name}.wav") as wav:
            wav.write(np.full(100, number + 1, np.int16))
        detail = getattr(tracks, name).peaks.detail
        wait_until(lambda: detail.samples(0, 100) is not None, what=name)  # noqa: B023
        assert set(detail.samples(0, 100).tolist()) == {number + 1}


def test_a_full_handover_drops_and_counts_and_goes_on():
    handover = Handover(1000)
    handover.put(0, ramp(600))
    handover.put(600, ramp(600))
    assert handover.dropped_samples == 600
    assert handover.first().start == 0
    handover.done()
    handover.put(1200, ramp(600))
    assert handover.first().start == 1200


def test_positions_follow_every_hold_back():
    positions = PositionMap()
    positions.add(0, 0)
    positions.add(100, 100)
    positions.add(200, 500)
    positions.add(300, 600)
    positions.add(350, 900)
    assert positions.spans(0, 200) == [(0, 200)]
    assert positions.spans(150, 250) == [(150, 200), (500, 550)]
    assert positions.spans(199, 360) == [(199, 200), (500, 650), (900, 910)]
    assert positions.spans(400, 400) == []
