"""Recordings that were cut short, found and made whole."""

from __future__ import annotations

import errno
import json
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.bundles import recovery
from app.bundles.bundle_lock import LOCK_NAME, BundleLock
from app.bundles.notes import Notes, save_notes
from app.bundles.recovery import Recovered, problems_of, recover_unfinished, recovery_notices
from app.timeline.events import StateChanged
from audio.pcm import SAMPLE_RATE
from audio.wavfile import HEADER_BYTES
from tests.app.recorder_rig import Rig
from tests.app.told_events import BARGE_IN
from tests.benchmarks.kills import kill_sessions
from tests.rig.opened import open_bundle
from tests.rig.waiting import wait_until


@pytest.fixture
def parent(tmp_path):
    return tmp_path / "recordings"


@pytest.fixture
def dead(tmp_path, parent):
    """A bundle of 2 s as a killed program leaves it: with a lock file that nobody holds."""
    rig = Rig(tmp_path / "live")
    rig.recorder.start()
    for event in BARGE_IN:
        rig.timeline.append(event)
    rig.grow(2.0)
    wait_until(lambda: rig.has_recorded(2.0))
    lines = rig.timeline.appended
    wait_until(lambda: (rig.folder / "events.jsonl").read_bytes().count(b"\n") == lines)
    folder = parent / rig.folder.name
    shutil.copytree(rig.folder, folder)
    rig.recorder.finish("user")
    assert (folder / LOCK_NAME).exists()
    assert open_bundle(folder).unfinished
    return folder


def facts_of(folder):
    return json.loads((folder / "session.json").read_text())


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_a_recording_that_was_cut_short_becomes_a_whole_one(parent, dead):
    whole = json.loads((next(dead.parents[1].glob("live/*")) / "session.json").read_text())
    assert recover_unfinished(parent) == [Recovered(dead, dead.name, 2.0)]
    facts = facts_of(dead)
    assert facts["end"] == {
        "ended_utc": "2026-11-22T09:15:05.000Z",
        "duration_s": 2.0,
        "reason": "recovered",
        "sentence": recovery.SENTENCE,
    }
    assert facts["recovered"]["utc"].endswith("Z")
    assert facts["summary"] == whole["summary"]
    assert facts["summary"]["interruptions"] == 1
    assert facts["summary"]["time_to_silence_ms_p50"] is not None
    bundle = open_bundle(dead)
    assert not bundle.unfinished
    assert not bundle.warnings
    assert bundle.events[-1].state == "ended"
    assert not (dead / LOCK_NAME).exists()


def test_a_second_time_changes_nothing(parent, dead):
    assert recover_unfinished(parent)
    before = contents(dead)
    assert recover_unfinished(parent) == []
    assert contents(dead) == before


def test_a_repair_that_was_cut_short_itself_is_finished_the_next_time(parent, dead, monkeypatch):
    def die(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(recovery, "write_json", die)
    (told,) = recover_unfinished(parent)
    assert "the disk is full" in told.problem
    assert facts_of(dead)["end"] is None
    monkeypatch.undo()
    assert [item.problem for item in recover_unfinished(parent)] == [""]
    ends = [event for event in open_bundle(dead).events if isinstance(event, StateChanged)]
    assert [event.state for event in ends][-2:].count("ended") == 1


def test_the_tracks_are_repaired_and_levelled(parent, dead):
    with (dead / "user.wav").open("ab") as file:
        file.write(np.full(SAMPLE_RATE, 7, np.int16).tobytes() + b"\x01")
    assert recover_unfinished(parent)[0].duration_s == 3.0
    user, agent = (soundfile.read(dead / f"{name}.wav", dtype="int16")[0] for name in TRACKS)
    assert len(user) == len(agent) == 3 * SAMPLE_RATE
    assert (user[2 * SAMPLE_RATE :] == 7).all()
    assert not agent[2 * SAMPLE_RATE :].any()


TRACKS = ("user", "agent")


@pytest.mark.parametrize("cut", [0, 1, HEADER_BYTES - 1, HEADER_BYTES + 5])
def test_a_track_that_hardly_began_is_silence(parent, dead, cut):
    content = (dead / "agent.wav").read_bytes()
    (dead / "agent.wav").write_bytes(content[:cut])
    assert recover_unfinished(parent)[0].duration_s == 2.0
    assert len(soundfile.read(dead / "agent.wav")[0]) == 2 * SAMPLE_RATE


def test_files_that_were_never_made_do_no_harm(parent, dead):
    for name in ("user.wav", "agent.wav", "received.wav", "events.jsonl"):
        (dead / name).unlink()
    (told,) = recover_unfinished(parent)
    assert (told.problem, told.duration_s) == ("", 0.0)
    bundle = open_bundle(dead)
    assert bundle.end["duration_s"] == 0.0
    assert not bundle.warnings


@pytest.mark.parametrize("tail", [b'{"t": 3, "type": "sta', b"\x00" * 300, b"[1, 2"])
def test_a_broken_last_line_is_cut_off(parent, dead, tail):
    before = (dead / "events.jsonl").read_bytes()
    (dead / "events.jsonl").write_bytes(before + tail)
    recover_unfinished(parent)
    assert (dead / "events.jsonl").read_bytes().startswith(before)
    assert not open_bundle(dead).warnings


def test_a_last_line_that_only_lacks_its_break_is_kept(parent, dead):
    before = (dead / "events.jsonl").read_bytes()
    (dead / "events.jsonl").write_bytes(before.removesuffix(b"\n"))
    recover_unfinished(parent)
    assert (dead / "events.jsonl").read_bytes().startswith(before)


def test_one_that_is_being_written_is_left_alone(tmp_path):
    rig = Rig(tmp_path)
    rig.recorder.start()
    rig.grow(1.0)
    wait_until(lambda: rig.has_recorded(1.0))
    assert recover_unfinished(tmp_path) == []
    assert not open_bundle(rig.folder).warnings
    assert rig.recorder.finish("user")
    assert facts_of(rig.folder)["end"]["reason"] == "user"
    assert recover_unfinished(tmp_path) == []
    assert not (rig.folder / LOCK_NAME).exists()


def test_one_that_another_program_repairs_is_left_to_it(parent, dead):
    lock = BundleLock(dead)
    assert recover_unfinished(parent) == []
    lock.release()
    assert recover_unfinished(parent)


@pytest.mark.parametrize(
    "session",
    [
        "not json",
        "[]",
        '{"name": "of another program"}',
        '{"schema": 99, "agent": {}, "end": null}',
        '{"schema": "1", "agent": {}}',
    ],
)
def test_what_is_not_ours_is_left_as_it_is(parent, dead, session):
    (dead / "session.json").write_text(session)
    before = contents(dead)
    assert recover_unfinished(parent) == []
    assert contents(dead) == before


def test_a_track_that_is_a_link_to_somewhere_else_is_not_touched(parent, dead, tmp_path):
    precious = tmp_path / "precious.wav"
    precious.write_bytes((dead / "user.wav").read_bytes() + bytes(101))
    before = precious.read_bytes()
    (dead / "user.wav").unlink()
    (dead / "user.wav").symlink_to(precious)
    (told,) = recover_unfinished(parent)
    assert "user.wav" in told.problem
    assert precious.read_bytes() == before
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "bundle").symlink_to(dead)
    assert recover_unfinished(linked) == []


def test_one_broken_folder_keeps_no_other_from_being_recovered(parent, dead, caplog):
    broken = parent / "0_broken"
    shutil.copytree(dead, broken)
    (broken / "user.wav").write_bytes(b"something else" * 100)
    first, second = recover_unfinished(parent)
    assert first.path == broken
    assert first.problem.startswith(
        "The recording “0_broken” was cut short and cannot be recovered"
    )
    assert "is not a WAV file" in first.problem
    assert (second.path, second.problem) == (dead, "")
    assert (broken / "user.wav").read_bytes() == b"something else" * 100
    assert facts_of(broken)["end"] is None


def test_what_may_not_be_written_is_said_and_left(parent, dead, monkeypatch):
    before = contents(dead)

    def refuse(path, *_args, **_options):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(recovery, "BundleLock", refuse)
    (told,) = recover_unfinished(parent)
    assert told.problem.endswith("cannot be recovered: there is no permission.")
    assert contents(dead) == before


def test_a_folder_that_no_recorder_wrote_into_is_removed_unless_a_session_begins_there(parent):
    long_ago = time.time() - recovery.BEGINNING_S - 1
    for name, files in {
        "begun": [LOCK_NAME, ".session.json.draft", ".session.json.4711.draft"],
        "somebodys": [LOCK_NAME, "diary.txt"],
        "empty": [],
        "beginning": [LOCK_NAME],
    }.items():
        (parent / name).mkdir(parents=True)
        for file in files:
            (parent / name / file).touch()
            if name != "beginning":
                os.utime(parent / name / file, (long_ago, long_ago))
    assert recover_unfinished(parent) == []
    assert {path.name for path in parent.iterdir()} == {"somebodys", "empty", "beginning"}


def test_a_folder_that_is_not_there_has_nothing_to_recover(tmp_path):
    assert recover_unfinished(tmp_path / "nowhere") == []
    (tmp_path / "file").touch()
    assert recover_unfinished(tmp_path / "file") == []


def test_it_is_said_once_and_by_its_title(parent, dead):
    save_notes(dead, Notes(title="First try"))
    (notice,) = recovery_notices(recover_unfinished(parent), {})
    said = "One recording that was cut short has been recovered: “First try”, 2.0 s."
    assert (notice.level, notice.sentence) == ("info", said)
    assert recovery_notices(recover_unfinished(parent), {}) == []


def test_several_are_counted_and_what_failed_is_named():
    place = Path("place")
    found = [Recovered(place, "one", 1.0), Recovered(place, "two", 2.5)]
    problems = [Recovered(place, "x", problem=f"Number {number} is broken.") for number in (1, 2)]
    done, failed = recovery_notices([*found, *problems], {})
    assert done.sentence == "2 recordings that were cut short have been recovered."
    assert done.details == "one: 1.0 s\ntwo: 2.5 s"
    assert failed.sentence == "Number 1 is broken. 1 more could not be recovered either."
    assert failed.level == "warning"


def test_what_cannot_be_recovered_is_told_once_for_each_reason():
    def failed(name: str, why: str) -> Recovered:
        return Recovered(Path("place") / name, name, problem=why)

    first = [failed("one", "The disk is full."), failed("two", "It is read-only.")]
    assert len(recovery_notices(first, {})) == 1
    told = problems_of(first)
    assert recovery_notices(first, told) == []
    again = [first[0], failed("two", "The disk is full."), Recovered(Path("x"), "x", 1.0)]
    done, notice = recovery_notices(again, told)
    assert "has been recovered" in done.sentence
    assert notice.sentence == "The disk is full."
    assert set(problems_of(again)) == {str(Path("place/one")), str(Path("place/two"))}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_live_sessions_that_are_killed_open_with_all_but_the_last_half_second():
    kills = kill_sessions([0.1, 1.0, 2.5])
    assert all(kill.opens and kill.was_recovered for kill in kills), kills
    assert max(kill.lost_s for kill in kills) < 0.5, kills


def test_a_recording_that_is_moved_away_while_it_is_recovered_is_no_problem(
    parent, dead, tmp_path, monkeypatch
):
    def move_away(_folder):
        dead.rename(tmp_path / "trash")
        raise FileNotFoundError

    monkeypatch.setattr(recovery, "recover_bundle", move_away)
    assert recover_unfinished(parent) == []
    monkeypatch.undo()
    (tmp_path / "trash").rename(dead)
    assert [item.problem for item in recover_unfinished(parent)] == [""]


def test_what_a_killed_recorder_left_of_the_facts_is_taken_away(parent, dead):
    for name in (".session.json.draft", ".session.json.4711.draft", ".notes.json.4711.draft"):
        (dead / name).write_text("{")
    assert [item.problem for item in recover_unfinished(parent)] == [""]
    assert [name for name in contents(dead) if name.startswith(".")] == [".notes.json.4711.draft"]
