"""Two sessions laid over each other on screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from app.bundles.notes import Notes
from app.timeline.events import (
    AgentChunkReceived,
    AgentHeard,
    Event,
    Interrupted,
    MicChunkSent,
    Silenced,
    SpeechEnded,
    SpeechStarted,
    StateChanged,
)
from tests.app.bundle_rig import make_bundle
from tests.rig.speech import RATE_HZ, say, silence, write_wav
from tests.ui.conftest import Until, bury
from tests.ui.fakes import FakeServices
from ui.comparison.compare_table import BETTER, passage_text
from ui.comparison.compare_window import NOT_OPENED, CompareWindow
from ui.lanes.scene import Lane, Mark, Scene, Stretch
from ui.lanes.shifted_scene import ShiftedScene
from ui.parts.icons import Icons
from ui.parts.theme import DARK, LIGHT, Theme, contrast

Open = Callable[[Path, Path], CompareWindow]


def events(delay_s: float, latency_s: float, *, cuts: bool) -> list[Event]:
    """A caller who speaks at 1 and at 6 s; the second time in mid-answer, or not."""
    t = delay_s
    heard_until = t + 6.4 if cuts else t + 5.0
    count = round((heard_until - t - 2 - latency_s) * RATE_HZ)
    told: list[Event] = [
        MicChunkSent(t + 0.3, 0, 4000, t, t + 0.25, 0.0),
        SpeechStarted(t + 1, t + 1.1),
        SpeechEnded(t + 2, t + 2.5),
        AgentChunkReceived(t + 2 + latency_s, 0, count, 1),
        AgentHeard(heard_until, 0, count, t + 2 + latency_s),
        SpeechStarted(t + 6, t + 6.1),
    ]
    if cuts:
        told += [Interrupted(t + 6.37, 1, "agent", 400), Silenced(t + 6.4, 1, t + 6.37, t + 6.4)]
    return [*told, SpeechEnded(t + 7, t + 7.5), StateChanged(t + 9, "ended")]


@pytest.fixture
def first(tmp_path: Path) -> Path:
    caller = np.concatenate((say("Hello there."), silence(7.0)))
    return make_bundle(tmp_path / "first", caller, events(0.5, 0.9, cuts=True))


@pytest.fixture
def second(tmp_path: Path) -> Path:
    caller = np.concatenate((silence(0.7), say("Hello there."), silence(7.0)))
    return make_bundle(tmp_path / "second", caller, events(1.2, 0.5, cuts=False))


@pytest.fixture
def compare(services: FakeServices, theme: Theme, until: Until) -> Iterator[Open]:
    windows: list[CompareWindow] = []
    gone: list[CompareWindow] = []

    def show(one: Path, other: Path) -> CompareWindow:
        window = CompareWindow(services, theme, Icons(theme), one, other)
        window.closed.connect(lambda: gone.append(window))
        windows.append(window)
        window.show()
        return window

    yield show
    for window in windows:
        if window not in gone:
            window.close()
    until(lambda: len(gone) == len(windows))
    bury()


def compared(window: CompareWindow, until: Until) -> CompareWindow:
    until(lambda: window.comparison is not None)
    return window


def cells(window: CompareWindow, row: int) -> list[str]:
    model = window.table.model
    return [str(model.data(model.index(row, column))) for column in range(model.columnCount())]


def test_both_are_drawn_and_their_differences_listed(
    compare: Open, first: Path, second: Path, until: Until
) -> None:
    window = compared(compare(first, second), until)
    assert window.bar.offset.value() == 700
    assert [row[:1] + row[3:5] for row in (cells(window, 0), cells(window, 1))] == [
        ["1", "900 ms → 500 ms", "−400 ms, better"],
        ["2", "–", "–"],
    ]
    assert cells(window, 1)[5:7] == ["30 ms → –", "–"]
    assert cells(window, 1)[9] == "yes → no"
    lanes = window.lanes
    turns = [view._scene.user.turns[0][0] for view in lanes.views]
    assert turns[0] == pytest.approx(turns[1]) == pytest.approx(2.2)
    assert lanes.axis.stop_s > 9


def test_zooming_one_zooms_both(compare: Open, first: Path, second: Path, until: Until) -> None:
    window = compared(compare(first, second), until)
    axis, before = window.lanes.axis, window.lanes.axis.span_s
    QTest.keyClick(window.lanes.views[1], Qt.Key.Key_Plus)
    assert axis.span_s < before
    assert all(view._axis is axis for view in window.lanes.views)
    window.bar.zoom_requested.emit(2.0)
    window.lanes.views[0].selection_wished.emit((1.0, 2.0))
    assert [view._scene.selection for view in window.lanes.views] == [(1.0, 2.0)] * 2
    window.bar.selection_requested.emit()
    assert (axis.start_s, axis.stop_s) == pytest.approx((1.0, 2.0))
    window.bar.fit_requested.emit()
    assert axis.span_s >= window.lanes.duration_s


def test_a_row_shows_its_moment_and_what_was_said(
    compare: Open, first: Path, second: Path, until: Until
) -> None:
    window = compared(compare(first, second), until)
    window.lanes.axis.show(0.0, 1.0)
    QTest.keyClick(window.table.table, Qt.Key.Key_Down)
    assert window.lanes.axis.start_s <= 7.2 <= window.lanes.axis.stop_s
    assert [view._scene.playhead_s for view in window.lanes.views] == pytest.approx([7.2, 7.2])
    assert window.table.texts[0].toPlainText() == "Nothing was said."


def test_a_click_in_the_lanes_chooses_the_row(
    compare: Open, first: Path, second: Path, until: Until
) -> None:
    window = compared(compare(first, second), until)
    window.lanes.views[0].moment_clicked.emit(8.0)
    assert window.table.table.currentIndex().row() == 1
    assert window.lanes.views[1]._scene.playhead_s == 8.0
    window.lanes.views[0].moment_clicked.emit(3.0)
    assert window.table.table.currentIndex().row() == 0
    window.lanes.views[0].mark_activated.emit(1)
    assert window.table.table.currentIndex().row() == 1


def test_swapping_turns_every_difference_round(
    compare: Open, first: Path, second: Path, until: Until
) -> None:
    window = compared(compare(first, second), until)
    window.bar.swap.click()
    until(lambda: cells(window, 0)[4] == "+400 ms, worse")
    assert window.bar.offset.value() == -700
    colour = window.table.model.data(window.table.model.index(0, 4), Qt.ItemDataRole.ForegroundRole)
    assert colour.name() == LIGHT.warning
    assert "second" in window.lanes._captions[0].text()


def test_another_offset_moves_the_second_and_align_moves_it_back(
    compare: Open, first: Path, second: Path, until: Until
) -> None:
    window = compared(compare(first, second), until)
    window.bar.offset.setValue(-2500)
    until(lambda: window.comparison.paired == 0)
    assert window.lanes.shift_of(1) == 2.5
    assert "first only" in {cells(window, row)[10] for row in range(4)}
    window.bar.align.click()
    until(lambda: window.comparison.paired == 2)
    assert window.bar.offset.value() == 700


def test_the_differences_are_copied_as_text_and_as_csv(
    compare: Open, first: Path, second: Path, until: Until
) -> None:
    window = compared(compare(first, second), until)
    window.bar.copy_requested.emit("text")
    assert "−400 ms, better" in QGuiApplication.clipboard().text()
    window.bar.copy_requested.emit("csv")
    assert QGuiApplication.clipboard().text().startswith("turn,at_s_first,")


def test_what_cannot_be_opened_is_said(
    compare: Open, first: Path, tmp_path: Path, until: Until
) -> None:
    window = compare(first, tmp_path / "gone")
    until(lambda: window.notices.lines)
    assert "gone" in window.notices.lines[0].sentence
    assert window.lanes.views[0].empty_text == NOT_OPENED
    assert not window.bar.swap.isEnabled()


def test_an_audio_file_has_lanes_and_no_turns(
    compare: Open, first: Path, tmp_path: Path, until: Until
) -> None:
    caller = np.concatenate((silence(0.3), say("Hello there."), silence(1.0)))
    window = compared(compare(first, write_wav(tmp_path / "caller.wav", caller)), until)
    assert (window.comparison.rows, window.comparison.totals) == ([], [])
    assert window.comparison.offset_s == pytest.approx(-0.2, abs=0.01)
    assert [view._scene.is_mono for view in window.lanes.views] == [False, True]


def test_warnings_of_a_recording_are_told(
    compare: Open, first: Path, second: Path, until: Until
) -> None:
    (second / "received.wav").unlink()
    window = compared(compare(first, second), until)
    until(lambda: window.notices.lines)
    assert window.notices.lines[0].sentence == "second: received.wav is missing."


def test_titles_stand_where_a_person_gave_some(
    compare: Open, first: Path, second: Path, services: FakeServices, until: Until
) -> None:
    services.notes[second] = Notes("After the\nupdate")
    (second / "received.wav").unlink()
    window = compare(first, second)
    assert window.windowTitle() == "first and second — Turnscope"
    compared(window, until)
    assert window.windowTitle() == "first and After the update — Turnscope"
    captions = [label.text() for label in window.lanes._captions]
    assert "first  ·" in captions[0]
    assert "After the update  ·" in captions[1]
    until(lambda: window.notices.lines)
    assert window.notices.lines[0].sentence == "After the update: received.wav is missing."
    window.swap()
    assert window.windowTitle() == "After the update and first — Turnscope"


def test_the_offset_has_a_minus_sign_and_takes_either(
    compare: Open, first: Path, second: Path, until: Until
) -> None:
    window = compared(compare(second, first), until)
    field = window.bar.offset
    assert field.text() == "−700 ms"
    for typed in ("-250", "−120"):
        field.selectAll()
        field.lineEdit().insert(typed)  # QTest types nothing but Latin
        QTest.keyClick(field, Qt.Key.Key_Return)
        assert field.value() == -int(typed[1:])
        assert field.text() == f"−{typed[1:]} ms"


def test_it_can_be_closed_at_once_and_by_key(
    compare: Open, first: Path, second: Path, until: Until
) -> None:
    compare(first, second).close()
    window = compare(first, second)
    window.activateWindow()
    until(window.isActiveWindow)
    QTest.keyClick(window, Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    assert not window.isVisible()


def test_every_control_is_reached_by_keys_and_named(
    compare: Open, first: Path, second: Path, until: Until
) -> None:
    window = compared(compare(first, second), until)
    window.activateWindow()
    reached = set()
    for _ in range(30):
        window.focusNextPrevChild(True)
        widget = window.focusWidget()
        if widget is not None:
            reached.add(widget.accessibleName())
    assert "" not in reached
    for name in ("Differences", "Lanes of the first session", "Lanes of the second session"):
        assert name in reached


@pytest.mark.parametrize(("dark", "colours"), [(False, LIGHT), (True, DARK)])
def test_better_and_worse_can_be_read(dark: bool, colours: object) -> None:
    for colour in (BETTER[dark], colours.warning, colours.muted):
        for ground in (colours.base, colours.window):
            assert contrast(colour, ground) >= 4.5


def test_a_passage_that_is_not_there_is_said_to_be_missing() -> None:
    assert passage_text(None) == "There is no such turn in this session."


# The scene that is moved


def test_a_moved_scene_moves_all_of_it() -> None:
    asked = []

    def view(start: float, stop: float, columns: int) -> object:
        asked.append((start, stop, columns))
        return np.zeros(columns, np.int16), np.zeros(columns, np.int16)

    source = Scene(Lane(view, 16_000, [(0.1, 0.2), (0.5, None)]), Lane(view, 8000))
    source.received = view
    source.discarded = [Stretch(10, 20, 0.3)]
    source.marks = [Mark(1, 0.4, 0.45, "x", "x"), Mark(2, 0.6, None, "x", "x")]
    source.muted, source.gaps = [(0.7, 0.8)], [(0.9, 1.0)]
    shifted = ShiftedScene(source)
    shifted.move(0.5)
    scene = shifted.scene
    scene.user.view(8000, 16_000, 4)
    assert asked == [(0, 8000, 4)]
    assert scene.user.turns == [(0.6, 0.7), (1.0, None)]
    assert (scene.user.written, scene.agent.written) == (24_000, 16_000)
    assert scene.discarded == [Stretch(10, 20, 0.8)]
    assert scene.received is view
    assert [(mark.at, mark.silent_at) for mark in scene.marks] == [(0.9, 0.95), (1.1, None)]
    assert (scene.muted, scene.gaps) == ([(1.2, 1.3)], [(1.4, 1.5)])


def test_a_moved_scene_follows_what_becomes_known() -> None:
    source = Scene()
    shifted = ShiftedScene(source)
    assert not shifted.advance()
    source.user.turns.append((1.0, 2.0))
    source.version += 1
    assert shifted.advance()
    assert shifted.scene.user.turns == [(1.0, 2.0)]
