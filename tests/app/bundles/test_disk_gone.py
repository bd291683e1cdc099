"""A recording whose files or whose disk are taken away."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import threading
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import soundfile

from app.bundles import bundle_files, bundle_writer
from app.bundles.notes import Marker, Notes, edit_notes, load_notes
from app.bundles.recovery import recover_unfinished
from app.timeline.events import StateChanged, Timeline
from app.timeline.tracks import Tracks
from audio import wavfile
from audio.pcm import SAMPLE_RATE
from audio.wavfile import StreamingWav
from tests.app.disk_rig import assert_all_there, disk_of_1_mb, recorders
from tests.rig.opened import open_bundle
from tests.rig.waiting import wait_until


@pytest.fixture
def make():
    with recorders() as made:
        yield made


@pytest.fixture
def small_disk(tmp_path):
    with disk_of_1_mb(tmp_path) as made:
        yield made


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


def test_notes_of_a_folder_that_is_deleted_are_written_anew(make, tmp_path):
    rig = make(tmp_path / "recordings")
    rig.recorder.start()
    rig.grow(1.0)
    rig.recorder.note(lambda notes: replace(notes, title="Kept", tags=("one",)))
    rig.recorder.note(lambda notes: notes.marked(Marker(0.5, "here")))
    wait_until(lambda: load_notes(rig.folder).markers)
    shutil.rmtree(rig.folder.parent.rename(tmp_path / "trash"))
    wait_until(rig.told)
    kept = Notes("Kept", ("one",), "", (Marker(0.5, "here"),))
    wait_until(lambda: load_notes(rig.folder) == kept)
    rig.recorder.note(lambda notes: notes.marked(Marker(0.75, "later")))
    assert rig.recorder.finish("user")
    assert load_notes(rig.folder).markers == (Marker(0.5, "here"), Marker(0.75, "later"))


@pytest.fixture
def writer(tmp_path):
    """The open files of a bundle with one marker."""
    folder = tmp_path / "one"
    folder.mkdir()
    made = bundle_writer.BundleWriter(folder, {}, Tracks())
    made.write_notes(lambda notes: notes.marked(Marker(1.0)))
    yield made
    made.close()


@pytest.mark.parametrize("moment", ["BundleLock", "save_notes"])
def test_a_marker_that_is_set_while_the_folder_is_made_anew_costs_none(
    writer, tmp_path, monkeypatch, moment
):
    writer.folder.rename(tmp_path / "away")
    does, sets = getattr(bundle_writer, moment), []

    def meanwhile(*args):
        if not sets:
            change = partial(Notes.marked, marker=Marker(2.0))
            sets.append(threading.Thread(target=lambda: writer.write_notes(change)))
            sets[0].start()
            sets[0].join(0.2)  # it may have to wait
        return does(*args)

    monkeypatch.setattr(bundle_writer, moment, meanwhile)
    writer.put_back({})
    sets[0].join(5)
    writer.write_notes(lambda notes: notes.marked(Marker(3.0)))
    assert [marker.t for marker in load_notes(writer.folder).markers] == [1.0, 2.0, 3.0]


def test_notes_that_are_taken_away_by_themselves_come_back_with_the_next_change(writer):
    (writer.folder / "notes.json").unlink()
    writer.write_notes(lambda notes: notes.marked(Marker(2.0)))
    assert [marker.t for marker in load_notes(writer.folder).markers] == [1.0, 2.0]


def test_what_others_wrote_into_the_notes_stays_when_another_file_is_put_back(writer):
    edit_notes(writer.folder, lambda notes: replace(notes, title="Written in another window"))
    (writer.folder / "agent.wav").unlink()
    writer.put_back({})
    written = Notes("Written in another window", markers=(Marker(1.0),))
    assert load_notes(writer.folder) == written


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
