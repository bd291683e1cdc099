"""``turnscope recover``, as typed."""

from __future__ import annotations

import json
import shutil

import pytest

from app.commands import cli
from tests.app.recorder_rig import Rig
from tests.rig.opened import open_bundle
from tests.rig.waiting import wait_until


@pytest.fixture
def dead(tmp_path):
    rig = Rig(tmp_path / "live")
    rig.recorder.start()
    rig.grow(1.5)
    wait_until(lambda: rig.has_recorded(1.5))
    folder = tmp_path / "recordings" / rig.folder.name
    shutil.copytree(rig.folder, folder)
    rig.recorder.finish("user")
    return folder


def test_what_was_cut_short_is_recovered_and_listed(dead, capsys):
    typed = ["recover", "--folder", str(dead.parent)]
    assert cli.main(typed, lambda: 9) == 0
    assert capsys.readouterr().out == f"      1.5 s  {dead}\n"
    assert not open_bundle(dead).unfinished
    assert cli.main(typed, lambda: 9) == 0
    assert "No recording in" in capsys.readouterr().out


def test_what_cannot_be_recovered_is_said_and_told_by_the_exit_code(dead, capsys):
    (dead / "user.wav").write_bytes(b"something else" * 50)
    assert cli.main(["recover", "--folder", str(dead.parent)], lambda: 9) == 3
    assert "user.wav" in capsys.readouterr().err
    assert json.loads((dead / "session.json").read_text())["end"] is None


def test_a_folder_that_is_not_there_is_named(tmp_path, capsys):
    assert cli.main(["recover", "--folder", str(tmp_path / "x")], lambda: 9) == 2
    assert "There is no folder" in capsys.readouterr().err
