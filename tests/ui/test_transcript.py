"""The transcript: heard words, words that nobody heard, and text that is only ever text."""

from __future__ import annotations

from collections.abc import Iterator
from time import thread_time

import pytest
from PySide6.QtGui import QGuiApplication, QKeySequence, QTextDocument
from PySide6.QtTest import QTest

from app.turn_records import Line
from tests.ui.conftest import Until, bury, frames
from tests.ui.synthetic import REPLY, SyntheticSession
from ui.icons import Icons
from ui.main_window import MainWindow
from ui.theme import Theme
from ui.transcript_view import TranscriptView, pieces


@pytest.fixture
def view(theme: Theme) -> Iterator[TranscriptView]:
    made = TranscriptView(theme, Icons(theme))
    made.resize(360, 300)
    made.show()
    yield made
    made.deleteLater()
    bury()


def struck_out(document: QTextDocument) -> str:
    found, block = "", document.begin()
    while block.isValid():
        fragments = block.begin()
        while not fragments.atEnd():
            fragment = fragments.fragment()
            if fragment.charFormat().fontStrikeOut():
                found += fragment.text()
            fragments += 1
        block = block.next()
    return found


def test_words_that_nobody_heard_are_struck_out_and_only_those(
    window: MainWindow, running: SyntheticSession
) -> None:
    running.advance_to(8.0)
    frames(window)
    document = window.parts.transcript.chat.document()
    unheard = struck_out(document)
    assert unheard.strip().endswith("day by day.")
    assert "weather" not in unheard
    assert REPLY in document.toPlainText()


def test_markup_of_an_agent_is_shown_as_it_came(view: TranscriptView) -> None:
    nasty = '<b>bold</b> <img src="http://127.0.0.1/x.png"> &amp; <script>x</script>'
    view.chat.show_lines([Line("agent", nasty, 1.0, heard_text=nasty)])
    assert nasty in view.chat.toPlainText()
    assert view.chat.document().begin().next().begin().fragment().charFormat().fontWeight() < 600


def test_line_breaks_and_odd_characters_stay_within_their_line(view: TranscriptView) -> None:
    nasty = "one\ntwo\r\nthree\u2029four\x0bfive\x00\u202esix"
    lines = [Line("agent", nasty, 1.0, heard_text=nasty), Line("user", "hello", 2.0)]
    view.chat.show_lines(lines)
    assert view.chat.document().blockCount() == 4
    view.chat.show_lines([*lines, Line("agent", "bye", 3.0, heard_text="bye")])
    assert view.chat.toPlainText().count("hello") == 1


def test_a_line_that_changes_is_replaced_and_nothing_else(view: TranscriptView) -> None:
    first = Line("user", "Hello", 0.5)
    view.chat.show_lines([first, Line("user", "I wou", 2.0, tentative=True)])
    assert "not final" in view.chat.toPlainText()
    view.chat.show_lines([first, Line("user", "I would like tea", 2.0)])
    text = view.chat.toPlainText()
    assert "I would like tea" in text
    assert "not final" not in text
    assert text.count("Hello") == 1
    view.chat.show_lines([])
    assert view.chat.toPlainText() == ""


def test_it_stays_at_its_end_unless_the_person_reads_further_up(
    view: TranscriptView, until: Until
) -> None:
    lines = [Line("user", f"line {number}", float(number)) for number in range(60)]
    view.chat.show_lines(lines[:40])
    bar = view.chat.verticalScrollBar()
    until(lambda: bar.maximum() > 0 and bar.value() == bar.maximum())
    bar.setValue(10)
    view.chat.show_lines(lines)
    assert bar.value() == 10
    bar.setValue(bar.maximum())
    view.resize(360, 200)
    until(lambda: bar.value() == bar.maximum())


def many_lines(count: int) -> list[Line]:
    return [Line("user", f"line {number}", float(number)) for number in range(count)]


def shown_lines(view: TranscriptView) -> list[int]:
    return [int(text[5:]) for text in view.chat.toPlainText().splitlines()[1::2]]


def test_of_a_long_session_the_document_holds_the_last_lines_until_the_person_goes_back(
    view: TranscriptView, until: Until
) -> None:
    lines, bar, most = many_lines(1500), view.chat.verticalScrollBar(), view.chat.MOST
    for count in range(7, 1501, 7):
        view.chat.show_lines(lines[:count])
    view.chat.show_lines(lines)
    assert shown_lines(view) == list(range(1500))[-len(shown_lines(view)) :]
    assert most <= len(shown_lines(view)) < most + view.chat.AT_ONCE
    while shown_lines(view)[0] > 0:
        first, below = shown_lines(view)[0], bar.maximum()
        bar.setValue(0)
        assert shown_lines(view) == list(range(shown_lines(view)[0], 1500))
        assert shown_lines(view)[0] < first
        assert bar.maximum() - bar.value() == below
    first = view.chat.document().begin().blockFormat().topMargin()
    assert first < view.chat.document().findBlockByNumber(2).blockFormat().topMargin()
    bar.setValue(bar.maximum())
    view.chat.show_lines([*lines, Line("agent", "bye", 2000.0)])
    assert view.chat.document().blockCount() // 2 <= most


def test_all_of_a_long_transcript_can_be_copied(view: TranscriptView) -> None:
    view.chat.show_lines(many_lines(700))
    QTest.keySequence(view.chat, QKeySequence.StandardKey.SelectAll)
    view.chat.copy()
    text = QGuiApplication.clipboard().text()
    assert [text.count(f"line {number}\n") for number in (0, 350, 698)] == [1, 1, 1]


def test_a_change_costs_the_same_among_five_thousand_lines(view: TranscriptView) -> None:
    def seconds(lines: list[Line]) -> float:
        view.chat.show_lines(lines)
        began = thread_time()
        for number in range(40):
            lines[-1] = Line("agent", "a b", 1.0, heard_text="a" * number)
            view.chat.show_lines(lines)
        return thread_time() - began

    assert seconds(many_lines(5000)) < 4 * seconds(many_lines(200))


def test_another_transcript_takes_the_place_of_a_long_one(view: TranscriptView) -> None:
    for count in (5000, 200, 1500, 0, 3):
        view.chat.show_lines(many_lines(count))
        shown = shown_lines(view)
        assert shown == list(range(count - len(shown), count))
        assert min(count, view.chat.MOST) <= len(shown) <= view.chat.MOST_AT_FIRST


def test_an_early_line_that_changes_is_shown_when_the_person_comes_to_it(
    view: TranscriptView,
) -> None:
    lines = many_lines(1000)
    view.chat.show_lines(lines)
    lines[3] = Line("user", "line 9003", 3.0)
    view.chat.show_lines(lines)
    view.chat.selectAll()
    QTest.keySequence(view.chat, QKeySequence.StandardKey.SelectAll)
    assert shown_lines(view)[2:5] == [2, 9003, 4]


def test_pieces_of_an_agents_line_are_in_the_order_they_were_said() -> None:
    line = Line("agent", "a b c", 0.0, heard_text="a", waiting_text="b", unheard_text="c")
    assert pieces(line) == [("a ", "heard"), ("b ", "pending"), ("c", "unheard")]
    assert pieces(Line("agent", "a b c", 0.0)) == [("a b c", "pending")]


def test_a_change_of_scheme_keeps_the_text(view: TranscriptView, theme: Theme) -> None:
    view.chat.show_lines([Line("user", "Hello", 0.5)])
    theme.choose("dark")
    assert "Hello" in view.chat.toPlainText()
