"""The session's own page: title, tags and notes to write, and what is known of it to read.

Main thread only.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.bundles.notes import Notes
from ui.parts.theme import GRID, Theme, small, tabular

EMPTY = "Start a session or open a recording: what is known of it will appear here."
LONGEST_TITLE = 200


class SessionPage(QWidget):
    """Three fields and a list of facts."""

    written = Signal(str, object)
    """What was written in — ``title``, ``tags`` or ``notes`` — and what it says now."""

    def __init__(self, theme: Theme) -> None:
        """Begin with nothing in view."""
        super().__init__()
        self._theme = theme
        self.title = QLineEdit()
        self.tags = QLineEdit()
        self.notes = QPlainTextEdit()
        self._empty = QLabel(EMPTY)
        self._facts: list[tuple[str, str]] = []
        self._inside = QWidget()
        self._grid = QGridLayout(self._inside)
        self._is_showing = False
        self._build()
        theme.changed.connect(self._restyle)
        self.show_facts([])
        self.set_enabled(False)

    def set_enabled(self, enabled: bool) -> None:
        """Let something be written, or not: there is nothing that it would be about."""
        for field in (self.title, self.tags, self.notes):
            field.setEnabled(enabled)

    def show_notes(self, notes: Notes) -> None:
        """Show what is written; the field that is being written in is left alone."""
        self._is_showing = True
        texts = ((self.title, notes.title), (self.tags, ", ".join(notes.tags)))
        for field, text in texts:
            if field.text() != text and not field.hasFocus():
                field.setText(text)
        if self.notes.toPlainText() != notes.notes and not self.notes.hasFocus():
            self.notes.setPlainText(notes.notes)
        self._is_showing = False

    def forget(self) -> None:
        """Empty the fields, and let go of the keyboard: another recording is in view."""
        for field in (self.title, self.tags, self.notes):
            field.clearFocus()
        self._is_showing = True
        self.title.clear()
        self.tags.clear()
        self.notes.clear()
        self._is_showing = False

    def show_facts(self, facts: Sequence[tuple[str, str]]) -> None:
        """Show what is known, as label and value."""
        if list(facts) == self._facts and facts:
            return
        self._facts = list(facts)
        while (item := self._grid.takeAt(0)) is not None:
            item.widget().deleteLater()
        for row, (label, value) in enumerate(facts):
            self._grid.addWidget(self._label(label, is_value=False), row, 0)
            self._grid.addWidget(self._label(value, is_value=True), row, 1)
        self._empty.setVisible(not facts)
        self._restyle()

    def _label(self, text: str, *, is_value: bool) -> QLabel:
        label = QLabel(text)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setFont(tabular(-0.5))
        label.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        if is_value:
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        else:
            label.setObjectName("fact")
        return label

    def _restyle(self) -> None:
        self._inside.setStyleSheet(f"QLabel#fact {{ color: {self._theme.colours.muted}; }}")

    def _tell_title(self) -> None:
        self.written.emit("title", " ".join(self.title.text().split()))

    def _tell_tags(self) -> None:
        tags = (" ".join(each.split()) for each in self.tags.text().split(","))
        self.written.emit("tags", tuple(dict.fromkeys(tag for tag in tags if tag)))

    def _tell_notes(self) -> None:
        if not self._is_showing:
            self.written.emit("notes", self.notes.toPlainText())

    # --- building

    def _build(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(GRID, GRID // 2, 0, 0)
        row.setSpacing(2 * GRID)
        row.addLayout(self._build_form(), 1)
        row.addWidget(self._build_facts(), 1)
        self.title.textEdited.connect(lambda _: self._tell_title())
        self.tags.textEdited.connect(lambda _: self._tell_tags())
        self.notes.textChanged.connect(self._tell_notes)

    def _build_form(self) -> QGridLayout:
        form = QGridLayout()
        form.setHorizontalSpacing(GRID)
        form.setVerticalSpacing(GRID // 2)
        self.title.setMaxLength(LONGEST_TITLE)
        self.title.setPlaceholderText("What this session is to be called")
        self.tags.setPlaceholderText("Words to find it by, with commas between")
        self.notes.setPlaceholderText("Notes")
        self.notes.setTabChangesFocus(True)
        rows = (("&Title", self.title), ("Ta&gs", self.tags), ("&Notes", self.notes))
        for number, (text, field) in enumerate(rows):
            label = QLabel(text)
            label.setBuddy(field)
            label.setFont(small(-0.5))
            # On the line of what is written, which in the notes is the first of several.
            label.setFixedHeight(self.title.sizeHint().height())
            form.addWidget(label, number, 0, Qt.AlignmentFlag.AlignTop)
            form.addWidget(field, number, 1)
            field.setAccessibleName(text.replace("&", ""))
        form.setRowStretch(2, 1)
        return form

    def _build_facts(self) -> QScrollArea:
        outer = QVBoxLayout()
        self._grid.setContentsMargins(GRID, GRID // 2, GRID, GRID // 2)
        self._grid.setHorizontalSpacing(2 * GRID)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(1, 1)
        self._empty.setWordWrap(True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        holder = QWidget()
        outer.addWidget(self._empty)
        outer.addWidget(self._inside)
        outer.addStretch(1)
        outer.setContentsMargins(0, 0, 0, 0)
        holder.setLayout(outer)
        area = QScrollArea()
        area.setWidget(holder)
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setAccessibleName("What is known of the session")
        return area
