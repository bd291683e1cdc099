"""What can be done with the recording of a session that has ended. Main thread only."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from ui.parts.available import Available
from ui.parts.icons import Icons
from ui.parts.theme import GRID


class RecordingBar(QWidget):
    """Replay, export, show; there only while there is a recording to do it with."""

    replay_requested = Signal()
    export_requested = Signal()
    folder_requested = Signal()

    def __init__(self, icons: Icons) -> None:
        """Begin with everything disabled."""
        super().__init__()
        self._icons = icons
        self.replay = self._button(
            "replay",
            "Replay to agent",
            "Start a new session whose microphone is the user track of this recording (Ctrl+R)",
        )
        self.export = self._button(
            "save",
            "Export…",
            "Write the recording, or the selection, in formats of other tools (Ctrl+Shift+E)",
        )
        self.folder = self._button("folder", "Show folder", "Show the recording's folder")
        self._build()
        self.show_state(Available())

    def show_state(self, now: Available) -> None:
        """Enable what can be done now."""
        self.replay.setEnabled(now.recorded and not now.busy)
        self.export.setEnabled(now.recorded and not now.busy)
        self.folder.setEnabled(now.recorded)

    def _build(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID // 2)
        for button in (self.replay, self.export, self.folder):
            row.addWidget(button)
        self.export.clicked.connect(self.export_requested)
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
