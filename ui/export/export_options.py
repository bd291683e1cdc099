"""What of the session is exported, and where to: the right half of the export window.

Main thread only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from app.export.formats import Wish
from ui.lanes.time_axis import clock_text
from ui.parts.theme import GRID, small, tabular

Stretch = tuple[float, float]
NOT_IN_A_NAME = "/\\\0"


class ExportOptions(QWidget):
    """Whole or selection, heard or received, with or without the user; name and folder."""

    changed = Signal()

    def __init__(self, selection: Stretch | None) -> None:
        """Offer ``selection``, if there is one, and prefer it."""
        super().__init__()
        self._selection = selection
        self.whole = QRadioButton("The &whole session")
        self.part = QRadioButton("The se&lection")
        self.heard = QRadioButton("As &heard")
        self.received = QRadioButton("As re&ceived")
        self.no_user = QCheckBox("Leave the user’s &voice out")
        self.no_text = QCheckBox("Leave the user’s wor&ds out, too")
        self.name = QLineEdit()
        self.folder = QLineEdit()
        self.browse = QPushButton("&Browse…")
        self._about_times = self._note("")
        self._build()
        self._connect()

    # --- what is chosen

    def wish(self, formats: tuple[str, ...], swap: bool) -> Wish:
        """Return what is chosen, for ``formats``."""
        start, stop = self._selection if self.part.isChecked() and self._selection else (None, None)
        return Wish(
            formats,
            start,
            stop,
            "received" if self.received.isChecked() else "heard",
            user=not self.no_user.isChecked(),
            user_text=not self.no_text.isChecked(),
            swap=swap,
        )

    @property
    def complaint(self) -> str:
        """Why name or folder will not do; empty where they will."""
        name = self.name.text().strip()
        folder = self.folder.text().strip()
        if not folder:
            return "Choose a folder."
        # from where the program was started is nothing that a person knows
        if not (folder.startswith("~") or Path(folder).is_absolute()):
            return "Give the whole path of the folder."
        if any(char in NOT_IN_A_NAME for char in name) or name in {".", ".."}:
            return "A name cannot contain “/” or “\\”."
        return ""

    def keep(self) -> dict[str, Any]:
        """Return what is to be remembered until the next time."""
        return {
            "agent": "received" if self.received.isChecked() else "heard",
            "no_user": self.no_user.isChecked(),
            "no_text": self.no_text.isChecked(),
            "folder": self.folder.text(),
        }

    def restore(self, kept: dict[str, Any]) -> None:
        """Choose what was chosen the last time."""
        self.received.setChecked(kept.get("agent") == "received")
        self.no_user.setChecked(kept.get("no_user") is True)
        self.no_text.setChecked(kept.get("no_text") is True)
        folder = kept.get("folder")
        self.folder.setText(folder if isinstance(folder, str) and folder else str(Path.home()))

    def show_facts(self, duration_s: float, has_received: bool) -> None:
        """Show how long the session is, and offer what was received only where it is there."""
        self.whole.setText(f"The &whole session ({clock_text(duration_s, 3)})")
        self.received.setEnabled(has_received)
        if not has_received:
            self.heard.setChecked(True)
            self.received.setToolTip("There is no received track")

    # --- building

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID // 2)
        self._add(column, "Which part", self.whole, self.part, self._about_times)
        self._add(column, "The agent’s audio", self.heard, self.received)
        self._add(
            column,
            "Privacy",
            self.no_user,
            self.no_text,
            self._note("What the agent said stays, even where it repeats the user."),
        )
        self._add(column, "Name and folder", self.name, self._folder_row())
        column.addStretch(1)
        self._group(self.whole, self.part)
        self._group(self.heard, self.received)
        self._describe()

    def _describe(self) -> None:
        self.whole.setChecked(self._selection is None)
        self.part.setChecked(self._selection is not None)
        self.part.setEnabled(self._selection is not None)
        self.heard.setChecked(True)
        self._about_times.setVisible(self._selection is not None)
        if self._selection is None:
            self.part.setToolTip("Select a stretch in the timeline first")
        else:
            start, stop = self._selection
            self.part.setText(f"The se&lection ({clock_text(round(stop - start, 3), 3)})")
            span = f"{clock_text(start, 3)} to {clock_text(stop, 3)}"
            self._about_times.setText(f"{span}; times in the files count from its beginning.")
        self.heard.setToolTip("What left the speaker, on the session’s clock, beside the user")
        self.received.setToolTip(
            "All that the agent sent for that time, heard or discarded, back to back: "
            "a file of its own, of its own length"
        )
        self.no_user.setToolTip(
            "Audio files hold the agent alone; in the zip the user track is silence"
        )
        self.no_text.setToolTip(
            "What the user said and typed is left out of texts, tables, JSON and zip"
        )
        self.name.setToolTip("What the names of all files begin with")
        self.name.setAccessibleName("Name")
        self.folder.setAccessibleName("Folder")

    def _folder_row(self) -> QWidget:
        widget = QWidget()
        row = QHBoxLayout(widget)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        row.addWidget(self.folder, 1)
        row.addWidget(self.browse)
        self.browse.setAutoDefault(False)
        return widget

    def _add(self, column: QVBoxLayout, heading: str, *widgets: QWidget) -> None:
        label = QLabel(heading)
        label.setFont(tabular(0.0, bold=True))
        if column.count():
            label.setContentsMargins(0, GRID, 0, 0)
        column.addWidget(label)
        for widget in widgets:
            column.addWidget(widget)

    def _group(self, *buttons: QRadioButton) -> None:
        group = QButtonGroup(self)
        for button in buttons:
            group.addButton(button)

    @staticmethod
    def _note(text: str) -> QLabel:
        label = QLabel(text)
        label.setFont(small())
        label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        return label

    def _connect(self) -> None:
        for button in (self.whole, self.heard, self.no_user, self.no_text):
            button.toggled.connect(lambda _checked: self.changed.emit())
        for field in (self.name, self.folder):
            field.textChanged.connect(lambda _text: self.changed.emit())
        self.browse.clicked.connect(self._choose_folder)

    def _choose_folder(self) -> None:
        dialog = QFileDialog(self, "Folder for the export", self.folder.text())
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.folder.setText)
        dialog.open()
