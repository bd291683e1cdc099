"""The pictures of one interruption: what they cost does not depend on how long it was."""

from __future__ import annotations

from time import thread_time

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from app.analysis.chain import parts_of
from app.analysis.turn_records import Interruption, Overlap
from tests.ui.conftest import bury
from ui.inspection.close_up import CloseUp
from ui.inspection.moments import Moment
from ui.inspection.waterfall import ROW, Waterfall, step_of
from ui.lanes.scene import Scene
from ui.parts.theme import Theme

WEEKS_S = 5e6


def test_a_step_of_the_scale_is_a_round_number() -> None:
    assert [step_of(ms) for ms in (0.2, 1, 3, 20, 21, 7_000, 123_456)] == [
        *(1, 1, 5, 20, 50, 10_000, 200_000)
    ]


def test_the_arrows_choose_a_part_whose_definition_can_be_read_and_heard(theme: Theme) -> None:
    waterfall = Waterfall(theme)
    waterfall.show()
    cut = Interruption(1, 10.0, "agent", silent_at=10.4, user_onset=9.0, told_at=9.9)
    parts = parts_of(cut)
    waterfall.show_parts(parts)
    longest = max((part for part in parts if part.ms is not None), key=lambda part: part.ms)
    assert waterfall.told.startswith(f"{longest.name}, ")
    QTest.keyClick(waterfall, Qt.Key.Key_Home)
    for part in parts:
        assert waterfall.told.endswith(part.definition)
        assert part.definition in waterfall.accessibleName()
        QTest.keyClick(waterfall, Qt.Key.Key_Down)
    assert waterfall.told.endswith(parts[-1].definition)
    QTest.mouseClick(waterfall, Qt.MouseButton.LeftButton, pos=QPoint(60, ROW + ROW // 2))
    assert waterfall.told.endswith(parts[1].definition)
    waterfall.deleteLater()
    bury()


def test_a_silence_that_came_weeks_later_is_drawn_at_once(theme: Theme) -> None:
    waterfall = Waterfall(theme)
    waterfall.resize(300, waterfall.sizeHint().height())
    cut = Interruption(1, 10.0, "agent", silent_at=WEEKS_S, user_onset=9.0, told_at=9.9)
    waterfall.show_parts(parts_of(cut))
    began = thread_time()
    waterfall.grab()
    assert thread_time() - began < 0.3
    waterfall.deleteLater()
    bury()


@pytest.mark.parametrize("length_s", [3600.0, WEEKS_S])
def test_an_overlap_of_hours_is_drawn_at_once(theme: Theme, length_s: float) -> None:
    close_up = CloseUp(theme)
    close_up.resize(300, close_up.sizeHint().height())
    overlap = Overlap(10.0, 10.0 + length_s, 10.0, 10.0 + length_s, "missed")
    close_up.show_moment(Moment(overlap, "missed"), Scene())
    began = thread_time()
    close_up.grab()
    assert thread_time() - began < 0.3
    close_up.deleteLater()
    bury()
