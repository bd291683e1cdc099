"""A caller from a file and the listener's side to a file: one interface, and its clock."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from audio import file as audio_file
from audio.errors import AlreadyRunning, FileMissing, FileUnwritable
from audio.file import FileAudioInterface
from tests.audio.files import RAMP, nothing, read, until, wav


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
