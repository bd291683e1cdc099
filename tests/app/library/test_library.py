"""The library: what it tells of recordings of every kind, what it finds, an index that may break.

Recordings are real folders, the index a real SQLite file.
"""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from app.analysis.turn_records import Interruption, Spread
from app.analysis.turns import TurnTracker
from app.bundles.bundle_lock import BundleLock
from app.bundles.notes import Notes, load_notes, save_notes
from app.bundles.recovery import recover_unfinished
from app.bundles.session_info import LISTENING_VERSION
from app.library import library_read
from app.library.library import Library, LibraryError
from app.library.library_entry import DAY_S, Entry, FreeRule, length_text, size_text
from app.recordings.turns_found import TurnsFound
from tests.app.library_rig import found, listed, only
from tests.rig.bundles import BEGAN, make_bundle, summary
from tests.rig.opened import open_bundle

# --- what is listed


def test_a_session_is_listed_with_what_its_files_say(library, folder):
    notes = {"title": "Cuts in early", "tags": [], "notes": "", "markers": []}
    make_bundle(folder, summary=summary(3, 812.5), notes=notes, is_estimated=True)
    entry = only(library)
    assert entry.name == "2026-11-22_09-15-03_demo"
    assert (entry.title, entry.agent, entry.state) == ("Cuts in early", "Demo agent", "ended")
    assert (entry.began, entry.duration_s) == (BEGAN.timestamp(), 32.0)
    assert (entry.interruptions, entry.latency_ms, entry.estimated) == (3, 812.5, True)
    assert entry.size_bytes == sum(each.stat().st_size for each in folder.glob("*/*"))
    assert entry.reason == "You ended the session."
    assert entry.noted


def found_in(path, interruptions: int, latency_ms: float) -> None:
    """Keep what was found when the recording was opened."""
    cuts = [Interruption(number + 1, number, "agent") for number in range(interruptions)]
    figures = replace(TurnsFound().figures, response_latency_ms=Spread(1, latency_ms))
    TurnsFound(interruptions=cuts, figures=figures).save(path)


def test_an_older_recording_is_listed_with_what_was_found_when_it_was_opened(library, folder):
    """Its events alone do not tell what its tracks hold."""
    path = make_bundle(folder, exchanges=8)
    assert only(library).interruptions == 2
    found_in(path, 5, 321.0)
    entry = only(library)
    assert (entry.interruptions, entry.latency_ms) == (5, 321.0)
    # what was found in other events, or by another version, is not its
    with (path / "events.jsonl").open("ab") as events:
        events.write(b'{"t": 99.0, "type": "state", "state": "ended", "sentence": ""}\n')
    assert only(library).interruptions == 2


def test_a_recording_without_events_has_no_figures_until_it_was_opened(library, folder):
    path = make_bundle(folder, exchanges=3)
    (path / "events.jsonl").write_bytes(b"")
    entry = only(library)
    assert (entry.interruptions, entry.latency_ms) == (None, None)
    found_in(path, 1, 500.0)
    assert only(library).interruptions == 1


def test_what_the_events_tell_of_a_recording_of_this_version_is_not_looked_up(library, folder):
    listening = {"listening": LISTENING_VERSION}
    path = make_bundle(folder, exchanges=8, versions=listening, summary=summary(2, 700.0))
    found_in(path, 5, 321.0)
    assert only(library).interruptions == 2


def test_figures_that_were_not_written_down_are_worked_out_of_the_events(library, folder):
    make_bundle(folder, exchanges=8)
    entry = only(library)
    assert entry.interruptions == 2
    assert entry.latency_ms == pytest.approx(700, abs=1)


def test_they_are_those_that_the_session_itself_shows(library, folder):
    path = make_bundle(folder, exchanges=9)
    tracker = TurnTracker()
    for event in open_bundle(path).events:
        tracker.feed(event)
    figures, entry = tracker.summary(), only(library)
    assert figures.interruptions == 2
    assert entry.interruptions == figures.interruptions
    assert entry.latency_ms == figures.response_latency_ms.p50
    for line in tracker.transcript:
        assert library.search(f'"{line.text}"') == {path.name}


@pytest.mark.parametrize(
    "broken",
    [
        {"interruptions": "many", "response_latency_ms_p50": 3},
        {"interruptions": -1, "response_latency_ms_p50": 3},
        {"interruptions": 10**40, "response_latency_ms_p50": 3},
        {"interruptions": 2, "response_latency_ms_p50": "soon"},
        {"interruptions": 2},
        [],
    ],
)
def test_figures_that_make_no_sense_are_worked_out_anew(library, folder, broken):
    make_bundle(folder, summary=broken)
    assert only(library).interruptions == 1


def test_what_is_not_known_is_none(library, folder):
    make_bundle(folder, exchanges=0, summary=summary(0, None), end={"duration_s": -1}, began_utc=7)
    entry = only(library)
    assert (entry.began, entry.duration_s, entry.latency_ms) == (None, None, None)
    assert entry.interruptions == 0


def test_each_state_is_told(library, folder):
    make_bundle(folder, name="whole")
    make_bundle(folder, name="mended", recovered={"utc": "2026-11-22T10:00:00Z"})
    make_bundle(folder, name="cut", end=None)
    lock = BundleLock(make_bundle(folder, name="live", end=None))
    (make_bundle(folder, name="lacks") / "agent.wav").unlink()
    (make_bundle(folder, name="half") / "session.json").write_text('{"schema": 1, "ag')
    (folder / "holidays").mkdir()
    soundfile.write(folder / "caller.flac", np.zeros(16_000), 8_000)
    (folder / "text.wav").write_text("no audio")
    (folder / "letter.txt").write_text("no recording at all")
    (folder / ".hidden").mkdir()
    entries = listed(library)
    lock.release()
    assert {name: entry.state for name, entry in entries.items()} == {
        "whole": "ended",
        "mended": "recovered",
        "cut": "unfinished",
        "live": "recording",
        "lacks": "broken",
        "half": "broken",
        "holidays": "foreign",
        "caller.flac": "audio",
        "text.wav": "foreign",
    }
    assert "agent.wav is missing" in entries["lacks"].reason
    assert "session.json cannot be read" in entries["half"].reason
    assert "neither session.json nor events.jsonl" in entries["holidays"].reason
    assert "none" in entries["text.wav"].reason
    assert entries["caller.flac"].duration_s == 2.0
    assert entries["cut"].duration_s == 32.0  # as much as is on the disk


def test_what_cannot_be_right_harms_nothing(library, folder):
    (make_bundle(folder, name="deep") / "session.json").write_text("[" * 100_000)
    (make_bundle(folder, name="list") / "session.json").write_text("[1, 2]")
    (make_bundle(folder, name="bytes") / "session.json").write_bytes(b"\xff\xfe\x00")
    make_bundle(folder, name="huge", began_utc="9" * 50, end={"duration_s": 10**400})
    make_bundle(folder, name="odd", agent="nobody", devices=3, began_utc="0001-01-01T00:00:00")
    make_bundle(folder, name="half a pair", notes={"title": "\ud83d x", "tags": ["\x00", 7]})
    (make_bundle(folder, name="notes") / "notes.json").write_text("{")
    make_bundle(folder, name="newer", schema=99)
    events = make_bundle(folder, name="lines") / "events.jsonl"
    events.write_text('not json\n[1]\n{"t": "x", "type": "state"}\n' + events.read_text() + '{"t"')
    os.mkfifo(folder / "pipe.wav")
    (make_bundle(folder, name="pipe") / "events.jsonl").unlink()
    os.mkfifo(folder / "pipe" / "events.jsonl")
    (folder / "loop.wav").symlink_to(folder / "loop.wav")
    (folder / "gone").symlink_to(folder / "nowhere")
    (folder / os.fsdecode(b"\xff\xfe broken name")).mkdir()
    entries = listed(library)
    states = {name: entry.state for name, entry in entries.items()}
    assert {name for name, state in states.items() if state == "broken"} == {
        *("deep", "list", "bytes", "pipe")
    }
    assert {name for name, state in states.items() if state == "ended"} == {
        *("huge", "odd", "half a pair", "notes", "newer", "lines")
    }
    assert "2 events" in entries["lines"].reason or "3 events" in entries["lines"].reason
    assert "newer version" in entries["newer"].reason
    assert "notes.json cannot be read" in entries["notes"].reason
    assert os.fsdecode(b"\xff\xfe broken name") in states
    assert library.search("broken name") == {os.fsdecode(b"\xff\xfe broken name")}


def test_a_fault_of_our_own_costs_one_item_and_not_the_list(library, folder, monkeypatch, caplog):
    for name in ("a", "b", "c"):
        make_bundle(folder, name=name, agent={"label": name})
    read, parse = library_read.SessionInfo.from_dict, library_read.read_event

    def stumble(facts):
        assert facts["agent"]["label"] != "b"
        return read(facts)

    def trip(record):
        assert record.get("type") != "trip"
        return parse(record)

    monkeypatch.setattr(library_read.SessionInfo, "from_dict", stumble)
    monkeypatch.setattr(library_read, "read_event", trip)
    (folder / "a" / "events.jsonl").write_text('{"type": "trip"}\n')
    entries = listed(library)
    assert "AssertionError" in entries["a"].reason
    assert (entries["b"].state, entries["c"].interruptions) == ("broken", 1)
    assert "AssertionError" in entries["b"].reason


def test_a_linked_recording_takes_no_room_here(library, folder, tmp_path):
    elsewhere = make_bundle(tmp_path / "elsewhere", name="a")
    (folder / "link").symlink_to(elsewhere)
    assert (only(library).state, only(library).size_bytes) == ("ended", 0)


def test_the_cache_of_a_recording_counts_as_space(library, folder):
    bundle = make_bundle(folder)
    before = only(library).size_bytes
    (bundle / "peaks").mkdir()
    (bundle / "peaks" / "user.peaks").write_bytes(bytes(5000))
    assert only(library).size_bytes == before + 5000
    space = library.space()
    assert (space.sessions, space.recordings_bytes) == (1, before + 5000)
    assert space.free_bytes > 0


def test_a_folder_that_is_not_there_has_nothing_and_keeps_its_index(library, folder, tmp_path):
    make_bundle(folder)
    assert len(listed(library)) == 1
    folder.rename(tmp_path / "unplugged")
    assert listed(library) == {}
    (tmp_path / "unplugged").rename(folder)
    assert len(library.entries()) == 1


def test_a_folder_that_cannot_be_listed_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LibraryError, match="file"):
        Library(tmp_path / "file", tmp_path).refresh()


# --- what is read again


@pytest.fixture
def reads(monkeypatch):
    """The names of the recordings whose events were read."""
    names = []
    from app.library import library

    read = library.read_said

    def counted(path, *rest):
        names.append(path.name)
        return read(path, *rest)

    monkeypatch.setattr(library, "read_said", counted)
    return names


def test_only_what_has_changed_is_read_again(library, folder, reads):
    for number in range(3):
        make_bundle(folder, number, name=f"s{number}")
    library.refresh()
    assert sorted(reads) == ["s0", "s1", "s2"]
    with (folder / "s1" / "events.jsonl").open("a") as file:
        file.write('{"t": 40, "type": "interrupted", "epoch": 9, "source": "button", ')
        file.write('"queued_samples": 0}\n')
    reads.clear()
    assert listed(library)["s1"].interruptions == 2
    assert reads == ["s1"]


def test_a_title_is_found_without_reading_the_events_again(library, folder, reads):
    make_bundle(folder, name="s")
    library.refresh()
    reads.clear()
    library.rename("s", "  The   one with the echo ")
    assert load_notes(folder / "s").title == "The one with the echo"
    assert library.search("echo") == {"s"}
    assert library.search("change my order") == {"s"}  # the words are still there
    entry = only(library)
    assert (entry.title, entry.interruptions) == ("The one with the echo", 1)
    assert reads == []


@pytest.mark.parametrize("began", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"])
def test_a_moment_that_no_clock_can_show_is_not_known(library, folder, began):
    """Whoever lists it writes it in local time, which has no such year."""
    make_bundle(folder, name="s", began_utc=began)
    assert only(library).began is None


def test_what_is_gone_is_forgotten_with_its_words(library, folder):
    bundle = make_bundle(folder, user_says="zanzibar")
    assert found(library, "zanzibar") == [bundle.name]
    bundle.rename(folder.parent / "away")
    assert found(library, "zanzibar") == []
    assert library.entries() == []


@pytest.mark.parametrize("look", [lambda library: library.update(["live"]), Library.refresh])
def test_a_recording_that_dies_is_noticed_though_its_files_stay_as_they_are(library, folder, look):
    lock = BundleLock(make_bundle(folder, name="live", end=None))
    entry = only(library)
    assert (entry.state, entry.interruptions) == ("recording", None)
    lock.release()
    look(library)
    (entry,) = library.entries()
    assert (entry.state, entry.interruptions) == ("unfinished", 1)
    assert library.search("my order") == {"live"}


def test_events_may_be_left_for_later(library, folder, reads):
    make_bundle(folder, name="s")
    assert library.refresh(with_events=False)
    assert [entry.interruptions for entry in library.entries()] == [None]
    assert reads == []
    assert only(library).interruptions == 1


def test_a_refresh_that_was_stopped_goes_on_where_it_was(library, folder, reads):
    for number in range(250):
        make_bundle(folder, number, exchanges=1)
    steps = []
    assert not library.refresh(steps.append, lambda: len(steps) >= 4)
    assert len(library.entries()) == 250
    before = len(reads)
    assert 0 < before < 250
    assert library.refresh()
    assert len(reads) <= 251
    assert all(entry.interruptions == 0 for entry in library.entries())


def test_the_latest_come_first(library, folder):
    for number in range(150):
        make_bundle(folder, number, exchanges=0)
    seen = []
    library.refresh(lambda progress: seen.append({e.name for e in library.entries()}))
    assert len(seen[0]) == 100
    assert min(seen[0]) > min(seen[1])


# --- what is done to recordings


def test_what_is_being_recorded_or_foreign_is_neither_renamed_nor_removed(library, folder):
    lock = BundleLock(make_bundle(folder, name="live", end=None))
    (folder / "holidays").mkdir()
    library.refresh()
    for name, why in (("live", "being recorded"), ("holidays", "no recording"), ("x", "not there")):
        with pytest.raises(LibraryError, match=why):
            library.removable(name)
        with pytest.raises(LibraryError, match=why):
            library.rename(name, "title")
    lock.release()
    assert library.removable("live") == folder / "live"


def test_what_has_changed_since_it_was_chosen_is_not_removed(library, folder):
    """In another window somebody gives it a title, or it is recovered."""
    make_bundle(folder, name="noted")
    dead = make_bundle(folder, name="dead", end=None)
    seen = listed(library)
    for entry in seen.values():
        assert library.removable(entry.name, entry) == folder / entry.name
    save_notes(folder / "noted", Notes("Keep it"))
    assert [item.path for item in recover_unfinished(folder)] == [dead]
    for entry in seen.values():
        with pytest.raises(LibraryError, match="has changed since it was listed"):
            library.removable(entry.name, entry)
    for entry in listed(library).values():
        assert library.removable(entry.name, entry) == folder / entry.name


@pytest.mark.parametrize("name", ["..", ".", "", "../other", "/etc", "a/b"])
def test_no_name_leads_out_of_the_folder(library, name):
    for act in (library.removable, library.path_of, lambda each: library.rename(each, "x")):
        with pytest.raises(LibraryError):
            act(name)


def test_what_was_moved_away_is_forgotten(library, folder):
    make_bundle(folder, name="s")
    library.refresh()
    library.forget(["s", "never there"])
    assert library.entries() == []
    assert library.search("order") == set()


# --- freeing space

NOW = 1_000 * DAY_S


OLD = Entry(
    "s", "ended", began=NOW - 100 * DAY_S, duration_s=60.0, size_bytes=5_000_000, changed=NOW
)


@pytest.mark.parametrize(
    ("rule", "entry", "takes"),
    [
        (FreeRule(), OLD, False),
        (FreeRule(older_than_days=99), OLD, True),
        (FreeRule(older_than_days=101), OLD, False),
        (FreeRule(older_than_days=0), OLD._replace(began=None), False),
        (FreeRule(older_than_days=1), OLD._replace(began=None, changed=0.0), True),
        (FreeRule(larger_than_bytes=4_999_999), OLD, True),
        (FreeRule(larger_than_bytes=5_000_000), OLD, False),
        (FreeRule(larger_than_bytes=0), OLD._replace(size_bytes=None), False),
        (FreeRule(shorter_than_s=61), OLD, True),
        (FreeRule(shorter_than_s=60), OLD, False),
        (FreeRule(shorter_than_s=60), OLD._replace(duration_s=None), False),
        (FreeRule(broken=True), OLD, False),
        (FreeRule(broken=True), OLD._replace(state="broken"), True),
        (FreeRule(broken=True), OLD._replace(state="unfinished"), True),
        (FreeRule(older_than_days=99, shorter_than_s=10), OLD, False),
        (FreeRule(older_than_days=99, shorter_than_s=61), OLD, True),
        (FreeRule(older_than_days=99), OLD._replace(noted=True), False),
        (FreeRule(older_than_days=99, keep_noted=False), OLD._replace(noted=True), True),
        (FreeRule(older_than_days=99), OLD._replace(state="recording"), False),
        (FreeRule(older_than_days=99), OLD._replace(state="foreign"), False),
        (FreeRule(older_than_days=99), OLD._replace(state="audio"), False),
    ],
)
def test_only_what_meets_every_condition_is_given_up(rule, entry, takes):
    assert rule.takes(entry, NOW) is takes
    assert replace(rule, keep_noted=False).is_empty is rule.is_empty


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (None, "–"),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (99_949, "99.9 kB"),
        (99_951, "100 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (12_345_678_901, "12.3 GB"),
        (5 * 10**18, "5000 PB"),
    ],
)
def test_sizes_have_three_figures(count, text):
    assert size_text(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "–"), (0.2, "0:00"), (59.6, "1:00"), (754, "12:34"), (3599.7, "1:00:00")],
)
def test_lengths_read_like_a_clock(seconds, text):
    assert length_text(seconds) == text
