"""The window worked by keys alone."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QKeyCombination, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget

from app.live.session import State
from tests.ui.conftest import Until, frames
from tests.ui.fakes import FakeServices
from tests.ui.synthetic import SyntheticSession
from ui.main_window import MainWindow
from ui.parts.keyboard import is_seen


def focus() -> QWidget | None:
    return QApplication.focusWidget()


def round_of_tab(window: MainWindow, backwards: bool = False) -> list[QWidget]:
    """Every widget that Tab reaches, in order, until the first comes again."""
    window.activateWindow()
    window.parts.transport.start_end.setFocus()
    met: list[QWidget] = []
    modifier = Qt.KeyboardModifier.ShiftModifier if backwards else Qt.KeyboardModifier.NoModifier
    while len(met) < 100:
        QTest.keyClick(focus() or window, Qt.Key.Key_Tab, modifier)
        here = focus()
        assert here is not None
        if met and here is met[0]:
            break
        met.append(here)
    return met


@pytest.mark.parametrize("backwards", [False, True])
def test_tab_reaches_all_that_is_seen_and_nothing_that_is_not(
    window: MainWindow, running: SyntheticSession, backwards: bool
) -> None:
    parts = window.parts
    met = round_of_tab(window, backwards)
    assert all(is_seen(each) for each in met)
    wanted = [parts.transport.start_end, parts.transport.mute, parts.timeline.lanes]
    wanted += [parts.transcript.chat, parts.transcript.field, parts.interruptions.table]
    assert [each for each in wanted if each not in met] == []
    assert parts.turns.table not in met


def test_enter_presses_the_button_that_has_the_focus(
    window: MainWindow, services: FakeServices, until: Until
) -> None:
    window.activateWindow()
    window.parts.transport.start_end.setFocus()
    QTest.keyClick(window.parts.transport.start_end, Qt.Key.Key_Return)
    until(lambda: window.desk.state == State.RUNNING)
    assert len(services.sessions) == 1


def test_a_tick_in_the_view_menu_closes_a_panel_at_once_and_a_key_brings_it_first(
    window: MainWindow, until: Until, qt_messages: list[str]
) -> None:
    window.activateWindow()
    window.parts.timeline.lanes.setFocus()
    docks = {dock.objectName(): dock for dock in window.parts.docks}
    transcript, library = docks["transcript"], docks["library"]
    menu = window.menu._panels
    actions = {action.text(): action for action in menu.actions()}

    def click(text: str) -> None:
        menu.popup(window.mapToGlobal(window.rect().center()))
        QTest.mouseClick(
            menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(actions[text]).center()
        )
        QCoreApplication.processEvents()

    for dock, text in ((transcript, "Transcript"), (library, "Recordings")):
        assert actions[text].isChecked()
        click(text)
        assert (dock.isHidden(), actions[text].isChecked()) == (True, False)
        click(text)
        assert (dock.isHidden(), actions[text].isChecked()) == (False, True)
        assert is_seen(dock)
    window.parts.timeline.lanes.setFocus()
    window.activateWindow()
    until(window.isActiveWindow)
    actions["Recordings"].trigger()  # as its key does
    assert focus() is library.entry
    actions["Recordings"].trigger()
    assert focus() is window.parts.timeline.lanes
    assert is_seen(library)
    assert actions["Recordings"].isChecked()
    # a menu that stands open asks for more than a screen in memory has
    qt_messages[:] = [line for line in qt_messages if "This plugin does not support" not in line]


def is_taken(field: QLineEdit, key: Qt.Key) -> bool:
    """Whether ``field`` keeps a key with Ctrl from being the window's."""
    event = QKeyEvent(QEvent.Type.ShortcutOverride, key, Qt.KeyboardModifier.ControlModifier)
    event.ignore()
    QCoreApplication.sendEvent(field, event)
    return event.isAccepted()


def test_the_key_that_ends_a_session_is_no_text_fields_key(window: MainWindow) -> None:
    fields = window.findChildren(QLineEdit)
    assert fields
    assert not any(is_taken(field, Qt.Key.Key_E) for field in fields)
    # Which keys a text field takes depends on the platform; this one it takes everywhere.
    assert all(is_taken(field, Qt.Key.Key_A) for field in fields)
    window.keep_keys(QKeyCombination(Qt.KeyboardModifier.ControlModifier, Qt.Key.Key_A))
    assert not any(is_taken(field, Qt.Key.Key_A) for field in fields)


def test_a_panel_behind_a_tab_comes_to_the_front_and_its_key_leads_back_to_the_timeline(
    window: MainWindow, running: SyntheticSession
) -> None:
    turns = window.parts.docks[2]
    action = next(a for a in window.findChildren(type(window.menu.start)) if a.text() == "Turns")
    assert not is_seen(turns)
    window.activateWindow()
    QTest.keyClick(window, Qt.Key.Key_3, Qt.KeyboardModifier.ControlModifier)
    QCoreApplication.processEvents()
    assert is_seen(turns)
    assert focus() is window.parts.turns.table
    assert action.isChecked()
    window.parts.timeline.lanes.setFocus()
    QTest.keyClick(window, Qt.Key.Key_3, Qt.KeyboardModifier.ControlModifier)
    assert is_seen(turns), "the keyboard was elsewhere"
    assert focus() is window.parts.turns.table
    assert action.isChecked()
    QTest.keyClick(window, Qt.Key.Key_3, Qt.KeyboardModifier.ControlModifier)
    QCoreApplication.processEvents()
    assert focus() is window.parts.timeline.lanes
    assert is_seen(turns)
    assert action.isChecked()


def test_space_ends_no_session_that_was_begun_by_keys(
    window: MainWindow, services: FakeServices, until: Until
) -> None:
    window.activateWindow()
    window.parts.transport.agent.setFocus()
    window.start()
    until(lambda: window.desk.state == "running")
    frames(window)
    here = focus()
    assert here is window.parts.timeline.lanes
    QTest.keyClick(here, Qt.Key.Key_Space)
    frames(window)
    assert window.desk.state == "running"


def test_the_button_that_ends_a_session_keeps_the_keyboard(
    window: MainWindow, running: SyntheticSession
) -> None:
    window.activateWindow()
    running.ends_at_once = False
    button = window.parts.transport.start_end
    button.setFocus()
    button.click()
    frames(window)
    assert window.desk.state == "ending"
    assert focus() is button
    running.become(State.ENDED)


def test_what_is_being_typed_as_the_session_ends_stays_and_does_nothing_else(
    window: MainWindow, running: SyntheticSession
) -> None:
    window.activateWindow()
    field = window.parts.transcript.field
    field.setFocus()
    QTest.keyClicks(field, "Hel")
    running.end()
    frames(window)
    here = focus()
    assert here is field
    QTest.keyClicks(here, "lo l f")
    QTest.keyClick(here, Qt.Key.Key_Return)
    assert field.text() == "Hello l f"
    assert not window.playing.active
    assert not any(call == ("text", "Hello l f") for call in running.calls)


def test_the_key_of_the_transcript_leads_to_the_message_only_while_there_is_a_session(
    window: MainWindow, until: Until
) -> None:
    window.activateWindow()
    chat, field = window.parts.transcript.chat, window.parts.transcript.field
    QTest.keyClick(window, Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier)
    assert focus() is chat  # where letters are keys of the window, and not of a message to nobody
    window.start()
    until(lambda: window.desk.state == "running")
    frames(window)
    QTest.keyClick(window, Qt.Key.Key_3, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(window, Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier)
    assert focus() is field
