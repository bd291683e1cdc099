"""Peaks kept in a bundle: taken for what they are, or not at all."""

from __future__ import annotations

import os
import struct

import numpy as np
import pytest

from app.recordings import peaks_cache
from app.recordings.peaks_cache import file_mark, keep_peaks, load_peaks, save_peaks
from audio.peaks import PeakPyramid
from audio.wavfile import StreamingWav

RNG = np.random.default_rng(8)
TRACK = RNG.integers(-9000, 9000, 100_100).astype(np.int16)


@pytest.fixture
def bundle(tmp_path):
    write_wav(tmp_path, TRACK)
    return tmp_path


def write_wav(bundle, samples):
    with StreamingWav(bundle / "user.wav") as wav:
        wav.write(samples)


def pyramid_of(samples):
    pyramid = PeakPyramid()
    pyramid.append(samples)
    return pyramid


def assert_kept(bundle, samples):
    kept = load_peaks(bundle, "user")
    assert kept.samples == len(samples)
    (low, high), _ = pyramid_of(samples).bins()
    assert np.array_equal(kept.bins.low, low)
    assert np.array_equal(kept.bins.high, high)


def kept_file(bundle):
    return bundle / "peaks" / "user.peaks"


def test_what_is_kept_comes_back(bundle):
    assert load_peaks(bundle, "user") is None
    save_peaks(bundle, "user", pyramid_of(TRACK))
    assert_kept(bundle, TRACK)
    assert [path.name for path in (bundle / "peaks").iterdir()] == ["user.peaks"]
    assert load_peaks(bundle, "agent") is None


@pytest.mark.parametrize("kept", [100_100 // 256 * 256, 99_000, 5, 0])
def test_where_the_file_is_longer_silence_follows(bundle, kept):
    ended = TRACK.copy()
    ended[kept:] = 0
    write_wav(bundle, ended)
    save_peaks(bundle, "user", pyramid_of(TRACK[:kept]))
    assert_kept(bundle, ended)


def test_where_the_file_is_shorter_nothing_is_kept(bundle):
    save_peaks(bundle, "user", pyramid_of(np.concatenate((TRACK, TRACK))))
    save_peaks(bundle, "agent", pyramid_of(TRACK))
    assert not (bundle / "peaks").exists()


def test_a_track_that_was_changed_is_read_again(bundle):
    save_peaks(bundle, "user", pyramid_of(TRACK))
    wav = bundle / "user.wav"
    changed = file_mark(wav).changed_ns + 1_000_000
    os.utime(wav, ns=(changed, changed))
    assert load_peaks(bundle, "user") is None


def test_what_was_read_before_the_file_changed_is_not_taken_for_the_new_one(bundle):
    mark = file_mark(bundle / "user.wav")
    write_wav(bundle, TRACK[:500])
    keep_peaks(bundle, "user", pyramid_of(TRACK), mark)
    assert load_peaks(bundle, "user") is None


HEADER = struct.Struct("<4sHHqqqI")


def spoil(path, how):
    content = bytearray(path.read_bytes())
    if how == "cut":
        content = content[:-1]
    elif how == "longer":
        content += b"\0\0\0\0"
    elif how == "empty":
        content = b""
    elif how == "a bit":
        content[-1] ^= 1
    else:
        fields = list(HEADER.unpack_from(content))
        fields[how] = b"RIFF" if how == 0 else fields[how] + 256
        HEADER.pack_into(content, 0, *fields)
    path.write_bytes(content)


@pytest.mark.parametrize("how", ["cut", "longer", "empty", "a bit", 0, 1, 2, 3, 4, 5, 6])
def test_a_spoiled_file_is_passed_over(bundle, how):
    save_peaks(bundle, "user", pyramid_of(TRACK))
    spoil(kept_file(bundle), how)
    assert load_peaks(bundle, "user") is None
    save_peaks(bundle, "user", pyramid_of(TRACK))
    assert_kept(bundle, TRACK)


def test_a_file_far_too_large_is_not_read(bundle):
    save_peaks(bundle, "user", pyramid_of(TRACK))
    with kept_file(bundle).open("ab") as file:
        file.truncate(10**12)
    assert load_peaks(bundle, "user") is None


def test_nothing_is_written_or_read_outside_the_bundle(bundle, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (bundle / "peaks").symlink_to(outside)
    save_peaks(bundle, "user", pyramid_of(TRACK))
    assert list(outside.iterdir()) == []
    (bundle / "peaks").unlink()
    save_peaks(bundle, "user", pyramid_of(TRACK))
    kept_file(bundle).rename(outside / "user.peaks")
    kept_file(bundle).symlink_to(outside / "user.peaks")
    assert load_peaks(bundle, "user") is None
    before = (outside / "user.peaks").read_bytes()
    save_peaks(bundle, "user", pyramid_of(TRACK))
    assert not kept_file(bundle).is_symlink()
    assert (outside / "user.peaks").read_bytes() == before


def test_a_full_disk_and_a_file_in_the_way_cost_nothing_but_the_cache(bundle, monkeypatch):
    (bundle / "peaks").write_text("in the way")
    save_peaks(bundle, "user", pyramid_of(TRACK))
    assert load_peaks(bundle, "user") is None
    (bundle / "peaks").unlink()

    def refuse(_file, _descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(peaks_cache.Path, "replace", refuse)
    save_peaks(bundle, "user", pyramid_of(TRACK))
    assert list((bundle / "peaks").iterdir()) == []
