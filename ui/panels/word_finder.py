"""The words of the chat's lines with their times, found on a thread when they are wanted.

Main thread only, but for what the job runs.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from ui.parts.background import Background

if TYPE_CHECKING:
    from app.analysis.turn_records import AudioSpan, Line
    from app.analysis.viewed import EventSource, TurnView
    from app.analysis.word_times import TimedWord

    Words = tuple[TimedWord, ...]

log = logging.getLogger(__name__)


class WordFinder(QObject):
    """Knows the words of the lines asked for last, of one session or recording."""

    KEPT = 64
    """Lines."""
    MOST_WANTED = 8
    found = Signal(object)
    """The words of this line are there now."""

    def __init__(self, parent: QObject | None = None) -> None:
        """Begin with nothing to look in."""
        super().__init__(parent)
        self._events: EventSource | None = None
        self._words: OrderedDict[Line, Words] = OrderedDict()
        self._wanted: OrderedDict[Line, list[AudioSpan]] = OrderedDict()
        self._is_busy = False
        self._job = Background("words", self)

    def look_in(self, events: EventSource | None) -> None:
        """Look for words in other events from now on."""
        if events is not self._events:
            self._events = events
            self._words.clear()
            self._wanted.clear()

    def words_of(self, line: Line, turns: TurnView) -> Words | None:
        """Return a line's words; None until they are found, which `found` tells."""
        from app.analysis.word_times import user_words

        if line in self._words:
            self._words.move_to_end(line)
            return self._words[line]
        if line.who == "user":
            self._keep(line, user_words(line, turns.user_turns))
            return self._words[line]
        if line not in self._wanted:
            self._wanted[line] = list(turns.spans)
            while len(self._wanted) > self.MOST_WANTED:
                self._wanted.popitem(last=False)
            self._go_on()
        return None

    def close(self) -> None:
        """Look for nothing more, and wait a bounded time for what is being read."""
        self._wanted.clear()
        self._job.close()

    def _go_on(self) -> None:
        from app.analysis.word_times import agent_words

        events = self._events
        if self._is_busy or not self._wanted or events is None:
            return
        line, spans = next(reversed(self._wanted.items()))
        self._is_busy = True
        self._job.run(
            lambda: agent_words(line, events, spans),
            lambda words: self._take(events, line, words),
            lambda error: self._give_up(events, line, error),
        )

    def _give_up(self, events: EventSource, line: Line, error: Exception) -> None:
        log.error("The words of a line could not be found", exc_info=error)
        self._take(events, line, ())

    def _take(self, events: EventSource, line: Line, words: Words) -> None:
        self._is_busy = False
        if events is self._events:
            self._wanted.pop(line, None)
            self._keep(line, words)
            self.found.emit(line)
        self._go_on()

    def _keep(self, line: Line, words: Words) -> None:
        self._words[line] = words
        while len(self._words) > self.KEPT:
            self._words.popitem(last=False)
