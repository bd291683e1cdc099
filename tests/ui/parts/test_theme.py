"""Colours: legible on both grounds, and told apart by everyone."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QToolButton,
    QWidget,
)

from ui.parts.theme import DARK, LIGHT, Colours, Theme, build_palette, contrast, strong

MEANING = ("text", "muted", "user", "agent", "interruption", "warning", "fault", "marker")
SIGHTS = {
    "full": np.eye(3),
    "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
}
"""Machado, Oliveira and Fernandes 2009, severity 1, for linear RGB."""


def seen(colour: str, sight: str) -> np.ndarray:
    channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return lab(np.clip(np.asarray(SIGHTS[sight]) @ linear, 0, 1))


def lab(linear: np.ndarray) -> np.ndarray:
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.asarray(to_xyz) @ linear / [0.9505, 1.0, 1.089]
    f = np.cbrt(np.maximum([x, y, z], 0.008856))
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("name", MEANING)
def test_every_colour_with_a_meaning_is_legible_on_both_grounds(
    colours: Colours, name: str
) -> None:
    for ground in (colours.window, colours.base):
        assert contrast(getattr(colours, name), ground) >= 4.5


def test_contrast_of_black_and_white_is_the_greatest_there_is() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("sight", SIGHTS)
def test_parties_and_interruptions_are_told_apart_by_colour_blind_eyes(
    colours: Colours, sight: str
) -> None:
    for one, other in combinations((colours.user, colours.agent, colours.interruption), 2):
        assert np.linalg.norm(seen(one, sight) - seen(other, sight)) > 15


def test_nothing_else_uses_the_red_of_interruptions() -> None:
    for colours in (LIGHT, DARK):
        others = [getattr(colours, name) for name in MEANING if name != "interruption"]
        assert colours.interruption not in others


def test_the_chosen_scheme_reaches_every_widget(application: QApplication, theme: Theme) -> None:
    told: list[bool] = []
    theme.changed.connect(lambda: told.append(theme.dark))
    theme.choose("dark")
    assert told
    assert told[-1]
    ground = application.palette().color(QPalette.ColorRole.Base)
    assert ground.name() == DARK.base


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", [QPushButton, QComboBox, QLineEdit, QToolButton, QPlainTextEdit])
def test_what_has_the_keyboard_is_framed_in_a_colour_that_can_be_seen(
    application: QApplication, theme: Theme, scheme: str, kind: type[QWidget]
) -> None:
    theme.choose(scheme)
    window = QWidget()
    row = QHBoxLayout(window)
    first, second = QPushButton("first"), kind()
    row.addWidget(first)
    row.addWidget(second)
    second.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    window.show()
    window.activateWindow()
    first.setFocus()
    without = second.grab().toImage()
    QTest.keyClick(first, Qt.Key.Key_Tab)
    application.processEvents()
    assert second.hasFocus()
    # Real key presses tell the window that the keyboard is in use; a test's do not.
    window.setAttribute(Qt.WidgetAttribute.WA_KeyboardFocusChange)
    focused = second.grab().toImage()
    middle = focused.height() // 2
    changed = [
        focused.pixelColor(x, middle).name()
        for x in range(6)
        if focused.pixelColor(x, middle) != without.pixelColor(x, middle)
    ]
    assert max((contrast(each, theme.colours.window) for each in changed), default=0) >= 3
    theme.choose("light")
    window.deleteLater()


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_frames_stand_out_from_the_window(colours: Colours) -> None:
    window = strong(build_palette(colours), colours).color(QPalette.ColorRole.Window)
    frame = window.darker(140).name()  # as Fusion draws it
    assert contrast(frame, colours.window) > 1.9


@pytest.mark.parametrize("colours", [LIGHT, DARK])
@pytest.mark.parametrize("name", ["text", "muted", "interruption", "warning", "fault"])
def test_what_carries_meaning_can_be_read_on_a_selected_row(colours: Colours, name: str) -> None:
    assert contrast(getattr(colours, name), colours.selection) >= 4.5
