"""A recording on a disk that fills up, goes away, refuses, stalls or loses its power."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app import bundle_files, bundle_writer
from app.agents.base import Endpoint
from app.bundle import open_bundle
from app.choices import build_audio
from app.events import MicChunkSent, StateChanged, Timeline, Trouble
from app.recovery import recover_unfinished
from app.session import Session, State
from audio import wavfile
from audio.pcm import SAMPLE_RATE
from audio.wavfile import StreamingWav
from tests.app.agents.fake_agent import FakeAgent, metadata, running, until_closed
from tests.app.recorder_rig import Rig
from tests.rig.waiting import wait_until

TRACKS = ("user", "agent", "received")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def make():
    made: list[Rig] = []

    def make_rig(parent):
        made.append(Rig(parent))
        return made[-1]

    yield make_rig
    for rig in made:
        rig.recorder._worker.stop(5)


@pytest.fixture
def small_disk(tmp_path):
    """A real file system of 1 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except OSError as error:
        pytest.skip(f"Nothing can be mounted: {error}.")
    if done.returncode:
        pytest.skip(f"Only root mounts a small disk: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path) -> Path:
    ballast = disk / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        for size in (65_536, 4096):
            with contextlib.suppress(OSError):
                while file.write(bytes(size)) == size:
                    pass
    return ballast


def assert_all_there(rig, seconds, level=1000):
    for name in TRACKS:
        samples = rig.read(f"{name}.wav")
        assert len(samples) == round(seconds * SAMPLE_RATE), name
        assert (np.abs(samples) == level).all(), name


# -- full --------------------------------------------------------------------------------------


def test_a_real_disk_that_fills_up_and_is_freed_costs_nothing_that_is_still_held(
    make, small_disk, caplog
):
    rig = make(small_disk)
    rig.recorder.start()
    rig.grow(2.0)
    wait_until(lambda: rig.has_recorded(2.0))
    ballast = fill(small_disk)
    rig.grow(3.0)
    wait_until(rig.told)
    assert rig.recorder.failed
    assert len(rig.read("user.wav")) == len(rig.read("agent.wav")) >= 2 * SAMPLE_RATE
    assert rig.told()[0].startswith("The recording has stopped at 0:0")
    assert rig.told()[0].endswith("the disk is full.")
    ballast.unlink()
    wait_until(lambda: not rig.recorder.failed)
    rig.grow(1.0)
    assert rig.recorder.finish("user")
    assert rig.told()[1:] == ["The recording goes on; nothing was lost."]
    assert_all_there(rig, 6.0)
    assert not open_bundle(rig.folder).warnings


def test_a_session_goes_on_while_its_disk_is_full(small_disk, caplog):
    def talk(ws):
        ws.send(metadata())
        until_closed(ws)

    with running(talk) as server:
        agent = FakeAgent(Endpoint(server.base_url, "a"))
        session = Session(agent, build_audio("none", "none"), record_to=small_disk)
        session.start()
        wait_until(lambda: session.state is State.RUNNING, 10)
        ballast = fill(small_disk)
        wait_until(lambda: session.notices.read()[0], 10)
        stopped_at = session.now()
        wait_until(lambda: session.now() > stopped_at + 1.0)
        assert session.state is State.RUNNING
        assert session.health()["waiting_for_disk_samples"] > SAMPLE_RATE
        ballast.unlink()
        wait_until(lambda: len(session.notices.read()[0]) == 2, 10)
        assert session.state is State.RUNNING
        session.end()
        assert session.wait(5)
    stopped, resumed = session.notices.read()[0]
    assert stopped.sentence.startswith("The recording has stopped at 0:0")
    assert resumed.sentence == "The recording goes on; nothing was lost."
    assert session.is_recording_whole
    bundle = open_bundle(session.bundle)
    recorded_s = soundfile.info(bundle.user).frames / SAMPLE_RATE
    assert abs(recorded_s - session.now()) < 0.1  # the speaker is a little ahead
    chunks = [event for event in bundle.events if isinstance(event, MicChunkSent)]
    assert all(first.stop == second.start for first, second in pairwise(chunks))
    assert chunks[-1].t > stopped_at + 0.7


def test_what_was_not_held_any_more_is_a_gap_that_is_told_and_marked(make, small_disk, caplog):
    rig = make(small_disk)
    rig.recorder.start()
    rig.grow(2.0, level=1)
    wait_until(lambda: rig.has_recorded(2.0))
    ballast = fill(small_disk)
    rig.grow(1.0, level=2)
    wait_until(lambda: rig.recorder.failed)
    stopped_at = rig.recorder._writer.written_s
    rig.grow(125.0, level=0)
    rig.grow(1.0, level=3)
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    ballast.unlink()
    wait_until(lambda: not rig.recorder.failed)
    assert not rig.recorder.finish("user")
    user = rig.read("user.wav")
    assert len(user) == len(rig.read("agent.wav")) == 129 * SAMPLE_RATE
    assert (user[: 2 * SAMPLE_RATE] == 1).all()
    assert (user[-SAMPLE_RATE:] == 3).all()
    (stop, resume) = [event for event in open_bundle(rig.folder).events if event.type == "trouble"]
    assert (stop.kind, stop.level, stop.data["stopped_at"]) == ("recorder", "error", stopped_at)
    assert (resume.kind, resume.level) == ("recorder", "warning")
    assert 2.0 <= resume.data["start"] <= 3.0
    assert resume.data["stop"] == 9.0  # the ring holds the two minutes before the end
    assert not user[round(resume.data["start"] * SAMPLE_RATE) : 9 * SAMPLE_RATE].any()
    lost_s = resume.data["stop"] - resume.data["start"]
    assert rig.told()[1].startswith(f"The recording goes on; {lost_s:.1f} s were lost, from 0:0")
    # the agent's audio waits in a queue of its own, for longer
    assert (rig.read("received.wav")[2 * SAMPLE_RATE : 3 * SAMPLE_RATE] == 2).all()


# -- gone --------------------------------------------------------------------------------------


def test_a_folder_that_is_deleted_is_made_anew_with_all_that_was_in_it(make, tmp_path):
    rig = make(tmp_path / "recordings")
    rig.recorder.start()
    rig.timeline.append(StateChanged(0.1, "running"))
    for seconds in (100.0, 200.0):  # more than a ring holds
        rig.grow(100.0)
        wait_until(lambda seconds=seconds: rig.has_recorded(seconds))
    wait_until(lambda: rig.size("events.jsonl") > 0)
    # in two steps, lest it be made anew in the middle of the first
    shutil.rmtree(rig.folder.parent.rename(tmp_path / "trash"))
    wait_until(rig.told)
    assert rig.told() == [
        "The recording's files were gone at 3:20.0 and are there again; nothing was lost."
    ]
    rig.grow(2.0)
    assert rig.recorder.finish("user")
    assert_all_there(rig, 202.0)
    bundle = open_bundle(rig.folder)
    assert [event.type for event in bundle.events] == ["state", "trouble"]
    assert bundle.info.agent_kind == "demo"
    assert not bundle.warnings


def test_a_folder_that_is_renamed_keeps_its_part_and_the_recording_stays_in_its_place(
    make, tmp_path
):
    rig = make(tmp_path)
    rig.recorder.start()
    rig.grow(1.0)
    wait_until(lambda: rig.has_recorded(1.0))
    elsewhere = tmp_path / "elsewhere"
    place = rig.folder.rename(elsewhere)
    rig.grow(1.0)
    wait_until(lambda: rig.has_recorded(2.0) and rig.told())
    assert rig.recorder.finish("user")
    assert_all_there(rig, 2.0)
    assert [item.path for item in recover_unfinished(tmp_path)] == [place]
    assert len(soundfile.read(place / "user.wav")[0]) >= SAMPLE_RATE


@pytest.mark.parametrize(
    "name", ["user.wav", "received.wav", "events.jsonl", "session.json", ".recording.lock"]
)
def test_one_file_that_is_deleted_is_made_anew(make, tmp_path, name):
    rig = make(tmp_path)
    rig.recorder.start()
    rig.grow(1.0)
    rig.timeline.append(StateChanged(0.1, "running"))
    wait_until(lambda: rig.has_recorded(1.0) and rig.size("events.jsonl") > 0)
    (rig.folder / name).unlink()
    wait_until(lambda: (rig.folder / name).exists() and rig.told())
    rig.grow(1.0)
    assert rig.recorder.finish("user")
    assert_all_there(rig, 2.0)
    assert [event.type for event in open_bundle(rig.folder).events] == ["state", "trouble"]


def test_a_disk_that_is_taken_out_is_waited_for_and_not_written_beside(make, small_disk, caplog):
    rig = make(small_disk)
    rig.recorder.start()
    rig.grow(1.0)
    rig.timeline.append(StateChanged(0.1, "running"))
    wait_until(lambda: rig.has_recorded(1.0) and rig.size("events.jsonl") > 0)
    saved = small_disk.with_name("saved")
    shutil.copytree(small_disk, saved)
    subprocess.run(["umount", "-l", str(small_disk)], check=True)
    rig.grow(1.0)
    wait_until(rig.told)
    assert rig.told()[0].endswith("its disk is not there.")
    assert list(small_disk.iterdir()) == []
    # it comes back: other open files would be of no use to it
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small_disk)]
    subprocess.run(mount, check=True)
    shutil.copytree(saved, small_disk, dirs_exist_ok=True)
    wait_until(lambda: not rig.recorder.failed)
    assert rig.recorder.finish("user")
    assert rig.told()[1] == "The recording goes on; nothing was lost."
    assert_all_there(rig, 2.0)
    types = [event.type for event in open_bundle(rig.folder).events]
    assert types == ["state", "trouble", "trouble"]


def test_open_files_that_died_are_opened_again_and_filled_from_what_is_held(
    make, tmp_path, monkeypatch, caplog
):
    rig = make(tmp_path)
    rig.recorder.start()
    rig.grow(1.0)
    wait_until(lambda: rig.has_recorded(1.0))
    writer, put = rig.recorder._writer, StreamingWav._put
    dead = (writer._user, writer._agent, writer._received)

    def put_unless_dead(wav, offset, data):
        if wav in dead:
            cause = OSError(errno.EIO, os.strerror(errno.EIO))
            raise wavfile.unwritable(wav.path, cause) from cause
        put(wav, offset, data)

    def read_back(wav, *_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(StreamingWav, "_put", put_unless_dead)
    monkeypatch.setattr(StreamingWav, "read_back", read_back)
    rig.grow(1.0)
    wait_until(lambda: rig.has_recorded(2.0))
    assert rig.recorder.finish("user")
    assert_all_there(rig, 2.0)


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_a_write_taken_in_part_is_made_again_in_the_same_files_or_in_new_ones(
    make, tmp_path, monkeypatch, caplog, code
):
    """With EIO the same files are opened again; with ENOSPC copies have taken their place."""
    rig = make(tmp_path / "live")
    rig.recorder.start()
    rig.grow(1.0)
    rig.timeline.append(StateChanged(0.1, "running"))
    wait_until(lambda: rig.has_recorded(1.0) and rig.size("events.jsonl") > 0)
    writer, put, append = rig.recorder._writer, StreamingWav._put, bundle_files.EventLog._append
    sick, log = (writer._user, writer._agent, writer._received), writer._events
    taken: set[str] = set()
    old_log_file = log._file

    def put_in_part(wav, offset, data):
        if wav not in sick:
            put(wav, offset, data)
            return
        if offset:
            put(wav, offset, data[: len(data) // 2])
            taken.add(wav.path.name)
        cause = OSError(code, os.strerror(code))
        raise wavfile.unwritable(wav.path, cause) from cause

    def append_in_part(self, lines):
        if self._file is not old_log_file:
            append(self, lines)
            return
        self._tried = lines
        self._put(self._length, lines[: len(lines) // 2])
        taken.add("events.jsonl")
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(bundle_files.EventLog, "_append", append_in_part)
    monkeypatch.setattr(StreamingWav, "_put", put_in_part)
    rig.timeline.append(StateChanged(1.1, "running"))
    rig.grow(1.0)
    wait_until(lambda: {"user.wav", "events.jsonl"} <= taken)
    if code == errno.ENOSPC:
        for name in ("user.wav", "events.jsonl"):
            copy = tmp_path / name
            copy.write_bytes((rig.folder / name).read_bytes())
            copy.replace(rig.folder / name)
    wait_until(lambda: rig.has_recorded(2.0) and not rig.recorder.failed)
    assert rig.recorder.finish("user")
    assert_all_there(rig, 2.0)
    states = [event.t for event in open_bundle(rig.folder).events if event.type == "state"]
    assert states == [0.1, 1.1]


def test_events_that_cannot_be_read_back_are_written_once_more(make, tmp_path, monkeypatch):
    rig = make(tmp_path)
    rig.recorder.start()
    for number in range(1200):
        rig.timeline.append(StateChanged(number / 100, "running"))
    events = rig.folder / "events.jsonl"
    wait_until(lambda: events.read_bytes().count(b"\n") == 1200)
    monkeypatch.setattr(bundle_files, "_read_back", lambda *_: b"")
    half = events.read_bytes()[:50_000]
    draft = events.with_suffix(".draft")
    draft.write_bytes(half)
    draft.replace(events)
    wait_until(rig.told)
    assert rig.recorder.finish("user")
    states = [event.t for event in open_bundle(rig.folder).events if event.type == "state"]
    assert states == [number / 100 for number in range(1200)]
    summary = json.loads((rig.folder / "session.json").read_text())["summary"]
    assert summary["troubles"] == {"recorder": 1}  # none was counted twice


@pytest.mark.parametrize("is_same", [False, True])
def test_only_our_own_file_of_events_is_gone_on_with(tmp_path, is_same):
    """Also where the tail is of a batch whose events the timeline has let go of meanwhile."""
    timeline, path = Timeline(), tmp_path / "events.jsonl"
    log = bundle_files.EventLog(path)
    timeline.append(StateChanged(0.1, "running"))
    log.write(timeline)
    longer = path.read_bytes() + b'{"t": 0.2, "type'
    if is_same:
        path.write_bytes(longer)
        log.reopen()
        timeline.append(StateChanged(0.3, "ended"))
        log.write(timeline)
        assert [json.loads(line)["t"] for line in path.read_bytes().splitlines()] == [0.1, 0.3]
    else:
        (tmp_path / "other").write_bytes(longer)
        (tmp_path / "other").replace(path)
        with pytest.raises(OSError, match="another file has taken its place"):
            log.reopen()
        assert path.read_bytes() == longer
    log.close()


@pytest.mark.parametrize("is_ours", [False, True])
def test_another_file_in_the_place_of_a_track_is_not_written_over(make, tmp_path, caplog, is_ours):
    rig = make(tmp_path)
    rig.recorder.start()
    rig.grow(1.0)
    wait_until(lambda: rig.has_recorded(1.0))
    song = np.arange(80_000, dtype=np.int16)
    soundfile.write(tmp_path / "song.wav", song, SAMPLE_RATE)
    if is_ours:
        with StreamingWav(tmp_path / "song.wav") as wav:
            wav.write(song)
    (tmp_path / "song.wav").replace(rig.folder / "user.wav")
    rig.grow(1.0)
    wait_until(rig.told)
    assert "user.wav" in rig.told()[0]
    assert not rig.recorder.finish("user")
    assert np.array_equal(rig.read("user.wav"), song)


# -- refused -----------------------------------------------------------------------------------

UNPRIVILEGED = """
import os, sys, time
from pathlib import Path
import app.peaks_cache, app.turns_found
from app.agents.base import Endpoint
from app.bundle import open_bundle
from tests.app.agents.fake_agent import FakeAgent, metadata, running, until_closed
from tests.app.recorder_rig import Rig
from tests.rig.waiting import wait_until
os.setgid(65534); os.setuid(65534)
rig = Rig(Path(sys.argv[1]))
rig.recorder.start()
rig.grow(1.0)
wait_until(lambda: rig.has_recorded(1.0))
rig.folder.chmod(0o500)
rig.recorder.update(conversation_id="conv_1")
wait_until(rig.told)
rig.grow(1.0)
wait_until(lambda: rig.has_recorded(2.0))
rig.folder.chmod(0o700)
wait_until(lambda: open_bundle(rig.folder).info.conversation_id == "conv_1")
rig.folder.chmod(0o000)
rig.grow(1.0)
wait_until(lambda: rig.has_recorded(3.0))
rig.folder.chmod(0o700)
print(rig.recorder.finish("user"), rig.told()[0])
"""


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid(), reason="Only root drops rights.")
def test_a_permission_that_is_lost_stops_only_what_needs_it():
    with tempfile.TemporaryDirectory() as place:
        os.chown(place, 65534, 65534)
        child = run_unprivileged(place)
    assert child.returncode == 0, child.stderr
    assert child.stdout.startswith("True The recording goes on, but without its latest facts: ")
    assert "there is no permission" in child.stdout


def run_unprivileged(place):
    return subprocess.run(
        [sys.executable, "-c", UNPRIVILEGED, place],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=40,
        check=False,
    )


def test_a_disk_that_becomes_read_only_is_told_with_the_moment(make, tmp_path, monkeypatch, caplog):
    rig = make(tmp_path)
    rig.recorder.start()
    rig.grow(61.5)
    wait_until(lambda: rig.has_recorded(61.5))
    refusing = threading.Event()
    refusing.set()
    put = StreamingWav._put

    def refuse(wav, offset, data):
        if refusing.is_set():
            raise wavfile.unwritable(wav.path, OSError(errno.EROFS, "Read-only file system"))
        put(wav, offset, data)

    monkeypatch.setattr(StreamingWav, "_put", refuse)
    rig.grow(1.0)
    wait_until(lambda: rig.recorder.failed)
    wait_until(lambda: rig.recorder.waiting_samples == SAMPLE_RATE)
    refusing.clear()
    wait_until(lambda: not rig.recorder.failed)
    assert rig.told()[0].startswith("The recording has stopped at 1:01.5: ")
    assert rig.told()[0].endswith("the disk is read-only.")
    assert rig.recorder.finish("user")
    assert_all_there(rig, 62.5)


# -- slow --------------------------------------------------------------------------------------


def test_a_disk_that_stalls_is_told_of_and_costs_nothing(make, tmp_path, monkeypatch):
    rig = make(tmp_path)
    rig.recorder.STALL_S = 0.05
    rig.recorder.start()
    rig.grow(1.0)
    wait_until(lambda: rig.has_recorded(1.0))
    stalled, answers = threading.Event(), threading.Event()
    write = StreamingWav.write

    def write_slowly(wav, samples):
        stalled.set()
        answers.wait(20)
        write(wav, samples)

    monkeypatch.setattr(StreamingWav, "write", write_slowly)
    rig.grow(0.5)
    assert stalled.wait(5)
    rig.grow(60.0)
    wait_until(lambda: rig.recorder.watch() or rig.told())
    rig.recorder.watch()
    assert rig.told() == ["The disk does not answer: nothing has been recorded since 0:01.0."]
    assert rig.recorder.waiting_samples >= 60 * SAMPLE_RATE
    answers.set()
    wait_until(lambda: len(rig.told()) == 2)
    assert rig.told()[1] == "The recording goes on; nothing was lost."
    assert rig.recorder.finish("user")
    assert_all_there(rig, 61.5)


def test_a_disk_that_is_too_slow_for_what_is_held_is_told_and_marked(make, tmp_path, monkeypatch):
    rig = make(tmp_path)
    rig.recorder.start()
    stalled, answers = threading.Event(), threading.Event()
    flush = StreamingWav.flush

    def flush_slowly(wav, *_):
        stalled.set()
        answers.wait(20)
        flush(wav)

    monkeypatch.setattr(StreamingWav, "flush", flush_slowly)
    assert stalled.wait(5)
    rig.grow(130.0)
    answers.set()
    wait_until(rig.told)
    assert rig.told() == ["The disk is too slow: 10.0 s were lost, from 0:00.0 to 0:10.0."]
    (trouble,) = rig.troubles()
    assert (trouble.data["start"], trouble.data["stop"]) == (0.0, 10.0)
    assert not rig.recorder.finish("user")
    assert rig.recorder.lost_samples == 2 * 10 * SAMPLE_RATE


# -- power -------------------------------------------------------------------------------------


def test_after_a_power_cut_all_but_a_moment_is_there(make, tmp_path, monkeypatch):
    """Only what was sent on to the medium outlives a power cut: here, a copy of it at that time."""
    medium: dict[str, bytes] = {}

    def sync(descriptor):
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        if path.is_file() and "after" not in path.parts:
            medium[path.name] = path.read_bytes()

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("What is synced is seen in /proc.")
    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "fdatasync", sync)
    rig = make(tmp_path / "live")
    rig.recorder.start()
    for number in range(30):
        rig.grow(0.1)
        rig.timeline.append(StateChanged(number / 10, "running"))
        wait_until(lambda number=number: rig.has_recorded((number + 0.99) / 10))
    rig.grow(0.1)
    wait_until(lambda: len(medium["user.wav"]) >= 2 * 3.1 * SAMPLE_RATE)
    wait_until(lambda: medium["events.jsonl"].count(b"\n") == 30)
    after = tmp_path / "after" / rig.folder.name
    after.mkdir(parents=True)
    for name, content in list(medium.items()):
        (after / name.removeprefix(".").removesuffix(".draft")).write_bytes(content)
    (recovered,) = recover_unfinished(after.parent)
    assert not recovered.problem
    assert recovered.duration_s > 2.9
    bundle = open_bundle(after)
    assert not bundle.warnings
    assert len([event for event in bundle.events if isinstance(event, StateChanged)]) == 31
    assert not any(isinstance(event, Trouble) for event in bundle.events)
    rig.recorder._sync.stop(5)
    rig.grow(0.1)
    assert rig.recorder.finish("user")
    for name in ("user.wav", "agent.wav", "received.wav", "events.jsonl"):
        assert medium[name] == (rig.folder / name).read_bytes(), name


def test_a_medium_that_refuses_what_was_written_is_told_of(make, tmp_path, monkeypatch, caplog):
    rig = make(tmp_path)
    rig.recorder.start()
    broken = threading.Event()
    broken.set()
    sync = StreamingWav.sync

    def refuse(wav):
        if broken.is_set():
            raise wavfile.unwritable(wav.path, OSError(errno.EDQUOT, "Quota"))
        sync(wav)

    monkeypatch.setattr(StreamingWav, "sync", refuse)
    rig.grow(1.0)
    wait_until(lambda: rig.recorder.failed)
    broken.clear()
    wait_until(lambda: not rig.recorder.failed)
    assert "the disk quota is used up" in rig.told()[0]
    assert rig.recorder.finish("user")
    assert_all_there(rig, 1.0)


def test_pieces_are_bounded():
    assert bundle_writer.BundleWriter.PIECE <= 60 * SAMPLE_RATE
