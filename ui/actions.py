"""The menu bar: everything the window can do, with its keys. Main thread only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from ui.parts.available import Available
from ui.parts.dock import Dock
from ui.parts.theme import SCHEMES

DIGITS = 9
"""So many panels have a key with one digit; what comes after them is reached with Shift."""


class Actions(QObject):
    """Named actions of a window; the window connects them and says which are enabled."""

    def __init__(self, window: QMainWindow) -> None:
        """Build the menu bar of ``window``."""
        super().__init__(window)
        self._window = window
        self._build_file()
        self._build_session()
        self._build_edit()
        self._build_play()
        self._build_view()
        self._build_help()

    def _build_file(self) -> None:
        menu = self._window.menuBar().addMenu("&File")
        self.open = self._add(menu, "&Open recording…", "Ctrl+O")
        self.open_file = self._add(menu, "Open audio &file or zip…", "Ctrl+Shift+O")
        self.recent = menu.addMenu("Open &recent")
        menu.addSeparator()
        self.export = self._add(menu, "&Export…", "Ctrl+Shift+E")
        self.save = self._add(menu, "Save &audio as…", "Ctrl+S")
        self.save_apart = self._add(menu, "Save the &tracks apart…", "Ctrl+Shift+S")
        self.compare = self._add(menu, "Co&mpare with…")
        self.show_folder = self._add(menu, "&Show in its folder", "Ctrl+Shift+F")
        menu.addSeparator()
        self.recordings = self._add(menu, "Folder for re&cordings…")
        menu.addSeparator()
        self.quit = self._add(menu, "&Quit", QKeySequence.StandardKey.Quit)
        self.quit.setMenuRole(QAction.MenuRole.QuitRole)

    def _build_session(self) -> None:
        menu = self._window.menuBar().addMenu("&Session")
        self.start = self._add(menu, "&Start", "Ctrl+Return")
        self.end = self._add(menu, "&End", "Ctrl+E")
        self.interrupt = self._add(menu, "&Interrupt", "Esc")
        self.mute = self._add(menu, "&Mute", "M", checkable=True)
        menu.addSeparator()
        self.replay = self._add(menu, "&Replay to agent", "Ctrl+R")
        menu.addSeparator()
        self.agent_form = self._add(menu, "ElevenLabs a&gent…", "Ctrl+G")

    def _build_edit(self) -> None:
        menu = self._window.menuBar().addMenu("&Edit")
        self.marker = self._add(menu, "Set &marker", "K")
        self.previous_marker = self._add(menu, "&Previous marker", "Ctrl+PgUp")
        self.next_marker = self._add(menu, "&Next marker", "Ctrl+PgDown")
        menu.addSeparator()
        self.previous_interruption = self._add(menu, "Previous &interruption", "Shift+N")
        self.next_interruption = self._add(menu, "Next in&terruption", "N")
        menu.addSeparator()
        self.select_all = self._add(menu, "Select &all", "Ctrl+A")
        self.select_none = self._add(menu, "Select n&othing", "Ctrl+Shift+A")
        self.select_from = self._add(menu, "Selection &begins at the playhead", "[")
        self.select_to = self._add(menu, "Selection &ends at the playhead", "]")
        menu.addSeparator()
        self.swap = self._add(menu, "S&wap user and agent")

    def _build_play(self) -> None:
        menu = self._window.menuBar().addMenu("&Play")
        self.play = self._add(menu, "&Play or pause", "Space")
        menu.addSeparator()
        self.listen = self._add(menu, "The interruption as it was &heard", "H")
        self.gone_on = self._add(menu, "As it would have &gone on", "J")
        self.discarded = self._add(menu, "The &discarded audio alone", "G")
        menu.addSeparator()
        self._play = menu

    def _build_view(self) -> None:
        menu = self._window.menuBar().addMenu("&View")
        self.zoom_in = self._add(menu, "Zoom &in", "Ctrl++", "Ctrl+=")
        self.zoom_out = self._add(menu, "Zoom &out", "Ctrl+-")
        self.fit = self._add(menu, "Show the &whole session", "F")
        self.zoom_selection = self._add(menu, "&Zoom to the selection", "Z")
        self.follow = self._add(menu, "&Follow", "Ctrl+L", checkable=True)
        self.follow.setChecked(True)
        self.beginning = self._add(menu, "Go to the &beginning", "Ctrl+Home")
        self.last = self._add(menu, "Go to the &end", "Ctrl+End")
        menu.addSeparator()
        self.decibels = self._add(menu, "Levels in &dB", "D", checkable=True)
        self.raise_quiet = self._add(menu, "&Raise what is quiet", "Ctrl+Shift+Up")
        self.lower_quiet = self._add(menu, "&Lower it again", "Ctrl+Shift+Down")
        self.full_scale = self._add(menu, "Full &scale at the edges", "Ctrl+0")
        menu.addSeparator()
        self._panels = menu
        self._is_menu_used = False
        menu.aboutToShow.connect(lambda: self._note_menu(used=True))
        # what is chosen is done right after the menu has gone
        menu.aboutToHide.connect(
            lambda: QTimer.singleShot(0, self, lambda: self._note_menu(used=False))
        )
        self._panels_end = menu.addSeparator()
        self.reset_layout = self._add(menu, "Rese&t the layout")
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
            key = f"Ctrl+{number}" if number < 10 else f"Ctrl+Shift+{number - 9}"
            action = self._add(self._panels, dock.windowTitle(), key, checkable=True)
            self._panels.insertAction(self._panels_end, action)
            dock.toggleViewAction().toggled.connect(action.setChecked)
            action.setChecked(not dock.isHidden())
            switch = partial(self._switch, action, dock, bring)
            self.connect_all([(action, switch)])

    def _switch(self, action: QAction, dock: Dock, bring: Callable[[Dock], None]) -> None:
        """Let a tick that is taken away close the panel; a key brings it to the front first."""
        if self._is_menu_used and not action.isChecked():
            dock.hide()
        else:
            bring(dock)

    def _note_menu(self, *, used: bool) -> None:
        self._is_menu_used = used

    def add_play(self, actions: Iterable[QAction]) -> None:
        """Add what else the player can do."""
        self._play.addActions(list(actions))

    def connect_all(self, pairs: Iterable[tuple[QAction, Callable[[], object]]]) -> None:
        """Connect each action to what it does."""
        for action, do in pairs:
            action.triggered.connect(lambda _checked=False, do=do: do())

    def show_recent(self, paths: Sequence[Path], open_path: Callable[[Path], None]) -> None:
        """Offer what was opened before; a name is data, and no mnemonic."""
        self.recent.clear()
        self.recent.setEnabled(bool(paths))
        for path in paths:
            action = self.recent.addAction(str(path).replace("&", "&&"))
            action.triggered.connect(lambda _checked=False, path=path: open_path(path))

    def show_state(self, now: Available) -> None:
        """Enable what can be done now."""
        self.start.setEnabled(not now.busy)
        self.end.setEnabled(now.busy and now.state != "ending")
        self.interrupt.setEnabled(now.state == "running" or now.playing or now.selected)
        self.mute.setEnabled(now.state in ("connecting", "running"))
        for action in (self.open, self.open_file):
            action.setEnabled(not now.busy)
        for action in (self.replay, self.play, self.export, self.save, self.save_apart):
            action.setEnabled(now.recorded and not now.busy)
        self.compare.setEnabled(now.bundled and not now.busy)
        self.show_folder.setEnabled(now.recorded)
        for action in (self.marker, self.select_all):
            action.setEnabled(now.anything)
        for action in (self.select_from, self.select_to):
            action.setEnabled(now.anything and not now.busy)
        for action in (self.zoom_selection, self.select_none):
            action.setEnabled(now.selected)
        for action in (self.previous_marker, self.next_marker):
            action.setEnabled(now.marked)
        for action in (self.previous_interruption, self.next_interruption):
            action.setEnabled(now.interrupted)
        for action in (self.listen, self.gone_on):
            action.setEnabled(now.inspected and now.recorded and not now.busy)
        self.discarded.setEnabled(now.interrupted and now.recorded and not now.busy)
        self.swap.setEnabled(now.swappable and not now.busy)

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
