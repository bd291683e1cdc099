"""What the recorder leaves on disk, whatever happens to the disk or to the program."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.bundle import open_bundle, recover_bundle
from app.bundle_writer import BundleWriter
from app.disk_sync import DiskSync
from app.events import MessageReceived, MessageSent, MicChunkSent, StateChanged, Trouble
from app.notes import Marker, load_notes
from app.recorder import RecorderError
from app.secrets import ApiKey
from app.session_info import SessionInfo
from app.tracks import Handover
from audio.pcm import SAMPLE_RATE
from tests.app.recorder_rig import BEGAN, Rig
from tests.rig.waiting import wait_until


@pytest.fixture
def rig(tmp_path):
    rig = Rig(tmp_path)
    yield rig
    rig.recorder._worker.stop(5)


def test_a_session_becomes_a_bundle_that_anything_can_read(rig):
    rig.recorder.start()
    rig.grow(1.0)
    rig.timeline.append(StateChanged(0.5, "running"))
    rig.recorder.update(conversation_id="conv_1", formats={"agent_output": "pcm_16000"})
    rig.grow(0.5)
    assert rig.recorder.finish("user", "You ended the session.")
    for name in ("user.wav", "agent.wav", "received.wav"):
        assert len(rig.read(name)) == 1.5 * SAMPLE_RATE
    assert rig.read("agent.wav")[0] == -1000
    facts = json.loads((rig.recorder.folder / "session.json").read_text())
    assert facts["schema"] == 1
    assert facts["began_utc"] == "2026-11-22T09:15:03.000Z"
    assert facts["agent"] == {
        "kind": "demo",
        "label": "Demo agent",
        "id": "demo-1",
        "conversation_id": "conv_1",
    }
    assert facts["devices"] == {"microphone": "Headset", "speaker": "none"}
    assert facts["end"]["reason"] == "user"
    assert facts["end"]["duration_s"] == 1.5
    lines = (rig.recorder.folder / "events.jsonl").read_text().splitlines()
    assert json.loads(lines[0]) == {"t": 0.5, "type": "state", "state": "running", "sentence": ""}


def test_the_folder_is_named_by_local_time_and_agent_and_never_shared(tmp_path):
    names = []
    for _ in range(3):
        rig = Rig(tmp_path)
        rig.recorder.start()
        rig.recorder.finish("user")
        names.append(rig.recorder.folder.name)
    stamp = BEGAN.astimezone().strftime("%Y-%m-%d_%H-%M-%S")
    assert names == [f"{stamp}_demo", f"{stamp}_demo_2", f"{stamp}_demo_3"]


def test_both_tracks_are_equally_long_while_it_runs_and_at_the_end(rig):
    rig.recorder.start()
    rig.tracks.user.append(np.ones(16_000, np.int16))
    rig.tracks.agent.append(np.ones(16_480, np.int16))
    wait_until(lambda: rig.size("agent.wav") > 32_000)
    assert rig.size("user.wav") == rig.size("agent.wav")
    rig.tracks.user.append(np.ones(320, np.int16))
    rig.recorder.finish("user")
    assert len(rig.read("user.wav")) == len(rig.read("agent.wav")) == 16_480
    assert rig.read("user.wav")[:16_320].all()
    assert not rig.read("user.wav")[16_320:].any()


def test_a_message_longer_than_the_ring_is_recorded_whole(rig):
    rig.receive(np.arange(330 * SAMPLE_RATE).astype(np.int16))
    rig.recorder.start()
    rig.recorder.finish("user")
    samples = rig.read("received.wav")
    assert np.array_equal(samples, np.arange(330 * SAMPLE_RATE).astype(np.int16))
    assert rig.recorder.lost_samples == 0


def test_what_did_not_wait_for_the_disk_is_silence_and_counted(rig):
    rig.tracks.to_recorder = Handover(1000)
    rig.receive(np.ones(800, np.int16))
    rig.receive(np.ones(900, np.int16))
    rig.recorder.start()
    wait_until(lambda: rig.tracks.to_recorder.first() is None)
    rig.receive(np.ones(300, np.int16))
    rig.recorder.finish("user")
    samples = rig.read("received.wav")
    assert samples[:800].all()
    assert not samples[800:1700].any()
    assert samples[1700:].all()
    assert rig.recorder.lost_samples == rig.tracks.to_recorder.dropped_samples == 900


def test_samples_that_the_ring_has_overwritten_are_silence_in_their_place(rig):
    rig.grow(1.0, level=7)
    rig.grow(125.0, level=9)
    rig.recorder.start()
    rig.recorder.finish("user")
    user = rig.read("user.wav")
    assert len(user) == 126 * SAMPLE_RATE
    assert not user[: 6 * SAMPLE_RATE].any()
    assert (user[6 * SAMPLE_RATE :] == 9).all()
    assert rig.recorder.lost_samples == 2 * 6 * SAMPLE_RATE


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
from app.events import StateChanged, Timeline
from app.recorder import Recorder
from app.session_info import SessionInfo
from app.tracks import Tracks

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
        cwd=Path(__file__).parents[2],
    )
    try:
        folder = Path(child.stdout.readline().strip())
        wait_until(lambda: (folder / "user.wav").stat().st_size > 100_000, deadline_s=20)
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
from app.events import StateChanged, Timeline, Trouble
from app.recorder import Recorder
from app.session_info import SessionInfo
from app.tracks import Tracks

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
        cwd=Path(__file__).parents[2],
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


def test_no_key_and_no_token_is_in_any_file(tmp_path):
    key = ApiKey("sk_5ecre7" + "0123456789abcdef" * 2)
    token = "tok-very-hidden-token"
    info = SessionInfo("elevenlabs", "Agent", "a1", settings={"api_key": token, "url": "x"})
    rig = Rig(tmp_path, info)
    rig.recorder.start()
    url = f"wss://host/v1?agent_id=a1&conversation_signature={token}"
    rig.timeline.append(MessageReceived(1, "client_tool_call", {"note": f"use {key.reveal()}"}))
    rig.timeline.append(MessageSent(1, "x", {"xi-api-key": token, "deep": [{"url": url}]}))
    rig.timeline.append(Trouble(1, "protocol", f"GET {url} failed with Bearer {token}"))
    rig.timeline.append(MessageReceived(1, "t", {key.reveal(): 1}))
    rig.recorder.finish("server_error", f"The server refused {key.reveal()}.")
    for path in filter(Path.is_file, rig.recorder.folder.rglob("*")):
        content = path.read_bytes()
        assert key.reveal().encode() not in content, path
        assert token.encode() not in content, path
    assert len(open_bundle(rig.recorder.folder).events) == 4


def nested(depth):
    value = "end"
    for _ in range(depth):
        value = [value]
    return value


def test_whatever_an_agent_sends_the_log_stays_readable(rig):
    rig.recorder.start()
    payloads = [
        {"text": "line\nbreak \u2028 \ud800 \x00"},
        {"score": float("nan"), "worse": [float("inf")]},
        {"deep": nested(900)},
        {"strange": {1, 2}},
    ]
    for payload in payloads:
        rig.timeline.append(MessageReceived(1.0, "odd", payload))
    rig.timeline.append(StateChanged(2.0, "ended"))
    rig.recorder.finish("user")
    raw = (rig.recorder.folder / "events.jsonl").read_bytes()
    lines = raw.split(b"\n")
    assert len(lines) == len(payloads) + 2
    assert not re.search(rb"NaN|Infinity", raw)
    bundle = open_bundle(rig.recorder.folder)
    assert bundle.events[0].payload["text"] == payloads[0]["text"]
    assert bundle.events[1].payload == {"score": None, "worse": [None]}
    assert isinstance(bundle.events[-1], StateChanged)


def test_a_round_costs_little(rig):
    rig.recorder.start()
    rig.recorder._worker.stop(5)
    rig2 = Rig(rig.recorder.folder.parent)
    rig2.recorder.PERIOD_S = 60.0
    rig2.recorder.start()
    spent = []
    for number in range(40):
        rig2.grow(0.2)
        for index in range(10):
            rig2.timeline.append(MicChunkSent(number + index, 0, 4000, 0.0, 0.25, 0.001))
        before = time.thread_time()
        rig2.recorder._round(rig2.recorder._writer)
        spent.append(time.thread_time() - before)
    rig2.recorder.finish("user")
    assert np.median(spent) < 0.005


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
    monkeypatch.setattr("app.bundle_files.sync_file", wait)
    rig.recorder.start()
    rig.grow(1.0)
    assert asked.wait(5)
    rig.timeline.append(StateChanged(0.1, "running"))
    rig.grow(1.0)
    wait_until(lambda: rig.has_recorded(2.0) and rig.size("events.jsonl") > 0)
    confirmed.set()
    assert rig.recorder.finish("user")


def test_caches_that_take_long_or_fail_neither_delay_nor_break_the_end(tmp_path, monkeypatch):
    free = threading.Event()
    monkeypatch.setattr("app.peaks_cache.save_peaks", lambda *_: free.wait(20))
    slow = Rig(tmp_path)
    slow.recorder.CACHES_S = 0.05
    slow.recorder.start()
    slow.grow(1.0)
    began = time.monotonic()
    assert slow.recorder.finish("user")
    assert time.monotonic() - began < 2.0
    assert not open_bundle(slow.folder).unfinished
    free.set()
    assert slow.recorder._worker.stop(5)

    def fail(*_):
        raise RuntimeError

    monkeypatch.setattr("app.peaks_cache.save_peaks", fail)
    broken = Rig(tmp_path)
    broken.recorder.start()
    broken.grow(1.0)
    assert broken.recorder.finish("user")
    assert not open_bundle(broken.folder).unfinished


def test_peaks_are_kept_only_of_what_the_files_really_hold(tmp_path):
    rig = Rig(tmp_path)
    rig.grow(130.0)
    rig.recorder.start()
    assert not rig.recorder.finish("user")
    assert rig.recorder.lost_samples
    assert not (rig.folder / "peaks").exists()


def test_facts_and_notes_follow_while_it_runs(rig):
    rig.recorder.start()
    rig.recorder.update(conversation_id="conv_1")
    rig.recorder.note(lambda notes: notes.marked(Marker(1.0, "here")))

    wait_until(lambda: open_bundle(rig.folder).info.conversation_id == "conv_1")
    wait_until(lambda: load_notes(rig.folder).markers == (Marker(1.0, "here"),))
    assert open_bundle(rig.folder).unfinished
    assert rig.recorder.finish("user")


def test_a_change_of_notes_that_fails_costs_itself_alone(rig, caplog):
    def fail(notes):
        raise RuntimeError("at fault")

    rig.recorder.start()
    rig.recorder.note(fail)
    rig.recorder.note(lambda notes: notes.marked(Marker(1.0)))
    rig.grow(1.0)
    assert rig.recorder.finish("user")
    assert load_notes(rig.folder).markers == (Marker(1.0),)
    assert "at fault" in caplog.text


def test_the_end_and_the_summary_are_written_once_and_by_the_recorder_alone(rig, monkeypatch):
    real, written = BundleWriter.write_facts, []

    def note(writer, facts):
        written.append((threading.current_thread().name, facts["end"], "summary" in facts))
        real(writer, facts)

    monkeypatch.setattr(BundleWriter, "write_facts", note)
    rig.recorder.start()
    rig.recorder._end = {"reason": "user"}  # the session's thread has said so, and no more yet
    rig.recorder.update(conversation_id="conv_1")
    wait_until(lambda: len(written) == 2)
    assert written[1] == ("recorder-sync", None, False)
    assert rig.recorder.finish("user")
    rig.recorder.update(conversation_id="conv_2")
    rig.recorder._write_facts()  # by a thread that waited for the medium all the while
    ends = [(name, end is not None, has_summary) for name, end, has_summary in written[2:]]
    assert ends == [("recorder", True, True)]
    assert not open_bundle(rig.folder).unfinished


def test_a_fault_in_the_facts_ends_no_thread(rig, monkeypatch, caplog):
    real, asked = BundleWriter.write_facts, []

    def fail(_writer, facts):
        asked.append(facts)
        raise RuntimeError("at fault")

    rig.recorder.start()
    monkeypatch.setattr(BundleWriter, "write_facts", fail)
    rig.recorder.update(conversation_id="conv_1")
    wait_until(lambda: asked)
    monkeypatch.setattr(BundleWriter, "write_facts", real)
    rig.recorder.update(conversation_id="conv_2")
    wait_until(lambda: open_bundle(rig.folder).info.conversation_id == "conv_2")
    assert rig.recorder.finish("user")
    assert "at fault" in caplog.text


def test_whatever_goes_wrong_besides_the_files_are_sent_on(caplog):
    synced = []

    class File:
        def sync(self):
            synced.append(1)
            raise RuntimeError("at fault")

    def errand():
        raise RuntimeError("besides")

    sync = DiskSync(lambda: [File()], errand)
    sync.PERIOD_S = 0.01
    sync.start()
    wait_until(lambda: len(synced) > 1)
    assert sync.stop(5)
    assert "at fault" in str(sync.take_error())
    assert "besides" in caplog.text
