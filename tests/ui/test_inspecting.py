"""Interruptions in the window: opened, stepped through, listened to, followed, limited."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QTabBar

from app.playing.gone_on import Continuation
from tests.ui.bundles import write_bundle
from tests.ui.conftest import frames, wait_until
from tests.ui.fakes import FakeServices
from tests.ui.moment_records import shown
from tests.ui.synthetic import RATE, SyntheticSession
from ui.main_window import MainWindow
from ui.parts.keyboard import is_seen
from ui.services import PlayWish

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def opened(window: MainWindow, tmp_path: Path) -> MainWindow:
    """A recording of two interruptions."""
    window.open_path(write_bundle(tmp_path / "2026-11-22_10-15-03_demo", 2))
    wait_until(lambda: window.viewing.viewed is not None and window.viewing.is_settled, 60)
    frames(window)
    return window


def wishes(services: FakeServices) -> list[PlayWish]:
    return [each for each in services.asked if isinstance(each, PlayWish)]


def test_choosing_one_opens_the_inspector_zooms_there_and_leaves_the_keyboard(
    opened: MainWindow,
) -> None:
    parts, table = opened.parts, opened.parts.interruptions.table
    assert not is_seen(parts.inspector)
    opened.activateWindow()
    table.setFocus()
    QTest.mouseClick(
        table.viewport(), LEFT, pos=table.visualRect(table.model().index(1, 1)).center()
    )
    wait_until(lambda: is_seen(parts.inspector))
    assert opened.inspecting.moment.cut.number == 2
    assert parts.timeline.axis.start_s < 19.0
    assert parts.timeline.axis.stop_s > 19.64
    assert QApplication.focusWidget() in (None, table)
    assert not [
        bar
        for bar in opened.findChildren(QTabBar, "", Qt.FindChildOption.FindDirectChildrenOnly)
        if not bar.count() and bar.isVisible() and bar.geometry().intersects(opened.rect())
    ]


def test_keys_go_to_the_next_interruption_and_back(opened: MainWindow) -> None:
    menu = opened.menu
    menu.next_interruption.trigger()
    assert opened.inspecting.moment.cut.number == 1
    menu.next_interruption.trigger()
    menu.next_interruption.trigger()
    assert opened.inspecting.moment.cut.number == 2
    menu.previous_interruption.trigger()
    assert opened.inspecting.moment.cut.number == 1


def test_it_is_heard_as_it_was_and_as_it_would_have_gone_on(
    opened: MainWindow, services: FakeServices
) -> None:
    opened.parts.interruptions.select(1)
    frames(opened)
    assert opened.parts.inspector.gone_on.isEnabled()
    opened.parts.inspector.heard.click()
    wait_until(lambda: len(wishes(services)) == 1)
    wish = wishes(services)[0]
    assert (wish.from_s, wish.to_s) == (3.0, pytest.approx(5.641 + 1.5))
    assert wish.continuations == ()
    opened.menu.gone_on.trigger()
    wait_until(lambda: len(wishes(services)) == 2)
    wish = wishes(services)[1]
    (piece,) = wish.continuations
    assert piece.at_s == pytest.approx(5.641)
    assert (piece.stop - piece.start) / RATE == pytest.approx(3.159, abs=0.001)
    assert wish.to_s == pytest.approx(piece.ends_s)
    assert wish.user
    opened.menu.discarded.trigger()
    wait_until(lambda: len(wishes(services)) == 3)
    wish = wishes(services)[2]
    assert (wish.user, wish.agent, wish.from_s) == (False, True, piece.at_s)
    assert wish.continuations == (Continuation(piece.at_s, piece.start, piece.stop),)


def test_a_click_on_discarded_audio_plays_it_whole(
    opened: MainWindow, services: FakeServices
) -> None:
    timeline = opened.parts.timeline
    lanes, ghost = timeline.lanes, timeline.scene.discarded[0]
    assert ghost.stop < ghost.whole_stop
    place = QPoint(round(lanes.x_of(ghost.at + 1.0)), lanes.geometry_of.lane(1).center().y())
    QTest.mouseMove(lanes, place)
    assert lanes.cursor().shape() == Qt.CursorShape.PointingHandCursor
    QTest.mouseClick(lanes, LEFT, pos=place)
    wait_until(lambda: wishes(services))
    (piece,) = wishes(services)[0].continuations
    assert (piece.start, piece.stop, piece.fade) == (ghost.start, ghost.whole_stop, 0)
    assert not wishes(services)[0].user
    place.setY(lanes.geometry_of.lane(0).center().y())
    QTest.mouseClick(lanes, LEFT, pos=place)
    frames(opened)
    assert len(wishes(services)) == 1
    assert timeline.scene.playhead_s == pytest.approx(ghost.at + 1.0, abs=0.1)
    assert opened.inspecting.moment is None
    opened.menu.discarded.trigger()
    wait_until(lambda: len(wishes(services)) == 2)
    assert wishes(services)[1].continuations == (piece,)


def test_live_the_record_is_replaced_and_nothing_can_be_played(
    window: MainWindow, running: SyntheticSession, services: FakeServices
) -> None:
    running.advance_to(5.62)
    frames(window)
    panel, inspector = window.parts.interruptions, window.parts.inspector
    panel.select(1)
    frames(window)
    assert inspector.figures[1].value.text() == "–"
    running.advance_to(7.0)
    frames(window)
    assert inspector.figures[1].value.text() == "31 ms"
    assert not inspector.heard.isEnabled()
    window.menu.listen.trigger()
    frames(window)
    assert wishes(services) == []


def test_live_the_newest_is_followed_only_if_that_was_asked_for(
    window: MainWindow, running: SyntheticSession
) -> None:
    inspector = window.parts.inspector
    running.advance_to(8.0)
    frames(window)
    assert window.inspecting.moment is None
    inspector.follow.click()
    assert window.inspecting.moment.cut.number == 1
    assert not is_seen(inspector)
    running.advance_to(22.0)
    frames(window)
    assert window.inspecting.moment.cut.number == 2
    assert window.parts.timeline.axis.following
    window.parts.interruptions.select(1)
    running.advance_to(25.0)
    frames(window)
    assert window.inspecting.moment.cut.number == 1
    assert not inspector.follow.isChecked()


def test_limits_are_set_in_the_panel_hold_everywhere_and_are_kept(
    opened: MainWindow, services: FakeServices
) -> None:
    panel = opened.parts.interruptions
    panel.select(1)
    assert shown(panel)[0] == "late"
    panel.limits.boxes["mouth_to_silence_ms"].setValue(700)
    assert shown(panel)[0] == "barge-in"
    assert opened.parts.inspector.title.text() == "#1  barge-in"
    assert opened.parts.timeline.scene.marks[0].kind == "barge-in"
    assert services.settings.screen["limits"]["mouth_to_silence_ms"] == 700
    opened.parts.turns.limit_changed.emit(900.0)
    assert opened.limits.limits.response_latency_ms == 900
    assert panel.limits.boxes["mouth_to_silence_ms"].value() == 700


def test_another_recording_begins_with_an_empty_inspector(opened: MainWindow) -> None:
    opened.parts.interruptions.select(1)
    opened._view(opened.viewing.viewed)
    assert opened.inspecting.moment is None
    frames(opened)
    assert opened.parts.interruptions.table.selectionModel().selectedRows() == []
