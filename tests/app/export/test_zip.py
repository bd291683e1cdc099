"""The recording as a zip: whole, a stretch of it, without the user; opened again."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.bundles.notes import Marker, load_notes
from app.export.exporting import export
from app.export.formats import Order, Wish
from app.export.material import open_material
from app.export.progress import Progress
from app.export.survey import survey
from tests.app.export.recorded import NAME, record, tracked
from tests.rig.opened import open_bundle

RATE = 16_000


def unpacked(path: Path, into: Path) -> Path:
    """The folder in the zip, unpacked by the standard library after its own check."""
    with zipfile.ZipFile(path) as packed:
        assert packed.testzip() is None
        assert all(name.startswith(f"{NAME}/") for name in packed.namelist())
        packed.extractall(into)
    return into / NAME


def samples(path: Path) -> np.ndarray:
    found, rate = soundfile.read(path, dtype="int16")
    assert rate == RATE
    return found


def test_the_whole_recording_is_the_same_again(recorded, exports, tmp_path):
    (path,) = exports("zip")
    folder = unpacked(path, tmp_path)
    own = sorted(file.name for file in recorded.path.iterdir() if file.is_file())
    assert sorted(file.name for file in folder.iterdir()) == own
    for name in own:
        assert (folder / name).read_bytes() == (recorded.path / name).read_bytes()
    opened = open_bundle(folder)
    assert opened.warnings == []
    assert opened.events == recorded.events


def test_the_zip_itself_can_be_opened_and_exported(recorded, exports, tmp_path):
    (path,) = exports("zip")
    with open_material(path) as material:
        assert material.name == "out"
        assert material.duration_samples == recorded.samples
        summary = material.turns(Progress()).summary()
        assert summary == recorded.tracker.summary()
    again = export(Order(path, Wish(("wav", "zip")), tmp_path))
    assert [file.name for file in again] == ["out.wav", "out.zip"]
    assert np.array_equal(samples(again[0])[:, 0], recorded.user)


def test_without_the_users_voice_there_is_silence_of_the_same_length(recorded, exports, tmp_path):
    (path,) = exports("zip", user=False)
    folder = unpacked(path, tmp_path)
    assert not samples(folder / "user.wav").any()
    assert len(samples(folder / "user.wav")) == recorded.samples
    assert np.array_equal(samples(folder / "agent.wav"), recorded.agent)
    assert open_bundle(folder).warnings == []
    assert "Hello" in (folder / "events.jsonl").read_text()
    with open_material(path) as material:
        assert material.duration_samples == recorded.samples


def test_without_the_users_words_the_rest_is_as_it_was(recorded, exports, tmp_path):
    (path,) = exports("zip", user_text=False)
    folder = unpacked(path, tmp_path)
    assert "Hello" not in (folder / "events.jsonl").read_text()
    opened = open_bundle(folder)
    assert len(opened.events) == len(recorded.events) - 2
    tracker = tracked(opened.events)
    assert tracker.interruptions == recorded.tracker.interruptions
    assert tracker.user_turns == recorded.tracker.user_turns


def test_a_stretch_is_a_recording_of_its_own(recorded, exports, tmp_path):
    (path,) = exports("zip", start_s=4.0, stop_s=13.0)
    folder = unpacked(path, tmp_path)
    opened = open_bundle(folder)
    assert opened.warnings == []
    assert (opened.duration_s, opened.unfinished) == (9.0, False)
    assert opened.began_utc.isoformat() == "2026-11-22T10:15:07+00:00"
    facts = json.loads((folder / "session.json").read_text())
    assert facts["cut_from"] == {"session": NAME, "start_s": 4.0, "stop_s": 13.0}
    first, last = 4 * RATE, 13 * RATE
    assert np.array_equal(samples(folder / "user.wav"), recorded.user[first:last])
    assert np.array_equal(samples(folder / "agent.wav"), recorded.agent[first:last])
    assert load_notes(folder).markers == (Marker(2.0, "=cut", 3.5),)


def test_a_stretch_has_the_turns_and_interruptions_of_that_time(recorded, exports, tmp_path):
    (path,) = exports("zip", start_s=4.0, stop_s=13.0)
    folder = unpacked(path, tmp_path)
    tracker, whole = tracked(open_bundle(folder).events), recorded.tracker
    assert [(turn.start, turn.stop) for turn in tracker.user_turns] == [(1.0, pytest.approx(3.4))]
    agent = [(turn.start, turn.stop) for turn in tracker.agent_turns]
    assert agent == [(0.0, pytest.approx(1.641)), (pytest.approx(4.4), pytest.approx(8.4))]
    assert tracker.response_latencies_ms == pytest.approx([1000])
    (cut,), expected = tracker.interruptions, whole.interruptions[0]
    assert cut.at == pytest.approx(expected.at - 4)
    assert cut.time_to_silence_ms == pytest.approx(expected.time_to_silence_ms)
    assert cut.mouth_to_silence_ms == pytest.approx(expected.mouth_to_silence_ms)
    assert cut.discarded_ms == pytest.approx(expected.discarded_ms)
    assert cut.unheard_text == expected.unheard_text
    assert cut.corrected_text == expected.corrected_text
    assert cut.kind == "barge-in"


def test_heard_audio_is_found_in_the_cut_received_track(recorded, exports, tmp_path):
    (path,) = exports("zip", start_s=4.0, stop_s=13.0)
    folder = unpacked(path, tmp_path)
    received, agent = samples(folder / "received.wav"), samples(folder / "agent.wav")
    tracker = tracked(open_bundle(folder).events)
    heard = [span for span in tracker.spans if span.kind == "heard"]
    assert sum(span.stop - span.start for span in heard) > 5 * RATE
    for span in heard:
        at = round(span.at * RATE)
        assert np.array_equal(
            received[span.start : span.stop], agent[at : at + span.stop - span.start]
        )


def test_what_is_measured_from_before_the_cut_stays_right(recorded, exports, tmp_path):
    (path,) = exports("zip", start_s=5.3, stop_s=7.0)
    tracker = tracked(open_bundle(unpacked(path, tmp_path)).events)
    assert [(turn.start, turn.stop) for turn in tracker.user_turns] == [(pytest.approx(-0.3), 1.7)]
    (cut,), expected = tracker.interruptions, recorded.tracker.interruptions[0]
    assert cut.mouth_to_silence_ms == pytest.approx(expected.mouth_to_silence_ms)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes and links of Unix")
def test_no_link_is_followed_and_nothing_else_goes_in(tmp_path, exports):
    session = record(tmp_path)
    secret = tmp_path / "secret.txt"
    secret.write_text("private")
    (session.path / "notes.json").unlink()
    (session.path / "notes.json").symlink_to(secret)
    (session.path / "received.wav").unlink()
    os.mkfifo(session.path / "received.wav")
    (session.path / "diary.txt").write_text("private")
    (session.path / "peaks").mkdir()
    (path,) = exports("zip", session=session.path)
    with zipfile.ZipFile(path) as packed:
        names = {Path(name).name for name in packed.namelist()}
        assert not any(b"private" in packed.read(name) for name in packed.namelist())
    assert names == {"session.json", "events.jsonl", "user.wav", "agent.wav"}


def test_keys_and_tokens_that_others_left_in_a_recording_stay_behind(tmp_path, exports):
    session = record(tmp_path, ("Hello there",))
    lines = (session.path / "events.jsonl").read_bytes().splitlines(keepends=True)
    key, token = "sk_0123456789abcdef0123456789abcdef", "tok-3141592653"
    message = {"t": 1.0, "type": "message_sent", "kind": "x", "data": {"token": token, "x": key}}
    plain = b'{"type":"from_the_future",  "t": 1}\n'
    odd = [json.dumps(message).encode() + b"\n", plain]
    (session.path / "events.jsonl").write_bytes(b"".join([lines[0], *odd, *lines[1:]]))
    notes = {"title": f"with {key}", "notes": "as they are", "new": {"password": token}}
    (session.path / "notes.json").write_text(json.dumps(notes))
    (path,) = exports("zip", session=session.path)
    folder = unpacked(path, tmp_path / "out")
    for file in folder.glob("*.json*"):
        assert key not in file.read_text()
        assert token not in file.read_text()
    packed = (folder / "events.jsonl").read_bytes().splitlines(keepends=True)
    assert packed[2] == plain, "what holds no secret is left as it is"
    assert packed[3:] == lines[1:]
    assert json.loads(packed[1]) == {**message, "data": {"token": "•••", "x": "•••"}}
    assert load_notes(folder).notes == "as they are"
    assert (folder / "session.json").read_bytes() == (session.path / "session.json").read_bytes()


@pytest.mark.parametrize("name", ["notes.json", "events.jsonl", "session.json"])
def test_what_is_no_text_of_a_recording_does_not_go_in(tmp_path, exports, name):
    session = record(tmp_path)
    diary = tmp_path / "diary.txt"
    diary.write_text("this is\nprivate\n[1, 2]\n")
    (session.path / name).unlink()
    os.link(diary, session.path / name)
    (path,) = exports("zip", session=session.path)
    with zipfile.ZipFile(path) as packed:
        assert not any(b"private" in packed.read(each) for each in packed.namelist())
        assert f"{NAME}/user.wav" in packed.namelist()


def test_a_recording_of_hard_links_is_exported_like_any(recorded, tmp_path, exports):
    linked = tmp_path / NAME
    linked.mkdir()
    for file in recorded.path.iterdir():
        if file.is_file():
            os.link(file, linked / file.name)
    (path,) = exports("zip", session=linked)
    folder = unpacked(path, tmp_path / "out")
    for file in linked.iterdir():
        assert (folder / file.name).read_bytes() == file.read_bytes()


def test_the_size_of_a_scrubbed_zip_was_told_about_right(tmp_path, exports):
    session = record(tmp_path)
    with (session.path / "events.jsonl").open("a") as file:
        for number in range(2000):
            line = {"t": 20.0, "type": "from_the_future", "n": number, "api_key": f"key-{number}"}
            file.write(json.dumps(line) + "\n")
    told = survey(session.path).size_bytes("zip", Wish(("zip",)))
    (path,) = exports("zip", session=session.path)
    assert told == pytest.approx(path.stat().st_size, rel=0.1)


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        ("..\\..\\up", "_.._up"),
        ("C:evil", "C_evil"),
        ("\udcff\n\x1b[31mé ", "[31mé"),
        ("\udcff..", "recording"),
    ],
)
def test_a_name_that_leads_elsewhere_on_another_system_leads_nowhere(name, inside, tmp_path):
    path = record(tmp_path / "own", name=name).path
    for wish in (Wish(("zip",)), Wish(("zip",), start_s=4.0, stop_s=13.0)):
        (packed,) = export(Order(path, wish, tmp_path, name="out", replace_all=True))
        with zipfile.ZipFile(packed) as archive:
            assert {entry.split("/")[0] for entry in archive.namelist()} == {inside}
        with open_material(packed) as material:
            assert material.facts is not None
