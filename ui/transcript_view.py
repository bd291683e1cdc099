"""The transcript as a chat: what was heard, what nobody heard struck out. Main thread only.

What an agent or a user said is data: it enters the document as plain text with a format beside it,
never as markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFont,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
)
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QTextEdit, QToolButton, QVBoxLayout, QWidget

from ui.icons import Icons
from ui.stick_to_end import StickToEnd
from ui.theme import CONTROL_HEIGHT, GRID, Theme
from ui.time_axis import clock_text

if TYPE_CHECKING:
    from app.turn_records import Line

EMPTY = "What you and the agent say in a session appears here."
WRITE = "Write to the agent"
START_FIRST = "Start a session to write to the agent"
INDENT = 12


class TranscriptText(QTextEdit):
    """Lines of both parties; one that changes is written anew, those before it stay.

    A line takes some 8 kB once it is laid out, so of a session that goes on only the last lines are
    in the document. Earlier ones are put in as the person comes to them, and go when the end is in
    sight again.
    """

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
        self._lines: list[Line] = []
        self._first = 0
        self._is_putting_in = False
        self.setReadOnly(True)
        self.setAcceptRichText(False)
        self.setPlaceholderText(EMPTY)
        self.setAccessibleName("Transcript")
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.document().setUndoRedoEnabled(False)
        self.document().setDocumentMargin(GRID)
        self._sticking = StickToEnd(self.verticalScrollBar())
        self.verticalScrollBar().valueChanged.connect(self._moved)
        theme.changed.connect(self._rewrite)

    def show_lines(self, lines: Sequence[Line]) -> None:
        """Show ``lines``, which differ from the ones before near the end, if at all."""
        lines = list(lines)
        if lines == self._lines:  # quick, for mostly they are the same objects
            return
        same = first_difference(self._lines, lines)
        self._lines = lines
        if same <= self._first:
            self._first = max(len(lines) - self.MOST_AT_FIRST, 0)
            self._replace_from(self._first)
        else:
            self._replace_from(same)
            self._let_go()

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
            self._write(cursor, self._lines[number], first=number == self._first)
        cursor.insertBlock(block_format(GRID + 4))
        cursor.endEditBlock()
        document.size()  # lays it out now, for the range of the scroll bar
        bar.setValue(bar.maximum() - below)
        self._is_putting_in = False

    def _let_go(self) -> None:
        """Take early lines out of the document, if its end is in sight and there are too many."""
        gone = len(self._lines) - self._first - self.MOST
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
        for number in range(index, len(self._lines)):
            self._write(cursor, self._lines[number], first=number == self._first)
        cursor.endEditBlock()

    def _rewrite(self) -> None:
        self._replace_from(self._first)

    def _select_all(self) -> None:
        self._put_in(self._first)
        self.selectAll()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let "select all" mean the lines that are not in the document, too."""
        if event.matches(QKeySequence.StandardKey.SelectAll):
            self._select_all()
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

    def _write(self, cursor: QTextCursor, line: Line, first: bool) -> None:
        head, body = block_format(2 if first else GRID + 4), block_format(0)
        if first:
            cursor.setBlockFormat(head)
        else:
            cursor.insertBlock(head)
        name = "You" if line.who == "user" else "Agent"
        cursor.insertText(name, self._format(line.who, bold=True))
        cursor.insertText(f"  {clock_text(line.at, 1)[3:]}", self._format("muted", small=True))
        for remark in remarks(line):
            cursor.insertText(f"  {remark}", self._format("muted", small=True))
        cursor.insertBlock(body)
        for text, style in pieces(line):
            cursor.insertText(one_block(text), self._piece_format(style))

    def _piece_format(self, style: str) -> QTextCharFormat:
        if style == "unheard":
            result = self._format("muted")
            result.setFontStrikeOut(True)
            result.setToolTip("Sent by the agent, and heard by nobody")
            return result
        if style == "tentative":
            result = self._format("muted")
            result.setFontItalic(True)
            return result
        return self._format("muted" if style == "pending" else "text")

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
        if not self._lines:
            return
        painter = QPainter(self.viewport())
        layout, shift = self.document().documentLayout(), self.verticalScrollBar().value()
        number = max(self.cursorForPosition(event.rect().topLeft()).blockNumber() - 1, 0)
        for index in range(self._first + number // self.BLOCKS_A_LINE, len(self._lines)):
            head = self.document().findBlockByNumber((index - self._first) * self.BLOCKS_A_LINE)
            top = layout.blockBoundingRect(head).top() - shift
            if top > self.viewport().height():
                break
            bottom = layout.blockBoundingRect(head.next()).bottom() - shift
            bar = QRect(GRID, round(top) + 2, 3, round(bottom - top) - 2)
            painter.fillRect(bar, QColor(getattr(self._theme.colours, self._lines[index].who)))
        painter.end()


def block_format(top_margin: int) -> QTextBlockFormat:
    """Return the format of a paragraph, indented for the bar beside it."""
    result = QTextBlockFormat()
    result.setTopMargin(top_margin)
    result.setLeftMargin(INDENT)
    return result


def first_difference(old: list[Line], new: list[Line]) -> int:
    """Return the first place where the two differ, which is near the end if they are long."""
    both = min(len(old), len(new))
    start = next((n for n in (both - 16, both - 256) if n > 0 and old[:n] == new[:n]), 0)
    return next((n for n in range(start, both) if old[n] != new[n]), both)


def remarks(line: Line) -> list[str]:
    """Return what is to be said of a line beside its text."""
    told = ((line.tentative, "not final"), (line.typed, "typed"), (line.estimated, "≈ words"))
    return [text for is_so, text in told if is_so]


def one_block(text: str) -> str:
    """Return ``text`` with its line breaks as such: a new paragraph would begin another block."""
    return "\u2028".join(text.replace("\u2029", "\n").splitlines())


def pieces(line: Line) -> list[tuple[str, str]]:
    """Return a line's text cut into ``(text, style)``: heard, pending, unheard or tentative."""
    if line.tentative:
        return [(line.text, "tentative")]
    divided = ((line.heard_text, "heard"), (line.waiting_text, "pending"))
    parts = [(text, style) for text, style in (*divided, (line.unheard_text, "unheard")) if text]
    if line.who == "user" or not parts:
        return [(line.text, "heard" if line.who == "user" else "pending")]
    gaps = [("" if text[-1:].isspace() else " ") for text, _ in parts[:-1]] + [""]
    return [(text + gap, style) for (text, style), gap in zip(parts, gaps, strict=True)]


class TranscriptView(QWidget):
    """The chat, and below it a field to write to the agent."""

    text_entered = Signal(str)

    def __init__(self, theme: Theme, icons: Icons) -> None:
        """Begin empty, with the field disabled."""
        super().__init__()
        self.chat = TranscriptText(theme)
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

    def set_running(self, running: bool) -> None:
        """Allow sending while a session runs; what is being typed as it ends is kept."""
        if self.send.isEnabled() != running:
            self.send.setEnabled(running)
            self.field.setPlaceholderText(WRITE if running else START_FIRST)

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
