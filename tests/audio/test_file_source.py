"""A caller from a file, in real time."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from audio import readahead
from audio.clock import now
from audio.errors import AudioError, FileMissing, FileUnreadable
from audio.file import BLOCK_SAMPLES, FileSource
from tests.audio.files import RAMP, nothing, until, wav


class Listener:
    """Collects what a source feeds."""

    def __init__(self) -> None:
        self.blocks: list[np.ndarray] = []
        self.times: list[float] = []
        self.late_s: list[float] = []
        self.faults: list[str] = []

    def feed(self, block: np.ndarray, captured_at: float) -> None:
        self.late_s.append(now() - captured_at - len(block) / 16_000)
        self.blocks.append(block)
        self.times.append(captured_at)

    @property
    def samples(self) -> np.ndarray:
        return np.concatenate(self.blocks)


@contextlib.contextmanager
def listening(source: FileSource) -> Iterator[Listener]:
    listener = Listener()
    opened = source.open(listener.feed, listener.faults.append, nothing)
    try:
        yield listener
    finally:
        opened.close()


def test_a_file_is_fed_whole_and_then_there_is_silence(tmp_path: Path) -> None:
    source = FileSource(wav(tmp_path / "caller.wav", RAMP[:3000]))
    with listening(source) as heard:
        assert source.wait_for_end(10)
        until(lambda: len(heard.blocks) > 25)
    samples = heard.samples
    assert np.array_equal(samples[:3000], RAMP[:3000])
    assert not samples[3000:].any()
    assert {len(block) for block in heard.blocks} == {BLOCK_SAMPLES}
    assert source.late_samples == source.skipped_samples == 0


def test_blocks_keep_the_time_of_one_beginning(tmp_path: Path) -> None:
    began = now()
    with listening(FileSource(wav(tmp_path / "caller.wav", RAMP))) as heard:
        until(lambda: len(heard.blocks) >= 30)
    steps = np.array(heard.times) - heard.times[0]
    assert np.allclose(steps, 0.010 * np.arange(len(steps)), atol=1e-6)
    assert 0 <= heard.times[0] - began < 0.2
    # nothing is heard before its last sample was due
    assert min(heard.late_s) >= 0
    assert np.median(heard.late_s) < 0.005


@pytest.mark.parametrize(
    ("name", "rate", "channels", "subtype"),
    [
        ("a.flac", 44_100, 2, "PCM_24"),
        ("a.ogg", 48_000, 1, "VORBIS"),
        ("a.mp3", 22_050, 2, "MPEG_LAYER_III"),
        ("a.wav", 8_000, 1, "ULAW"),
        ("a.wav", 96_000, 6, "FLOAT"),
        ("a.aiff", 11_025, 1, "PCM_U8"),
    ],
)
def test_any_format_is_heard_at_its_pitch_and_level(
    tmp_path: Path, name: str, rate: int, channels: int, subtype: str
) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(rate // 2) / rate)
    path = wav(tmp_path / name, np.tile(tone[:, None], channels), rate, subtype=subtype)
    source = FileSource(path)
    with listening(source) as heard:
        assert source.wait_for_end(10)
    middle = heard.samples[1600:6400].astype(float)
    spectrum = np.abs(np.fft.rfft(middle))
    assert np.argmax(spectrum) * 16_000 / len(middle) == pytest.approx(1000, abs=5)
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(16384 / np.sqrt(2), rel=0.05)
    # one steady tone: nothing else anywhere, as at the seams of pieces read one by one
    spectrum[np.argmax(spectrum) - 40 : np.argmax(spectrum) + 40] = 0
    assert np.sum(spectrum**2) < 1e-3 * np.sum(np.abs(np.fft.rfft(middle)) ** 2)
    assert not heard.faults


def test_a_long_file_is_read_while_it_is_fed(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(readahead.ReadAhead, "AHEAD_SAMPLES", 4000)
    monkeypatch.setattr(readahead.ReadAhead, "LOOK_S", 0.02)
    track = np.random.default_rng(1).integers(-9000, 9000, 16_000).astype(np.int16)
    source = FileSource(wav(tmp_path / "caller.wav", track))
    with listening(source) as heard:
        assert source.wait_for_end(10)
    assert np.array_equal(heard.samples[:16_000], track)
    assert source.late_samples == 0


def test_a_stalled_disk_is_silence_and_nothing_of_the_file_is_lost(
    tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(readahead.ReadAhead, "AHEAD_SAMPLES", 1600)
    monkeypatch.setattr(readahead.ReadAhead, "LOOK_S", 0.01)
    disk = threading.Event()
    disk.set()
    open_audio = readahead.open_audio

    def open_slow(path: Path) -> object:
        file = open_audio(path)
        whole_read = file.read
        file.read = lambda *a, **k: (disk.wait(10), whole_read(*a, **k))[1]
        return file

    monkeypatch.setattr(readahead, "open_audio", open_slow)
    track = np.arange(1, 12_001).astype(np.int16)
    source, xruns = FileSource(wav(tmp_path / "caller.wav", track)), []
    heard = Listener()
    opened = source.open(heard.feed, heard.faults.append, lambda: xruns.append(1))
    disk.clear()
    until(lambda: source.late_samples > 0)
    count = len(heard.blocks)
    until(lambda: len(heard.blocks) > count + 10)
    disk.set()
    assert source.wait_for_end(10)
    opened.close()
    samples = heard.samples
    assert np.array_equal(samples[samples > 0], track)
    assert max(np.diff(heard.times)) < 0.011
    assert xruns


def test_without_a_file_there_is_silence_that_never_ends() -> None:
    source = FileSource(None)
    with listening(source) as heard:
        assert not source.wait_for_end(0.05)
        until(lambda: len(heard.blocks) > 5)
    assert not heard.samples.any()


def test_an_empty_file_ends_at_once(tmp_path: Path) -> None:
    source = FileSource(wav(tmp_path / "empty.wav", RAMP[:0]))
    with listening(source):
        assert source.wait_for_end(10)


def test_nothing_is_fed_after_close_and_the_file_can_be_opened_again(tmp_path: Path) -> None:
    source = FileSource(wav(tmp_path / "caller.wav", RAMP))
    for _ in range(2):
        with listening(source) as heard:
            assert not source.input_ended.is_set()
            until(lambda heard=heard: len(heard.blocks) > 3)
        count = len(heard.blocks)
        assert not [t for t in threading.enumerate() if t.name.startswith("file-")]
        assert len(heard.blocks) == count
        assert np.array_equal(heard.samples[:320], RAMP[:320])


def test_whoever_waits_for_the_end_is_released_by_close(tmp_path: Path) -> None:
    source = FileSource(wav(tmp_path / "caller.wav", np.tile(RAMP, 50)))
    with listening(source):
        answers: list[bool] = []
        waiter = threading.Thread(target=lambda: answers.append(source.wait_for_end()))
        waiter.start()
    waiter.join(10)
    assert answers == [False]


def make_folder(path: Path) -> None:
    path.mkdir()


def make_text(path: Path) -> None:
    path.write_text("Dear diary, this is not audio.")


def make_stump(path: Path) -> None:
    path.write_bytes(b"RIFF\x24\x00\x00\x00WAVE")


@pytest.mark.parametrize(
    ("make", "kind", "sentence"),
    [
        (nothing, FileMissing, "There is no file “{}”."),
        (make_folder, FileUnreadable, "“{}” cannot be read: it is a folder or a device."),
        (make_text, FileUnreadable, "“{}” is not an audio file that can be read."),
        (make_stump, FileUnreadable, "“{}” is not an audio file that can be read."),
        (os.mkfifo, FileUnreadable, "“{}” cannot be read: it is a folder or a device."),
    ],
)
@pytest.mark.parametrize("name", ["caller.wav", "caller.raw", "ünï côdé.mp3"])
def test_what_cannot_be_read_is_named(
    tmp_path: Path, name: str, make: Callable, kind: type[AudioError], sentence: str
) -> None:
    path = tmp_path / name
    make(path)
    with pytest.raises(kind) as caught:
        FileSource(path).open(nothing, nothing, nothing)
    assert str(caught.value) == sentence.format(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_named(tmp_path: Path) -> None:
    path = wav(tmp_path / "caller.wav", RAMP)
    path.chmod(0)
    with pytest.raises(FileUnreadable, match="there is no permission"):
        FileSource(path).open(nothing, nothing, nothing)


def test_a_file_that_breaks_off_is_a_fault_and_then_silence(tmp_path: Path, caplog) -> None:
    noise = np.random.default_rng(2).integers(-9000, 9000, 8000).astype(np.int16)
    path = wav(tmp_path / "caller.flac", noise)
    path.write_bytes(path.read_bytes()[:8000])
    source = FileSource(path)
    with listening(source) as heard:
        assert source.wait_for_end(10)
        count = len(heard.blocks)
        until(lambda: len(heard.blocks) > count + 3)
    assert not heard.blocks[-1].any()
    assert heard.faults == [f"“{path}” cannot be read any further; silence follows."]
