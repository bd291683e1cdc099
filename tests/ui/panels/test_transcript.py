"""The transcript: heard words, words that nobody heard, and text that is only ever text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from time import thread_time

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QKeySequence, QTextCursor, QTextDocument
from PySide6.QtTest import QTest

from app.analysis.limits import Limits
from app.analysis.turn_records import Interruption, Line
from app.analysis.turns import TurnTracker
from app.analysis.word_times import agent_words
from app.timeline.events import Event, SpeechEnded, SpeechStarted, StateChanged, Timeline
from tests.app.wild_session import WildSession
from tests.ui.conftest import Until, bury, frames
from tests.ui.synthetic import REPLY, Script, SyntheticSession
from ui.main_window import MainWindow
from ui.panels.chat_entries import (
    ChatEntries,
    Entry,
    head_of,
    note_of,
    pieces,
    place_of_word,
    segments,
    word_at,
)
from ui.panels.transcript_view import TranscriptView
from ui.parts.icons import Icons
from ui.parts.theme import Theme


@pytest.fixture
def view(theme: Theme) -> Iterator[TranscriptView]:
    made = TranscriptView(theme, Icons(theme))
    made.resize(360, 300)
    made.show()
    yield made
    made.close_reading()
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
    words = document.toPlainText().replace("#1 late, 641 ms from mouth to silence", "")
    assert " ".join(REPLY.split()) in " ".join(words.split())


def test_an_interruption_stands_between_the_words_and_a_click_selects_it(
    window: MainWindow, running: SyntheticSession
) -> None:
    running.advance_to(8.0)
    frames(window)
    chat, panel = window.parts.transcript.chat, window.parts.interruptions
    lines = chat.toPlainText().splitlines()
    assert lines[1:4] == [
        "Let me tell you about the weather of the week, which is ",
        "#1 late, 641 ms from mouth to silence",
        "<b>mild</b> & mostly dry, day by day.",
    ]
    chosen: list[int] = []
    window.parts.transcript.interruption_chosen.connect(chosen.append)
    offset = chat.document().findBlockByNumber(1).text().index("late")
    assert chat.choose_at(1, offset)
    assert chosen == [1]
    assert panel.table.selectionModel().hasSelection()


def test_live_the_last_word_that_was_heard_is_lit_until_the_agent_is_silent(
    window: MainWindow, running: SyntheticSession
) -> None:
    chat, lit = window.parts.transcript.chat, []
    for tenth in range(10, 52, 2):
        running.advance_to(tenth / 10)
        frames(window, 7)
        lit += [word for word in chat.lit if word not in lit]
    assert " ".join(lit).startswith("Let me tell you about the weather")
    running.advance_to(8.0)
    frames(window, 7)
    assert chat.lit == []


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


def test_a_line_after_the_first_hour_tells_its_hour() -> None:
    times = {at: head_of(Line("user", "hello", at))[1] for at in (63.25, 3600.0, 57003.2)}
    assert times == {63.25: "01:03.2", 3600.0: "01:00:00.0", 57003.2: "15:50:03.2"}


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


# --- words and their times


class Told:
    """A session that is over, as the window has it: its events, and what they tell."""

    def __init__(self, events: list[Event]) -> None:
        self.timeline, self.turns = Timeline(), TurnTracker()
        for event in sorted(events, key=lambda event: event.t):
            self.timeline.append(event)
            self.turns.feed(event)


@pytest.fixture
def told(view: TranscriptView) -> Told:
    made = Told([*Script(3).events, StateChanged(43.0, "ended")])
    view.look_in(made.timeline)
    view.show_turns(made.turns)
    return made


def block_of(view: TranscriptView, line: int) -> str:
    return view.chat.document().findBlockByNumber(2 * line + 1).text()


def test_a_click_on_a_word_leads_to_when_it_was_spoken(
    view: TranscriptView, told: Told, until: Until
) -> None:
    moments: list[float] = []
    view.moment_chosen.connect(moments.append)
    for word in ("weather", "mostly"):
        assert view.chat.choose_at(1, block_of(view, 0).index(word) + 2)
        until(lambda: moments)
        line = told.turns.transcript[0]
        words = {each.text: each for each in agent_words(line, told.timeline, told.turns.spans)}
        assert moments == [words[word].start]
        moments.clear()
    assert words["weather"].start == pytest.approx(2.8, abs=1.0)
    assert words["mostly"].fate == "unheard"
    view.chat.choose_at(1, block_of(view, 0).index("mouth to"))
    assert moments == []
    view.chat.choose_at(2, 0)
    assert moments == [told.turns.transcript[1].at]


def test_a_mouse_click_on_a_word_and_enter_at_the_cursor_do_the_same(
    view: TranscriptView, told: Told, until: Until
) -> None:
    chosen: list[tuple[int, int]] = []
    view.chat.word_chosen.connect(lambda *place: chosen.append(place))
    view.chat.verticalScrollBar().setValue(0)
    block = view.chat.document().findBlockByNumber(1)
    cursor = QTextCursor(block)
    cursor.setPosition(block.position() + block.text().index("me tell") + 1)
    place = view.chat.cursorRect(cursor).center()
    QTest.mouseClick(view.chat.viewport(), Qt.MouseButton.LeftButton, pos=place)
    view.chat.setTextCursor(cursor)
    QTest.keyClick(view.chat, Qt.Key.Key_Return)
    assert chosen == [(0, 1), (0, 1)]


def test_in_review_the_words_at_the_playhead_are_lit(
    view: TranscriptView, told: Told, until: Until
) -> None:
    lines = told.turns.transcript
    for number in (0, 2, 4):
        for word in agent_words(lines[number], told.timeline, told.turns.spans):
            if word.fate != "heard" or (number == 0 and word.start > 4.9):
                continue
            t = (word.start + word.stop) / 2
            until(lambda t=t: view.advance(t, playing=True, live=False) or view.chat.lit)
            assert view.chat.lit == [word.text]
    view.advance(5.2, playing=False, live=False)
    assert "(you" in view.chat.lit
    view.advance(0.1, playing=False, live=False)
    assert view.chat.lit == []


def test_the_lit_word_stays_in_sight_unless_the_person_reads_elsewhere(
    view: TranscriptView, told: Told, until: Until
) -> None:
    bar = view.chat.verticalScrollBar()
    view.resize(360, 160)
    until(lambda: bar.maximum() > 0)

    def play(number: int, *, playing: bool) -> None:
        t = told.turns.transcript[number].at + 0.02
        until(lambda: view.advance(t, playing=playing, live=False) or view.chat.lit)

    def is_in_sight() -> bool:
        selection = view.chat.extraSelections()[0]
        area = view.chat.cursorRect(selection.cursor)
        return area.top() >= 0 and area.bottom() <= view.chat.viewport().height()

    bar.setValue(bar.maximum())
    play(0, playing=False)
    assert is_in_sight()
    for number in (2, 3, 5):
        play(number, playing=True)
        assert is_in_sight()
    bar.setValue(0)
    play(8, playing=True)
    assert bar.value() == 0
    play(6, playing=False)
    assert is_in_sight()


def test_a_missed_interruption_stands_after_the_words_that_had_begun(
    view: TranscriptView, until: Until
) -> None:
    events = [
        *[
            event
            for event in Script(1).events
            if not isinstance(event, SpeechStarted | SpeechEnded)
        ],
        *(SpeechStarted(10.0, 10.1), SpeechEnded(11.6, 11.9)),
    ]
    told = Told([*events, StateChanged(15.0, "ended")])
    assert [each.kind for each in told.turns.overlaps] == ["missed"]
    overlaps: list[float] = []
    view.overlap_chosen.connect(overlaps.append)
    view.look_in(told.timeline)
    view.show_turns(told.turns)
    number = next(n for n, line in enumerate(told.turns.transcript) if line.at > 8)
    until(lambda: view.chat.entries.misplaced() == [])
    before, note, after = block_of(view, number).split("\u2028")
    assert note == "missed: you spoke 1.6 s over the agent, and it went on"
    words = agent_words(told.turns.transcript[number], told.timeline, told.turns.spans)
    begun = [word.text for word in words if word.start <= 10.0]
    assert before.split() == begun
    assert (before + after).split() == REPLY.split()
    view.chat.choose_at(2 * number + 1, len(before) + 3)
    assert overlaps == [10.0]


def test_the_agents_account_is_shown_where_it_differs_and_not_where_it_agrees() -> None:
    line = Line("agent", "a b c d", 0.0, "a b", "", "c d", "A b.")
    assert [part.style for part in segments(Entry(line))] == ["heard", "unheard"]
    other = replace(line, corrected_text="<i>x</i> y")
    assert segments(Entry(other))[-1].text == "\u2028Agent’s account: “<i>x</i> y”"
    longer = replace(line, corrected_text="a b c")
    assert segments(Entry(longer))[-1].text == "\u2028Agent’s account, 1 word more: “a b c”"
    nothing = replace(line, corrected_text="")
    assert segments(Entry(nothing))[-1].text.endswith("2 words fewer: nothing was heard")
    waiting = replace(longer, waiting_text="c", unheard_text="d")
    assert all(part.style != "account" for part in segments(Entry(waiting)))


def test_every_letter_of_an_entry_belongs_to_its_word_or_to_its_note() -> None:
    line = Line("agent", "x", 0.0, "one  two\nthree", "", "four five")
    cuts = [Interruption(n, float(n), "agent", kind="barge-in") for n in (1, 2)]
    notes = [note_of(cut, Limits()) for cut in cuts]
    entry = Entry(line, ((0, notes[0]), (3, notes[1])))
    text = "".join(part.text for part in segments(entry))
    for number, word in enumerate(["one", "two", "three", "four", "five"]):
        offset, length = place_of_word(entry, number)
        assert text[offset : offset + length] == word
        assert {word_at(entry, offset + each) for each in range(length)} == {number}
    for note in notes:
        begin = text.index(note.text)
        assert {word_at(entry, begin + each) for each in range(len(note.text))} == {note}
    assert place_of_word(entry, 5) is None
    assert word_at(entry, len(text)) is None


def test_entries_that_are_brought_up_to_date_are_those_of_all_records() -> None:
    events = list(WildSession(4).events)
    tracker, entries = TurnTracker(), ChatEntries()
    for number, event in enumerate(events):
        tracker.feed(event)
        if number % 7 == 0 or number == len(events) - 1:
            entries.bring(tracker.transcript, tracker.interruptions, tracker.overlaps)
            anew = ChatEntries()
            anew.bring(tracker.transcript, tracker.interruptions, tracker.overlaps)
            assert entries.all == anew.all
    assert len(entries.all) > 10
    assert sum(len(entry.notes) for entry in entries.all) >= len(tracker.interruptions) > 3


def test_a_change_costs_the_same_among_thousands_of_lines_and_interruptions(
    view: TranscriptView,
) -> None:
    def seconds(count: int) -> float:
        lines = [Line("agent", "a b", 2.0 * n, "a", "", "b") for n in range(count)]
        cuts = [Interruption(n + 1, 2.0 * n + 1, "agent", kind="barge-in") for n in range(count)]
        view.chat.show_lines(lines, cuts)
        began = thread_time()
        for number in range(40):
            lines[-1] = Line("agent", "a b", 2.0 * count, heard_text="a" * number)
            cuts[-1] = replace(cuts[-1], silent_at=float(number))
            view.chat.show_lines(lines, cuts)
        return thread_time() - began

    assert seconds(3000) < 4 * seconds(200)


def test_a_word_of_a_hundred_thousand_letters_does_not_hold_up_the_window(
    view: TranscriptView,
) -> None:
    long = "x" * 100_000
    began = thread_time()
    view.chat.show_lines([Line("agent", long, 1.0, heard_text=long)])
    assert thread_time() - began < 0.5
    assert "x" * 400 + "…" in view.chat.toPlainText()


def test_what_is_cut_short_keeps_the_numbers_of_the_words_behind_it() -> None:
    line = Line("agent", "x", 0.0, "ab " * 20_000, "", "after all")
    entry = Entry(line)
    text = "".join(part.text for part in segments(entry))
    offset, length = place_of_word(entry, 20_001)
    assert text[offset : offset + length] == "all"
    assert word_at(entry, offset) == 20_001
    assert place_of_word(entry, 19_999) is None
    assert len(text) < 21_000


def test_marks_that_turn_the_reading_direction_turn_no_figure() -> None:
    line = Line("agent", "x", 0.0, "one \u202etwo \u2067three", corrected_text="\u202eone")
    entry = Entry(line, ((3, note_of(Interruption(1, 1.0, "agent"), Limits())),))
    text = "".join(part.text for part in segments(entry))
    assert not {"\u202e", "\u2067"} & set(text)
    assert [place_of_word(entry, number) for number in (1, 2)] == [(4, 4), (9, 6)]
