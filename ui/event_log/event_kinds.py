"""Which types of events are shown: a button with a list to tick. Main thread only."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ui.event_log.event_index import ALL_KINDS, KindFilter, only
from ui.parts.theme import GRID
from ui.parts.tips import plain_tip

NAME = Qt.ItemDataRole.UserRole
TIP = "Which types of events are shown; Enter in the list shows only one"
SHORT = 24


class KindChooser(QToolButton):
    """Says which types are shown, and lets a person tick them; `chosen` after every change."""

    chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin with all types."""
        super().__init__(parent)
        self._kinds: dict[str, int] = {}
        self._filter = ALL_KINDS
        self._is_filling = False
        self.popup = QFrame(self, Qt.WindowType.Popup)
        self.list = QListWidget()
        self._build()
        self._say()

    @property
    def filter(self) -> KindFilter:
        """What is let through."""
        return self._filter

    def show_kinds(self, kinds: Mapping[str, int]) -> None:
        """Offer ``kinds``, each with how many events of it there are."""
        self._kinds = dict(kinds)
        if self.popup.isVisible():
            self.fill()

    def choose(self, kinds: KindFilter) -> None:
        """Let through what ``kinds`` does."""
        if kinds == self._filter:
            return
        self._filter = kinds
        self._say()
        self.fill()
        self.chosen.emit()

    def open(self) -> None:
        """Show the list below the button, with the keyboard in it."""
        self.fill()
        self.popup.resize(280, min(24 * max(self.list.count(), 4) + 56, 400))
        below = self.mapToGlobal(QPoint(0, self.height()))
        room = self.screen().availableGeometry()
        x = min(below.x(), room.right() - self.popup.width())
        y = min(below.y(), room.bottom() - self.popup.height())
        self.popup.move(x, y)
        self.popup.show()
        self.list.setFocus()
        if self.list.currentRow() < 0:
            self.list.setCurrentRow(0)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let Enter in the list show only the type that the keyboard is on."""
        keys = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            item = self.list.currentItem()
            if event.key() in keys and item is not None:
                self.choose(only(item.data(NAME)))
                return True
        return super().eventFilter(watched, event)

    def fill(self) -> None:
        """Write the list anew."""
        self._is_filling = True
        row = self.list.currentRow()
        self.list.clear()
        for kind in sorted({*self._kinds, *self._filter.names}):
            item = QListWidgetItem(f"{kind}   {self._kinds.get(kind, 0):,}".replace(",", "\u202f"))
            item.setData(NAME, kind)
            shown = self._filter.passes(kind)
            item.setCheckState(Qt.CheckState.Checked if shown else Qt.CheckState.Unchecked)
            self.list.addItem(item)
        self.list.setCurrentRow(min(row, self.list.count() - 1))
        self._is_filling = False

    def _ticked(self, item: QListWidgetItem) -> None:
        if not self._is_filling:
            shown = item.checkState() == Qt.CheckState.Checked
            self.choose(self._filter.with_kind(item.data(NAME), shown=shown))

    def _say(self) -> None:
        text = filter_text(self._filter)
        self.setText(text if len(text) <= SHORT else f"{text[: SHORT - 1]}…")
        self.setToolTip(plain_tip(f"{text}. {TIP}"))  # types are named by the agent

    def _build(self) -> None:
        self.setAccessibleName("Types of events")
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.setArrowType(Qt.ArrowType.NoArrow)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setMinimumWidth(144)
        self.clicked.connect(self.open)
        self.popup.setFrameShape(QFrame.Shape.StyledPanel)
        column = QVBoxLayout(self.popup)
        column.setContentsMargins(GRID, GRID, GRID, GRID)
        row = QHBoxLayout()
        for text, kinds in (("All types", ALL_KINDS), ("None", only())):
            button = QPushButton(text)
            button.clicked.connect(lambda _=False, kinds=kinds: self.choose(kinds))
            row.addWidget(button)
        row.addStretch(1)
        column.addLayout(row)
        column.addWidget(self.list)
        self.list.setAccessibleName("Types of events that are shown")
        self.list.installEventFilter(self)
        self.list.itemChanged.connect(self._ticked)


def filter_text(kinds: KindFilter) -> str:
    """Return in words what a filter lets through."""
    names = sorted(kinds.names)
    if not names:
        return "All types" if kinds.hides else "No types"
    said = names[0] if len(names) == 1 else f"{len(names)} types"
    return f"All but {said}" if kinds.hides else said
