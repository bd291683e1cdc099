"""``turnscope sessions``, as typed."""

from __future__ import annotations

import json

import pytest

from app.commands import cli
from tests.rig.bundles import make_bundle, summary


@pytest.fixture(autouse=True)
def no_logs(monkeypatch):
    monkeypatch.setattr(cli, "set_up_logs", lambda **_: None)


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "recordings"
    path.mkdir()
    return path


def test_the_command_lists_as_json(folder, capsys):
    make_bundle(folder, name="s", notes={"title": "Echo"}, summary=summary(2, 800.0))
    (folder / "holidays").mkdir()
    assert cli.main(["sessions", "--folder", str(folder), "--json"], lambda: 9) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert first == {
        "path": str(folder / "s"),
        "state": "ended",
        "reason": "You ended the session.",
        "title": "Echo",
        "agent": "Demo agent",
        "began_utc": "2026-11-22T09:15:03.000Z",
        "duration_s": 32.0,
        "interruptions": 2,
        "response_latency_ms_p50": 800.0,
        "is_estimated": False,
        "size_bytes": first["size_bytes"],
    }
    assert (second["state"], second["began_utc"]) == ("foreign", None)


def test_the_command_lists_for_a_person_and_searches(folder, capsys):
    make_bundle(folder, name="s", user_says="A refund\x1b[31m", notes={"title": "One\x1b[2Jtwo"})
    make_bundle(folder, 1, name="t")
    assert cli.main(["sessions", "--folder", str(folder), "--search", "refund"], lambda: 9) == 0
    text = capsys.readouterr().out
    assert "One[2Jtwo [s]" in text
    assert "\x1b" not in text
    assert "[t]" not in text
    assert "700 ms" in text
    assert "2 recordings, " in text
    assert cli.main(["sessions", "--folder", str(folder), "--search", "zzz"], lambda: 9) == 0
    assert "“zzz”" in capsys.readouterr().out
    (folder / "s" / "notes.json").write_text('{"title": "Three"}')
    assert cli.main(["sessions", "--folder", str(folder), "--rebuild"], lambda: 9) == 0
    assert "Three [s]" in capsys.readouterr().out


def test_the_command_wants_a_folder_that_is_there(folder, capsys):
    assert cli.main(["sessions", "--folder", str(folder / "x")], lambda: 9) == 2
    assert "There is no folder" in capsys.readouterr().err
