"""Files that appear whole or not at all, nothing replaced unasked, and sentences for the rest."""

from __future__ import annotations

import errno
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.export import audio, zipped
from app.export.errors import Cancelled, ExportError, TargetsExist
from app.export.exporting import export
from app.export.formats import FORMATS, Order, Wish
from app.export.part_files import PartFiles
from app.export.survey import survey
from audio.errors import FileError, FileUnreadable, FileUnwritable
from tests.app.export.recorded import record, write_wav

ALL = tuple(each.id for each in FORMATS if each.group != "picture")
QUICK = tuple(kind for kind in ALL if kind not in {"opus", "mp3"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "exports"
    path.mkdir()
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_every_format_is_written_under_the_sessions_name(recorded, folder):
    written = export(Order(recorded.path, Wish(ALL), folder))
    endings = [ending for each in FORMATS if each.id in ALL for ending in each.endings]
    assert [path.name for path in written] == [f"{recorded.path.name}{end}" for end in endings]
    assert names(folder) == sorted(path.name for path in written)
    assert all(path.stat().st_size for path in written)


def test_files_are_ordinary_ones_to_the_system(recorded, folder):
    other = folder / "other"
    other.write_text("")
    (path,) = export(Order(recorded.path, Wish(("srt",)), folder))
    assert path.stat().st_mode == other.stat().st_mode


def test_progress_rises_to_the_end(recorded, folder):
    told: list[float] = []
    export(Order(recorded.path, Wish(QUICK), folder), told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(told) > 5


def test_progress_is_true_while_events_are_read_to_find_what_was_received(recorded, folder):
    told: list[float] = []
    wish = Wish(("wav",), agent="received", start_s=4.0, stop_s=13.0)
    export(Order(recorded.path, wish, folder), told.append)
    assert told == sorted(told)
    assert told[0] < 0.9
    assert told[-1] == 1.0


def test_what_is_there_is_not_replaced_and_nothing_else_is_written(recorded, folder):
    there = folder / "out-turns.csv"
    there.write_text("mine")
    order = Order(recorded.path, Wish(("wav", "csv", "srt")), folder, "out")
    worked: list[float] = []
    with pytest.raises(TargetsExist, match=r"out-turns\.csv” exists already") as raised:
        export(order, worked.append)
    assert worked == []
    assert raised.value.paths == [there]
    assert names(folder) == ["out-turns.csv"]
    assert there.read_text() == "mine"


def test_files_are_replaced_one_by_one_as_was_said(recorded, folder):
    for name in ("out.srt", "out.vtt", "out.json"):
        (folder / name).write_text("mine")
    order = Order(
        recorded.path,
        Wish(("srt", "vtt", "json")),
        folder,
        "out",
        replace=frozenset({folder / "out.srt"}),
        skip=frozenset({folder / "out.vtt"}),
    )
    with pytest.raises(TargetsExist) as raised:
        export(order)
    assert raised.value.paths == [folder / "out.json"]
    assert {path.read_text() for path in folder.iterdir()} == {"mine"}
    (folder / "out.json").unlink()
    written = export(order)
    assert [path.name for path in written] == ["out.srt", "out.json"]
    assert (folder / "out.vtt").read_text() == "mine"
    assert (folder / "out.srt").read_text() != "mine"


def test_a_link_that_leads_nowhere_is_there_too(recorded, folder):
    (folder / "out.srt").symlink_to(folder / "nowhere")
    with pytest.raises(TargetsExist):
        export(Order(recorded.path, Wish(("srt",)), folder, "out"))
    export(Order(recorded.path, Wish(("srt",)), folder, "out", replace_all=True))
    assert names(folder) == ["out.srt"]
    assert not (folder / "out.srt").is_symlink()


def test_a_file_that_comes_up_meanwhile_is_not_replaced(recorded, folder):
    def come_up(_share):
        (folder / "out.wav").write_text("mine")

    with pytest.raises(TargetsExist):
        export(Order(recorded.path, Wish(("wav",)), folder, "out"), come_up)
    assert (folder / "out.wav").read_text() == "mine"
    assert names(folder) == ["out.wav"]


def test_the_recording_itself_is_never_replaced(tmp_path):
    session = record(tmp_path)
    before = (session.path / "user.wav").read_bytes()
    order = Order(
        session.path,
        Wish(("flac",)),
        session.path,
        single=session.path / "user.wav",
        replace_all=True,
    )
    with pytest.raises(ExportError, match="is the recording itself"):
        export(order)
    assert (session.path / "user.wav").read_bytes() == before
    linked = tmp_path / "linked.wav"
    os.link(session.path / "user.wav", linked)
    with pytest.raises(ExportError, match="is the recording itself"):
        export(Order(session.path, Wish(("wav",)), tmp_path, "linked", replace_all=True))
    source = write_wav(tmp_path / "call.wav", np.ones(100, np.int16))
    with pytest.raises(ExportError, match="is the recording itself"):
        export(Order(source, Wish(("wav",)), tmp_path, replace_all=True))
    assert len(soundfile.read(source)[0]) == 100


def test_a_file_that_comes_up_at_the_last_moment_is_not_replaced(recorded, folder, monkeypatch):
    real = os.fsync

    def late(descriptor):
        real(descriptor)
        monkeypatch.setattr(PartFiles, "_may_write", lambda *_: True)
        (folder / "out.srt").write_text("mine")

    monkeypatch.setattr(os, "fsync", late)
    with pytest.raises(TargetsExist):
        export(Order(recorded.path, Wish(("srt",)), folder, "out"))
    assert (folder / "out.srt").read_text() == "mine"
    assert names(folder) == ["out.srt"]


@pytest.mark.parametrize("may_replace", [False, True])
def test_where_one_cannot_take_its_place_the_new_ones_are_taken_back(
    recorded, folder, monkeypatch, may_replace
):
    real = PartFiles._place
    (folder / "out.srt").write_text("old")

    def place(self, part, target):
        if target.suffix == ".vtt":
            target.write_text("mine")
            raise FileExistsError(target)
        real(self, part, target)

    monkeypatch.setattr(PartFiles, "_place", place)
    wish = Wish(("srt", "wav", "vtt"))
    replaceable = frozenset({folder / "out.srt"})
    order = Order(recorded.path, wish, folder, "out", replace=replaceable, replace_all=may_replace)
    with pytest.raises(TargetsExist):
        export(order)
    assert names(folder) == ["out.srt", "out.vtt"]
    assert (folder / "out.srt").read_text() == "old"
    assert (folder / "out.vtt").read_text() == "mine"


def test_what_is_not_ours_any_more_is_not_taken_back(folder):
    with PartFiles() as parts:
        for name in ("a", "b"):
            parts.open(folder / name)
        real = parts._place

        def place(part, target):
            if target.name == "b":
                (folder / "a").unlink()
                (folder / "a").write_text("mine")
                raise FileExistsError(target)
            real(part, target)

        parts._place = place
        with pytest.raises(TargetsExist):
            parts.commit()
    assert names(folder) == ["a"]
    assert (folder / "a").read_text() == "mine"


def test_what_killed_exports_left_behind_goes_and_nothing_else_does(recorded, folder, tmp_path):
    old = folder / ".turnscope-0123456789ab.part"
    fresh = folder / ".turnscope-ba9876543210.part"
    other = folder / ".turnscope-mine.part"
    link = folder / ".turnscope-0123456789cd.part"
    target = tmp_path / "target"
    for path in (old, fresh, other, target):
        path.write_text("x")
    link.symlink_to(target)
    scratch = folder / ".turnscope-ab_9cdef"
    busy = folder / ".turnscope-ab_9cde0"
    for path in (scratch, busy):
        path.mkdir()
        (path / "user.wav").write_text("x")
        age(path / "user.wav", path)
    os.utime(busy / "user.wav")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").write_text("x")
    linked = folder / ".turnscope-abcdefgh"
    linked.symlink_to(elsewhere)
    age(old, other, link, elsewhere / "kept", elsewhere, linked)
    (written,) = export(Order(recorded.path, Wish(("srt",)), folder))
    kept = (fresh, other, link, busy, linked, written)
    assert names(folder) == sorted(path.name for path in kept)
    assert (target.read_text(), (elsewhere / "kept").read_text()) == ("x", "x")


def age(*paths: Path) -> None:
    for path in paths:
        os.utime(path, (1e9, 1e9), follow_symlinks=False)


@pytest.mark.parametrize("kind", ["wav", "flac", "opus", "mp3", "json", "zip", "srt"])
def test_it_can_be_called_off_and_leaves_nothing(recorded, folder, kind):
    with pytest.raises(Cancelled):
        export(Order(recorded.path, Wish((kind,)), folder), cancelled=lambda: True)
    assert names(folder) == []


def test_called_off_between_two_files_leaves_neither(recorded, folder):
    seen: list[bool] = []

    def second_file() -> bool:
        seen.append(len(names(folder)) > 1)
        return seen[-1]

    with pytest.raises(Cancelled):
        export(Order(recorded.path, Wish(("wav", "tracks")), folder), cancelled=second_file)
    assert not seen[0]
    assert names(folder) == []


@pytest.mark.parametrize("kind", ["wav", "flac", "opus", "mp3", "json", "zip", "csv", "srt"])
def test_a_full_disk_gets_a_sentence_and_leaves_nothing(recorded, folder, kind, monkeypatch):
    real = Path.open

    def small_disk(self, mode="r", *args, **kwargs):
        file = real(self, mode, *args, **kwargs)
        return Small(file) if mode == "x+b" else file

    class Small:
        """A file on a disk that has room for a hundred bytes."""

        def __init__(self, file):
            self._file = file

        def __getattr__(self, name):
            return getattr(self._file, name)

        def write(self, data):
            if self._file.tell() + len(data) > 100:
                raise OSError(errno.ENOSPC, "No space left on device")
            return self._file.write(data)

    monkeypatch.setattr(Path, "open", small_disk)
    with pytest.raises(FileUnwritable, match="cannot be written: the disk is full"):
        export(Order(recorded.path, Wish((kind,)), folder))
    assert names(folder) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a disk that is full")
def test_a_disk_that_is_full_at_the_end_is_noticed(recorded, folder, monkeypatch):
    real = Path.open

    def full(self, mode="r", *args, **kwargs):
        return real(Path("/dev/full") if mode == "x+b" else self, mode.replace("x", "r"), *args)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(FileUnwritable, match="the disk is full"):
        export(Order(recorded.path, Wish(("srt",)), folder))
    assert names(folder) == []


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_without_permission_says_so(recorded, folder):
    folder.chmod(0o500)
    with pytest.raises(FileUnwritable, match="there is no permission"):
        export(Order(recorded.path, Wish(("srt",)), folder))


def test_a_folder_that_takes_no_file_says_so(recorded):
    with pytest.raises((FileUnwritable, ExportError), match="/proc/1/x"):
        export(Order(recorded.path, Wish(("srt",)), Path("/proc/1"), "x"))


def test_a_folder_that_is_not_there_says_so(recorded, tmp_path):
    with pytest.raises(ExportError, match="There is no folder"):
        export(Order(recorded.path, Wish(("wav",)), tmp_path / "nowhere"))
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="There is no folder"):
        export(Order(recorded.path, Wish(("wav",)), tmp_path / "file"))
    (tmp_path / "out.wav").mkdir()
    with pytest.raises(ExportError, match="is a folder"):
        export(Order(recorded.path, Wish(("wav",)), tmp_path, "out", replace_all=True))


def test_orders_that_make_no_sense(recorded, folder):
    for order, words in (
        (Order(recorded.path, Wish(()), folder), "No format was chosen"),
        (Order(recorded.path, Wish(("docx",)), folder), "There is no format “docx”"),
        (Order(recorded.path, Wish(("png",)), folder), "can only be had from the window"),
        (Order(recorded.path, Wish(("csv",)), folder, single=folder / "x"), "this makes 2"),
    ):
        with pytest.raises(ExportError, match=words):
            export(order)
    assert names(folder) == []


def test_what_is_no_session_says_so(tmp_path, folder):
    (tmp_path / "notes.wav").write_text("hello")
    with pytest.raises(FileError, match=r"notes\.wav"):
        export(Order(tmp_path / "notes.wav", Wish(("wav",)), folder))
    with pytest.raises(FileError, match="nowhere"):
        export(Order(tmp_path / "nowhere", Wish(("wav",)), folder))


def test_pictures_go_the_same_way(recorded, folder):
    order = Order(recorded.path, Wish(("png", "srt")), folder, "out", pictures={"png": b"picture"})
    export(order)
    assert (folder / "out.png").read_bytes() == b"picture"
    with pytest.raises(TargetsExist):
        export(order)


def test_a_recording_that_goes_away_meanwhile_says_so(tmp_path, folder, monkeypatch):
    session = record(tmp_path)
    real = zipped._copy

    def gone(packed, name, path, progress):
        if path.name == "agent.wav":
            path.unlink()
        real(packed, name, path, progress)

    monkeypatch.setattr(zipped, "_copy", gone)
    with pytest.raises(FileUnreadable, match=r"agent\.wav"):
        export(Order(session.path, Wish(("zip",)), folder))
    assert names(folder) == []


def test_events_that_cannot_be_read_are_told_as_such(tmp_path, folder, monkeypatch):
    session = record(tmp_path)
    real = Path.open

    class Sick:
        def __init__(self, file):
            self._file = file

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self._file.close()

        def readline(self, _limit):
            raise OSError(errno.EIO, "Input/output error")

    opened = []

    def open_sick(self, mode="r", *args, **kwargs):
        file = real(self, mode, *args, **kwargs)
        if self.name != "events.jsonl":
            return file
        opened.append(1)
        return file if kwargs else Sick(file)

    wish = Wish(("zip",), user_text=False)
    monkeypatch.setattr(Path, "open", open_sick)
    with pytest.raises(FileUnreadable, match=r"events\.jsonl” cannot be read: input/output error"):
        export(Order(session.path, wish, folder))
    assert opened
    assert names(folder) == []


DEEP = "[" * 700 + "]" * 700


def test_an_event_nested_too_deep_does_not_stop_a_zip(tmp_path, folder):
    session = record(tmp_path)
    with (session.path / "events.jsonl").open("a") as file:
        file.write(f'{{"t": 28.0, "type": "message_received", "kind": "x", "body": {DEEP}}}\n')
        file.write('{"t": 28.5, "type": "later"}\n')
    (path,) = export(Order(session.path, Wish(("zip",), user_text=False), folder))
    with zipfile.ZipFile(path) as packed:
        content = packed.read(f"{session.path.name}/events.jsonl")
    *_, deep, later = (json.loads(line) for line in content.splitlines())
    assert (deep["t"], deep["type"], deep["of"]) == (28.0, "unwritable", "message_received")
    assert later["type"] == "later"


@pytest.mark.parametrize(
    "wish", [Wish(("json",)), Wish(("zip",), start_s=1.0, stop_s=2.0)], ids=["json", "zip"]
)
def test_facts_nested_too_deep_get_a_sentence(tmp_path, folder, wish):
    session = record(tmp_path)
    facts = (session.path / "session.json").read_text()
    (session.path / "session.json").write_text(f'{{"deep": {DEEP}, {facts[1:]}')
    with pytest.raises(ExportError, match=r"session\.json says is nested too deep"):
        export(Order(session.path, wish, folder))
    assert names(folder) == []


def test_a_long_session_is_never_whole_in_memory(tmp_path, folder, monkeypatch):
    asked = []
    real = audio.Cut.blocks

    def note(self, size=audio.BLOCK):
        for block in real(self, size):
            asked.append(len(block))
            yield block

    monkeypatch.setattr(audio.Cut, "blocks", note)
    source = write_wav(tmp_path / "long.wav", np.zeros(35 * 16_000, np.int16))
    export(Order(source, Wish(("wav",)), folder))
    assert asked == [160_000, 160_000, 160_000, 80_000]


# -- what is told before -----------------------------------------------------------------------


def test_sizes_are_told_before(recorded, folder):
    looked = survey(recorded.path)
    assert (looked.name, looked.duration_s) == (recorded.path.name, 28.0)
    wish = Wish(ALL)
    sizes: dict[str, int] = {}
    for kind in ALL:
        written = export(Order(recorded.path, Wish((kind,)), folder))
        sizes[kind] = sum(path.stat().st_size for path in written)
        told = looked.size_bytes(kind, wish)
        within = 200 if looked.is_exact(kind, wish) else max(0.5 * sizes[kind], 1500)
        assert told == pytest.approx(sizes[kind], abs=within), kind
    assert looked.size_bytes("png", wish) is None


@pytest.mark.parametrize(
    "wish",
    [
        Wish((), 4.0, 7.0),
        Wish((), user=False),
        Wish((), agent="received"),
        Wish((), 4.0, None, user=False),
    ],
)
def test_sizes_follow_the_choices(recorded, folder, wish):
    looked = survey(recorded.path)
    for kind in ("wav", "tracks"):
        order = Order(
            recorded.path,
            Wish((kind,), wish.start_s, wish.stop_s, wish.agent, user=wish.user),
            folder,
            replace_all=True,
        )
        size = sum(path.stat().st_size for path in export(order))
        assert looked.size_bytes(kind, wish) == pytest.approx(size, abs=200)


def test_what_cannot_be_had_is_told_before(tmp_path):
    source = write_wav(tmp_path / "call.wav", np.ones(100, np.int16))
    looked = survey(source)
    assert looked.refusal("wav", Wish(())) == ""
    for kind in ("srt", "json", "zip"):
        assert "is an audio file" in looked.refusal(kind, Wish(()))
        assert looked.size_bytes(kind, Wish(())) is None
    assert "no agent track" in looked.refusal("flac", Wish((), user=False))
