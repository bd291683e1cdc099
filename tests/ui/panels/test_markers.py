"""Markers, title, tags and notes: written while live or in review, and kept in the bundle."""

from __future__ import annotations

import gc
import threading
import weakref
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.bundles.notes import Marker, Notes
from app.states import State
from tests.ui.bundles import write_audio, write_bundle
from tests.ui.conftest import frames, wait_until
from tests.ui.fakes import FakeServices
from tests.ui.synthetic import SyntheticSession
from tests.ui.test_review import opened, told
from ui.main_window import MainWindow
from ui.panels.markers_panel import TEXT


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "2026-11-22_10-15-03_demo", 2)


def press_k(window: MainWindow) -> None:
    window.activateWindow()
    window.parts.timeline.lanes.setFocus()
    frames(window, 1)
    QTest.keyClick(window.parts.timeline.lanes, Qt.Key.Key_K)


def texts(window: MainWindow) -> list[str]:
    model = window.parts.markers.model
    return [model.data(model.index(row, TEXT)) for row in range(model.rowCount())]


# -- setting them ------------------------------------------------------------------------------


def test_one_key_marks_now_while_the_session_goes_on_and_the_text_is_typed_there(
    window: MainWindow, running: SyntheticSession, services: FakeServices
) -> None:
    running.advance_to(4.0)
    press_k(window)
    field = window.parts.timeline.marker_field
    assert field.hasFocus()
    running.advance_to(6.0)
    frames(window)
    QTest.keyClicks(field, "echo m k")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert window.remarks.notebook.notes.markers == (Marker(4.0, "echo m k"),)
    assert window.desk.state == "running"
    assert not running.muted
    assert window.parts.timeline.lanes.hasFocus()
    assert running.notes.markers == (Marker(4.0, "echo m k"),)


def test_while_a_session_runs_its_recorder_alone_writes_the_notes(
    window: MainWindow, running: SyntheticSession, services: FakeServices
) -> None:
    notebook, told_of = window.remarks.notebook, []
    notebook.written.connect(told_of.append)
    notebook.mark(Marker(1.0, "while it runs"))
    notebook.save()
    assert told_of == [running.bundle]
    running.become(State.ENDING)
    notebook.mark(Marker(2.0, "at the very end"))
    notebook.save()
    assert notebook._file._job.finish(10)
    assert not services.notes
    services.notes[running.bundle] = running.notes
    running.become(State.ENDED)
    wait_until(lambda: len(services.notes[running.bundle].markers) == 2)
    assert running.notes.markers == (Marker(1.0, "while it runs"),)
    assert texts(window) == ["while it runs", "at the very end"]


def test_in_a_recording_the_playhead_is_marked_or_the_selection(
    window: MainWindow, bundle: Path, services: FakeServices
) -> None:
    opened(window, bundle)
    window.playing.move_playhead(7.5)
    press_k(window)
    window.parts.timeline.marker_field.finish()
    window.parts.timeline.select((2.0, 3.5))
    press_k(window)
    window.parts.timeline.marker_field.finish()
    assert window.remarks.notebook.notes.markers == (Marker(2.0, "", 3.5), Marker(7.5))
    window.remarks.notebook.save()
    wait_until(lambda: len(services.notes.get(bundle, Notes()).markers) == 2)


def test_esc_takes_the_marker_back_and_silences_nobody(
    window: MainWindow, running: SyntheticSession
) -> None:
    running.advance_to(4.0)
    press_k(window)
    QTest.keyClick(window.parts.timeline.marker_field, Qt.Key.Key_Escape)
    assert window.remarks.notebook.notes.markers == ()
    assert "interrupt" not in running.calls


def test_a_second_marker_keeps_the_text_of_the_first(
    window: MainWindow, running: SyntheticSession
) -> None:
    running.advance_to(4.0)
    press_k(window)
    QTest.keyClicks(window.parts.timeline.marker_field, "first")
    running.advance_to(5.0)
    frames(window, 1)
    window.menu.marker.trigger()
    QTest.keyClicks(window.parts.timeline.marker_field, "second")
    window.parts.timeline.marker_field.finish()
    assert texts(window) == ["first", "second"]


def test_without_anything_in_view_nothing_is_marked(window: MainWindow) -> None:
    assert not window.menu.marker.isEnabled()
    window.remarks.mark_here()
    assert window.remarks.notebook.notes.markers == ()


# -- the list ----------------------------------------------------------------------------------


@pytest.fixture
def marked(window: MainWindow, bundle: Path, services: FakeServices) -> MainWindow:
    services.notes[bundle] = Notes(
        title="Late", tags=("echo",), markers=(Marker(3.0, "one"), Marker(20.0, "two", 24.0))
    )
    opened(window, bundle)
    wait_until(lambda: len(texts(window)) == 2)
    return window


def test_a_marker_that_is_chosen_is_gone_to_and_its_stretch_selected(marked: MainWindow) -> None:
    table, timeline = marked.parts.markers.table, marked.parts.timeline
    timeline.axis.show(0.0, 5.0)
    table.clicked.emit(marked.parts.markers.model.index(1, 0))
    frames(marked, 1)
    assert timeline.scene.selection == (20.0, 24.0)
    assert timeline.scene.playhead_s == 20.0
    assert timeline.axis.start_s < 20.0 < timeline.axis.stop_s


def test_the_keys_go_from_marker_to_marker(marked: MainWindow) -> None:
    scene, menu = marked.parts.timeline.scene, marked.menu

    def is_at(place: float) -> bool:
        frames(marked, 1)
        return scene.playhead_s == place

    for action, place in ((menu.next_marker, 3.0), (menu.next_marker, 20.0)):
        action.trigger()
        wait_until(lambda place=place: is_at(place))
    menu.previous_marker.trigger()
    wait_until(lambda: is_at(3.0))


def test_a_marker_is_renamed_in_the_list_and_deleted(
    marked: MainWindow, bundle: Path, services: FakeServices
) -> None:
    panel = marked.parts.markers
    panel.model.setData(panel.model.index(0, TEXT), "another\ntext")
    assert texts(marked) == ["another text", "two"]
    panel.table.selectRow(1)
    panel.delete.click()
    assert texts(marked) == ["another text"]
    marked.remarks.notebook.save()
    wait_until(lambda: services.notes[bundle].markers == (Marker(3.0, "another text"),))
    assert services.notes[bundle].title == "Late"


# -- the page of the session -------------------------------------------------------------------


def test_title_tags_and_notes_are_kept_a_moment_after_they_were_written(
    marked: MainWindow, bundle: Path, services: FakeServices
) -> None:
    page = marked.parts.page
    assert (page.title.text(), page.tags.text()) == ("Late", "echo")
    marked.activateWindow()
    marked.parts.bring(marked.parts.docks[6])
    for field, text in ((page.title, "Cut in  twice"), (page.tags, "echo, wired ,echo,")):
        field.setFocus()
        field.clear()
        QTest.keyClicks(field, text)
    page.notes.setFocus()
    QTest.keyClicks(page.notes, "Compare")
    wait_until(lambda: services.notes[bundle].title == "Cut in twice")
    wait_until(lambda: services.notes[bundle].notes == "Compare")
    assert services.notes[bundle].tags == ("echo", "wired")
    assert len(services.notes[bundle].markers) == 2
    assert marked.windowTitle() == "Cut in twice — Turnscope"


def test_what_is_known_of_the_session_is_listed(marked: MainWindow, bundle: Path) -> None:
    wait_until(lambda: ("Agent", "Demo agent") in marked.parts.page._facts)
    assert ("Folder", str(bundle)) in marked.parts.page._facts


def test_closing_the_window_keeps_what_was_just_written(
    marked: MainWindow, bundle: Path, services: FakeServices
) -> None:
    QTest.keyClicks(marked.parts.page.notes, "in haste")
    gone: list[bool] = []
    marked.closed.connect(lambda: gone.append(True))
    marked.close()
    wait_until(lambda: gone)
    assert services.notes[bundle].notes == "in haste"


def test_opening_another_recording_keeps_what_was_written_about_the_first(
    marked: MainWindow, bundle: Path, services: FakeServices, tmp_path: Path
) -> None:
    QTest.keyClicks(marked.parts.page.notes, "of the first")
    opened(marked, write_bundle(tmp_path / "another", 1))
    wait_until(lambda: services.notes[bundle].notes == "of the first")
    assert marked.parts.page.notes.toPlainText() == ""
    assert texts(marked) == []


def test_typing_on_as_another_recording_comes_leaves_its_title_alone(
    marked: MainWindow, services: FakeServices, tmp_path: Path
) -> None:
    other = write_bundle(tmp_path / "another", 1)
    services.notes[other] = Notes(title="Kept", notes="all of it")
    page = marked.parts.page
    marked.activateWindow()
    marked.parts.bring(marked.parts.docks[6])
    page.title.setFocus()
    assert page.title.hasFocus()
    opened(marked, other)
    assert not page.title.hasFocus()
    wait_until(lambda: page.title.text() == "Kept")
    page.title.clear()  # as where it had been passed over
    page.tags.setFocus()
    QTest.keyClicks(page.tags, "late")
    marked.remarks.notebook.save()
    wait_until(lambda: services.notes[other].tags == ("late",))
    assert services.notes[other] == Notes("Kept", ("late",), "all of it")


def test_a_session_that_begins_takes_the_keyboard_from_the_page(marked: MainWindow) -> None:
    page = marked.parts.page
    marked.activateWindow()
    marked.parts.bring(marked.parts.docks[6])
    page.title.setFocus()
    assert page.title.hasFocus()
    marked.start()
    wait_until(lambda: marked.desk.state == "running")
    assert not page.title.hasFocus()
    assert page.title.isEnabled()
    assert page.title.text() == ""


def test_nothing_is_typed_into_the_page_before_the_notes_are_read(
    window: MainWindow, bundle: Path, services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_answer = threading.Event()

    def load_slowly(_bundle: Path) -> Notes:
        may_answer.wait(10)
        return Notes(title="Kept")

    monkeypatch.setattr(services, "load_notes", load_slowly)
    opened(window, bundle)
    page = window.parts.page
    assert not page.title.isEnabled()
    may_answer.set()
    wait_until(page.title.isEnabled)
    assert page.title.text() == "Kept"


def test_nothing_of_what_was_in_view_is_kept_once_its_notes_are_written(
    window: MainWindow, bundle: Path, services: FakeServices, tmp_path: Path
) -> None:
    window.start()
    wait_until(lambda: window.desk.state == "running")
    window.remarks.notebook.mark(Marker(1.0))
    services.sessions[-1].end()
    frames(window)
    seen = [weakref.ref(services.sessions.pop())]
    opened(window, bundle)
    seen.append(weakref.ref(window.viewing.viewed))
    window.remarks.notebook.mark(Marker(5.0))
    opened(window, write_bundle(tmp_path / "another", 1))

    def is_gone() -> bool:
        gc.collect()
        return not any(each() for each in seen)

    wait_until(is_gone)
    wait_until(lambda: not window.remarks.notebook._past)
    assert services.notes[bundle].markers == (Marker(5.0),)


def test_notes_that_still_wait_do_not_hold_their_session(
    window: MainWindow, running: SyntheticSession, services: FakeServices, bundle: Path
) -> None:
    where = running.bundle
    running.end()
    frames(window)
    services.notes_failure = OSError(28, "No space left on device", str(where))
    window.remarks.notebook.mark(Marker(1.0))
    opened(window, bundle)
    wait_until(lambda: "no space left" in told(window))
    assert window.viewing.viewed is not running
    assert [file._session for file in window.remarks.notebook._past] == [None]
    services.notes_failure = None
    window.remarks.close()
    assert services.notes[where].markers == (Marker(1.0),)


def test_notes_that_cannot_be_written_are_told_of_and_written_later(
    marked: MainWindow, bundle: Path, services: FakeServices
) -> None:
    services.notes_failure = OSError(28, "No space left on device", str(bundle / "notes.json"))
    marked.remarks.notebook.mark(Marker(5.0, "kept in mind"))
    marked.remarks.notebook.save()
    wait_until(lambda: "no space left" in told(marked))
    assert "kept in mind" in texts(marked)
    services.notes_failure = None
    marked.remarks.notebook.mark(Marker(6.0))
    marked.remarks.notebook.save()
    wait_until(lambda: len(services.notes[bundle].markers) == 4)


def test_what_is_written_is_written_once(
    marked: MainWindow, bundle: Path, services: FakeServices
) -> None:
    notebook = marked.remarks.notebook
    for t in (5.0, 6.0):
        notebook.mark(Marker(t))
        notebook.save()
        wait_until(lambda t=t: services.notes[bundle].markers[-2].t == t)
    notebook.mark(Marker(7.0))
    notebook.save()
    notebook.mark(Marker(8.0))
    notebook.save()
    wait_until(lambda: len(services.notes[bundle].markers) == 6)
    assert [marker.t for marker in services.notes[bundle].markers] == [
        3.0,
        5.0,
        6.0,
        7.0,
        8.0,
        20.0,
    ]


def test_notes_changed_elsewhere_come_in_and_nothing_typed_here_is_lost(
    marked: MainWindow, bundle: Path, services: FakeServices
) -> None:
    marked.remarks.notebook.mark(Marker(5.0, "mine"))
    services.edit_notes(bundle, lambda notes: notes.marked(Marker(6.0, "theirs")))
    marked.remarks.read_again(bundle)
    wait_until(lambda: "theirs" in texts(marked))
    assert "mine" in texts(marked)
    marked.remarks.notebook.save()
    wait_until(lambda: len(services.notes[bundle].markers) == 4)


def test_markers_of_an_audio_file_are_not_kept_and_it_is_said_once(
    window: MainWindow, services: FakeServices, tmp_path: Path
) -> None:
    opened(window, write_audio(tmp_path / "call.wav", 3.0))
    for t in (1.0, 2.0):
        window.remarks.mark(t)
    window.parts.timeline.marker_field.finish()
    assert len(texts(window)) == 2
    assert told(window).count("only until another one is opened") == 1
    window.remarks.notebook.save()
    assert services.notes == {}
