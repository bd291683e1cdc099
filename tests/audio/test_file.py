"""A caller from a file, and the listener's side to a file, in real time."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audio import file as audio_file
from audio import readahead
from audio.clock import now
from audio.errors import AlreadyRunning, AudioError, FileMissing, FileUnreadable, FileUnwritable
from audio.file import BLOCK_SAMPLES, FileAudioInterface, FileSink, FileSource
from tests.rig.waiting import wait_until

RAMP = np.arange(1, 3201, dtype=np.int16)
"""200 ms in which each sample says where it is from."""


def until(condition: Callable[[], object]) -> None:
    wait_until(condition, 10.0, "what the file's threads should have done")


def nothing(*_args: object) -> None:
    """Take no notice."""


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


def wav(path: Path, frames: np.ndarray, rate: int = 16_000, **options: str) -> Path:
    soundfile.write(path, frames, rate, **options)
    return path


def read(path: Path) -> np.ndarray:
    samples, rate = soundfile.read(path, dtype="int16")
    assert rate == 16_000
    return samples


# -- the source ------------------------------------------------------------------------------------


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


# -- the sink --------------------------------------------------------------------------------------


class Speaker:
    """Hands out numbered blocks as a playout queue would, and notes when they were due."""

    def __init__(self) -> None:
        self.due: list[float] = []
        self.faults: list[str] = []

    def pull(self, frames: int, plays_at: float) -> np.ndarray:
        self.due.append(plays_at)
        return np.full(frames, len(self.due), dtype=np.int16)

    def expected(self) -> np.ndarray:
        return np.repeat(np.arange(1, len(self.due) + 1, dtype=np.int16), BLOCK_SAMPLES)


@pytest.mark.parametrize("to_file", [True, False])
def test_a_sink_pulls_in_real_time(tmp_path: Path, to_file: bool) -> None:
    speaker, path = Speaker(), tmp_path / "heard.wav"
    sink = FileSink(path if to_file else None)
    began = now()
    opened = sink.open(speaker.pull, speaker.faults.append, nothing)
    until(lambda: len(speaker.due) >= 30)
    opened.close()
    took_s = now() - began
    assert np.allclose(np.diff(speaker.due), 0.010, atol=1e-6)
    assert len(speaker.due) * 0.010 == pytest.approx(took_s, abs=0.2)
    assert speaker.due[-1] <= now()
    if to_file:
        assert np.array_equal(read(path), speaker.expected())
    assert not path.exists() or to_file


def test_the_file_can_be_read_while_it_grows(tmp_path: Path) -> None:
    speaker, path = Speaker(), tmp_path / "heard.wav"
    sink = FileSink(path)
    opened = sink.open(speaker.pull, speaker.faults.append, nothing)
    for _ in range(3):
        seen = len(speaker.due) * BLOCK_SAMPLES
        until(lambda seen=seen: len(read(path)) > seen)
        partial = read(path)
        assert np.array_equal(partial, speaker.expected()[: len(partial)])
    opened.close()


def test_a_full_disk_is_told_and_what_waited_is_written_when_there_is_room(
    tmp_path: Path, monkeypatch, caplog
) -> None:
    full = threading.Event()
    put = audio_file.StreamingWav._put

    def put_if_room(self, offset: int, data: bytes) -> None:
        if full.is_set():
            raise FileUnwritable(self.path, f"“{self.path}” cannot be written: the disk is full.")
        put(self, offset, data)

    monkeypatch.setattr(audio_file.StreamingWav, "_put", put_if_room)
    speaker, path = Speaker(), tmp_path / "heard.wav"
    sink = FileSink(path)
    opened = sink.open(speaker.pull, speaker.faults.append, nothing)
    until(lambda: len(read(path)) > 0)
    full.set()
    until(lambda: bool(speaker.faults))
    count = len(speaker.due)
    until(lambda: len(speaker.due) > count + 20)
    assert len(read(path)) > 0
    full.clear()
    until(lambda: len(read(path)) > count * BLOCK_SAMPLES)
    opened.close()
    assert speaker.faults == [f"“{path}” cannot be written: the disk is full."]
    assert np.array_equal(read(path), speaker.expected())
    assert sink.lost_samples == 0


def test_what_the_disk_never_took_is_counted_and_the_rest_keeps_its_place(
    tmp_path: Path, monkeypatch, caplog
) -> None:
    monkeypatch.setattr(audio_file._Writer, "RING_SAMPLES", 1600)
    monkeypatch.setattr(audio_file._Writer, "FLUSH_S", 0.3)
    speaker, path = Speaker(), tmp_path / "heard.wav"
    sink = FileSink(path)
    opened = sink.open(speaker.pull, speaker.faults.append, nothing)
    until(lambda: len(speaker.due) >= 70)
    opened.close()
    heard, expected = read(path), speaker.expected()
    assert len(heard) == len(expected)
    assert np.count_nonzero(heard == 0) == sink.lost_samples > 0
    assert np.all((heard == expected) | (heard == 0))


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_is_taken_away_is_told_once(
    tmp_path: Path, monkeypatch, caplog, replaced: bool
) -> None:
    monkeypatch.setattr(audio_file._Writer, "LOOK_S", 0.0)
    monkeypatch.setattr(audio_file._Writer, "FLUSH_S", 0.01)
    speaker, path = Speaker(), tmp_path / "heard.wav"
    opened = FileSink(path).open(speaker.pull, speaker.faults.append, nothing)
    until(lambda: len(read(path)) > 0)
    path.rename(tmp_path / "elsewhere.wav")
    if replaced:
        path.write_bytes(b"of somebody else's")
    until(lambda: bool(speaker.faults))
    count = len(speaker.due)
    until(lambda: len(speaker.due) > count + 10)
    opened.close()
    assert speaker.faults == [
        f"“{path}” was deleted or replaced: what is heard is written no more."
    ]
    assert path.exists() == replaced


@pytest.mark.parametrize("name", ["x" * 300 + ".wav", "a\0b.wav", "\ud800.wav"])
@pytest.mark.parametrize("spoken", [False, True])
def test_what_no_file_can_be_called_cannot_be_written(
    tmp_path: Path, name: str, spoken: bool
) -> None:
    caller = tmp_path / "caller.wav"
    audio_file.StreamingWav(caller).close()
    interface = audio_file.FileAudioInterface(caller if spoken else None, tmp_path / name)
    with pytest.raises(FileUnwritable, match="cannot be written"):
        interface.start(nothing)


def test_what_cannot_be_written_is_named_and_leaves_no_thread(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "heard.wav"
    with pytest.raises(FileUnwritable) as caught:
        FileSink(path).open(Speaker().pull, nothing, nothing)
    assert str(caught.value) == f"“{path}” cannot be written: its folder does not exist."


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "heard.wav"
    os.mkfifo(path)
    with pytest.raises(FileUnwritable, match="a folder or a device"):
        FileSink(path).open(Speaker().pull, nothing, nothing)


# -- the clock of both -----------------------------------------------------------------------------


class FakeStopping:
    """An event whose waiting moves a clock, past the deadline where the test says so."""

    def __init__(self, oversleep_s: dict[int, float], stop_after: int) -> None:
        self.time = 100.0
        self._waits = 0
        self._oversleep_s = oversleep_s
        self._stop_after = stop_after

    def wait(self, timeout: float) -> bool:
        self._waits += 1
        self.time += timeout + self._oversleep_s.get(self._waits, 0.0)
        return self.is_set()

    def is_set(self) -> bool:
        return self._waits >= self._stop_after


def kept_time(monkeypatch, stopping: FakeStopping) -> tuple[list[float], list[int]]:
    due: list[float] = []
    gaps: list[int] = []
    monkeypatch.setattr(audio_file, "now", lambda: stopping.time)
    audio_file._keep_time(stopping, due.append, gaps.append)
    return due, gaps


def test_late_wake_ups_are_caught_up_without_drift(monkeypatch) -> None:
    stopping = FakeStopping({3: 0.25, 40: 0.9, 90: 0.003}, stop_after=1000)
    due, gaps = kept_time(monkeypatch, stopping)
    assert np.allclose(due, 100.0 + 0.010 * np.arange(len(due)), atol=1e-9)
    assert len(due) * 0.010 == pytest.approx(stopping.time - 100.0, abs=0.011)
    assert gaps == []


def test_a_suspended_machine_skips_the_time_instead_of_rushing(monkeypatch) -> None:
    stopping = FakeStopping({20: 3600.0}, stop_after=50)
    due, gaps = kept_time(monkeypatch, stopping)
    assert gaps == [pytest.approx(360_000, abs=2)]
    assert len(due) < 60
    assert max(np.diff(due)) == pytest.approx(3600, abs=0.02)


def test_all_that_is_due_when_it_stops_is_done(monkeypatch) -> None:
    stopping = FakeStopping({10: 0.5}, stop_after=10)
    due, _gaps = kept_time(monkeypatch, stopping)
    assert due[-1] == pytest.approx(stopping.time, abs=0.0101)
    assert due[-1] <= stopping.time


# -- the interface ---------------------------------------------------------------------------------


def test_caller_and_listener_through_the_contract(tmp_path: Path) -> None:
    caller = wav(tmp_path / "caller.wav", RAMP)
    interface = FileAudioInterface(caller, tmp_path / "heard.wav", input_frames=320)
    assert not interface.wait_for_end_of_input(0.01)
    chunks: list[bytes] = []
    interface.start(chunks.append)
    interface.output(np.full(1600, 20_000, np.int16).tobytes())
    interface.output(np.full(16_000, -9000, np.int16).tobytes())
    assert interface.wait_for_end_of_input(10)
    interface.interrupt()
    interface.output(np.full(160, 30_000, np.int16).tobytes())
    until(lambda: interface.account.queued_samples == 0)
    until(lambda: len(chunks) >= 12)
    interface.stop()
    assert b"".join(chunks)[:6400] == RAMP.tobytes()
    heard = read(tmp_path / "heard.wav")
    assert np.count_nonzero(heard == 20_000) == 1600
    assert 0 < np.count_nonzero(heard == -9000) < 8000
    assert np.count_nonzero(heard == 30_000) == 160
    assert np.flatnonzero(heard == 30_000)[0] > np.flatnonzero(heard == -9000)[-1]


def test_a_missing_caller_does_not_cost_the_last_recording(tmp_path: Path) -> None:
    heard = wav(tmp_path / "heard.wav", RAMP)
    before = heard.read_bytes()
    with pytest.raises(FileMissing):
        FileAudioInterface(tmp_path / "nobody.wav", heard).start(nothing)
    assert heard.read_bytes() == before


def test_the_callers_file_is_never_written_over(tmp_path: Path) -> None:
    caller = wav(tmp_path / "caller.wav", RAMP)
    link = tmp_path / "link.wav"
    link.symlink_to(caller)
    before = caller.read_bytes()
    for same in (caller, link):
        with pytest.raises(FileUnwritable, match="is the file that the caller is read from"):
            FileAudioInterface(caller, same).start(nothing)
    assert caller.read_bytes() == before


def test_start_while_running_and_again_after_stop(tmp_path: Path) -> None:
    interface = FileAudioInterface(wav(tmp_path / "caller.wav", RAMP), tmp_path / "heard.wav")
    interface.stop()
    for _ in range(2):
        interface.start(nothing)
        with pytest.raises(AlreadyRunning):
            interface.start(nothing)
        interface.stop()
        interface.stop()
        assert len(read(tmp_path / "heard.wav")) < 16_000
