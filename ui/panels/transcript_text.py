"""The text of the chat: lines of both parties, with what interrupted them. Main thread only.

What an agent or a user said is data: it enters the document as plain text with a format beside it,
never as markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF, QRect, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFont,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
)
from PySide6.QtWidgets import QTextEdit

from ui.panels.chat_entries import (
    ChatEntries,
    Entry,
    Note,
    Segment,
    head_of,
    place_of_word,
    segments,
)
from ui.panels.chat_entries import word_at as word_of_entry
from ui.parts.stick_to_end import StickToEnd
from ui.parts.theme import GRID, Theme, translucent

if TYPE_CHECKING:
    from app.analysis.limits import Limits
    from app.analysis.turn_records import Interruption, Line, Overlap

EMPTY = "What you and the agent say in a session appears here."
INDENT = 12
Place = tuple[int, int]
"""A word: the numbers of its line, and of the word in it."""
STYLE_TIPS = {
    "unheard": "Sent by the agent, and heard by nobody",
    "note": "A click shows it in the interruptions",
    "account": "What the agent believes was heard, by its own correction, where ours differs",
}


class TranscriptText(QTextEdit):
    """Lines of both parties; one that changes is written anew, those before it stay.

    A line takes some 8 kB once it is laid out, so of a session that goes on only the last lines are
    in the document. Earlier ones are put in as the person comes to them, and go when the end is in
    sight again.
    """

    word_chosen = Signal(int, int)
    """The numbers of a line, and of a word in it; -1 is its beginning."""
    note_chosen = Signal(object)
    """A `Note`."""
    BLOCKS_A_LINE = 2
    MOST = 60
    """Lines in the document while its end is in sight and more are coming."""
    MOST_AT_FIRST = 1000
    """Lines of a transcript that is there as a whole."""
    AT_ONCE = 40
    """Lines that are put in, or taken out, together."""

    def __init__(self, theme: Theme) -> None:
        """Begin empty."""
        super().__init__()
        self._theme = theme
        self._entries = ChatEntries()
        self._first = 0
        self._is_putting_in = False
        self._lit: list[Place] = []
        self._last_lit: Place | None = None
        self._pressed = QPoint()
        self.setReadOnly(True)
        self.setAcceptRichText(False)
        self.setAccessibleName("Transcript")
        self.setAccessibleDescription(EMPTY)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.viewport().setMouseTracking(True)
        self.document().setUndoRedoEnabled(False)
        self.document().setDocumentMargin(GRID)
        self._sticking = StickToEnd(self.verticalScrollBar())
        self.verticalScrollBar().valueChanged.connect(self._moved)
        theme.changed.connect(self._rewrite)

    @property
    def entries(self) -> ChatEntries:
        """What is shown."""
        return self._entries

    def show_lines(
        self,
        lines: Sequence[Line],
        cuts: Sequence[Interruption] = (),
        overlaps: Sequence[Overlap] = (),
        limits: Limits | None = None,
    ) -> None:
        """Show ``lines`` with what interrupted them, or should have.

        They differ from the ones before near the end, if at all.
        """
        same = self._entries.bring(lines, cuts, overlaps, limits)
        if same is None:
            return
        if same <= self._first:
            self._first = max(len(lines) - self.MOST_AT_FIRST, 0)
            self._replace_from(self._first)
        else:
            self._replace_from(same)
            self._let_go()
        self._draw_lit()

    # --- words that are being spoken

    def light(self, places: Sequence[Place], *, follows: bool = False, jumps: bool = False) -> None:
        """Light these words, and no others.

        ``follows`` keeps the first of them in sight if the last that was lit is; ``jumps`` brings
        it into sight wherever the person reads.
        """
        if list(places) == self._lit:
            return
        last, self._lit = self._last_lit, list(places)
        self._draw_lit()
        if places:
            self._last_lit = places[0]
            if jumps or (follows and (last is None or self._is_in_sight(*last))):
                self._bring_into_sight(*places[0])

    @property
    def lit(self) -> list[str]:
        """The words that are lit."""
        return [selection.cursor.selectedText() for selection in self.extraSelections()]

    def _draw_lit(self) -> None:
        selections = []
        for line, word in self._lit:
            cursor = self._cursor_of(line, word)
            if cursor is not None:
                selection = QTextEdit.ExtraSelection()
                selection.cursor = cursor
                who = self._entries.all[line].line.who
                colour = getattr(self._theme.colours, who)
                selection.format.setBackground(translucent(colour, 0.28))
                selections.append(selection)
        if selections or self.extraSelections():
            self.setExtraSelections(selections)

    def _cursor_of(self, line: int, word: int) -> QTextCursor | None:
        """Return a cursor that selects a word; None where it is not in the document."""
        if not self._first <= line < len(self._entries.all):
            return None
        place = place_of_word(self._entries.all[line], word)
        block = self.document().findBlockByNumber((line - self._first) * self.BLOCKS_A_LINE + 1)
        if place is None or place[0] + place[1] >= block.length():
            return None
        cursor = QTextCursor(block)
        cursor.setPosition(block.position() + place[0])
        cursor.setPosition(cursor.position() + place[1], QTextCursor.MoveMode.KeepAnchor)
        return cursor

    def _bring_into_sight(self, line: int, word: int) -> None:
        if line < self._first:
            self._put_in(self._first - line)
        cursor, bar = self._cursor_of(line, word), self.verticalScrollBar()
        if cursor is not None and not self._is_in_sight(line, word):
            top = self.cursorRect(cursor).top()
            bar.setValue(bar.value() + top - self.viewport().height() // 3)

    def _is_in_sight(self, line: int, word: int) -> bool:
        cursor = self._cursor_of(line, word)
        if cursor is None:
            return False
        area = self.cursorRect(cursor)
        return area.top() >= 0 and area.bottom() <= self.viewport().height()

    # --- what is clicked

    def choose_at(self, block_number: int, offset: int) -> bool:
        """Choose the word or the note there; a line's head is its beginning. Say whether any is."""
        number = self._first + block_number // self.BLOCKS_A_LINE
        if number >= len(self._entries.all):
            return False
        if block_number % self.BLOCKS_A_LINE == 0:
            self.word_chosen.emit(number, -1)
            return True
        found = word_of_entry(self._entries.all[number], offset)
        if isinstance(found, Note):
            self.note_chosen.emit(found)
        elif found is not None:
            self.word_chosen.emit(number, found)
        return found is not None

    def _cursor_at(self, place: QPointF) -> QTextCursor | None:
        """Return a cursor before the letter at ``place``; None where there is none."""
        shift = QPointF(self.horizontalScrollBar().value(), self.verticalScrollBar().value())
        layout = self.document().documentLayout()
        position = layout.hitTest(place + shift, Qt.HitTestAccuracy.ExactHit)
        if position < 0:
            return None
        cursor = QTextCursor(self.document())
        cursor.setPosition(position)
        return cursor

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Note where a click began: one that is drawn selects text."""
        self._pressed = event.position().toPoint()
        super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Choose what was clicked, unless text was selected."""
        super().mouseReleaseEvent(event)
        near = (event.position().toPoint() - self._pressed).manhattanLength() < GRID // 2
        is_click = event.button() == Qt.MouseButton.LeftButton and near
        cursor = self._cursor_at(event.position())
        if is_click and cursor is not None and not self.textCursor().hasSelection():
            self.choose_at(cursor.blockNumber(), cursor.positionInBlock())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show that a note can be clicked."""
        super().mouseMoveEvent(event)
        cursor = self._cursor_at(event.position())
        is_note = False
        if cursor is not None and cursor.blockNumber() % self.BLOCKS_A_LINE:
            number = self._first + cursor.blockNumber() // self.BLOCKS_A_LINE
            entry = self._entries.all[number]
            is_note = isinstance(word_of_entry(entry, cursor.positionInBlock()), Note)
        shape = Qt.CursorShape.PointingHandCursor if is_note else Qt.CursorShape.IBeamCursor
        self.viewport().setCursor(shape)

    # --- which lines are in the document

    def _moved(self, value: int) -> None:
        if not self._is_putting_in and value < self.viewport().height() // 2:
            self._put_in(self.AT_ONCE)

    def _put_in(self, count: int) -> None:
        """Put up to ``count`` earlier lines before those that are there; what is seen stays."""
        if not self._first:
            return
        self._is_putting_in = True
        bar, document = self.verticalScrollBar(), self.document()
        below = bar.maximum() - bar.value()
        first, self._first = self._first, max(self._first - count, 0)
        cursor = QTextCursor(document)
        cursor.beginEditBlock()
        for number in range(self._first, first):
            self._write(cursor, self._entries.all[number], first=number == self._first)
        cursor.insertBlock(block_format(GRID + 4))
        cursor.endEditBlock()
        document.size()  # lays it out now, for the range of the scroll bar
        bar.setValue(bar.maximum() - below)
        self._is_putting_in = False

    def _let_go(self) -> None:
        """Take early lines out of the document, if its end is in sight and there are too many."""
        gone = len(self._entries.all) - self._first - self.MOST
        if gone < self.AT_ONCE or not self._sticking.at_end or self.textCursor().hasSelection():
            return
        block = self.document().findBlockByNumber(gone * self.BLOCKS_A_LINE)
        cursor = QTextCursor(self.document())
        cursor.setPosition(block.position(), QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        self._first += gone

    def _replace_from(self, index: int) -> None:
        """Write the lines from ``index`` on anew, which are at the end of the document."""
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        if index == self._first:
            cursor.select(QTextCursor.SelectionType.Document)
        else:
            number = (index - self._first) * self.BLOCKS_A_LINE - 1
            block = self.document().findBlockByNumber(number)
            cursor.setPosition(block.position() + block.length() - 1)
            cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        for number in range(index, len(self._entries.all)):
            self._write(cursor, self._entries.all[number], first=number == self._first)
        cursor.endEditBlock()

    def _rewrite(self) -> None:
        self._replace_from(self._first)
        self._draw_lit()

    def _select_all(self) -> None:
        self._put_in(self._first)
        self.selectAll()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let Enter choose the word that the cursor is in, and "select all" mean all lines."""
        cursor = self.textCursor()
        if event.matches(QKeySequence.StandardKey.SelectAll):
            self._select_all()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.choose_at(cursor.blockNumber(), cursor.positionInBlock())
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Show the usual menu, whose "select all" means all lines, too."""
        menu = self.createStandardContextMenu(event.pos())
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for action in menu.actions():
            if action.objectName() == "select-all":
                action.triggered.connect(self._select_all)
        menu.popup(event.globalPos())

    # --- one line

    def _write(self, cursor: QTextCursor, entry: Entry, first: bool) -> None:
        head, body = block_format(2 if first else GRID + 4), block_format(0)
        if first:
            cursor.setBlockFormat(head)
        else:
            cursor.insertBlock(head)
        name, time, remarks = head_of(entry.line)
        cursor.insertText(name, self._format(entry.line.who, bold=True))
        for text in (time, *remarks):
            cursor.insertText(f"  {text}", self._format("muted", small=True))
        cursor.insertBlock(body)
        for segment in segments(entry):
            cursor.insertText(segment.text, self._segment_format(segment))

    def _segment_format(self, segment: Segment) -> QTextCharFormat:
        style = segment.style
        if style == "note":
            result = self._format("interruption", bold=True, small=True)
        elif style == "account":
            result = self._format("muted", small=True)
        else:
            result = self._format("text" if style == "heard" else "muted")
        result.setFontStrikeOut(style == "unheard")
        result.setFontItalic(style in {"tentative", "account"})
        if style in STYLE_TIPS:
            result.setToolTip(STYLE_TIPS[style])
        return result

    def _format(self, colour: str, bold: bool = False, small: bool = False) -> QTextCharFormat:
        result = QTextCharFormat()
        result.setForeground(QColor(getattr(self._theme.colours, colour)))
        if bold:
            result.setFontWeight(QFont.Weight.DemiBold)
        if small:
            result.setFontPointSize(max(self.font().pointSizeF() - 1.5, 6))
        return result

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the text, and a bar in the party's colour beside each line of it."""
        super().paintEvent(event)
        painter = QPainter(self.viewport())
        if not self._entries.all:
            # Qt's own placeholder has one line, which is cut off
            painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
            area = self.viewport().rect().adjusted(2 * GRID, 0, -2 * GRID, 0)
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(area, flags, EMPTY)
            painter.end()
            return
        layout, shift = self.document().documentLayout(), self.verticalScrollBar().value()
        number = max(self.cursorForPosition(event.rect().topLeft()).blockNumber() - 1, 0)
        for index in range(self._first + number // self.BLOCKS_A_LINE, len(self._entries.all)):
            head = self.document().findBlockByNumber((index - self._first) * self.BLOCKS_A_LINE)
            top = layout.blockBoundingRect(head).top() - shift
            if top > self.viewport().height():
                break
            bottom = layout.blockBoundingRect(head.next()).bottom() - shift
            bar = QRect(GRID, round(top) + 2, 3, round(bottom - top) - 2)
            who = self._entries.all[index].line.who
            painter.fillRect(bar, QColor(getattr(self._theme.colours, who)))
        painter.end()


def block_format(top_margin: int) -> QTextBlockFormat:
    """Return the format of a paragraph, indented for the bar beside it."""
    result = QTextBlockFormat()
    result.setTopMargin(top_margin)
    result.setLeftMargin(INDENT)
    return result
