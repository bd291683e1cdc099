"""Findings of what is viewed: worst first, a click goes there, looking costs next to nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from time import thread_time

import pytest
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtTest import QTest

from app.analysis import findings
from app.analysis.limits import Limits
from app.analysis.turn_records import Interruption, Response, Sound
from app.recordings.turns_found import TurnsFound
from tests.ui.conftest import bury, frames, wait_until
from tests.ui.synthetic import SyntheticSession
from ui.main_window import MainWindow
from ui.panels.findings_panel import EMPTY, FindingsPanel
from ui.parts.theme import Theme

ECHO = Sound("echo", 0.0, 1.0, -14.0, -52.0, echo_delay_ms=140.0, echo_db=-31.0)


@pytest.fixture
def panel(theme: Theme) -> Iterator[FindingsPanel]:
    made = FindingsPanel()
    made.resize(900, 220)
    made.show()
    QCoreApplication.processEvents()
    yield made
    made.deleteLater()
    bury()


def view_of(*extra: Interruption) -> TurnsFound:
    """Three interruptions by echo, at 10, 20 and 30 s, and a slow response."""
    cuts = [Interruption(n, 10.0 * n, "agent", kind="false", sound=ECHO) for n in (1, 2, 3)]
    slow = Response(50.0, 47.0, 49.5, 49.8, 3000.0)
    return TurnsFound(interruptions=[*cuts, *extra], responses=[slow])


def ids(panel: FindingsPanel) -> list[str]:
    return [panel.model.record(row).id for row in range(panel.model.rowCount())]


def cell(panel: FindingsPanel, row: int, column: int) -> str:
    return panel.model.data(panel.model.index(row, column))


def test_findings_stand_worst_first_with_advice_and_a_click_goes_there(
    panel: FindingsPanel,
) -> None:
    panel.show_turns(view_of())
    assert ids(panel) == ["false-echo", "slow-responses"]
    assert cell(panel, 0, 0).startswith("All 3 interruptions were the agent hearing itself")
    assert cell(panel, 0, 1) == "3"
    assert "echo cancelling" in cell(panel, 0, 2)
    went: list[float] = []
    panel.moment_chosen.connect(went.append)
    viewport = panel.table.viewport()
    middle = panel.table.visualRect(panel.model.index(1, 0)).center()
    QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=middle)
    assert went == [50.0]
    assert [panel.times.record(row) for row in range(panel.times.rowCount())] == [50.0]
    panel.table.selectRow(0)
    third = panel.moments.visualRect(panel.times.index(2, 0)).center()
    QTest.mouseClick(panel.moments.viewport(), Qt.MouseButton.LeftButton, pos=third)
    assert went == [50.0, 30.0]


def test_the_keyboard_goes_to_a_moment(panel: FindingsPanel) -> None:
    went: list[float] = []
    panel.moment_chosen.connect(went.append)
    panel.show_turns(view_of())
    panel.activateWindow()
    panel.table.setFocus()
    QTest.keyClick(panel.table, Qt.Key.Key_Down)
    QTest.keyClick(panel.table, Qt.Key.Key_Tab)
    panel.moments.setCurrentIndex(panel.times.index(0, 0))
    QTest.keyClick(panel.moments, Qt.Key.Key_Return)
    assert went == [10.0]


def test_an_empty_panel_says_what_will_appear_and_a_good_session_what_was_judged(
    panel: FindingsPanel,
) -> None:
    shown: list[str] = []
    panel.table.set_empty_text = shown.append  # what the table would draw
    panel.show_turns(None)
    assert shown == [EMPTY]
    good = TurnsFound(responses=[Response(2.0, 1.0, 1.4, 1.8, 1000.0)])
    panel.show_turns(good)
    assert shown[-1] == "Nothing stands out in 1 response: what was measured is within the limits."
    assert ids(panel) == []


def test_what_runs_is_looked_at_once_a_second_and_only_in_sight(
    panel: FindingsPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[object] = []
    find = findings.find

    def counting(view: TurnsFound, limits: Limits) -> list[object]:
        looked.append(view)
        return find(view, limits)

    monkeypatch.setattr(findings, "find", counting)
    view = view_of()
    panel._timer.setInterval(50)
    for _ in range(20):
        panel.show_turns(view)
    assert len(looked) == 1
    wait_until(lambda: len(looked) == 2)
    panel.hide()
    panel.show_turns(view)
    wait_until(lambda: not panel._timer.isActive())
    panel.show_turns(view)
    assert len(looked) == 2
    panel.show()
    assert len(looked) == 3


def test_the_chosen_finding_stays_chosen_when_a_worse_one_comes(panel: FindingsPanel) -> None:
    panel.show_turns(TurnsFound(responses=view_of().responses))
    panel.table.selectRow(0)
    panel.show_turns(view_of())
    assert ids(panel) == ["false-echo", "slow-responses"]
    assert panel.table.currentIndex().row() == 1
    assert [panel.times.record(row) for row in range(panel.times.rowCount())] == [50.0]


def test_other_limits_give_other_findings(panel: FindingsPanel) -> None:
    panel.show_turns(view_of())
    panel.set_limits(Limits(response_latency_ms=4000.0))
    assert ids(panel) == ["false-echo"]


def test_a_session_that_runs_fills_the_panel_and_a_click_shows_the_moment(
    window: MainWindow, running: SyntheticSession
) -> None:
    panel = window.parts.findings
    dock = next(each for each in window.parts.docks if each.objectName() == "findings")
    window.parts.bring(dock)
    running.advance_to(13.0)
    frames(window)
    wait_until(panel.model.rowCount)
    row = next(n for n, name in enumerate(ids(panel)) if name == "late")
    moment = panel.model.record(row).moments[0]
    panel.table.clicked.emit(panel.model.index(row, 0))
    axis = window.parts.timeline.axis
    assert axis.start_s <= moment <= axis.stop_s
    assert not axis.following


def test_five_hundred_interruptions_open_at_once(panel: FindingsPanel) -> None:
    cuts = [replace(view_of().interruptions[0], number=n, at=n * 5.0) for n in range(1, 501)]
    began = thread_time()
    panel.show_turns(TurnsFound(interruptions=cuts))
    QCoreApplication.processEvents()
    assert thread_time() - began < 0.3
    assert panel.times.rowCount() == 500
