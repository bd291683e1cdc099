"""What can be done with the chosen recordings: a menu and keys of the library's table.

Main thread only.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QTableView

from app.library.library_entry import Entry


class LibraryActions(QObject):
    """Named actions of a table; they are enabled by what is chosen in it."""

    def __init__(self, table: QTableView) -> None:
        """Make the context menu of ``table``; the panel connects the actions."""
        super().__init__(table)
        self._table = table
        self.open = self._add("&Open", "Enter")
        self.rename = self._add("Re&name", "F2")
        self._add_separator()
        self.replay = self._add("Re&play to agent", "Ctrl+Shift+R")
        self.compare = self._add("&Compare the two", "Ctrl+D")
        self.export = self._add("&Export…", "Ctrl+Shift+E")
        self._add_separator()
        self.reveal = self._add("&Show in the file manager", "Ctrl+Shift+L")
        self.trash = self._add("Move to &trash…", "Del")
        self._add_separator()
        self.refresh = self._add("Re&fresh the list", "F5")
        # Enter is the table's own: it says so with `activated`, as a double click does.
        self.open.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        table.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        table.installEventFilter(self)
        self.show_chosen([])

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the keys of the table be its own: the window has other uses for some of them.

        A key that both have would do nothing at all, for Qt would not choose.
        """
        if not isinstance(event, QKeyEvent):
            return super().eventFilter(watched, event)
        action = self._action_of(event)
        if event.type() == QEvent.Type.ShortcutOverride:
            if action is not None or event.matches(QKeySequence.StandardKey.SelectAll):
                event.accept()
                return True
        elif event.type() == QEvent.Type.KeyPress and action is not None:
            action.trigger()
            return True
        return super().eventFilter(watched, event)

    def show_chosen(self, chosen: Sequence[Entry]) -> None:
        """Enable what can be done with ``chosen``."""
        can_open = len(chosen) == 1 and chosen[0].can_open
        for action in (self.open, self.reveal):
            action.setEnabled(can_open)
        for action in (self.replay, self.export):
            action.setEnabled(can_open and chosen[0].state != "recording")
        self.reveal.setEnabled(len(chosen) == 1)
        self.rename.setEnabled(len(chosen) == 1 and chosen[0].can_rename)
        self.compare.setEnabled(len(chosen) == 2 and all(each.can_open for each in chosen))
        self.trash.setEnabled(any(each.can_trash for each in chosen))

    def _action_of(self, event: QKeyEvent) -> QAction | None:
        """Return what a key does here; None for Enter, which is left to the table."""
        keys = QKeySequence(event.keyCombination())
        actions = (each for each in self._table.actions() if each is not self.open)
        return next((each for each in actions if each.shortcut() == keys), None)

    def _add(self, text: str, key: str) -> QAction:
        action = QAction(text, self._table)
        action.setShortcut(QKeySequence(key))
        action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        self._table.addAction(action)
        return action

    def _add_separator(self) -> None:
        line = QAction(self._table)
        line.setSeparator(True)
        self._table.addAction(line)
