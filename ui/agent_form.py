"""The form of the ElevenLabs agent: agent id, server, key. Never modal. Main thread only.

The key goes into the keyring and is never shown again: the field is for typing a new one.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ui.parts.background import Background
from ui.parts.theme import GRID
from ui.services import AgentChoice, Services

SOURCES = {
    "keyring": "A key is kept in this desktop's keyring.",
    "environment": "The key of ELEVENLABS_API_KEY in the environment is used.",
    "": "There is no key yet.",
}


class AgentForm(QDialog):
    """Edits an `AgentChoice`; `accepted_choice` carries what was entered."""

    accepted_choice = Signal(object)

    def __init__(self, services: Services, choice: AgentChoice, parent: QWidget) -> None:
        """Show ``choice``, and look where a key is."""
        super().__init__(parent)
        self._services = services
        self._script = choice.script  # the demo agent's: kept for when it is chosen again
        self._background = Background("key", self)
        self.agent_id = QLineEdit(choice.agent_id)
        self.base_url = QLineEdit(choice.base_url)
        self.use_key = QCheckBox("Use an API key (for agents that ask for one)")
        self.key = QLineEdit()
        self.key_state = QLabel("Looking for a key…")
        self.forget = QPushButton("Forget the key")
        self.setWindowTitle("ElevenLabs agent")
        self.setModal(False)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._build(choice)
        self._look_for_key()

    @property
    def choice(self) -> AgentChoice:
        """What is entered."""
        return AgentChoice(
            "elevenlabs",
            self.agent_id.text().strip(),
            self.base_url.text().strip(),
            self.use_key.isChecked(),
            self._script,
        )

    def accept(self) -> None:
        """Keep the key, if one was typed, then the rest."""
        text = self.key.text().strip()
        self.key.clear()
        if text and self.use_key.isChecked():
            self._background.run(
                lambda: self._services.store_key(text), lambda _: self._finish(), self._key_failed
            )
        else:
            self._finish()

    def done(self, result: int) -> None:
        """Close, when no thread of the form is left."""
        self._background.close()
        super().done(result)

    def _finish(self) -> None:
        choice = self.choice
        super().accept()
        self.accepted_choice.emit(choice)

    def _key_failed(self, error: Exception) -> None:
        notice = self._services.explain(error)
        self.key_state.setText(f"{notice.sentence} {notice.advice}".strip())

    def _look_for_key(self) -> None:
        self._background.run(self._services.key_source, self._show_source, self._key_failed)

    def _show_source(self, source: str) -> None:
        self.key_state.setText(SOURCES.get(source, SOURCES[""]))
        self.forget.setEnabled(source == "keyring")

    def _forget(self) -> None:
        self.forget.setEnabled(False)
        self._background.run(
            self._services.forget_key, lambda _: self._look_for_key(), self._key_failed
        )

    def _build(self, choice: AgentChoice) -> None:
        self.agent_id.setPlaceholderText("agent_…")
        self.base_url.setPlaceholderText("https://api.elevenlabs.io")
        self.base_url.setToolTip(
            "Another region, or a deployment of your own; empty for the default"
        )
        self.key.setEchoMode(QLineEdit.EchoMode.Password)
        self.key.setPlaceholderText("Type a key to keep it in the keyring")
        self.key_state.setWordWrap(True)
        self.key_state.setTextFormat(Qt.TextFormat.PlainText)
        self.use_key.setChecked(choice.use_key)
        self.forget.setEnabled(False)
        self.forget.setAutoDefault(False)
        self.use_key.toggled.connect(self.key.setEnabled)
        self.key.setEnabled(choice.use_key)
        self.forget.clicked.connect(self._forget)
        form = QFormLayout()
        form.setHorizontalSpacing(2 * GRID)
        form.setVerticalSpacing(GRID)
        form.addRow("Agent &id", self.agent_id)
        form.addRow("&Base URL", self.base_url)
        form.addRow("", self.use_key)
        form.addRow("API &key", self.key)
        form.addRow("", self.key_state)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.button(QDialogButtonBox.StandardButton.Ok).setText("Use this agent")
        for button in buttons.buttons():
            button.setIcon(QIcon())
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        row = QHBoxLayout()
        row.addWidget(self.forget)
        row.addStretch(1)
        row.addWidget(buttons)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        column.setSpacing(2 * GRID)
        column.addLayout(form)
        column.addLayout(row)
        self.setMinimumWidth(480)
