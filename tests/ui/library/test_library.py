"""The library on screen: a real panel over real recordings, worked by mouse and keys."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from shutil import rmtree
from time import thread_time

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QKeySequence, QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from app.bundles.bundle_lock import BundleLock
from app.bundles.notes import Notes, load_notes, save_notes
from app.library.library import Library
from app.library.library_entry import Entry, Space
from tests.rig.bundles import make_bundle
from tests.ui.conftest import Until, wait_until
from tests.ui.fakes import FakeServices
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
from ui.app_services import WindowServices
from ui.library import library_model
from ui.library.library_model import COLUMNS, DATE, DURATION, INTERRUPTIONS, LATENCY, STATE, TITLE
from ui.library.library_panel import LibraryPanel
from ui.parts.theme import Theme

# --- what is shown


def test_every_recording_is_listed_the_latest_first(panel: LibraryPanel) -> None:
    assert names(panel) == [THIRD, SECOND, FIRST, "broken", "<b>holidays"]
    assert cells(panel, TITLE)[:3] == ["alpha", SECOND, "Zebra"]
    assert cells(panel, INTERRUPTIONS) == ["0", "2", "0", "1", "–"]
    assert cells(panel, LATENCY) == ["700 ms", "–", "900 ms", "700 ms", "–"]
    assert cells(panel, STATE) == ["", "recovered", "", "broken", "no recording"]
    assert panel.figures.text().startswith("4 recordings, ")
    assert " free on this disk" in panel.figures.text()


def test_the_recording_in_view_is_marked_by_a_word_and_bold_until_another_is(
    panel: LibraryPanel, folder: Path
) -> None:
    def bold() -> list[bool]:
        role = Qt.ItemDataRole.FontRole
        fonts = [panel.model.index(row, TITLE).data(role) for row in range(5)]
        return [font is not None and font.bold() for font in fonts]

    panel.set_in_view(folder / SECOND)
    assert cells(panel, STATE) == ["", "recovered, in view", "", "broken", "no recording"]
    assert bold() == [False, True, False, False, False]
    assert "what the window shows" in panel.model.index(1, TITLE).data(Qt.ItemDataRole.ToolTipRole)
    panel.set_in_view(folder / FIRST)
    assert cells(panel, STATE) == ["", "recovered", "in view", "broken", "no recording"]
    panel.set_in_view(Path("/elsewhere") / FIRST)
    assert not any(bold())


def test_a_name_is_no_markup(panel: LibraryPanel) -> None:
    tip = panel.model.index(4, TITLE).data(Qt.ItemDataRole.ToolTipRole)
    assert "&lt;b&gt;holidays" in tip
    assert "neither session.json nor events.jsonl" in tip


def test_a_recording_without_a_title_shows_its_folder_in_grey(
    panel: LibraryPanel, theme: Theme
) -> None:
    role = Qt.ItemDataRole.ForegroundRole
    assert panel.model.index(1, TITLE).data(role) == QColor(theme.colours.muted)
    assert panel.model.index(0, TITLE).data(role) is None


def test_a_click_on_a_heading_sorts_and_what_is_not_known_comes_last(panel: LibraryPanel) -> None:
    header = panel.table.horizontalHeader()
    choose(panel, FIRST)
    for expected in (["0", "0", "1", "2", "–"], ["2", "1", "0", "0", "–"]):
        at = QPoint(header.sectionViewportPosition(INTERRUPTIONS) + 20, 5)
        QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=at)
        assert cells(panel, INTERRUPTIONS) == expected
        assert [entry.name for entry in panel.chosen()] == [FIRST]


@pytest.mark.parametrize("column", range(len(COLUMNS)))
def test_every_column_sorts_both_ways(panel: LibraryPanel, column: int) -> None:
    for order in (Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder):
        panel.table.sortByColumn(column, order)
        assert sorted(names(panel)) == sorted([FIRST, SECOND, THIRD, "broken", "<b>holidays"])


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("interrupted", [SECOND, "broken"]),
        ("recovered", [SECOND]),
        ("broken", ["broken", "<b>holidays"]),
    ],
)
def test_a_filter_shows_one_kind_alone(panel: LibraryPanel, kind: str, shown: list[str]) -> None:
    panel.kind.setCurrentIndex(panel.kind.findData(kind))
    assert names(panel) == shown
    assert f"{len(shown)} of 5 shown" in panel.figures.text()


def test_the_search_finds_titles_and_words_and_says_when_there_is_nothing(
    panel: LibraryPanel, until: Until
) -> None:
    panel.search.setText("REFUND")
    until(lambda: names(panel) == [FIRST])
    panel.search.setText('alp"')
    until(lambda: names(panel) == [THIRD])
    panel.search.setText("no such word")
    until(lambda: names(panel) == [])
    assert panel.table._empty_text == "No recording matches what is searched for."
    panel.search.clear()
    until(lambda: len(names(panel)) == 5)


def test_an_empty_library_says_how_it_fills(
    panel: LibraryPanel, services: FakeServices, tmp_path: Path, until: Until
) -> None:
    services.settings.recordings = str(tmp_path / "new")
    panel.refresh()
    until(lambda: names(panel) == [])
    settle(panel)
    assert "press Start and speak" in panel.table._empty_text
    assert "new" in panel.table._empty_text


def test_a_new_recording_comes_into_the_list_and_what_was_chosen_stays(
    panel: LibraryPanel, folder: Path, until: Until
) -> None:
    choose(panel, SECOND, FIRST)
    make_bundle(folder, 3)
    panel.refresh()
    until(lambda: len(names(panel)) == 6)
    assert [entry.name for entry in panel.chosen()] == [SECOND, FIRST]


def test_there_is_always_a_row_for_enter_and_the_next_one_where_it_is_gone(
    panel: LibraryPanel, folder: Path, until: Until
) -> None:
    opened: list[Path] = []
    panel.open_requested.connect(opened.append)
    panel.table.setFocus()
    key(panel, Qt.Key.Key_Return)
    assert opened == [folder / THIRD]
    choose(panel, SECOND)
    rmtree(folder / SECOND)
    panel.refresh()
    until(lambda: SECOND not in names(panel))
    assert [entry.name for entry in panel.chosen()] == [FIRST]


def test_what_was_written_elsewhere_is_taken_in_at_once(
    panel: LibraryPanel, folder: Path, until: Until
) -> None:
    save_notes(folder / SECOND, Notes(title="Cut in twice"))
    panel.read_again(folder / SECOND)
    until(lambda: "Cut in twice" in cells(panel, TITLE))
    assert cells(panel, TITLE)[:3] == ["alpha", "Cut in twice", "Zebra"]


def test_a_panel_that_nobody_sees_reads_nothing(
    panel: LibraryPanel, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel.hide()
    make_bundle(folder, 3)
    with monkeypatch.context() as patch:
        patch.setattr(Library, "refresh", lambda *_, **__: pytest.fail("it was read"))
        panel.failed.connect(lambda error: pytest.fail(str(error)))
        panel.refresh()
        panel.close_jobs()
    assert len(names(panel)) == 5
    panel.show()
    wait_until(lambda: len(names(panel)) == 6)


def test_a_disk_that_hangs_does_not_hold_the_window(
    panel: LibraryPanel, monkeypatch: pytest.MonkeyPatch, until: Until
) -> None:
    go_on, arrived = threading.Event(), threading.Event()

    def hang(_library: Library, *_: object, **__: object) -> bool:
        arrived.set()
        return go_on.wait(10)

    monkeypatch.setattr(Library, "refresh", hang)
    panel.refresh()
    until(arrived.is_set)
    panel.table.sortByColumn(TITLE, Qt.SortOrder.AscendingOrder)
    assert names(panel)[0] == THIRD
    go_on.set()
    settle(panel)


def test_what_goes_wrong_is_told(
    panel: LibraryPanel, monkeypatch: pytest.MonkeyPatch, until: Until
) -> None:
    failures: list[Exception] = []
    panel.failed.connect(failures.append)
    fault = OSError("the disk is on fire")

    def fail(*_: object, **__: object) -> bool:
        raise fault

    monkeypatch.setattr(Library, "refresh", fail)
    panel.refresh()
    until(lambda: failures == [fault])
    assert names(panel) == [THIRD, SECOND, FIRST, "broken", "<b>holidays"]


# --- what is done


def test_enter_and_a_double_click_open(panel: LibraryPanel, folder: Path) -> None:
    opened: list[Path] = []
    panel.open_requested.connect(opened.append)
    choose(panel, SECOND)
    key(panel, Qt.Key.Key_Return)
    key(panel, Qt.Key.Key_Enter)
    place = panel.table.visualRect(panel.model.index(0, DATE)).center()
    viewport, button = panel.table.viewport(), Qt.MouseButton.LeftButton
    QTest.mouseClick(viewport, button, pos=place)
    QTest.mouseDClick(viewport, button, pos=place)
    assert opened == [folder / SECOND, folder / SECOND, folder / THIRD]


def test_a_folder_that_is_no_recording_says_why_it_does_not_open(panel: LibraryPanel) -> None:
    told: list[tuple[str, str]] = []
    panel.told.connect(lambda *what: told.append(what))
    panel.open_requested.connect(lambda _: pytest.fail("it was opened"))
    choose(panel, "<b>holidays")
    key(panel, Qt.Key.Key_Return)
    assert "neither session.json nor events.jsonl" in told[0][1]


def test_the_actions_say_which_recording_they_are_for(panel: LibraryPanel, folder: Path) -> None:
    wishes: list[object] = []
    panel.replay_requested.connect(wishes.append)
    panel.export_requested.connect(wishes.append)
    panel.compare_requested.connect(lambda *two: wishes.append(two))
    choose(panel, THIRD)
    rows = panel.actions_of_rows
    rows.replay.trigger()
    rows.export.trigger()
    rows.compare.trigger()
    choose(panel, THIRD, FIRST)
    rows.replay.trigger()
    rows.compare.trigger()
    assert wishes == [folder / THIRD, folder / THIRD, (folder / THIRD, folder / FIRST)]


def test_the_keys_are_the_tables_own_where_the_window_has_them_too(
    panel: LibraryPanel, folder: Path
) -> None:
    exported: list[Path] = []
    panel.export_requested.connect(exported.append)
    for keys in ("Ctrl+Shift+E", "Ctrl+A"):
        other = QShortcut(QKeySequence(keys), panel)
        other.activated.connect(lambda: pytest.fail("the window took it"))
    choose(panel, THIRD)
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    key(panel, Qt.Key.Key_E, both)
    assert exported == [folder / THIRD]
    key(panel, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert len(panel.chosen()) == 5


@pytest.mark.parametrize(
    ("chosen", "enabled"),
    [
        ([], set()),
        ([FIRST], {"open", "rename", "replay", "export", "reveal", "trash"}),
        (["broken"], {"open", "rename", "replay", "export", "reveal", "trash"}),
        (["<b>holidays"], {"reveal"}),
        ([FIRST, SECOND], {"compare", "trash"}),
        ([FIRST, "<b>holidays"], {"trash"}),
        ([FIRST, SECOND, THIRD], {"trash"}),
    ],
)
def test_only_what_can_be_done_is_offered(
    panel: LibraryPanel, chosen: list[str], enabled: set[str]
) -> None:
    choose(panel, *chosen)
    rows = panel.actions_of_rows
    every = ("open", "rename", "replay", "compare", "export", "reveal", "trash")
    assert {name for name in every if getattr(rows, name).isEnabled()} == enabled


def test_f2_renames_and_the_title_is_in_the_bundle(
    panel: LibraryPanel, folder: Path, until: Until
) -> None:
    renamed: list[Path] = []
    panel.renamed.connect(renamed.append)
    choose(panel, SECOND)
    key(panel, Qt.Key.Key_F2)
    field = panel.table.findChild(QLineEdit)
    QTest.keyClicks(field, "Ghost in the line")
    panel.refresh()  # what comes meanwhile takes the field away from nobody
    until(lambda: panel.waiting is not None and panel.waiting.progress is None)
    assert field.isVisible()
    QTest.keyClick(field, Qt.Key.Key_Return)
    until(lambda: renamed == [folder / SECOND])
    assert load_notes(folder / SECOND).title == "Ghost in the line"
    until(lambda: cells(panel, TITLE)[1] == "Ghost in the line")
    panel.search.setText("ghost")
    until(lambda: names(panel) == [SECOND])


def test_a_title_holds_though_the_list_was_refreshed_while_it_was_being_written(
    panel: LibraryPanel, folder: Path, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, may_write = Library.rename, threading.Event()

    def rename(library: Library, name: str, title: str) -> None:
        assert may_write.wait(10)
        write(library, name, title)

    monkeypatch.setattr(Library, "rename", rename)
    panel.model.setData(panel.model.index(2, TITLE), "Ghost in the line")
    assert panel.listing is not None
    before = panel.listing.number
    panel.refresh()
    until(lambda: panel.listing.number > before and panel.listing.progress is None)
    assert cells(panel, TITLE)[2] == "Ghost in the line"
    may_write.set()
    until(lambda: load_notes(folder / FIRST).title == "Ghost in the line")
    until(lambda: cells(panel, TITLE)[2] == "Ghost in the line")


def test_a_list_that_was_read_before_a_title_was_written_does_not_take_it_back(
    panel: LibraryPanel, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_room, may_go_on = Library.space, threading.Event()
    read: list[str] = []

    def space(library: Library, entries: Iterable[Entry] | None = None) -> Space:
        name = threading.current_thread().name
        read.append(name)
        if read.count(name) == 2 and name == read[0]:  # the last listing of a refresh
            assert may_go_on.wait(10)
        return take_room(library, entries)

    monkeypatch.setattr(Library, "space", space)
    shown: list[str] = []
    panel.model.modelReset.connect(lambda: shown.append(cells(panel, TITLE)[2]))
    panel.refresh()
    until(lambda: len(read) == 2)
    panel.model.setData(panel.model.index(2, TITLE), "Ghost in the line")
    until(lambda: len(read) == 3 and panel.listing.progress is not None)
    told = panel.listing
    may_go_on.set()
    until(lambda: panel.listing is not told and panel.listing.progress is None)
    assert cells(panel, TITLE)[2] == "Ghost in the line"
    assert "Zebra" not in shown


def test_escape_leaves_the_title_as_it_was(panel: LibraryPanel, folder: Path) -> None:
    choose(panel, FIRST)
    key(panel, Qt.Key.Key_F2)
    field = panel.table.findChild(QLineEdit)
    QTest.keyClicks(field, "other")
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert cells(panel, TITLE)[2] == "Zebra"
    assert load_notes(folder / FIRST).title == "Zebra"


def test_a_title_that_cannot_be_written_is_told_and_taken_back(
    panel: LibraryPanel, folder: Path, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[Exception] = []
    panel.failed.connect(failures.append)
    fault = OSError("no room")

    def fail(*_: object) -> None:
        raise fault

    monkeypatch.setattr(Library, "rename", fail)
    panel.model.setData(panel.model.index(2, TITLE), "other")
    assert cells(panel, TITLE)[2] == "other"
    until(lambda: failures == [fault])
    until(lambda: cells(panel, TITLE)[2] == "Zebra")
    assert load_notes(folder / FIRST).title == "Zebra"


def test_the_length_of_what_is_being_recorded_grows(
    panel: LibraryPanel, folder: Path, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = make_bundle(folder, 4, end=None)
    lock = BundleLock(running)
    panel.set_recording(running)
    until(lambda: "recording" in cells(panel, STATE))
    row = cells(panel, STATE).index("recording")
    began, drawn = panel.model.entry(row).began, []
    panel.model.dataChanged.connect(lambda first, *_: drawn.append((first.row(), first.column())))
    for passed, text in ((75.0, "1:15"), (76.0, "1:16"), (3700.0, "1:01:40")):
        monkeypatch.setattr(library_model.time, "time", lambda s=passed: began + s)
        drawn.clear()
        until(lambda: (row, DURATION) in drawn)
        assert cells(panel, DURATION)[row] == text
    panel.hide()
    until(lambda: not panel._counting.isActive())
    lock.release()


def test_ten_thousand_rows_are_sorted_and_scrolled_at_once(panel: LibraryPanel) -> None:
    sample = panel.model.entry(0)
    panel.model.set_entries(
        sample._replace(name=f"s{n}", began=float(n), interruptions=n % 17) for n in range(10_000)
    )
    began = thread_time()
    panel.table.sortByColumn(INTERRUPTIONS, Qt.SortOrder.DescendingOrder)
    assert thread_time() - began < 0.3
    assert panel.model.entry(0).interruptions == 16
    bar, slowest = panel.table.verticalScrollBar(), 0.0
    for part in range(40):
        began = thread_time()
        bar.setValue(bar.maximum() * part // 39)
        panel.table.viewport().repaint()
        slowest = max(slowest, thread_time() - began)
    assert slowest < 0.15


def test_notes_written_elsewhere_come_in_with_the_next_refresh(
    panel: LibraryPanel, folder: Path, until: Until
) -> None:
    from dataclasses import replace

    save_notes(folder / FIRST, replace(load_notes(folder / FIRST), title="Yak"))
    choose(panel, THIRD)
    key(panel, Qt.Key.Key_F5)
    until(lambda: cells(panel, TITLE)[2] == "Yak")
    assert [entry.name for entry in panel.chosen()] == [THIRD]


def test_without_a_place_for_an_index_renaming_and_searching_go_on(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache").write_text("a file where the caches should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    services = WindowServices(settings_path=tmp_path / "settings.json")
    services.library(folder).refresh()
    listed = services.library(folder).entries()
    assert listed
    name = next(entry.name for entry in listed if entry.can_rename)
    services.library(folder).rename(name, "Zanzibar")
    assert services.library(folder).search("zanzibar") == {name}
    assert len(services.library(folder).entries()) == len(listed)
    assert services.library(tmp_path) is not services.library(folder)
