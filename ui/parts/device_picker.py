"""Which microphone, which speaker: pickers that look anew each time they are opened.

A choice is a string, as the command line has it: a device's id, ``default``, ``none``, or the path
of an audio file. Main thread only.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QLabel, QWidget

from ui.parts.icons import Icons
from ui.parts.meter_bar import MeterBar
from ui.parts.theme import CONTROL_HEIGHT, GRID, Theme
from ui.parts.tips import plain_tip

DEFAULT, NONE = "default", "none"
DEVICE_PREFIXES = ("pulse:", "portaudio:")
FILE_ITEM = "file…"
AUDIO_FILES = "Audio (*.wav *.flac *.ogg *.opus *.mp3 *.aiff *.aif *.w64);;All files (*)"


def is_file(choice: str) -> bool:
    """Whether a choice is the path of a file."""
    return choice not in ("", DEFAULT, NONE) and not choice.startswith(DEVICE_PREFIXES)


class DeviceLike(Protocol):
    """What a picker needs to know of a device."""

    @property
    def id(self) -> str:
        """The stable name."""

    @property
    def label(self) -> str:
        """The name for a person."""

    @property
    def role(self) -> str:
        """``microphone`` or ``speaker``."""


class DevicePicker(QComboBox):
    """One device of a role, or the stand-in for it."""

    chosen = Signal(str)
    opened = Signal()

    def __init__(self, role: str) -> None:
        """Offer the default until `offer`; ``role`` is ``microphone`` or ``speaker``."""
        super().__init__()
        self._role = role
        self._choice = DEFAULT
        self._devices: list[tuple[str, str]] = []
        self._message = ""
        self._start_folder = ""
        self.setFixedHeight(CONTROL_HEIGHT)
        self.setMinimumWidth(216)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setAccessibleName(role.capitalize())
        self._fill()
        self.activated.connect(self._activated)

    @property
    def choice(self) -> str:
        """The device's id, ``default``, ``none`` or a path."""
        return self._choice

    def choose(self, choice: str) -> None:
        """Select ``choice`` without telling anybody; it is shown even where it is not there."""
        self._choice = choice or DEFAULT
        self._fill()

    def offer(self, devices: Iterable[DeviceLike], message: str = "") -> None:
        """Offer the devices of this role; ``message`` says why there is none."""
        self._devices = [(d.id, d.label) for d in devices if d.role == self._role]
        self._message = message
        self._fill()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the choice alone: who scrolls past does not mean to change it."""
        event.ignore()

    def showPopup(self) -> None:
        """Open, and ask for a fresh list."""
        self.opened.emit()
        super().showPopup()

    def _entries(self) -> list[tuple[str, str]]:
        entries = [(DEFAULT, f"System default {self._role}"), *self._devices]
        known = {choice for choice, _ in entries} | {NONE}
        if self._choice not in known:
            gone = not is_file(self._choice)
            name = self._choice.partition(":")[2] if gone else Path(self._choice).name
            entries.append((self._choice, f"{name} (not there)" if gone else f"File: {name}"))
        if self._role == "microphone":
            entries.append((FILE_ITEM, "Audio file…"))
        entries.append((NONE, f"No {self._role}"))
        return entries

    def _fill(self) -> None:
        entries = self._entries()
        if [(self.itemData(i), self.itemText(i)) for i in range(self.count())] != entries:
            self.clear()
            for choice, text in entries:
                self.addItem(text, choice)
        if not self._devices and self._message:
            self.setItemData(0, plain_tip(self._message), Qt.ItemDataRole.ToolTipRole)
            self.setItemText(0, "Default (none found)")
        self.setCurrentIndex(self.findData(self._choice))
        tip = self._message or f"{self._role.capitalize()}: {self.currentText()}"
        self.setToolTip(plain_tip(tip))

    def _activated(self, index: int) -> None:
        choice = self.itemData(index)
        if choice == FILE_ITEM:
            self.setCurrentIndex(self.findData(self._choice))
            self._ask_file()
        elif choice != self._choice:
            self._take(choice)

    def _take(self, choice: str) -> None:
        self.choose(choice)
        self.chosen.emit(self._choice)

    def _ask_file(self) -> None:
        dialog = QFileDialog(self, "Audio file as the microphone", self._start_folder, AUDIO_FILES)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._take)
        dialog.open()


class DeviceRow(QWidget):
    """Microphone and speaker, each with its meter."""

    def __init__(self, theme: Theme, icons: Icons) -> None:
        """Begin with both defaults."""
        super().__init__()
        self.microphone = DevicePicker("microphone")
        self.speaker = DevicePicker("speaker")
        self.user_meter = MeterBar(theme, "user", "Microphone level")
        self.agent_meter = MeterBar(theme, "agent", "Speaker level")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, GRID // 2)
        row.setSpacing(GRID)
        for name, picker, meter in (
            ("Mic", self.microphone, self.user_meter),
            ("Speaker", self.speaker, self.agent_meter),
        ):
            label = QLabel(name)
            label.setBuddy(picker)
            row.addWidget(label)
            row.addWidget(picker, 2)
            row.addWidget(meter, 3)
            row.addSpacing(GRID if name == "Mic" else 0)

    def set_enabled(self, enabled: bool) -> None:
        """Allow another choice, or not: a session keeps the devices it began with."""
        self.microphone.setEnabled(enabled)
        self.speaker.setEnabled(enabled)

    def offer(self, devices: Iterable[DeviceLike], message: str = "") -> None:
        """Offer ``devices`` in both pickers."""
        known = list(devices)
        self.microphone.offer(known, message)
        self.speaker.offer(known, message)
