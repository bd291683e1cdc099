"""What a person writes about a session, kept in the bundle."""

from __future__ import annotations

import json
import os
import threading

import pytest

from app.bundles import bundle_lock
from app.bundles import notes as notes_module
from app.bundles.bundle_lock import in_turn
from app.bundles.notes import Marker, Notes, edit_notes, load_notes, save_notes

NOTES = Notes(
    "First try",
    ("slow", "late"),
    "Said “hello” twice.\nThen silence.",
    (Marker(1.25, "here"), Marker(3.0, "", 4.5)),
)


def test_what_was_saved_is_loaded(tmp_path):
    save_notes(tmp_path, NOTES)
    assert load_notes(tmp_path) == NOTES
    assert json.loads((tmp_path / "notes.json").read_text())["title"] == "First try"


def test_a_bundle_without_notes_has_empty_ones(tmp_path):
    warnings = []
    assert load_notes(tmp_path, warnings) == Notes()
    assert warnings == []


def test_markers_are_in_the_order_of_their_times():
    notes = NOTES.marked(Marker(2.0, "between"))
    assert [marker.t for marker in notes.markers] == [1.25, 2.0, 3.0]
    assert notes.unmarked(Marker(2.0, "between")) == NOTES
    assert NOTES.unmarked(Marker(9.0)) == NOTES


def test_what_a_newer_version_wrote_stays(tmp_path):
    (tmp_path / "notes.json").write_text('{"title": "a", "stars": 5}')
    edit_notes(tmp_path, lambda notes: notes.marked(Marker(1.0)))
    found = json.loads((tmp_path / "notes.json").read_text())
    assert (found["title"], found["stars"], len(found["markers"])) == ("a", 5, 1)


@pytest.mark.parametrize("content", ["", "{", "[1]", "\x00\x00", "[" * 100_000])
def test_a_broken_file_is_said_and_kept_aside(tmp_path, content):
    (tmp_path / "notes.json").write_text(content)
    warnings = []
    assert load_notes(tmp_path, warnings) == Notes()
    assert len(warnings) == 1
    assert "notes.json cannot be read" in warnings[0]
    assert (tmp_path / "notes.json").read_text() == content  # reading changes nothing
    for number in (1, 2):
        save_notes(tmp_path, NOTES)
        assert load_notes(tmp_path) == NOTES
        aside = tmp_path / ("notes.broken.json" if number == 1 else "notes.broken_2.json")
        assert aside.read_text() == content
        (tmp_path / "notes.json").write_text(content)


def test_what_makes_no_sense_is_passed_over_said_and_kept_aside(tmp_path):
    markers = [
        {"t": 5, "text": "good", "stop": 4},
        {"t": "soon"},
        {"t": -1},
        {"t": float("nan")},
        {"t": 10**400},
        {"t": True},
        7,
        {"t": 1.5, "text": ["x"], "stop": 2},
    ]
    odd = {"title": 5, "tags": ["a", 7], "notes": None, "markers": markers}
    (tmp_path / "notes.json").write_text(json.dumps(odd))
    warnings = []
    notes = load_notes(tmp_path, warnings)
    assert notes == Notes("", ("a",), "", (Marker(1.5, "", 2.0), Marker(5.0, "good")))
    assert warnings == ["notes.json: 6 markers make no sense, and are not shown."]
    save_notes(tmp_path, notes)
    assert json.loads((tmp_path / "notes.broken.json").read_text())["title"] == 5
    assert json.loads((tmp_path / "notes.json").read_text())["title"] == ""


def test_a_key_that_was_pasted_is_not_written(tmp_path):
    save_notes(tmp_path, Notes(notes="it is sk_" + "0123456789abcdef" * 2))
    assert b"0123456789abcdef" not in (tmp_path / "notes.json").read_bytes()


def test_a_folder_that_is_gone_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        save_notes(tmp_path / "nowhere", NOTES)


def test_of_two_who_change_the_notes_none_undoes_the_other(tmp_path, monkeypatch):
    write, writing = notes_module.write_json, threading.Barrier(2)

    def write_slowly(*args):
        if threading.current_thread() is not threading.main_thread():
            writing.wait(5)
        write(*args)

    monkeypatch.setattr(notes_module, "write_json", write_slowly)
    other = threading.Thread(
        target=lambda: edit_notes(tmp_path, lambda notes: notes.marked(Marker(1.0)))
    )
    other.start()
    writing.wait(5)
    edit_notes(tmp_path, lambda notes: notes.marked(Marker(2.0)))
    other.join(5)
    assert [marker.t for marker in load_notes(tmp_path).markers] == [1.0, 2.0]


@pytest.mark.skipif(os.name == "nt", reason="Windows locks no folders")
def test_of_two_programs_that_change_the_notes_none_undoes_the_other(tmp_path, monkeypatch):
    """The lock is of an open folder, so a thread that opens it itself is as good as a program."""
    arrived, locking = threading.Event(), bundle_lock._lock_folder

    def lock(descriptor):
        try:
            locking(descriptor)
        finally:
            arrived.set()

    save_notes(tmp_path, NOTES)
    with in_turn(tmp_path):
        monkeypatch.setattr(bundle_lock, "_lock_folder", lock)
        other = threading.Thread(
            target=lambda: edit_notes(tmp_path, lambda notes: notes.marked(Marker(9.0)))
        )
        other.start()
        assert arrived.wait(5)
        (tmp_path / "notes.json").write_text('{"title": "Another", "markers": [{"t": 1}]}')
    other.join(5)
    assert load_notes(tmp_path) == Notes("Another", markers=(Marker(1.0), Marker(9.0)))
