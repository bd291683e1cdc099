"""The player's controls: what they wish for, by mouse and by key, and what they show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QToolButton, QWidget

from tests.ui.conftest import bury, wait_until
from ui.parts.icons import Icons
from ui.parts.theme import Theme
from ui.playing.player_bar import SPEEDS, PlayerBar, PlayerShown

SHOWN = PlayerShown(duration_s=84.31, position_s=12.34, has_selection=True)


class Wishes:
    """All that a bar has wished for."""

    def __init__(self, bar: PlayerBar) -> None:
        self.made: list[tuple[object, ...]] = []
        for name in (
            "play_requested",
            "pause_requested",
            "stop_requested",
            "selection_requested",
            "loop_toggled",
            "speed_changed",
            "tracks_changed",
        ):
            getattr(bar, name).connect(lambda *what, name=name: self.made.append((name, *what)))

    def take(self) -> list[tuple[object, ...]]:
        made, self.made = self.made, []
        return made


@pytest.fixture
def bar(theme: Theme) -> Iterator[PlayerBar]:
    made = PlayerBar(theme, Icons(theme))
    made.show()
    made.activateWindow()
    wait_until(made.isActiveWindow)
    made.show_state(SHOWN)
    yield made
    made.close()
    made.deleteLater()
    bury()


@pytest.fixture
def wishes(bar: PlayerBar) -> Wishes:
    return Wishes(bar)


def press(bar: PlayerBar, key: Qt.Key, shift: bool = False) -> None:
    modifier = Qt.KeyboardModifier.ShiftModifier if shift else Qt.KeyboardModifier.NoModifier
    QTest.keyClick(bar, key, modifier)
    QCoreApplication.processEvents()


def test_with_nothing_to_play_nothing_can_be_done(bar: PlayerBar, wishes: Wishes) -> None:
    bar.show_state(PlayerShown())
    controls = [*bar.findChildren(QToolButton), bar.speed]
    assert not [each for each in controls if each.isEnabled()]
    assert bar.position.text() == "–"
    bar.toggle_play()
    for key in (Qt.Key.Key_P, Qt.Key.Key_L, Qt.Key.Key_U, Qt.Key.Key_Period):
        press(bar, key)
    assert not wishes.take()


def test_one_button_plays_and_pauses(bar: PlayerBar, wishes: Wishes) -> None:
    assert bar.play.accessibleName() == "Play"
    bar.play.click()
    bar.show_state(replace(SHOWN, playing=True))
    assert bar.play.accessibleName() == "Pause"
    bar.play.click()
    bar.show_state(replace(SHOWN, paused=True))
    assert bar.play.accessibleName() == "Play"
    bar.toggle_play()
    expected = [("play_requested",), ("pause_requested",), ("play_requested",)]
    assert wishes.take() == expected


def test_stop_only_where_something_plays(bar: PlayerBar, wishes: Wishes) -> None:
    assert not bar.stop.isEnabled()
    for shown in (replace(SHOWN, playing=True), replace(SHOWN, paused=True)):
        bar.show_state(shown)
        bar.stop.click()
    assert wishes.take() == [("stop_requested",)] * 2


def test_the_selection_can_be_played_where_there_is_one(bar: PlayerBar, wishes: Wishes) -> None:
    bar.selection.click()
    press(bar, Qt.Key.Key_P)
    bar.show_state(replace(SHOWN, has_selection=False))
    press(bar, Qt.Key.Key_P)
    assert wishes.take() == [("selection_requested",)] * 2


def test_the_loop_is_wished_for_and_shown_as_it_is(bar: PlayerBar, wishes: Wishes) -> None:
    bar.loop.click()
    press(bar, Qt.Key.Key_L)
    assert wishes.take() == [("loop_toggled", True), ("loop_toggled", False)]
    bar.show_state(replace(SHOWN, looping=True))
    assert bar.loop.isChecked()
    assert not wishes.take()


def test_speeds_go_from_half_to_double_by_key(bar: PlayerBar, wishes: Wishes) -> None:
    assert (min(SPEEDS), max(SPEEDS)) == (0.5, 2.0)
    assert bar.chosen_speed == 1.0
    for _ in range(12):
        press(bar, Qt.Key.Key_Period)
    assert bar.chosen_speed == 2.0
    assert wishes.take()[-1] == ("speed_changed", 2.0)
    for _ in range(12):
        press(bar, Qt.Key.Key_Comma)
    assert bar.chosen_speed == 0.5
    wishes.take()
    bar.choose_speed(1.26)
    assert bar.chosen_speed == 1.25
    assert not wishes.take()


def test_muting_and_solo_say_who_is_heard(bar: PlayerBar, wishes: Wishes) -> None:
    steps = [
        (lambda: press(bar, Qt.Key.Key_U), (False, True)),  # user muted
        (lambda: press(bar, Qt.Key.Key_U, shift=True), (True, False)),  # alone, muted or not
        (lambda: press(bar, Qt.Key.Key_A, shift=True), (True, True)),  # both alone
        (bar.user.solo.click, (False, True)),
        (bar.agent.solo.click, None),  # the user is still muted: no change
        (bar.user.mute.click, (True, True)),
        (lambda: press(bar, Qt.Key.Key_A), (True, False)),
        (bar.user.mute.click, (False, False)),
    ]
    for act, expected in steps:
        act()
        assert wishes.take() == ([] if expected is None else [("tracks_changed", *expected)])
        assert expected is None or bar.audible == expected


def test_where_there_is_no_agent_only_the_user_can_be_chosen(bar: PlayerBar) -> None:
    bar.show_state(replace(SHOWN, has_agent=False))
    assert bar.user.mute.isEnabled()
    assert not bar.agent.mute.isEnabled()
    assert not bar.agent.solo.isEnabled()


def test_position_and_duration_are_told_to_the_tenth(bar: PlayerBar) -> None:
    assert bar.position.text() == "00:00:12.3"
    assert bar.duration.text() == "/ 00:01:24.3"
    width = bar.sizeHint().width()
    bar.show_state(replace(SHOWN, position_s=84.31))
    assert bar.sizeHint().width() == width
    bar.show_state(PlayerShown())
    assert bar.sizeHint().width() == width


def test_it_fits_beside_what_else_is_in_a_window_of_1280(bar: PlayerBar) -> None:
    assert bar.minimumSizeHint().width() < 760


def test_every_control_says_what_it_does(bar: PlayerBar) -> None:
    controls: list[QWidget] = [*bar.findChildren(QToolButton), bar.speed]
    assert all(each.toolTip() and each.accessibleName() for each in controls)
    assert all("(" in each.toolTip() for each in controls)  # its key
    assert all(each.toolTip() for each in bar.findChildren(QLabel))
    names = [each.accessibleName() for each in controls]
    assert len(set(names)) == len(names)


def test_every_control_can_be_reached_by_tab(bar: PlayerBar) -> None:
    bar.show_state(replace(SHOWN, playing=True))
    bar.play.setFocus()
    met = []
    while bar.focusWidget() not in met:
        met.append(bar.focusWidget())
        QTest.keyClick(bar, Qt.Key.Key_Tab)
    assert set(met) >= {*bar.findChildren(QToolButton), bar.speed}
