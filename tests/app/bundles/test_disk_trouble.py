"""A recording on a disk that fills up, goes away, refuses, stalls or loses its power."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import subprocess
import sys
import tempfile
import threading
from itertools import pairwise
from pathlib import Path

import pytest
import soundfile

from app.agents.base import Endpoint
from app.bundles import bundle_writer
from app.bundles.recovery import recover_unfinished
from app.live.choices import build_audio
from app.live.session import Session, State
from app.timeline.events import MicChunkSent, StateChanged, Trouble
from audio import wavfile
from audio.pcm import SAMPLE_RATE
from audio.wavfile import StreamingWav
from tests.app.agents.fake_agent import FakeAgent, metadata, running, until_closed
from tests.app.disk_rig import assert_all_there, disk_of_1_mb, recorders
from tests.rig.opened import open_bundle
from tests.rig.waiting import wait_until

ROOT = Path(__file__).parents[3]


@pytest.fixture
def make():
    with recorders() as made:
        yield made


@pytest.fixture
def small_disk(tmp_path):
    with disk_of_1_mb(tmp_path) as made:
        yield made


def fill(disk: Path) -> Path:
    ballast = disk / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        for size in (65_536, 4096):
            with contextlib.suppress(OSError):
                while file.write(bytes(size)) == size:
                    pass
    return ballast


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


# -- refused -----------------------------------------------------------------------------------

UNPRIVILEGED = """
import os, sys, time
from pathlib import Path
import app.recordings.peaks_cache, app.recordings.turns_found
from app.agents.base import Endpoint
from tests.rig.opened import open_bundle
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
        (after / re.sub(r"^\.(.+)\.\d+\.draft$", r"\1", name)).write_bytes(content)
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
