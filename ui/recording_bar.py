"""What can be done with the recording of a session that has ended. Main thread only."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QWidget

from ui.icons import Icons
from ui.theme import GRID


class RecordingBar(QWidget):
    """Listen, replay, save, show; there only while there is a recording to do it with."""

    listen_requested = Signal()
    replay_requested = Signal()
    save_requested = Signal(bool)
    """Whether the tracks are to be saved apart."""
    folder_requested = Signal()

    def __init__(self, icons: Icons) -> None:
        """Begin with everything disabled."""
        super().__init__()
        self._icons = icons
        self.listen = self._button(
            "listen", "Listen", "Play the recording on the chosen speaker (L)"
        )
        self.replay = self._button(
            "replay",
            "Replay to agent",
            "Start a new session whose microphone is the user track of this recording (Ctrl+R)",
        )
        self.save = self._button("save", "Save audio", "Save the recording's audio as WAV (Ctrl+S)")
        self.folder = self._button("folder", "Show folder", "Show the recording's folder")
        self._build()
        self.show_state(has_recording=False, listening=False, busy=False)

    def show_state(self, has_recording: bool, listening: bool, busy: bool) -> None:
        """Enable what can be done now; ``busy`` while a session runs."""
        self.listen.setEnabled(has_recording and not busy)
        self.replay.setEnabled(has_recording and not busy and not listening)
        self.save.setEnabled(has_recording and not busy)
        self.folder.setEnabled(has_recording)
        text = "Stop" if listening else "Listen"
        if self.listen.text() != text:
            self.listen.setText(text)
            self._icons.put(self.listen, "end" if listening else "listen")

    def _build(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID // 2)
        for button in (self.listen, self.replay, self.save, self.folder):
            row.addWidget(button)
        menu = QMenu(self)
        menu.addAction("One stereo file: user left, agent right…").triggered.connect(
            lambda: self.save_requested.emit(False)
        )
        menu.addAction("One file for each track…").triggered.connect(
            lambda: self.save_requested.emit(True)
        )
        self.save.setMenu(menu)
        self.save.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.listen.clicked.connect(self.listen_requested)
        self.replay.clicked.connect(self.replay_requested)
        self.folder.clicked.connect(self.folder_requested)

    def _button(self, icon: str, text: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setToolTip(tip)
        button.setAutoRaise(True)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._icons.put(button, icon)
        return button
