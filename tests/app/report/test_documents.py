"""Reports as JSON and CSV are made a session at a time, and come whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.bundles.session_info import LISTENING_VERSION
from app.commands import cli, report_command
from app.commands.exit_codes import DEVICE_OR_FILE, INTERRUPTED, OK
from app.report import held_text
from app.report.documents import Record, csv_head, csv_rows, ending_record, json_pieces
from app.report.figures import Figures
from app.report.gather import Unreadable
from app.report.held_text import HeldText
from tests.rig.bundles import make_bundle

SESSIONS = 300
SESSION_BYTES = 4_000
MEBIBYTE = 1024 * 1024
HELD_BYTES = 64 * 1024


def ending() -> Record:
    return ending_record([Unreadable("x", "It is none.")], Figures({}, {"late": 2}))


@pytest.mark.parametrize("count", [0, 1, 3])
def test_the_pieces_make_one_object(count: int) -> None:
    sessions = [{"name": f"{n}\n\x7f\u2028", "lines": [{"text": "{"}, {}]} for n in range(count)]
    text = "".join(json_pieces(iter(sessions), ending, {"missed_s": 1.0, "pause_s": None}))
    whole = {
        "format": "turnscope report",
        "version": 1,
        "limits": {"missed_s": 1.0, "pause_s": None},
        "sessions": sessions,
        **ending(),
    }
    assert text == json.dumps(whole, indent=2).replace("\x7f", "\\u007f") + "\n"
    assert json.loads(text) == whole
    assert text.replace("\n", "").isprintable()


def test_a_session_is_written_before_the_next_one_is_looked_at() -> None:
    done: list[str] = []

    def sessions() -> Iterator[Record]:
        for number in range(3):
            done.append(f"read {number}")
            yield {"name": f"session {number}"}

    def told_last() -> Record:
        done.append("summed up")
        return ending()

    for piece in json_pieces(sessions(), told_last, {}):
        done.append("written")
        assert piece.count("session ") <= 1
    expected = [f"{what} {n}".strip() for n in range(3) for what in ("read", "written")]
    expected = [each if each.startswith("read") else "written" for each in expected]
    assert done == ["written", *expected, "summed up", "written"]


def test_however_many_sessions_there_are_they_take_no_more_memory(monkeypatch, tmp_path) -> None:
    sessions = ({"name": f"{n}", "text": "x" * SESSION_BYTES} for n in range(SESSIONS))
    target = tmp_path / "out.json"
    monkeypatch.setattr(held_text, "IN_MEMORY_BYTES", HELD_BYTES)
    with target.open("w") as out, HeldText() as held:
        monkeypatch.setattr(sys, "stdout", out)
        tracemalloc.start()
        try:
            for piece in json_pieces(sessions, ending, {}):
                held.add(piece)
            held.release()
            most = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert target.stat().st_size > SESSIONS * SESSION_BYTES > MEBIBYTE
    assert most < 0.8 * MEBIBYTE
    assert len(json.loads(target.read_text())["sessions"]) == SESSIONS


def test_rows_come_after_the_head_of_their_table() -> None:
    rows = [{"session": "=1", "number": 1, "heard_text": 'a "b"\r\n'}, {"session": "b"}]
    text = csv_head("interruptions") + csv_rows("interruptions", rows)
    read = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["session"] for row in read] == ["'=1", "b"]
    assert [row["heard_text"] for row in read] == ['a "b"', ""]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(3):
        make_bundle(tmp_path, number, versions={"listening": LISTENING_VERSION})
    return tmp_path


def report(*arguments: object) -> int:
    return cli.main(["report", *map(str, arguments)], lambda: pytest.fail("no window"))


@pytest.fixture(autouse=True)
def no_logs(monkeypatch) -> None:
    monkeypatch.setattr(cli, "set_up_logs", lambda **_: None)


@pytest.mark.parametrize("kind", ["--json", "--csv"])
def test_whoever_cannot_be_given_all_is_given_nothing(kind, folder, capsys, monkeypatch) -> None:
    assert report(folder, kind) == OK
    whole = capsys.readouterr().out
    assert len(json.loads(whole)["sessions"]) == 3 if kind == "--json" else "\r\n" in whole

    figures_of, left = report_command.figures_of, [2]

    def stop(*arguments: object) -> Figures:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return figures_of(*arguments)

    monkeypatch.setattr(report_command, "figures_of", stop)
    assert report(folder, kind) == INTERRUPTED
    assert capsys.readouterr().out == ""


def test_no_room_for_what_is_held_is_told(folder, capsys, monkeypatch) -> None:
    class Full(io.BytesIO):
        def write(self, data: object) -> int:
            raise OSError(28, "No space left on device")

    class FullFile:
        def __class_getitem__(cls, _item: object) -> object:
            return lambda _size: Full()

    monkeypatch.setattr(held_text, "SpooledTemporaryFile", FullFile)
    assert report(folder, "--json") == DEVICE_OR_FILE
    told = capsys.readouterr()
    assert told.out == ""
    assert "cannot be written: the disk is full" in told.err
