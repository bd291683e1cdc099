"""The listener's side to a file, in real time."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
import pytest

from audio import file as audio_file
from audio.clock import now
from audio.errors import FileUnwritable
from audio.file import BLOCK_SAMPLES, FileSink
from tests.audio.files import nothing, read, until


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
