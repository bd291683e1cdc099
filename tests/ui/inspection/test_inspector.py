"""Interruptions in the window: the table with its filter, the lanes, the inspector, listening."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QTabBar

from app.analysis.limits import Limits
from app.analysis.turn_records import Interruption, Overlap, Sound
from app.playing.gone_on import Continuation
from tests.ui.bundles import write_bundle
from tests.ui.conftest import bury, frames, wait_until
from tests.ui.fakes import FakeServices
from tests.ui.synthetic import RATE, SyntheticSession
from ui.feed import mark_of
from ui.inspection.inspector import Inspector
from ui.inspection.interruption_panel import ALL, ALL_TROUBLE, InterruptionPanel
from ui.inspection.moments import (
    Moment,
    as_json,
    as_text,
    discarded_text,
    heard_up_to,
    moments_of,
    sound_text,
)
from ui.lanes.lane_bands import texts_of
from ui.main_window import MainWindow
from ui.parts.keyboard import is_seen
from ui.parts.theme import LIGHT, Theme
from ui.services import PlayWish

LEFT = Qt.MouseButton.LeftButton
LATE = Interruption(
    1,
    5.6,
    "agent",
    kind="barge-in",
    discarded_ms=3000.0,
    silent_at=5.64,
    time_to_silence_ms=40.0,
    user_onset=5.0,
    chunk_ended_at=5.25,
    chunk_sent_at=5.26,
    told_at=5.59,
    mouth_to_silence_ms=640.0,
    heard_text="Let me tell you about the wea",
    unheard_text="ther of the week",
    agent_next_at=8.4,
)
FALSE = Interruption(
    2,
    12.0,
    "agent",
    kind="false",
    silent_at=12.2,
    time_to_silence_ms=200.0,
    sound=Sound("echo", 11.0, 12.0, -24.0, -60.0, 0.0, 0.93, 142.0, -31.0),
)
BUTTON = Interruption(3, 20.0, "button", kind="button", was_silent=True)
MISSED = Overlap(9.0, 10.6, 9.0, 10.7, "missed")
SHORT = Overlap(15.0, 15.3, 15.0, 15.3, "backchannel")
CLAIMED = Overlap(5.0, 5.64, 5.0, 7.0, None, 1)
CUTS, OVERLAPS = [LATE, FALSE, BUTTON], [CLAIMED, MISSED, SHORT]
KINDS = ["late", "missed", "false", "backchannel", "button"]


@pytest.fixture
def panel(theme: Theme) -> Iterator[InterruptionPanel]:
    made = InterruptionPanel(theme)
    made.resize(1000, 300)
    made.show()
    made.show_interruptions(CUTS, OVERLAPS)
    yield made
    made.deleteLater()
    bury()


def shown(panel: InterruptionPanel, column: int = 2) -> list[str]:
    rows = panel.rows
    return [rows.data(rows.index(row, column)) for row in range(rows.rowCount())]


def chosen(panel: InterruptionPanel) -> list[Moment]:
    told: list[Moment] = []
    panel.moment_chosen.connect(told.append)
    return told


def choose_kind(panel: InterruptionPanel, kind: str) -> None:
    panel.kind.setCurrentIndex(panel.kind.findData(kind))


# -- the table -------------------------------------------------------------------------------------


def test_interruptions_and_overlaps_stand_in_order_of_time_with_their_class(
    panel: InterruptionPanel,
) -> None:
    assert shown(panel) == KINDS
    assert shown(panel, 0) == ["1", "", "2", "", "3"]
    assert shown(panel, 4) == ["640 ms", "", "–", "", "–"]
    assert shown(panel, 7)[1] == "both spoke for 1.6 s"


def test_of_a_late_one_lanes_and_summary_tell_from_mouth_to_silence(
    panel: InterruptionPanel,
) -> None:
    late, button = (
        mark_of(LATE),
        mark_of(replace(BUTTON, was_silent=False, time_to_silence_ms=27.0)),
    )
    assert texts_of(late)[:2] == ("#1 late, 640 ms from mouth to silence", "#1 late, 640 ms")
    assert texts_of(mark_of(FALSE))[:2] == ("#2 false, silent in 200 ms", "#2 false, 200 ms")
    assert texts_of(button)[:2] == ("#3 silent in 27 ms", "#3 27 ms")
    assert texts_of(mark_of(LATE, Limits(mouth_to_silence_ms=700)))[0] == "#1 silent in 40 ms"
    panel.show_interruptions([LATE, FALSE])
    shown = [label.text() for label in panel.title_widgets() if isinstance(label, QLabel)]
    mouth = "mouth to silence p50 640, p95 640 ms of 1"
    assert shown == [f"{mouth} · time to silence p50 120, p95 192 ms of 2"]


def test_audio_that_came_after_the_interrupt_is_told_apart_from_the_queue() -> None:
    discarded = [
        discarded_text(moment)
        for moment in moments_of([LATE, replace(LATE, held_back_ms=12_400.0)], [], Limits())
    ]
    assert discarded == ["3000 ms", "3000 + 12400 ms"]


def test_figures_over_a_limit_and_wrong_classes_are_coloured(panel: InterruptionPanel) -> None:
    def colour(row: int, column: int) -> str | None:
        found = panel.rows.data(panel.rows.index(row, column), Qt.ItemDataRole.ForegroundRole)
        return None if found is None else found.name()

    assert colour(0, 4) == LIGHT.warning
    assert colour(0, 5) is None
    assert colour(2, 5) == LIGHT.warning
    assert [colour(row, 2) for row in range(5)] == [LIGHT.interruption] * 3 + [None] * 2
    panel.set_limits(Limits(mouth_to_silence_ms=700, time_to_silence_ms=250, missed_s=2.0))
    assert shown(panel) == ["barge-in", "backchannel", "false", "backchannel", "button"]
    assert colour(0, 4) is None
    assert colour(2, 5) is None


def test_rows_are_sorted_by_any_column_and_what_is_not_known_stands_last(
    panel: InterruptionPanel,
) -> None:
    header = panel.table.horizontalHeader()
    for order, expected in (
        (Qt.SortOrder.DescendingOrder, ["200 ms", "40 ms"]),
        (Qt.SortOrder.AscendingOrder, ["40 ms", "200 ms"]),
    ):
        header.setSortIndicator(5, order)
        assert shown(panel, 5)[:2] == expected
        assert sorted(shown(panel, 5)[2:]) == ["", "", "already silent"]
    header.setSortIndicator(2, Qt.SortOrder.AscendingOrder)
    assert shown(panel) == sorted(KINDS)


def test_rows_are_filtered_by_class_and_by_text(panel: InterruptionPanel) -> None:
    choose_kind(panel, ALL_TROUBLE)
    assert shown(panel) == ["late", "missed", "false"]
    choose_kind(panel, "false")
    assert shown(panel) == ["false"]
    choose_kind(panel, ALL)
    panel.text.setText("OF THE WEEK")
    assert shown(panel) == ["late"]
    panel.text.setText("nothing like it")
    assert shown(panel) == []
    assert "(5)" in panel.kind.itemText(0)
    panel.show_interruptions([*CUTS, replace(LATE, number=4, at=30.0)], OVERLAPS)
    panel.text.clear()
    assert "(6)" in panel.kind.itemText(0)


def test_a_click_and_enter_choose_and_the_choice_outlives_what_is_found_out(
    panel: InterruptionPanel,
) -> None:
    told = chosen(panel)
    table = panel.table
    place = table.visualRect(panel.rows.index(2, 1)).center()
    QTest.mouseClick(table.viewport(), LEFT, pos=place)
    assert told[-1].record is FALSE
    table.setFocus()
    QTest.keyClick(table, Qt.Key.Key_Down)
    QTest.keyClick(table, Qt.Key.Key_Return)
    assert told[-1].record is SHORT
    count = len(told)
    claimed = replace(MISSED, interruption=2, kind=None)
    panel.show_interruptions(CUTS, [CLAIMED, claimed, SHORT])
    assert shown(panel) == ["late", "false", "backchannel", "button"]
    assert [index.row() for index in table.selectionModel().selectedRows()] == [2]
    assert len(told) == count


def test_keys_step_through_the_rows_that_are_shown(panel: InterruptionPanel) -> None:
    told = chosen(panel)
    choose_kind(panel, ALL_TROUBLE)
    for steps in (1, 1, 1, 1, -1):
        panel.step(steps)
    assert [moment.kind for moment in told] == ["late", "missed", "false", "false", "missed"]
    panel.mark(None)
    panel.step(-1)
    assert told[-1].kind == "false"


def test_a_row_is_copied(panel: InterruptionPanel) -> None:
    panel.activateWindow()
    panel.table.setFocus()
    panel.table.selectRow(0)
    wait_until(panel.isActiveWindow)
    QTest.keyClick(panel.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert "mic chunk: 250 ms" in QGuiApplication.clipboard().text()


# -- words -----------------------------------------------------------------------------------------


def test_a_word_that_was_cut_is_shown_cut_wherever_it_stands() -> None:
    in_heard = replace(LATE, heard_text="about the weather", unheard_text="of", cut_word="weather")
    in_unheard = replace(
        LATE, heard_text="about the", unheard_text="weather of", cut_word="weather"
    )
    assert heard_up_to(in_heard) == heard_up_to(in_unheard) == "“about the weather—”"
    assert heard_up_to(replace(LATE, heard_text="")) == "–"


def test_what_the_microphone_held_is_told_in_plain_words() -> None:
    assert "heard itself" in sound_text(FALSE.sound)
    assert "142 ms late at −31 dB" in sound_text(FALSE.sound)
    burst = Sound("burst", 11.0, 12.0, -12.0, -55.0, 180.0)
    assert "burst of 180 ms, up to −12 dBFS" in sound_text(burst)
    assert "silence" in sound_text(Sound("silence", 11.0, 12.0, -70.0, -72.0))
    assert "noise" in sound_text(Sound("noise", 11.0, 12.0, -20.0, -25.0))
    assert not sound_text(None)


def test_a_record_is_copied_as_text_and_as_json() -> None:
    late, missed = (moments_of(CUTS, OVERLAPS, Limits())[n] for n in (0, 1))
    text = as_text(late)
    for line in ("Interruption #1", "late", "Mouth to silence: 640 ms", "  agent: 330 ms"):
        assert line in text
    facts = json.loads(as_json(late))
    assert facts["class"] == "late"
    assert facts["parts_ms"]["playout"] == pytest.approx(40.0)
    assert facts["number"] == 1
    assert json.loads(as_json(missed))["onset"] == 9.0
    assert as_text(missed).startswith("missed at 00:00:09.000: both spoke for 1.6 s")


# -- the inspector ---------------------------------------------------------------------------------


@pytest.fixture
def inspector(theme: Theme) -> Iterator[Inspector]:
    from ui.parts.icons import Icons

    made = Inspector(theme, Icons(theme))
    made.resize(352, 480)
    made.show()
    yield made
    made.deleteLater()
    bury()


def show(inspector: Inspector, record: Interruption | Overlap) -> Inspector:
    from ui.lanes.scene import Scene

    found = moments_of([record], [], Limits()) if isinstance(record, Interruption) else []
    inspector.show_moment((found or moments_of([], [record], Limits()))[0], Scene())
    QApplication.processEvents()
    return inspector


def test_the_chain_is_a_waterfall_to_scale(inspector: Inspector) -> None:
    waterfall = show(inspector, LATE).waterfall
    bars = [waterfall.bar_of(part) for part in waterfall._parts]
    chunk, _, agent, _, playout, pause = bars
    assert chunk.width() / agent.width() == pytest.approx(250 / 330, abs=0.03)
    assert playout.width() / chunk.width() == pytest.approx(40 / 250, abs=0.04)
    for before, after in pairwise(bars[:5]):
        assert abs(before.right() + 1 - after.left()) <= 2
        assert after.top() > before.top()
    assert pause.right() < waterfall.width()
    assert waterfall.tip_at(agent.center().y()).startswith("agent: 330 ms\n")
    assert "playout 40 ms" in waterfall.accessibleDescription()
    assert inspector.figures[0].value.text() == "640 ms"
    assert inspector.title.text() == "#1  late"


def test_what_is_not_known_has_no_bar_and_a_dash(inspector: Inspector) -> None:
    waterfall = show(inspector, FALSE).waterfall
    assert [waterfall.bar_of(part) is None for part in waterfall._parts] == [True] * 4 + [
        False,
        True,
    ]
    assert "mic chunk –" in waterfall.accessibleDescription()
    assert inspector.figures[0].value.text() == "–"
    assert "142 ms late" in inspector.words.toPlainText()


def test_words_are_marked_and_never_markup(inspector: Inspector) -> None:
    cut = replace(
        LATE,
        heard_text="It is <b>mild</b> in",
        unheard_text="the <i>west</i>",
        cut_word="in",
        corrected_text="It is <b>mild</b>",
    )
    words = show(inspector, cut).words
    assert "Heard: It is <b>mild</b> in— the <i>west</i>" in words.toPlainText()
    assert "1 word fewer than were heard" in words.toPlainText()
    assert is_struck(inspector, "west")
    assert not is_struck(inspector, "mild")
    show(inspector, replace(cut, corrected_text="It is <b>mild</b> in."))
    assert "agrees with what was heard" in words.toPlainText()


def is_struck(inspector: Inspector, text: str) -> bool:
    cursor = inspector.words.document().find(text)
    return bool(cursor.charFormat().fontStrikeOut())


def test_an_overlap_has_no_chain_and_says_what_it_is(inspector: Inspector) -> None:
    show(inspector, MISSED)
    assert not inspector.waterfall.isVisible()
    assert inspector.title.text() == "Missed"
    assert "no interrupt followed" in inspector.words.toPlainText()


def test_an_empty_inspector_says_what_will_appear(inspector: Inspector) -> None:
    assert not inspector.heard.isVisible()
    assert not inspector.copy.isEnabled()
    show(inspector, LATE)
    assert inspector.heard.isVisible()


# -- in the window ---------------------------------------------------------------------------------


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
