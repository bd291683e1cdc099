"""What a stranger plants in a recording: links, pipes, numbers and texts that reach for more."""

from __future__ import annotations

import json
import os
import struct
import threading
import zipfile
from pathlib import Path

import pytest

from app.bundles.bundle import BundleError
from app.bundles.bundle_files import write_json
from app.bundles.bundle_lock import LOCK_NAME, BundleLock, is_being_written
from app.bundles.notes import Marker, Notes, load_notes, save_notes
from app.bundles.recovery import recover_unfinished
from app.bundles.unzip import unpack_bundle
from app.export.errors import ExportError
from app.export.exporting import export
from app.export.formats import Order, Wish
from app.export.material import open_material
from app.library.library import Library
from app.recordings import recorded_events
from app.recordings.gaps import gaps_in
from app.recordings.recorded_events import RecordedEvents, Unread
from app.recordings.recording import open_recording
from app.timeline import json_line
from app.timeline.events import MicChunkSent, Trouble
from app.timeline.json_line import parse_line
from audio.wavfile import StreamingWav

KEY = "sk_0123456789abcdef0123456789"
SAID = {"t": 0.2, "type": "message_received", "kind": "agent_response"}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A recording of a second that was cut short."""
    folder = tmp_path / "recordings" / "one"
    folder.mkdir(parents=True)
    (folder / "session.json").write_text(json.dumps({"schema": 1, "agent": {"kind": "demo"}}))
    (folder / "events.jsonl").write_text('{"t":0.5,"type":"state","state":"live"}\n')
    for name in ("user", "agent", "received"):
        with StreamingWav(folder / f"{name}.wav") as wav:
            wav.write_silence(16_000)
    return folder


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    path = tmp_path / "outside.json"
    path.write_text('{"title": "precious"}')
    return path


def at_once(work):
    """Return what ``work`` returns, which must not wait for a pipe's other end."""
    done: list[object] = []
    thread = threading.Thread(target=lambda: done.append(work()), daemon=True)
    thread.start()
    thread.join(5)
    assert done, "it waits"
    return done[0]


def end(bundle: Path) -> None:
    facts = json.loads((bundle / "session.json").read_text())
    facts["end"] = {"duration_s": 1.0}
    (bundle / "session.json").write_text(json.dumps(facts))


def take(bundle: Path, tmp_path: Path, *formats: str, **wishes) -> list[Path]:
    return export(Order(bundle, Wish(formats, **wishes), tmp_path, "out", replace_all=True))


# --- links and pipes


def test_a_draft_that_is_a_link_is_not_written_through(bundle, outside):
    (bundle / f".session.json.{os.getpid()}.draft").symlink_to(outside)
    assert [item.problem for item in recover_unfinished(bundle.parent)] == [""]
    assert "precious" in outside.read_text()
    assert not (bundle / "session.json").is_symlink()


def test_a_draft_that_is_a_pipe_is_not_waited_for(bundle):
    os.mkfifo(bundle / f".session.json.{os.getpid()}.draft")
    at_once(lambda: write_json(bundle / "session.json", {"end": 1}) or True)
    assert json.loads((bundle / "session.json").read_text()) == {"end": 1}


def test_a_lock_that_is_a_link_makes_nothing_elsewhere(bundle, tmp_path):
    (bundle / LOCK_NAME).symlink_to(tmp_path / "elsewhere")
    (found,) = recover_unfinished(bundle.parent)
    assert "is a link" in found.problem
    assert not (tmp_path / "elsewhere").exists()


def test_a_lock_that_is_a_pipe_is_not_waited_for(bundle):
    os.mkfifo(bundle / LOCK_NAME)
    at_once(lambda: [is_being_written(bundle)])

    def take_it():
        with pytest.raises(OSError, match="o such device"):
            BundleLock(bundle)
        return True

    assert at_once(take_it)


@pytest.mark.parametrize("name", ["user.wav", "received.wav", "events.jsonl"])
def test_a_pipe_in_place_of_a_file_is_not_repaired(bundle, name):
    (bundle / name).unlink()
    os.mkfifo(bundle / name)
    (found,) = at_once(lambda: recover_unfinished(bundle.parent))
    assert f"“{name}” is no file" in found.problem


def test_notes_are_not_read_through_a_link_that_leads_out(bundle, outside):
    (bundle / "notes.json").symlink_to(outside)
    told: list[str] = []
    assert load_notes(bundle, told) == Notes()
    assert "outside the recording" in told[0]


def test_what_notes_that_are_a_link_lead_to_is_neither_copied_nor_changed(bundle, outside):
    outside.write_text("secret, and no notes")
    (bundle / "notes.json").symlink_to(outside)
    save_notes(bundle, Notes("mine"))
    assert outside.read_text() == "secret, and no notes"
    assert load_notes(bundle).title == "mine"
    assert not list(bundle.glob("notes.broken*"))


def test_a_place_to_keep_notes_aside_that_is_a_link_is_not_written_through(bundle, tmp_path):
    (bundle / "notes.json").write_text("[]")
    (bundle / "notes.broken.json").symlink_to(tmp_path / "elsewhere")
    save_notes(bundle, Notes("mine"))
    assert not (tmp_path / "elsewhere").exists()
    assert (bundle / "notes.broken_2.json").read_text() == "[]"


def test_events_are_not_exported_through_a_link_that_leads_out(bundle, outside):
    end(bundle)
    outside.write_text('{"t": 0.5, "type": "muted", "muted": true}\n')
    (bundle / "events.jsonl").unlink()
    (bundle / "events.jsonl").symlink_to(outside)
    with open_material(bundle) as material:
        assert list(material.records()) == []
        assert material.events.appended == 0
        assert not material.has.events


def test_an_export_replaces_no_pipe_and_no_device(bundle, tmp_path):
    end(bundle)
    os.mkfifo(tmp_path / "out.wav")
    with pytest.raises(ExportError, match="a device or a pipe"):
        take(bundle, tmp_path, "wav")
    assert (tmp_path / "out.wav").is_fifo()


# --- zips


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_unpacks_all_at_once_is_not_unpacked(tmp_path, method):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("session.json", "{}")
        packed.writestr("events.jsonl", bytes(1000), compress_type=method)
    with pytest.raises(BundleError, match="not known to be safe"), unpack_bundle(path):
        pass


def test_a_list_of_files_that_only_the_zip64_record_tells_of_is_measured(tmp_path):
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("session.json", "{}")
    content = path.read_bytes()
    at = content.rfind(b"PK\x05\x06")
    long_list = 11 * 1024 * 1024
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, long_list, 0)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1)
    path.write_bytes(bytes(long_list) + content[:at] + record + locator + content[at:])
    with pytest.raises(BundleError, match="more than 10000 files"), unpack_bundle(path):
        pass


# --- numbers and sizes


@pytest.mark.parametrize("data", [{"start": 0, "stop": 10**400}, {"ms": 10**400}, {"ms": 1e999}])
def test_a_gap_of_any_length_is_none(data):
    assert gaps_in([Trouble(1.0, "gap", "?", data=data)]) == []


def test_a_stretch_of_a_session_at_the_end_of_all_dates_is_exported(bundle, tmp_path):
    end(bundle)
    facts = json.loads((bundle / "session.json").read_text())
    facts["began_utc"] = "9999-12-31T23:59:59.999Z"
    (bundle / "session.json").write_text(json.dumps(facts))
    assert len(take(bundle, tmp_path, "zip", start_s=0.1, stop_s=0.9)) == 1


def test_a_latency_that_nobody_can_have_is_not_listed(bundle, tmp_path):
    end(bundle)
    facts = json.loads((bundle / "session.json").read_text())
    facts["summary"] = {"interruptions": 1, "response_latency_ms_p50": 1e308}
    (bundle / "session.json").write_text(json.dumps(facts))
    library = Library(bundle.parent, tmp_path / "cache")
    library.refresh()
    assert [entry.latency_ms for entry in library.entries()] == [None]


@pytest.mark.parametrize(
    "numbers",
    [
        {"t": 1e300},
        {"t": -1e300},
        {"position": 2**63},
        {"position": 10**300},
        {"captured_at": 1e300},
    ],
)
def test_an_event_whose_numbers_no_session_has_is_not_one(tmp_path, numbers):
    event = MicChunkSent(1.01, 4000, 8000, 0.75, 1.0, 0.0).to_dict()
    name = {"t": "t", "position": "start", "captured_at": "captured_at"}[next(iter(numbers))]
    assert name in event
    path = tmp_path / "events.jsonl"
    lines = [event, {**event, name: next(iter(numbers.values()))}]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    good, bad = RecordedEvents(path).slice(0, 2)
    assert isinstance(good, MicChunkSent)
    assert isinstance(bad, Unread)
    assert bad.t == 1.01


def test_a_long_line_of_nothing_but_lists_is_no_event(monkeypatch):
    monkeypatch.setattr(json_line, "LONG_BYTES", 100)
    monkeypatch.setattr(json_line, "MOST_VALUES", 50)
    assert parse_line(b'{"a": "' + b"a" * 200 + b'"}') == {"a": "a" * 200}
    with pytest.raises(ValueError, match="too many"):
        parse_line(b'{"a": [' + b"[]," * 60 + b"1]}")


def test_of_very_long_events_few_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(recorded_events, "PARSED_BYTES", 50_000)
    line = json.dumps({**SAID, "payload": {"text": "a" * 1000}})
    path = tmp_path / "events.jsonl"
    path.write_text(f"{line}\n" * (RecordedEvents.BLOCK * 3))
    events = RecordedEvents(path)
    assert len(events.slice(0, events.appended)) == RecordedEvents.BLOCK * 3
    assert len(events._blocks) == 1


# --- secrets in a recording of others


def test_a_key_in_a_recording_of_others_is_passed_on_nowhere(bundle, tmp_path):
    end(bundle)
    payload = {"agent_response_event": {"agent_response": f"my key is {KEY}", "event_id": 1}}
    (bundle / "events.jsonl").write_text(json.dumps({**SAID, "payload": payload}) + "\n")
    notes = {"title": KEY, "markers": [{"t": 0.1, "text": KEY}]}
    (bundle / "notes.json").write_text(json.dumps(notes))
    assert load_notes(bundle).markers == (Marker(0.1, KEY),)
    written = take(bundle, tmp_path, "labels", "srt", "vtt", "csv", "json")
    recording = open_recording(bundle)
    assert recording.wait(10)
    recording.close()
    library = Library(bundle.parent, tmp_path / "cache")
    library.refresh()
    caches = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert caches
    for path in (*written, bundle / "peaks" / "turns.json", *caches):
        assert KEY.encode() not in path.read_bytes(), path.name
