"""A title may be typed on the session's page and in the library: the one typed last is kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractItemView, QLineEdit

from app.bundles.notes import Change, Notes, edit_notes, load_notes
from app.library.library import Library
from tests.rig.bundles import make_bundle
from tests.ui.conftest import wait_until
from tests.ui.fakes import FakeServices
from tests.ui.library_rig import cells, choose, key, names, settle
from tests.ui.test_review import opened
from ui.library.library_model import TITLE
from ui.library.library_panel import LibraryPanel
from ui.main_window import MainWindow

PAGE, LIBRARY = 6, 7


@dataclass
class DiskServices(FakeServices):
    """Keeps notes where they belong; ``held`` is waited for before some are written."""

    held: threading.Event = field(default_factory=threading.Event)

    def load_notes(self, bundle: Path) -> Notes:
        return load_notes(bundle)

    def edit_notes(self, bundle: Path, change: Change) -> Notes:
        assert self.held.wait(10)
        return edit_notes(bundle, change)


@pytest.fixture
def services() -> DiskServices:
    made = DiskServices()
    made.held.set()
    return made


@pytest.fixture
def folder(tmp_path: Path, services: DiskServices) -> Path:
    path = tmp_path / "recordings"
    make_bundle(path, name="first", notes={"title": "Before"})
    make_bundle(path, 1, name="second", notes={"title": "Other"})
    services.settings.recordings = str(path)
    return path


@pytest.fixture
def listed(folder: Path, window: MainWindow) -> MainWindow:
    """A window with the first recording in view, and the library listed."""
    window.activateWindow()
    opened(window, folder / "first")
    window.parts.bring(window.parts.docks[LIBRARY])
    wait_until(lambda: len(names(window.parts.library)) == 2)
    settle(window.parts.library)
    wait_until(window.parts.page.title.isEnabled)
    return window


def type_on_page(window: MainWindow, title: str) -> None:
    field = window.parts.page.title
    window.parts.bring(window.parts.docks[PAGE])
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, title)


def type_in_list(window: MainWindow, name: str, title: str) -> str:
    """Press F2, type, press Enter; return what stood in the field before."""
    panel = window.parts.library
    window.parts.bring(window.parts.docks[LIBRARY])
    choose(panel, name)
    key(panel, Qt.Key.Key_F2)
    typed_in = panel.table.findChild(QLineEdit)
    stood = typed_in.text()
    typed_in.selectAll()
    QTest.keyClicks(typed_in, title)
    QTest.keyClick(typed_in, Qt.Key.Key_Return)
    wait_until(lambda: panel.table.state() != QAbstractItemView.State.EditingState)
    return stood


def title_in_list(panel: LibraryPanel, name: str) -> str:
    return cells(panel, TITLE)[names(panel).index(name)]


def is_at_rest(window: MainWindow) -> bool:
    """Whether nothing waits to be written or listed any more."""
    notebook, reader = window.remarks.notebook, window.parts.library._reader
    is_written = notebook._file.is_settled and not notebook._past
    is_told = not reader._changes and not reader._titles and reader._changing._worker is None
    return is_written and not notebook._settle.isActive() and is_told


def assert_called(window: MainWindow, folder: Path, title: str) -> None:
    """The first recording is called so in the page, in the list and in its bundle."""
    window.parts.bring(window.parts.docks[LIBRARY])
    wait_until(lambda: is_at_rest(window))
    window.parts.library.refresh()
    settle(window.parts.library)
    assert load_notes(folder / "first").title == title
    assert title_in_list(window.parts.library, "first") == title
    assert window.parts.page.title.text() == title
    assert window.windowTitle() == f"{title} — Turnscope"


def test_a_title_of_the_list_holds_over_one_that_was_just_typed_on_the_page(
    listed: MainWindow, folder: Path
) -> None:
    type_on_page(listed, "of the page")
    assert listed.remarks.notebook._settle.isActive()  # it is not yet written
    assert type_in_list(listed, "first", "of the list") == "of the page"
    assert listed.parts.page.title.text() == "of the list"
    assert title_in_list(listed.parts.library, "first") == "of the list"
    assert_called(listed, folder, "of the list")


def test_what_was_just_typed_on_the_page_stays_when_the_field_of_the_list_is_left_as_it_was(
    listed: MainWindow, folder: Path
) -> None:
    type_on_page(listed, "of the page")
    type_in_list(listed, "first", "of the page")
    assert_called(listed, folder, "of the page")


def test_a_title_of_the_page_holds_over_one_of_the_list_that_is_still_being_written(
    listed: MainWindow, folder: Path, services: DiskServices
) -> None:
    services.held.clear()
    type_in_list(listed, "first", "of the list")
    type_on_page(listed, "of the page")
    listed.remarks.notebook.save()
    services.held.set()
    assert_called(listed, folder, "of the page")


def test_the_list_shows_a_title_while_the_notebook_is_still_writing_it_and_no_longer(
    listed: MainWindow, folder: Path, services: DiskServices
) -> None:
    panel = listed.parts.library
    services.held.clear()
    type_in_list(listed, "first", "of the list")
    before = panel.listing.number
    panel.refresh()
    wait_until(lambda: panel.listing.number > before and panel.listing.progress is None)
    assert title_in_list(panel, "first") == "of the list"
    listed.parts.docks[LIBRARY].hide()
    services.held.set()
    wait_until(lambda: is_at_rest(listed))
    type_on_page(listed, "of the page")
    assert_called(listed, folder, "of the page")


def test_a_title_of_the_list_holds_over_one_of_the_page_of_what_is_in_view_no_more(
    listed: MainWindow, folder: Path, services: DiskServices
) -> None:
    services.held.clear()
    type_on_page(listed, "of the page")
    opened(listed, folder / "second")
    type_in_list(listed, "first", "of the list")
    services.held.set()
    wait_until(lambda: is_at_rest(listed))
    assert load_notes(folder / "first").title == "of the list"
    assert load_notes(folder / "second").title == "Other"
    opened(listed, folder / "first")
    wait_until(lambda: listed.parts.page.title.text() == "of the list")
    assert_called(listed, folder, "of the list")


def test_what_waits_to_be_written_is_seen_when_its_recording_is_opened_again(
    listed: MainWindow, folder: Path, services: DiskServices
) -> None:
    services.held.clear()
    type_on_page(listed, "of the page")
    opened(listed, folder / "second")
    opened(listed, folder / "first")
    assert listed.parts.page.title.text() == "of the page"
    type_on_page(listed, "of the page, again")
    services.held.set()
    assert_called(listed, folder, "of the page, again")


@pytest.fixture
def slow_rename(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Have the library's own writing of titles wait until this is called."""
    write, may_write = Library.rename, threading.Event()

    def rename(library: Library, name: str, title: str) -> None:
        assert may_write.wait(10)
        write(library, name, title)

    monkeypatch.setattr(Library, "rename", rename)
    return may_write.set


def test_a_title_on_its_way_from_the_list_is_waited_for_before_the_page_is_typed_on(
    listed: MainWindow, folder: Path, slow_rename: Callable[[], None]
) -> None:
    opened(listed, folder / "second")
    wait_until(lambda: is_at_rest(listed))
    type_in_list(listed, "first", "of the list")
    opened(listed, folder / "first")
    wait_until(lambda: listed.remarks.notebook.is_ready)
    assert not listed.parts.page.title.isEnabled()
    type_in_list(listed, "first", "of the list, again")
    slow_rename()
    wait_until(listed.parts.page.title.isEnabled)
    wait_until(lambda: listed.parts.page.title.text() == "of the list, again")
    wait_until(lambda: is_at_rest(listed))
    assert load_notes(folder / "first").title == "of the list, again"
    type_on_page(listed, "of the page")
    assert_called(listed, folder, "of the page")


def test_a_title_that_the_list_cannot_write_leaves_the_page_to_be_typed_on(
    listed: MainWindow, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def fail(*_: object) -> None:
        assert go_on.wait(10)
        raise OSError("no room")

    monkeypatch.setattr(Library, "rename", fail)
    opened(listed, folder / "second")
    wait_until(lambda: is_at_rest(listed))
    type_in_list(listed, "first", "of the list")
    opened(listed, folder / "first")
    assert not listed.parts.page.title.isEnabled()
    go_on.set()
    wait_until(listed.parts.page.title.isEnabled)
    assert_called(listed, folder, "Before")
