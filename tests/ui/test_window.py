"""The window as a person uses it: buttons, keys, states, and the end of it."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.analysis import turns
from app.live.session import State
from tests.ui.conftest import Until, close_for_good, frames
from tests.ui.fakes import FakeServices
from tests.ui.synthetic import SyntheticSession
from ui.main_window import MainWindow
from ui.parts.theme import LIGHT, Theme


def click(widget: QWidget) -> None:
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


def press(window: MainWindow, key: Qt.Key, *modifiers: Qt.KeyboardModifier) -> None:
    held = Qt.KeyboardModifier.NoModifier
    for each in modifiers:
        held |= each
    QTest.keyClick(window, key, held)


# -- start, end, interrupt, mute ---------------------------------------------------------------


def test_start_and_end_by_the_button(
    window: MainWindow, services: FakeServices, until: Until
) -> None:
    bar = window.parts.transport
    assert bar.start_end.text() == "Start"
    click(bar.start_end)
    assert bar.state.word == "connecting"
    until(lambda: bar.state.word == "listening")
    assert bar.start_end.text() == "End"
    click(bar.start_end)
    until(lambda: bar.state.word == "ended")
    assert services.sessions[0].calls == ["start", "end"]
    assert bar.start_end.text() == "Start"


def test_start_end_interrupt_and_mute_by_keys(
    window: MainWindow, services: FakeServices, until: Until
) -> None:
    window.activateWindow()
    press(window, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    until(lambda: services.sessions and window.desk.state == "running")
    window.frame_clock.tick()
    press(window, Qt.Key.Key_Escape)
    press(window, Qt.Key.Key_M)
    window.frame_clock.tick()
    press(window, Qt.Key.Key_M)
    press(window, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    calls = services.sessions[0].calls
    assert calls == ["start", "interrupt", ("muted", True), ("muted", False), "end"]


def test_interrupt_and_mute_by_buttons(window: MainWindow, running: SyntheticSession) -> None:
    bar = window.parts.transport
    click(bar.interrupt)
    click(bar.mute)
    frames(window, 1)
    assert running.calls[1:] == ["interrupt", ("muted", True)]
    assert bar.mute.isChecked()
    assert bar.mute.text() == "Muted"


def test_interrupt_and_mute_do_nothing_while_no_session_runs(window: MainWindow) -> None:
    bar = window.parts.transport
    assert not bar.interrupt.isEnabled()
    assert not bar.mute.isEnabled()
    assert not window.menu.interrupt.isEnabled()


def test_the_letter_m_in_the_text_field_is_a_letter(
    window: MainWindow, running: SyntheticSession
) -> None:
    field = window.parts.transcript.field
    window.activateWindow()
    field.setFocus()
    QTest.keyClicks(field, "mm f")
    assert field.text() == "mm f"
    assert not running.muted


def test_a_typed_message_goes_to_the_agent(window: MainWindow, running: SyntheticSession) -> None:
    field = window.parts.transcript.field
    QTest.keyClicks(field, "What time is it?")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert running.calls[-1] == ("text", "What time is it?")
    assert field.text() == ""


def test_ending_while_a_session_is_being_made_begins_none(
    window: MainWindow, services: FakeServices, until: Until
) -> None:
    window.start()
    window.desk.end()
    assert window.desk.state == "idle"
    until(lambda: services.sessions)
    until(lambda: "close" in services.sessions[0].calls)
    assert "start" not in services.sessions[0].calls
    assert window.desk.state == "idle"


def test_state_and_clock_are_those_of_the_session(
    window: MainWindow, running: SyntheticSession
) -> None:
    running.advance_to(2.0)
    frames(window, 1)
    assert window.parts.transport.state.word == "agent speaking"
    running.advance_to(13.9)
    frames(window, 1)
    assert window.parts.transport.state.word == "listening"
    assert window.parts.transport.clock.text() == "00:00:13"
    running.become(State.FAILED, "The server closed the connection.")
    frames(window, 1)
    assert window.parts.transport.state.word == "failed"
    frames(window, 5)
    assert window.parts.transport.clock.text() == "00:00:13"


# -- what is drawn -----------------------------------------------------------------------------


def columns_of(image: QImage, colour: str) -> list[int]:
    words = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.width())
    wanted = int("ff" + colour[1:], 16)
    counts = np.count_nonzero(words == wanted, axis=0)
    return np.flatnonzero(counts > image.height() * 0.6).tolist()


def colours_of(image: QImage) -> set[str]:
    places = ((x, y) for x in range(image.width()) for y in range(image.height()))
    return {image.pixelColor(x, y).name() for x, y in places}


def picture_of(widget: QWidget) -> QImage:
    return widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)


def test_an_interruption_appears_in_the_table_and_in_the_lanes(
    window: MainWindow, running: SyntheticSession
) -> None:
    assert columns_of(picture_of(window.parts.timeline.lanes), LIGHT.interruption) == []
    running.advance_to(8.0)
    frames(window)
    model = window.parts.interruptions.model
    texts = [model.data(model.index(0, column)) for column in range(model.columnCount())]
    assert texts[0] == "1"
    assert texts[1] == "00:00:05.610"
    assert texts[2:4] == ["late", "agent's server"]
    assert texts[4:7] == ["641 ms", "31 ms", "3159 ms"]
    assert texts[7].endswith("the week, which is <b>mild</b>—”")
    assert "mostly" not in texts[7]
    lanes = window.parts.timeline.lanes
    expected = lanes.x_of(5.61)
    found = columns_of(picture_of(lanes), LIGHT.interruption)
    assert found
    assert all(abs(x - expected) <= 2 for x in found)


def test_queued_audio_is_drawn_ahead_of_now_and_an_interrupt_turns_it_into_a_ghost(
    window: MainWindow, running: SyntheticSession
) -> None:
    scene = window.parts.timeline.scene
    running.advance_to(4.0)
    frames(window)
    frames(window)
    scene = window.parts.timeline.scene
    assert scene.queued[-1].ends_at == pytest.approx(8.8, abs=0.05)
    lanes = window.parts.timeline.lanes
    ahead = picture_of(lanes).copy(round(lanes.x_of(4.2)), 0, 100, lanes.height())
    assert LIGHT.agent in colours_of(ahead)
    assert not scene.discarded
    running.advance_to(6.5)
    frames(window)
    assert not scene.queued
    assert scene.discarded[0].at == pytest.approx(5.641, abs=0.01)
    assert scene.discarded[0].ends_at == pytest.approx(8.8, abs=0.05)


def test_the_end_of_the_callers_file_is_told_once(
    window: MainWindow, running: SyntheticSession
) -> None:
    def told() -> int:
        return sum("caller's file has ended" in x.sentence for x in window.parts.notices.lines)

    running.advance_to(1.0)
    frames(window)
    assert told() == 0
    running.input_has_ended = True
    frames(window)
    assert told() == 1
    window.parts.notices.clear()
    frames(window)
    assert told() == 0


def test_what_of_a_session_is_not_analysed_is_told_once(
    window: MainWindow, services: FakeServices, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told() -> int:
        return sum("is not analysed" in line.sentence for line in window.parts.notices.lines)

    monkeypatch.setattr(turns, "MOST", 1)
    window.start()
    until(lambda: services.sessions and window.desk.state == "running")
    services.sessions[0].advance_to(2.0)
    frames(window)
    assert told() == 0
    services.sessions[0].advance_to(30.0)
    frames(window)
    assert told() == 1
    window.parts.notices.clear()
    frames(window)
    assert told() == 0


def test_choosing_an_interruption_shows_it(window: MainWindow, running: SyntheticSession) -> None:
    running.advance_to(27.0)
    frames(window)
    panel, timeline = window.parts.interruptions, window.parts.timeline
    panel.table.clicked.emit(panel.model.index(0, 0))
    assert timeline.axis.start_s < 5.61 < timeline.axis.stop_s
    assert timeline.axis.span_s == pytest.approx(2.5)
    assert not timeline.follow_button.isChecked()
    timeline.follow_button.click()
    frames(window, 1)
    assert timeline.axis.start_s < 27.0 < timeline.axis.stop_s


def test_tab_goes_through_the_players_controls_before_the_lanes_below_them(
    window: MainWindow,
) -> None:
    timeline, player = window.parts.timeline, window.parts.player
    order, at = [], timeline.follow_button.nextInFocusChain()
    while at is not timeline.lanes:
        order.append(at)
        at = at.nextInFocusChain()
    tabs = [w for w in order if w.focusPolicy() & Qt.FocusPolicy.TabFocus]
    assert tabs
    assert all(player.isAncestorOf(each) for each in tabs)
    places = [each.mapTo(window, QPoint()).x() for each in tabs if each.isVisible()]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("digit", "panel", "field"),
    [
        (Qt.Key.Key_2, "interruptions", "text"),
        (Qt.Key.Key_4, "events", "text"),
        (Qt.Key.Key_8, "library", "search"),
    ],
)
def test_ctrl_f_leads_from_a_table_into_its_filter(
    window: MainWindow, until: Until, digit: Qt.Key, panel: str, field: str
) -> None:
    window.activateWindow()
    press(window, digit, Qt.KeyboardModifier.ControlModifier)
    of = getattr(window.parts, panel)
    until(of.table.hasFocus)
    QTest.keyClick(of.table, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    until(getattr(of, field).hasFocus)
    assert window.focusWidget() is getattr(of, field)


def test_the_timeline_obeys_wheel_drag_and_keys(
    window: MainWindow, running: SyntheticSession
) -> None:
    running.advance_to(27.0)
    frames(window)
    timeline = window.parts.timeline
    lanes, axis = timeline.lanes, timeline.axis
    QTest.mousePress(lanes, Qt.MouseButton.MiddleButton, pos=QPoint(300, 100))
    QTest.mouseMove(lanes, QPoint(400, 100))
    QTest.mouseRelease(lanes, Qt.MouseButton.MiddleButton, pos=QPoint(400, 100))
    assert axis.start_s == pytest.approx(27 - 0.8 * 20 - 100 * axis.seconds_per_column, abs=0.05)
    QTest.keyClick(lanes, Qt.Key.Key_Home)
    assert axis.start_s == 0.0
    QTest.keyClick(lanes, Qt.Key.Key_Plus)
    assert axis.span_s == pytest.approx(20 / 1.5)
    QTest.keyClick(lanes, Qt.Key.Key_End)
    assert axis.stop_s == pytest.approx(27.0, abs=0.05)
    press(window, Qt.Key.Key_F)
    assert axis.start_s == 0.0
    assert axis.stop_s >= 27.0


def test_the_lanes_with_the_keyboard_look_the_same_but_for_a_frame(
    window: MainWindow, running: SyntheticSession
) -> None:
    running.advance_to(9.0)
    frames(window)
    lanes = window.parts.timeline.lanes
    window.activateWindow()
    window.parts.transport.start_end.setFocus()
    without = picture_of(lanes)
    lanes.setFocus(Qt.FocusReason.TabFocusReason)
    inside = lanes.rect().adjusted(1, 1, -1, -1)
    assert picture_of(lanes) != without
    assert picture_of(lanes).copy(inside) == without.copy(inside)


def test_every_frame_is_recorded(window: MainWindow, running: SyntheticSession) -> None:
    window.frame_clock.forget()
    frames(window, 50)
    durations = window.frame_clock.durations_ms()
    assert len(durations) >= 50
    assert (durations > 0).all()


def test_a_quiet_window_draws_nothing(
    window: MainWindow, running: SyntheticSession, until: Until
) -> None:
    running.end()
    until(lambda: not window.frame_clock.running)
    assert window.parts.transport.state.word == "ended"


# -- the end -----------------------------------------------------------------------------------


def test_closing_in_the_middle_ends_the_session_properly(
    services: FakeServices, theme: Theme, until: Until
) -> None:
    window = MainWindow(services, theme)
    window.show()
    window.start()
    until(lambda: services.sessions and window.desk.state == "running")
    session = services.sessions[0]
    session.ends_at_once = False
    gone: list[bool] = []
    window.closed.connect(lambda: gone.append(True))
    window.close()
    assert not window.isVisible()
    assert session.calls[-1] == "end"
    QApplication.processEvents()
    assert not gone
    session.become(State.ENDED)
    until(lambda: gone)
    window.deleteLater()


def test_closing_does_not_wait_for_ever(
    services: FakeServices, theme: Theme, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = MainWindow(services, theme)
    window.show()
    window.start()
    until(lambda: services.sessions and window.desk.state == "running")
    services.sessions[0].ends_at_once = False
    monkeypatch.setattr(type(window.desk), "CLOSE_WITHIN_MS", 50)
    close_for_good(window, until)
    assert "end" in services.sessions[0].calls
    assert services.sessions[0].state == "ending", "it has not been waited for"


def test_a_slot_that_raises_is_a_notice_and_not_the_end(
    window: MainWindow, running: SyntheticSession, until: Until, error_log: list[str]
) -> None:
    from ui.exception_hooks import ExceptionHooks

    hooks = ExceptionHooks(window.show_error)
    try:
        running.interrupt = lambda: 1 / 0
        click(window.parts.transport.interrupt)
        until(lambda: window.parts.notices.lines)
    finally:
        hooks.remove()
        hooks.deleteLater()
    assert "ZeroDivisionError" in window.parts.notices.lines[0].sentence
    assert any("ZeroDivisionError" in line or "Uncaught" in line for line in error_log)
    error_log.clear()
    frames(window, 1)
    assert window.parts.transport.state.word == "listening"


def test_a_layout_kept_while_something_was_told_leaves_no_empty_row(window: MainWindow) -> None:
    notices = window.parts.notices
    notices.add("info", "Told, and dismissed since.")
    state = window.parts.state()
    notices.clear()
    window.parts.restore(state)
    QApplication.processEvents()
    assert not notices.isVisible()
