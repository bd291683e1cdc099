"""The table of interruptions: order, classes, colours, sorting, filter, choice, copying."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from app.analysis.limits import Limits
from tests.ui.conftest import bury, wait_until
from tests.ui.moment_records import (
    BUTTON,
    CLAIMED,
    CUTS,
    FALSE,
    KINDS,
    LATE,
    MISSED,
    OVERLAPS,
    SHORT,
    shown,
)
from ui.feed import mark_of
from ui.inspection.interruption_panel import ALL, ALL_TROUBLE, InterruptionPanel
from ui.inspection.moments import (
    Moment,
    discarded_text,
    moments_of,
)
from ui.lanes.lane_bands import texts_of
from ui.parts.theme import LIGHT, Theme

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def panel(theme: Theme) -> Iterator[InterruptionPanel]:
    made = InterruptionPanel(theme)
    made.resize(1000, 300)
    made.show()
    made.show_interruptions(CUTS, OVERLAPS)
    yield made
    made.deleteLater()
    bury()


def chosen(panel: InterruptionPanel) -> list[Moment]:
    told: list[Moment] = []
    panel.moment_chosen.connect(told.append)
    return told


def choose_kind(panel: InterruptionPanel, kind: str) -> None:
    panel.kind.setCurrentIndex(panel.kind.findData(kind))


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
