"""Recordings on their way to the trash: asked for, moved, told of; and what stays."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox

from app.bundles.bundle_lock import BundleLock
from app.library.library import Library
from app.library.library_entry import Entry
from tests.rig.bundles import make_bundle
from tests.ui.conftest import Until, bury, wait_until
from tests.ui.library_rig import (
    FIRST,
    SECOND,
    THIRD,
    cells,
    choose,
    key,
    names,
    settle,
)
from ui.library.library_model import STATE
from ui.library.library_panel import LibraryPanel


def answer(panel: LibraryPanel, text: str) -> str:
    """Press the button ``text`` of the question that stands open, and return the question."""
    box = wait_until_found(panel)
    question = box.text()
    next(each for each in box.buttons() if each.text() == text).click()
    bury()
    return question


def wait_until_found(panel: LibraryPanel) -> QMessageBox:
    wait_until(lambda: panel.window().findChildren(QMessageBox))
    return panel.window().findChildren(QMessageBox)[-1]


# --- the trash


def test_the_trash_is_asked_for_first(panel: LibraryPanel, folder: Path) -> None:
    choose(panel, FIRST)
    key(panel, Qt.Key.Key_Delete)
    assert "“Zebra”" in answer(panel, "Keep")
    assert (folder / FIRST).is_dir()


def test_what_is_in_the_trash_is_out_of_the_list(
    panel: LibraryPanel, folder: Path, until: Until, private_home: Path
) -> None:
    told, gone = [], []
    panel.told.connect(lambda level, text: told.append(text))
    panel.trashed.connect(gone.append)
    choose(panel, FIRST, SECOND, "<b>holidays")
    key(panel, Qt.Key.Key_Delete)
    assert "2 recordings" in answer(panel, "Move to trash")
    until(lambda: gone)
    assert set(gone[0]) == {folder / FIRST, folder / SECOND}
    until(lambda: names(panel) == [THIRD, "broken", "<b>holidays"])
    assert (folder / "<b>holidays").is_dir()
    assert not (folder / FIRST).exists()
    assert "2 recordings" in told[0]
    assert "in the trash" in told[0]
    trash = private_home / "xdg_data_home" / "Trash" / "files"
    assert any(each.name.startswith(FIRST) for each in trash.iterdir())


def test_what_is_being_recorded_stays(panel: LibraryPanel, folder: Path, until: Until) -> None:
    panel.set_recording(folder / FIRST)
    settle(panel)
    choose(panel, FIRST)
    key(panel, Qt.Key.Key_Delete)
    assert panel.findChildren(QMessageBox) == []
    lock = BundleLock(make_bundle(folder, 4, end=None))  # another process records this one
    panel.set_recording(None)
    until(lambda: "recording" in cells(panel, STATE))
    choose(panel, panel.model.entry(0).name)
    assert not panel.actions_of_rows.trash.isEnabled()
    settle(panel)
    lock.release()
    panel._again.start(20)  # what others record is looked at again by itself
    until(lambda: "cut short" in cells(panel, STATE))


def test_a_recording_that_began_after_it_was_listed_stays_as_well(
    panel: LibraryPanel, folder: Path, until: Until
) -> None:
    failures: list[Exception] = []
    panel.failed.connect(failures.append)
    choose(panel, FIRST)
    key(panel, Qt.Key.Key_Delete)
    (folder / FIRST / "session.json").write_text("{}")
    lock = BundleLock(folder / FIRST)
    answer(panel, "Move to trash")
    until(lambda: failures)
    assert "being recorded" in str(failures[0])
    assert (folder / FIRST).is_dir()
    lock.release()


def test_space_is_freed_by_a_rule_and_asked_for_first(
    panel: LibraryPanel, folder: Path, until: Until
) -> None:
    panel.free_button.click()
    dialog = panel.free_space_dialog
    assert not dialog.move_button.isEnabled()
    dialog.shorter.setChecked(True)
    dialog.seconds.setValue(20)
    assert dialog.model.rowCount() == 0  # it has a title
    dialog.keep_noted.setChecked(False)
    assert [entry.name for entry in dialog.model.entries] == [THIRD]
    assert "1 recording meets all of these" in dialog.result.text()
    dialog.move_button.click()
    answer(panel, "Keep")
    assert (folder / THIRD).is_dir()
    dialog.move_button.click()
    assert "“alpha”" in answer(panel, "Move to trash")
    until(lambda: "in the trash" in dialog.outcome.text())
    until(lambda: names(panel) == [SECOND, FIRST, "broken", "<b>holidays"])
    assert dialog.model.rowCount() == 0
    dialog.close()
    bury()


def test_moving_can_be_stopped(
    panel: LibraryPanel, folder: Path, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, arrived = threading.Event(), threading.Event()
    find = Library.removable

    def slowly(library: Library, name: str, seen: Entry) -> Path:
        arrived.set()
        go_on.wait(10)
        return find(library, name, seen)

    monkeypatch.setattr(Library, "removable", slowly)
    panel.free_button.click()
    dialog = panel.free_space_dialog
    dialog.keep_noted.setChecked(False)
    dialog.larger.setChecked(True)
    dialog.megabytes.setValue(0)
    assert dialog.model.rowCount() == 4
    dialog.move_button.click()
    answer(panel, "Move to trash")
    until(arrived.is_set)
    assert "Stop" in dialog.close_button.text()
    dialog.close_button.click()
    go_on.set()
    until(lambda: "1 recording " in dialog.outcome.text())
    until(lambda: len(names(panel)) == 4)
    dialog.close()
    bury()
