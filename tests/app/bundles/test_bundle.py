"""Bundles that are whole, broken, foreign, or from the future."""

from __future__ import annotations

import errno
import json
import os

import numpy as np
import pytest
import soundfile

from app.bundles import bundle as bundle_module
from app.bundles import bundle_files
from app.bundles.bundle import BundleError, read_facts, recover_bundle
from app.bundles.bundle_lock import BundleLock
from app.timeline import events
from app.timeline.events import (
    Event,
    EventError,
    Interrupted,
    MessageReceived,
    StateChanged,
    event_from_dict,
)
from audio.wavfile import StreamingWav
from tests.app.told_events import BARGE_IN
from tests.rig.opened import open_bundle


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "2026-11-22_10-15-03_demo"
    folder.mkdir()
    session = {
        "schema": 1,
        "began_utc": "2026-11-22T09:15:03.000Z",
        "agent": {"kind": "demo", "label": "Demo", "id": "d1", "conversation_id": "c1"},
        "devices": {"microphone": "Headset", "speaker": "none"},
        "end": {"reason": "user", "duration_s": 12.5, "sentence": ""},
    }
    (folder / "session.json").write_text(json.dumps(session))
    write_events(folder, StateChanged(0.0, "connecting"), Interrupted(3.0, 1, "agent", 800, 4))
    for name in ("user", "agent", "received"):
        with StreamingWav(folder / f"{name}.wav") as wav:
            wav.write(np.ones(1600, np.int16))
    return folder


def write_events(folder, *events):
    lines = [json.dumps(event.to_dict()) + "\n" for event in events]
    (folder / "events.jsonl").write_text("".join(lines))


def test_a_whole_bundle_opens_without_a_warning(folder):
    bundle = open_bundle(folder)
    assert bundle.events == [StateChanged(0.0, "connecting"), Interrupted(3.0, 1, "agent", 800, 4)]
    assert (bundle.info.agent_kind, bundle.info.conversation_id) == ("demo", "c1")
    assert (bundle.info.microphone, bundle.info.speaker) == ("Headset", "none")
    assert bundle.duration_s == 12.5
    assert bundle.began_utc.isoformat() == "2026-11-22T09:15:03+00:00"
    assert bundle.user == folder / "user.wav"
    assert not bundle.unfinished
    assert not bundle.warnings


def test_broken_unknown_and_half_lines_become_warnings_and_the_rest_is_there(folder):
    good = json.dumps(StateChanged(1.0, "running").to_dict())
    lines = [
        "not json",
        good,
        '{"t": 1, "type": "from_the_future", "x": 1}',
        "[1, 2]",
        '{"t": "soon", "type": "state", "state": "running"}',
        '{"t": 1, "type": "state"}',
        '{"t": 1, "type": "interrupted", "epoch": true, "source": "agent", "queued_samples": 1}',
        '{"t": 1, "type": "interrupted", "epoch": 1, "source": "me", "queued_samples": 1}',
        '{"t": NaN, "type": "state", "state": "x"}',
        '{"t": 2, "type": "state", "state": "ended", "mood": "fine"}',
        '{"t": 3, "type": "sta',
    ]
    (folder / "events.jsonl").write_text("\n".join(lines))
    bundle = open_bundle(folder)
    assert bundle.events == [StateChanged(1.0, "running"), StateChanged(2.0, "ended")]
    text = " ".join(bundle.warnings)
    assert "8 lines of events.jsonl cannot be read (line 1, 4, 5, 6, 7 and others)" in text
    assert "from_the_future" in text


@pytest.mark.parametrize("name", ["user.wav", "received.wav", "events.jsonl", "session.json"])
def test_a_missing_file_is_a_warning_that_names_it(folder, name):
    (folder / name).unlink()
    bundle = open_bundle(folder)
    assert any(name in warning for warning in bundle.warnings)
    assert (bundle.user is None) == (name == "user.wav")


@pytest.mark.parametrize("content", ["", "{", "[]", '"text"', "[" * 100_000, "\xff\xfe"])
def test_a_broken_session_file_is_a_warning(folder, content):
    (folder / "session.json").write_text(content, encoding="latin-1")
    bundle = open_bundle(folder)
    assert bundle.warnings
    assert len(bundle.events) == 2
    assert bundle.unfinished


def test_facts_of_the_wrong_type_are_not_known(folder):
    facts = {"schema": 1, "agent": 5, "devices": [], "settings": "x", "end": [1], "began_utc": 7}
    (folder / "session.json").write_text(json.dumps(facts))
    bundle = open_bundle(folder)
    assert (bundle.info.agent_kind, bundle.info.microphone) == ("", "")
    assert bundle.began_utc is None
    assert bundle.duration_s is None


def test_a_newer_schema_is_said(folder):
    facts = json.loads((folder / "session.json").read_text())
    (folder / "session.json").write_text(json.dumps({**facts, "schema": 9}))
    bundle = open_bundle(folder)
    assert any("newer version" in warning for warning in bundle.warnings)
    assert bundle.info.agent_kind == "demo"


def test_a_session_without_an_end_is_unfinished(folder):
    facts = json.loads((folder / "session.json").read_text())
    (folder / "session.json").write_text(json.dumps({**facts, "end": None}))
    assert open_bundle(folder).unfinished
    assert open_bundle(folder).duration_s is None


@pytest.mark.parametrize("make", ["nothing", "an empty folder", "a file"])
def test_what_is_no_bundle_is_refused_with_its_name(tmp_path, make):
    path = tmp_path / "thing"
    if make == "an empty folder":
        path.mkdir()
    elif make == "a file":
        path.write_text("hello")
    with pytest.raises(BundleError, match="thing") as caught:
        open_bundle(path)
    assert str(caught.value).endswith(".")


def test_recovering_makes_tracks_whole_and_says_which(folder):
    with (folder / "user.wav").open("ab") as file:
        file.write(np.full(1600, 5, np.int16).tobytes() + b"\x01")
    (told,) = recover_bundle(folder)
    assert told == "“user.wav” was repaired: it holds 0.2 s."
    assert recover_bundle(folder) == []


def test_a_track_that_is_no_audio_cannot_be_recovered(folder):
    (folder / "user.wav").write_bytes(b"something else" * 100)
    with pytest.raises(BundleError, match=r"user\.wav"):
        recover_bundle(folder)


def test_every_kind_of_event_reads_back_as_it_was():
    more = [MessageReceived(1.0, "x", {"a": [1, {"b": None}]}, None, 5, "late")]
    for event in (*BARGE_IN, *more):
        assert event_from_dict(json.loads(json.dumps(event.to_dict()))) == event


def test_no_kind_of_event_is_missing_from_those_that_read_back():
    kinds = {kind.type for kind in vars(events).values() if is_event(kind)}
    for kind in kinds:
        with pytest.raises(EventError):
            event_from_dict({"type": kind})
    assert len(kinds) > 12


@pytest.mark.parametrize("alignment", [{}, {"chars": ["a"]}, [], "x", 5, {"chars": 1}])
def test_an_event_that_lacks_a_part_is_no_event(alignment):
    record = {"type": "agent_chunk", "t": 1.0, "start": 0, "stop": 5, "alignment": alignment}
    with pytest.raises(EventError, match="alignment"):
        event_from_dict(record)


def is_event(kind):
    return isinstance(kind, type) and issubclass(kind, Event) and kind is not Event


@pytest.mark.parametrize("duration", [10**400, -1, float("nan"), float("inf"), True, "9"])
def test_a_duration_that_makes_no_sense_is_not_known(folder, duration):
    session = json.loads((folder / "session.json").read_text())
    session["end"]["duration_s"] = duration
    (folder / "session.json").write_text(json.dumps(session))
    assert open_bundle(folder).duration_s is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such pipes")
@pytest.mark.parametrize("name", ["session.json", "events.jsonl"])
def test_a_pipe_in_a_bundle_is_not_waited_for(folder, name):
    (folder / name).unlink()
    os.mkfifo(folder / name)
    assert any(name in warning for warning in open_bundle(folder).warnings)


def test_a_device_and_a_huge_file_in_a_bundle_are_not_read_to_their_end(folder, monkeypatch):
    monkeypatch.setattr(bundle_files, "SMALL_FILE_BYTES", 10)
    assert any("session.json cannot be read" in one for one in open_bundle(folder).warnings)
    (folder / "session.json").unlink()
    (folder / "session.json").symlink_to("/dev/zero")
    assert any("session.json" in one for one in open_bundle(folder).warnings)


def cut_short(folder):
    """Make the bundle what a killed program leaves: no end, and audio that no header speaks of."""
    facts = json.loads((folder / "session.json").read_text())
    (folder / "session.json").write_text(json.dumps({**facts, "end": None}))
    with (folder / "user.wav").open("ab") as file:
        file.write(np.full(1600, 5, np.int16).tobytes() + b"\x01")


def test_all_of_a_recording_that_was_cut_short_is_opened(folder):
    cut_short(folder)
    bundle = open_bundle(folder)
    assert len(soundfile.read(bundle.user)[0]) == 3200
    assert bundle.unfinished
    assert bundle.warnings == ["“user.wav” was repaired: it holds 0.2 s."]


def test_a_recording_that_is_being_written_is_left_alone(folder):
    cut_short(folder)
    lock = BundleLock(folder)
    before = (folder / "user.wav").read_bytes()
    assert not open_bundle(folder).warnings
    assert (folder / "user.wav").read_bytes() == before
    lock.release()
    assert open_bundle(folder).warnings


def test_what_cannot_be_repaired_is_a_warning_and_the_rest_is_there(folder, monkeypatch):
    cut_short(folder)

    def refuse(path):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr("app.bundles.bundle.recover", refuse)
    bundle = open_bundle(folder)
    assert len(bundle.events) == 2
    (warning,) = bundle.warnings
    assert "“user.wav” cannot be read: there is no permission." in warning
    with pytest.raises(BundleError, match="there is no permission"):
        recover_bundle(folder)


def test_nobody_repairs_what_somebody_else_is_repairing(folder, monkeypatch):
    session = json.loads((folder / "session.json").read_text())
    session["end"] = None
    (folder / "session.json").write_text(json.dumps(session))
    with (folder / "user.wav").open("ab") as file:
        file.write(bytes(3200))
    before = (folder / "user.wav").read_bytes()
    lock = BundleLock(folder)
    # it was taken just after it was looked at
    monkeypatch.setattr("app.bundles.bundle.is_being_written", lambda _: False)
    assert open_bundle(folder).warnings == []
    assert (folder / "user.wav").read_bytes() == before
    lock.release()
    assert "was repaired" in open_bundle(folder).warnings[0]
    assert not (folder / ".recording.lock").exists()


def test_a_session_that_ends_while_it_is_opened_is_not_taken_for_one_cut_short(folder, monkeypatch):
    whole = (folder / "session.json").read_bytes()
    (folder / "session.json").write_text('{"schema": 1, "agent": {}, "end": null}')
    lock = BundleLock(folder)

    def look(_path):
        (folder / "session.json").write_bytes(whole)  # the recorder ends, and lets go
        lock.release()
        return False

    monkeypatch.setattr(bundle_module, "is_being_written", look)
    monkeypatch.setattr(bundle_module, "recover_bundle", lambda _path: ["repaired"])
    facts = read_facts(folder)
    assert (facts.unfinished, facts.duration_s) == (False, 12.5)
    assert not [sentence for sentence in facts.warnings if "missing" not in sentence]
