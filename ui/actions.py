"""The menu bar: everything the window can do, with its keys. Main thread only."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from ui.dock import Dock
from ui.theme import SCHEMES


class Actions(QObject):
    """Named actions of a window; the window connects them and says which are enabled."""

    def __init__(self, window: QMainWindow) -> None:
        """Build the menu bar of ``window``."""
        super().__init__(window)
        self._window = window
        self._build_session()
        self._build_view()
        self._build_help()

    def _build_session(self) -> None:
        menu = self._window.menuBar().addMenu("&Session")
        self.start = self._add(menu, "&Start", "Ctrl+Return")
        self.end = self._add(menu, "&End", "Ctrl+E")
        self.interrupt = self._add(menu, "&Interrupt", "Esc")
        self.mute = self._add(menu, "&Mute", "M", checkable=True)
        menu.addSeparator()
        self.listen = self._add(menu, "&Listen to the recording", "L")
        self.replay = self._add(menu, "&Replay to agent", "Ctrl+R")
        self.save = self._add(menu, "Save &audio as…", "Ctrl+S")
        self.save_apart = self._add(menu, "Save the &tracks apart…", "Ctrl+Shift+S")
        self.show_folder = self._add(menu, "Show &folder", "Ctrl+O")
        menu.addSeparator()
        self.agent_form = self._add(menu, "ElevenLabs a&gent…", "Ctrl+G")
        self.recordings = self._add(menu, "Folder for re&cordings…")
        menu.addSeparator()
        self.quit = self._add(menu, "&Quit", QKeySequence.StandardKey.Quit)
        self.quit.setMenuRole(QAction.MenuRole.QuitRole)

    def _build_view(self) -> None:
        menu = self._window.menuBar().addMenu("&View")
        self.zoom_in = self._add(menu, "Zoom &in", "Ctrl++", "Ctrl+=")
        self.zoom_out = self._add(menu, "Zoom &out", "Ctrl+-")
        self.fit = self._add(menu, "Show the &whole session", "F")
        self.follow = self._add(menu, "&Follow", "Ctrl+L", checkable=True)
        self.follow.setChecked(True)
        self.beginning = self._add(menu, "Go to the &beginning", "Ctrl+Home")
        self.last = self._add(menu, "Go to the &end", "Ctrl+End")
        menu.addSeparator()
        self._panels = menu
        self._panels_end = menu.addSeparator()
        self.reset_layout = self._add(menu, "&Reset the layout")
        schemes = menu.addMenu("&Colours")
        group = QActionGroup(self)
        self.schemes = {name: self._add_scheme(schemes, group, name) for name in SCHEMES}

    def _build_help(self) -> None:
        menu = self._window.menuBar().addMenu("&Help")
        self.keys = self._add(menu, "&Keys", "F1")
        self.words = self._add(menu, "&What the numbers mean")
        self.about = self._add(menu, "&About Turnscope")
        self.about.setMenuRole(QAction.MenuRole.AboutRole)

    def add_panels(self, docks: Iterable[Dock], bring: Callable[[Dock], None]) -> None:
        """Add a switch for each of ``docks``: it does ``bring``, and is checked while it shows."""
        for number, dock in enumerate(docks, 1):
            action = self._add(self._panels, dock.windowTitle(), f"Ctrl+{number}", checkable=True)
            self._panels.insertAction(self._panels_end, action)
            dock.toggleViewAction().toggled.connect(action.setChecked)
            action.setChecked(not dock.isHidden())
            self.connect_all([(action, lambda each=dock: bring(each))])

    def connect_all(self, pairs: Iterable[tuple[QAction, Callable[[], object]]]) -> None:
        """Connect each action to what it does."""
        for action, do in pairs:
            action.triggered.connect(lambda _checked=False, do=do: do())

    def show_state(self, state: str, busy: bool, has_recording: bool, listening: bool) -> None:
        """Enable what can be done now; ``busy`` while a session runs or is being made."""
        self.start.setEnabled(not busy)
        self.end.setEnabled(busy and state != "ending")
        self.interrupt.setEnabled(state == "running" or listening)
        self.mute.setEnabled(state in ("connecting", "running"))
        for action in (self.listen, self.replay, self.save, self.save_apart):
            action.setEnabled(has_recording and not busy)
        self.show_folder.setEnabled(has_recording)

    def _add(
        self,
        menu: QMenu,
        text: str,
        *keys: str | QKeySequence.StandardKey,
        checkable: bool = False,
    ) -> QAction:
        action = menu.addAction(text)
        action.setShortcuts([QKeySequence(key) for key in keys])
        action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        action.setCheckable(checkable)
        return action

    def _add_scheme(self, menu: QMenu, group: QActionGroup, name: str) -> QAction:
        texts = {"system": "As the &system", "light": "&Light", "dark": "&Dark"}
        action = self._add(menu, texts[name], checkable=True)
        action.setData(name)
        group.addAction(action)
        return action
