"""The transcript as a chat: what was heard, what nobody heard struck out. Main thread only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QToolButton, QVBoxLayout, QWidget

from ui.panels.chat_entries import Note
from ui.panels.transcript_text import Place, TranscriptText
from ui.panels.word_finder import WordFinder
from ui.parts.icons import Icons
from ui.parts.theme import CONTROL_HEIGHT, GRID, Theme

if TYPE_CHECKING:
    from app.analysis.limits import Limits
    from app.analysis.turn_records import Line
    from app.analysis.viewed import EventSource, TurnView
    from ui.panels.word_finder import Words

WRITE = "Write to the agent"
START_FIRST = "Start a session to write to the agent"
LAST_LINES = 4
"""So many lines at the end of a session may be being spoken."""


class TranscriptView(QWidget):
    """The chat, and below it a field to write to the agent."""

    text_entered = Signal(str)
    moment_chosen = Signal(float)
    """Session seconds at which the word was spoken that was clicked."""
    interruption_chosen = Signal(int)
    """The number of the interruption that was clicked."""
    overlap_chosen = Signal(float)
    """When the missed interruption began that was clicked, in session seconds."""

    def __init__(self, theme: Theme, icons: Icons) -> None:
        """Begin empty, with the field disabled."""
        super().__init__()
        self.chat = TranscriptText(theme)
        self.words = WordFinder(self)
        self._turns: TurnView | None = None
        self._limits: Limits | None = None
        self._clicked: tuple[Line, int] | None = None
        self.field = QLineEdit()
        self.send = QToolButton()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID // 2)
        column.addWidget(self.chat, 1)
        row = QHBoxLayout()
        row.setSpacing(GRID // 2)
        row.addWidget(self.field, 1)
        row.addWidget(self.send)
        column.addLayout(row)
        self._dress(icons)
        self.setMinimumWidth(240)
        self.chat.word_chosen.connect(self._go_to_word)
        self.chat.note_chosen.connect(self._go_to_note)
        self.words.found.connect(self._words_found)

    # --- what is shown

    def look_in(self, events: EventSource) -> None:
        """Take the times of words from ``events``: another session or recording is in view."""
        self.words.look_in(events)
        self.chat.show_lines([])
        self.chat.entries.forget_places()
        self._turns = None
        self._clicked = None

    def show_turns(self, turns: TurnView) -> None:
        """Show what was said, and what interrupted it."""
        self._turns = turns
        lines, cuts, overlaps = turns.transcript, turns.interruptions, turns.overlaps
        self.chat.show_lines(lines, cuts, overlaps, self._limits)
        self._place_missed()

    def set_limits(self, limits: Limits) -> None:
        """Say by ``limits`` what was late and what was missed."""
        self._limits = limits
        if self._turns is not None:
            self.show_turns(self._turns)

    def advance(self, playhead_s: float | None, *, playing: bool, live: bool) -> None:
        """Light the words that are being spoken; called once a frame.

        Live that is the last one that was heard of what waits; else what stands at the playhead.
        """
        if live:
            self.chat.light(self._last_heard())
        elif playhead_s is not None:
            self.chat.light(self._words_at(playhead_s), follows=playing, jumps=not playing)

    def close_reading(self) -> None:
        """Look for nothing more, and wait a bounded time for what is being read."""
        self.words.close()

    def _last_heard(self) -> list[Place]:
        entries = self.chat.entries.all
        for number in range(len(entries) - 1, max(len(entries) - 1 - LAST_LINES, -1), -1):
            line = entries[number].line
            if line.who == "agent" and line.heard_text and line.waiting_text:
                return [(number, len(line.heard_text.split()) - 1)]
        return []

    def _words_at(self, t: float) -> list[Place]:
        from app.analysis.word_times import word_at

        found: list[Place] = []
        for who in ("agent", "user"):
            number = self.chat.entries.line_at(t, who)
            word = None if number is None else word_at(self._words_of(number) or (), t)
            if number is not None and word is not None:
                found.append((number, word))
        return found

    def _words_of(self, number: int) -> Words | None:
        """Return a line's words; none of several lines that are from one turn of the user's."""
        if self._turns is None:
            return None
        entries = self.chat.entries.all
        line = entries[number].line
        near = entries[max(number - LAST_LINES, 0) : number + LAST_LINES + 1]
        alike = [each for each in near if (each.line.who, each.line.at) == ("user", line.at)]
        if line.tentative or (line.who == "user" and len(alike) > 1):
            return ()
        return self.words.words_of(line, self._turns)

    def _place_missed(self) -> None:
        """Put missed interruptions between the words, once these are known; one line at a time."""
        entries, turns = self.chat.entries, self._turns
        for number in entries.misplaced():
            words = self._words_of(number)
            if words is None or turns is None:
                return
            entries.place(number, words)
            lines, cuts, overlaps = turns.transcript, turns.interruptions, turns.overlaps
            self.chat.show_lines(lines, cuts, overlaps, self._limits)

    # --- what is clicked

    def _go_to_word(self, number: int, word: int) -> None:
        line = self.chat.entries.all[number].line
        if word < 0:
            self.moment_chosen.emit(line.at)
            return
        words = self._words_of(number)
        self._clicked = (line, word) if words is None else None
        if words is not None:
            self._go(line, words, word)

    def _go_to_note(self, note: Note) -> None:
        if note.number is not None:
            self.interruption_chosen.emit(note.number)
        else:
            self.overlap_chosen.emit(note.at)

    def _words_found(self, line: Line) -> None:
        if self._clicked is not None and self._clicked[0] == line and self._turns is not None:
            word, self._clicked = self._clicked[1], None
            self._go(line, self.words.words_of(line, self._turns) or (), word)
        self._place_missed()

    def _go(self, line: Line, words: Words, word: int) -> None:
        """Choose the moment of a word; that of its line where its own is not known."""
        start = words[word].start if word < len(words) else None
        self.moment_chosen.emit(line.at if start is None else start)

    # --- writing to the agent

    def set_running(self, running: bool) -> None:
        """Allow sending while a session runs; what is being typed as it ends is kept."""
        if self.send.isEnabled() != running:
            self.send.setEnabled(running)
            self.field.setPlaceholderText(WRITE if running else START_FIRST)

    def entry(self) -> QWidget:
        """Return where the keyboard goes: into the message only while somebody would get it."""
        return self.field if self.send.isEnabled() else self.chat

    def _dress(self, icons: Icons) -> None:
        self.field.setFixedHeight(CONTROL_HEIGHT)
        self.field.setMaxLength(4000)
        self.field.setAccessibleName("Message to the agent")
        self.field.setToolTip("A typed user message; Enter sends it")
        self.field.setPlaceholderText(START_FIRST)
        self.field.returnPressed.connect(self._enter)
        self.send.setFixedSize(CONTROL_HEIGHT, CONTROL_HEIGHT)
        self.send.setToolTip("Send (Enter)")
        self.send.setAccessibleName("Send message")
        self.send.setEnabled(False)
        icons.put(self.send, "send")
        self.send.clicked.connect(self._enter)

    def _enter(self) -> None:
        text = self.field.text().strip()
        if text and self.send.isEnabled():
            self.field.clear()
            self.text_entered.emit(text)
