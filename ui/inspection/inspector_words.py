"""What was said around an interruption: heard, cut and unheard words, the agent's own account.

Main thread only. The words are an agent's: they enter as plain text with a format beside them.
"""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QFont, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QTextEdit

from ui.inspection.moments import CLASSES, Moment, agreement_text, heard_text, words_of
from ui.parts.theme import GRID, Theme, small

MOST_CHARS = 280
"""Of what was heard the end is shown, of what was not the beginning: what is near the cut."""


class InspectorWords(QTextEdit):
    """Heard words, the cut one marked, unheard ones struck out; and what else is in words."""

    def __init__(self, theme: Theme) -> None:
        """Begin empty."""
        super().__init__()
        self._theme = theme
        self._moment: Moment | None = None
        self.setReadOnly(True)
        self.setAcceptRichText(False)
        self.setAccessibleName("Words around the interruption")
        self.setTabChangesFocus(True)
        self.document().setUndoRedoEnabled(False)
        self.document().setDocumentMargin(GRID // 2)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        theme.changed.connect(self._write)

    def minimumSizeHint(self) -> QSize:
        """Return room for some three lines."""
        return QSize(160, 3 * self.fontMetrics().lineSpacing() + GRID)

    def show_moment(self, moment: Moment | None) -> None:
        """Show the words of ``moment``."""
        if moment != self._moment:
            self._moment = moment
            self._write()

    def _write(self) -> None:
        self.document().clear()
        moment = self._moment
        if moment is None:
            return
        cursor = QTextCursor(self.document())
        if moment.cut is None:
            told = heard_text(moment)
            cursor.insertText(f"{told.capitalize()}. " if told else "", self._format())
            cursor.insertText(f"{CLASSES.get(moment.kind, '')}.", self._format("muted"))
        else:
            self._write_words(cursor, moment)
            self._write_corrected(cursor, moment)
        self.moveCursor(QTextCursor.MoveOperation.Start)

    def _write_words(self, cursor: QTextCursor, moment: Moment) -> None:
        if moment.cut is None:
            return
        before, word, unheard = words_of(moment.cut)
        estimated = ", estimated" if moment.cut.words_estimated else ""
        if not (before or word or unheard):
            cursor.insertText("It is not known which words were heard.", self._format("muted"))
            return
        cursor.insertText(f"Heard{estimated}: ", self._caption())
        if not before and not word:
            cursor.insertText("nothing. ", self._format("muted"))
        cursor.insertText(_end(before), self._format("agent"))
        if word:
            marked = self._format("interruption")
            marked.setFontWeight(QFont.Weight.Bold)
            marked.setToolTip("The agent fell silent in the middle of this word")
            cursor.insertText(f"{word}—", marked)
            cursor.insertText(" ", self._format())
        if unheard:
            struck = self._format("muted")
            struck.setFontStrikeOut(True)
            struck.setToolTip("Nobody heard this")
            cursor.insertText(_beginning(unheard), struck)

    def _write_corrected(self, cursor: QTextCursor, moment: Moment) -> None:
        cut = moment.cut
        if cut is None or cut.corrected_text is None:
            return
        cursor.insertBlock()
        cursor.insertText("The agent's own text ", self._caption())
        told = agreement_text(cut)
        cursor.insertText(told, self._format("text" if told.startswith("agrees") else "warning"))
        cursor.insertText(": ", self._caption())
        cursor.insertText(_end(" ".join(cut.corrected_text.split())), self._format("agent"))

    def _format(self, colour: str = "text") -> QTextCharFormat:
        result = QTextCharFormat()
        result.setForeground(QColor(getattr(self._theme.colours, colour)))
        return result

    def _caption(self) -> QTextCharFormat:
        result = self._format("muted")
        result.setFont(small(-1.0))
        return result


def _beginning(text: str) -> str:
    return text if len(text) <= MOST_CHARS else f"{text[:MOST_CHARS]}…"


def _end(text: str) -> str:
    return text if len(text) <= MOST_CHARS else f"…{text[-MOST_CHARS:]}"
