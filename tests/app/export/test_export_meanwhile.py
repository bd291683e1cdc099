"""A recording, or a target, that changes while an export is at work: told, and nothing lost."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from app.export import plan
from app.export.errors import TargetsExist
from app.export.exporting import export
from app.export.formats import Order, Wish
from app.export.part_files import PartFiles
from audio.errors import FileUnreadable, FileUnwritable
from tests.app.export.recorded import record


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "exports"
    path.mkdir()
    return path


@pytest.mark.parametrize("step", ["packing_of", "write_zip", "head_of", "write_everything"])
def test_a_recording_that_goes_to_the_trash_meanwhile_is_not_exported_without_its_files(
    tmp_path, folder, monkeypatch, step
):
    session = record(tmp_path).path
    kind = "zip" if step in {"packing_of", "write_zip"} else "json"
    does = getattr(plan, step)

    def move_away_first(*args):
        session.rename(tmp_path / "trash")
        return does(*args)

    monkeypatch.setattr(plan, step, move_away_first)
    with pytest.raises(FileUnreadable, match="its folder does not exist"):
        export(Order(session, Wish((kind,)), folder))
    assert list(folder.iterdir()) == []


def test_of_two_exports_to_one_name_one_is_told_where_there_are_no_links(folder, monkeypatch):
    target, replace = folder / "out.srt", Path.replace

    def no_links(*_args):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    def another_comes_first(part, place):
        monkeypatch.setattr(Path, "replace", replace)
        with PartFiles() as others:
            others.put(target, b"another")
            with pytest.raises(TargetsExist):
                others.commit()
        return replace(part, place)

    monkeypatch.setattr(os, "link", no_links)
    monkeypatch.setattr(Path, "replace", another_comes_first)
    with PartFiles() as parts:
        parts.put(target, b"this one")
        assert parts.commit() == [target]
    assert target.read_bytes() == b"this one"
    assert list(folder.iterdir()) == [target]


def test_a_name_that_was_taken_in_vain_is_given_back(folder, monkeypatch):
    def refuse(*_args):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(Path, "replace", refuse)
    with PartFiles() as parts:
        parts.put(folder / "out.srt", b"x")
        with pytest.raises(FileUnwritable, match=r"out\.srt"):
            parts.commit()
    assert list(folder.iterdir()) == []
