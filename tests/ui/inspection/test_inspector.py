"""The inspector of one interruption: its chain, its words, what it says of an overlap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest
from PySide6.QtWidgets import QApplication

from app.analysis.limits import Limits
from app.analysis.turn_records import Interruption, Overlap
from tests.ui.conftest import bury
from tests.ui.moment_records import FALSE, LATE, MISSED
from ui.inspection.inspector import Inspector
from ui.inspection.moments import (
    moments_of,
)
from ui.parts.theme import Theme


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
    assert "142 ms late" in inspector.sound.text()


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


def test_why_an_interrupt_was_false_is_seen_without_scrolling(inspector: Inspector) -> None:
    inspector.resize(352, 400)  # what a window of 1280 x 800 leaves while something is told
    sound = show(inspector, FALSE).sound
    QApplication.processEvents()
    assert "heard itself" in sound.text()
    assert sound.visibleRegion().boundingRect() == sound.rect()
    assert not show(inspector, LATE).sound.isVisible()
    assert not show(inspector, MISSED).sound.isVisible()


def test_the_keyboard_comes_into_the_chain_else_to_what_can_be_pressed(
    inspector: Inspector,
) -> None:
    assert inspector.entry() is inspector.follow
    assert show(inspector, LATE).entry() is inspector.waterfall
    show(inspector, MISSED).show_listening(possible=True, has_discarded=False)
    assert inspector.entry() is inspector.heard
    inspector.show_listening(possible=False, has_discarded=False)
    assert inspector.entry() is inspector.follow
