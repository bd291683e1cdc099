"""A recorder whose disk is full or cut short, or whose process is killed."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.bundles.bundle import recover_bundle
from app.bundles.notes import Marker
from app.live.recorder import RecorderError
from app.timeline.events import StateChanged, Trouble
from audio.pcm import SAMPLE_RATE
from tests.app.recorder_rig import Rig
from tests.rig.opened import open_bundle
from tests.rig.waiting import wait_until


@pytest.fixture
def rig(tmp_path):
    rig = Rig(tmp_path)
    yield rig
    rig.recorder._worker.stop(5)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RecorderError, match="file") as caught:
        Rig(tmp_path / "file" / "recordings").recorder.start()
    assert str(caught.value).endswith(".")
    assert caught.value.advice


class FullDisk:
    """Makes every write under a folder fail, as a full disk does, for as long as it is full."""

    def __init__(self, monkeypatch):
        self.full = False
        self.refused = 0
        disk, write, open_file = self, "write", Path.open

        class Raw:
            def __init__(self, file):
                self._file = file

            def __getattr__(self, name):
                return getattr(self._file, name)

            def __enter__(self):
                return self

            def __exit__(self, *_):
                self._file.close()

            def write(self, data):
                if disk.full:
                    disk.refused += 1
                    if len(data) > 100:
                        # part of it still fits
                        getattr(self._file, write)(bytes(data)[:37])
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                return getattr(self._file, write)(data)

        def open_slowly(path, mode="r", *args, **kwargs):
            file = open_file(path, mode, *args, **kwargs)
            return Raw(file) if {"w", "x"} & set(mode) else file

        monkeypatch.setattr(Path, "open", open_slowly)


def test_a_full_disk_is_told_once_and_nothing_is_lost_when_there_is_room_again(
    rig, monkeypatch, caplog
):
    disk = FullDisk(monkeypatch)
    rig.recorder.start()
    rig.grow(1.0)
    rig.timeline.append(StateChanged(0.1, "running"))
    wait_until(lambda: rig.size("user.wav") > 32_000 and rig.size("events.jsonl") > 0)
    disk.full = True
    rig.grow(1.0)
    wait_until(lambda: disk.refused > 5)
    assert rig.recorder.failed
    full_disk_bundle = open_bundle(rig.recorder.folder)
    assert [event.type for event in full_disk_bundle.events] == ["state"]
    assert len(rig.read("user.wav")) >= SAMPLE_RATE
    rig.grow(1.0)
    disk.full = False
    wait_until(lambda: not rig.recorder.failed)
    assert rig.recorder.finish("user")
    for name in ("user.wav", "agent.wav", "received.wav"):
        samples = rig.read(name)
        assert len(samples) == 3 * SAMPLE_RATE
        assert samples.all()
    bundle = open_bundle(rig.recorder.folder)
    told = [event for event in bundle.events if isinstance(event, Trouble)]
    assert [(event.kind, event.level) for event in told] == [
        ("recorder", "error"),
        ("recorder", "info"),
    ]
    assert "full" in told[0].sentence
    assert "nothing was lost" in told[1].sentence
    assert not bundle.warnings
    notices = rig.notices.read()[0]
    assert [notice.level for notice in notices] == ["error", "info"]


def test_a_disk_that_stays_full_ends_with_what_was_there(rig, monkeypatch, caplog):
    disk = FullDisk(monkeypatch)
    rig.recorder.start()
    rig.grow(1.0)
    wait_until(lambda: rig.size("user.wav") > 32_000)
    rig.timeline.append(StateChanged(0.1, "running"))
    wait_until(lambda: rig.size("events.jsonl") > 0)
    disk.full = True
    rig.grow(1.0)
    rig.timeline.append(StateChanged(0.2, "ending", "a sentence of a hundred letters " * 4))
    assert not rig.recorder.finish("user")
    assert (rig.recorder.folder / "events.jsonl").read_bytes().count(b"\n") == 1
    assert (rig.recorder.folder / "events.jsonl").read_bytes().endswith(b"}\n")
    assert len(rig.read("user.wav")) == SAMPLE_RATE
    assert open_bundle(rig.recorder.folder).unfinished


CHILD = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
import numpy as np
from app.timeline.events import StateChanged, Timeline
from app.live.recorder import Recorder
from app.bundles.session_info import SessionInfo
from app.timeline.tracks import Tracks

tracks, timeline = Tracks(), Timeline()
recorder = Recorder(
    Path(sys.argv[1]), SessionInfo("demo", "Demo"), tracks, timeline,
    began_utc=datetime.now(UTC), now=lambda: 0.0,
)
recorder.start()
print(recorder.folder, flush=True)
received = 0
while True:
    samples = np.full(1600, 500, np.int16)
    tracks.user.append(samples)
    tracks.agent.append(samples)
    tracks.receive(received, samples)
    received += 1600
    timeline.append(StateChanged(received / 16000, "running"))
    time.sleep(0.005)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_recording_outlives_a_process_that_is_killed(tmp_path):
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    try:
        folder = Path(child.stdout.readline().strip())
        # by its header, which follows what is written
        wait_until(lambda: soundfile.info(folder / "user.wav").frames >= 40_000, deadline_s=20)
        # the events of a round are written after its audio
        wait_until(lambda: (folder / "events.jsonl").stat().st_size > 0, deadline_s=20)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait(10)
        child.stdout.close()
    readable, _ = soundfile.read(folder / "user.wav", dtype="int16")
    assert len(readable) >= 40_000
    recover_bundle(folder)
    lengths = {}
    for name in ("user", "agent", "received"):
        samples, _ = soundfile.read(folder / f"{name}.wav", dtype="int16")
        assert (samples == 500).all()
        lengths[name] = len(samples)
    assert abs(lengths["user"] - lengths["agent"]) <= 2 * SAMPLE_RATE
    bundle = open_bundle(folder)
    assert bundle.unfinished
    assert bundle.events
    assert bundle.info.agent_kind == "demo"
    assert not bundle.warnings


LIMITED_CHILD = """
import resource, sys, time
from datetime import UTC, datetime
from pathlib import Path
import numpy as np
from app.timeline.events import StateChanged, Timeline, Trouble
from app.live.recorder import Recorder
from app.bundles.session_info import SessionInfo
from app.timeline.tracks import Tracks

def wait_until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)

tracks, timeline = Tracks(), Timeline()
recorder = Recorder(
    Path(sys.argv[1]), SessionInfo("demo", "Demo"), tracks, timeline,
    began_utc=datetime.now(UTC), now=lambda: 0.0,
)
recorder.PERIOD_S = recorder.RETRY_S = 0.02
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (50_001, hard))
recorder.start()
for number in range(500):
    timeline.append(StateChanged(float(number), "running", "a sentence of some length " * 8))
    samples = np.arange(number * 100, number * 100 + 100).astype(np.int16)
    tracks.user.append(samples)
    tracks.agent.append(samples)
    tracks.receive(number * 100, samples)
wait_until(lambda: recorder.failed)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
assert recorder.finish("user") or recorder.failed is False
print(recorder.folder)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no file size limit")
def test_writes_that_the_system_cuts_in_the_middle_are_made_good(tmp_path):
    child = subprocess.run(
        [sys.executable, "-c", LIMITED_CHILD, str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
        timeout=40,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    folder = Path(child.stdout.strip())
    for name in ("user", "agent", "received"):
        samples, _ = soundfile.read(folder / f"{name}.wav", dtype="int16")
        assert np.array_equal(samples, np.arange(50_000).astype(np.int16))
    bundle = open_bundle(folder)
    assert not bundle.warnings
    states = [event.t for event in bundle.events if isinstance(event, StateChanged)]
    assert states == [float(number) for number in range(500)]


def test_a_fault_that_is_not_the_disks_is_told_as_such_and_the_recording_goes_on(rig, caplog):
    rig.recorder.start()
    files = rig.recorder._writer
    write, faults = files.write_tracks, []

    def fail_once(*args, **options):
        faults.append(1)
        files.write_tracks = write
        raise MemoryError

    files.write_tracks = fail_once
    wait_until(lambda: faults and not rig.recorder.failed)
    rig.grow(1.0)
    assert rig.recorder.finish("user")
    assert len(rig.read("user.wav")) == SAMPLE_RATE
    assert not open_bundle(rig.recorder.folder).unfinished
    first, second = rig.notices.read()[0]
    assert "MemoryError" in first.sentence
    assert "space" not in first.advice
    assert "nothing was lost" in second.sentence


def test_a_disk_that_refuses_the_events_alone_is_told_of_once(rig, monkeypatch, caplog):
    rig.recorder.start()
    refused = []
    append = rig.recorder._writer._events._append

    def refuse(lines):
        refused.append(lines)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    rig.recorder._writer._events._append = refuse
    rig.timeline.append(StateChanged(0.1, "running"))
    wait_until(lambda: len(refused) > 5)
    assert [notice.level for notice in rig.notices.read()[0]] == ["error"]
    rig.recorder._writer._events._append = append
    wait_until(lambda: not rig.recorder.failed)
    assert rig.recorder.finish("user")
    kinds = [event.type for event in open_bundle(rig.recorder.folder).events]
    assert kinds == ["state", "trouble", "trouble"]


def test_a_medium_that_is_slow_to_confirm_holds_up_neither_audio_nor_events(rig, monkeypatch):
    confirmed, asked = threading.Event(), threading.Event()

    def wait(*_):
        asked.set()
        confirmed.wait(20)

    monkeypatch.setattr("audio.wavfile.sync_file", wait)
    monkeypatch.setattr("app.bundles.bundle_files.sync_file", wait)
    rig.recorder.start()
    rig.grow(1.0)
    assert asked.wait(5)
    rig.timeline.append(StateChanged(0.1, "running"))
    rig.grow(1.0)
    wait_until(lambda: rig.has_recorded(2.0) and rig.size("events.jsonl") > 0)
    confirmed.set()
    assert rig.recorder.finish("user")


def test_notes_that_cannot_be_written_keep_no_end_from_being_written(rig, caplog):
    rig.recorder.start()
    (rig.folder / "notes.json").mkdir()
    rig.recorder.note(lambda notes: notes.marked(Marker(0.5)))
    rig.recorder.update(conversation_id="conv_1")
    wait_until(lambda: "conv_1" in (rig.folder / "session.json").read_text())
    assert not rig.recorder.finish("user")
    assert json.loads((rig.folder / "session.json").read_text())["end"]["reason"] == "user"
