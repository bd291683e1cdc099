"""What can be done to a comparison: swap, align, zoom, copy. Main thread only."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QProgressBar,
    QToolButton,
    QWidget,
)

from ui.lanes.time_axis import span_text
from ui.parts.icons import Icons
from ui.parts.theme import CONTROL_HEIGHT, GRID

MOST_OFFSET_MS = 86_400_000.0
MINUS = "\u2212"
OFFSET_TIP = (
    "How much later the caller is in the second session than in the first, in ms.\n"
    "“Align” finds it from the user's turns, or else from the user tracks."
)


class OffsetField(QDoubleSpinBox):
    """Milliseconds with a sign that is one; either minus can be typed."""

    def textFromValue(self, value: float) -> str:
        """Write a minus sign in place of a hyphen."""
        return super().textFromValue(value).replace("-", MINUS)

    def valueFromText(self, text: str) -> float:
        """Read either."""
        return super().valueFromText(text.replace(MINUS, "-"))

    def validate(self, text: str, place: int) -> object:
        """Take either."""
        state, _, place = super().validate(text.replace(MINUS, "-"), place)
        return state, text, place


class CompareBar(QWidget):
    """Wishes only; it shows what it is told."""

    swap_requested = Signal()
    align_requested = Signal()
    offset_wished = Signal(float)
    """Seconds."""
    zoom_requested = Signal(float)
    fit_requested = Signal()
    selection_requested = Signal()
    copy_requested = Signal(str)
    """``text`` or ``csv``."""

    def __init__(self, icons: Icons) -> None:
        """Begin with nothing to be done."""
        super().__init__()
        self.offset = OffsetField()
        self.progress = QProgressBar()
        self._span = QLabel()
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, GRID // 2)
        self._row.setSpacing(GRID // 2)
        self._build_offset()
        self.swap = self._button(icons, "swap", "Swap", "Let the two change places", "Ctrl+Shift+S")
        self.swap.clicked.connect(self.swap_requested)
        self.align = self._button(
            icons, "follow", "Align", "Find the offset by itself", "Ctrl+Shift+A"
        )
        self.align.clicked.connect(self.align_requested)
        self._build_progress()
        self._row.addStretch(1)
        self._build_view(icons)
        self._build_copy(icons)
        self.set_ready(ready=False)

    def set_ready(self, *, ready: bool) -> None:
        """Allow what needs both recordings."""
        for widget in (self.offset, self.swap, self.align, self.copy):
            widget.setEnabled(ready)

    def show_offset(self, offset_s: float) -> None:
        """Show what was found; nothing is wished by that."""
        self.offset.blockSignals(True)
        self.offset.setValue(offset_s * 1000)
        self.offset.blockSignals(False)

    def show_progress(self, part: float) -> None:
        """Show how much is known, 0 to 1; nothing when all is."""
        self.progress.setVisible(part < 1.0)
        self.progress.setValue(round(part * 100))

    def show_span(self, span_s: float) -> None:
        """Show how much time is in view."""
        self._span.setText(f"{span_text(span_s)} shown")

    def _build_offset(self) -> None:
        label = QLabel("O&ffset")
        label.setBuddy(self.offset)
        self.offset.setRange(-MOST_OFFSET_MS, MOST_OFFSET_MS)
        self.offset.setDecimals(0)
        self.offset.setSingleStep(10)
        self.offset.setSuffix(" ms")
        self.offset.setKeyboardTracking(False)
        self.offset.setFixedSize(16 * GRID, CONTROL_HEIGHT)
        self.offset.setToolTip(OFFSET_TIP)
        self.offset.setAccessibleName("Offset of the second session in milliseconds")
        self.offset.valueChanged.connect(lambda ms: self.offset_wished.emit(ms / 1000))
        self._row.addWidget(label)
        self._row.addWidget(self.offset)

    def _build_progress(self) -> None:
        self.progress.setRange(0, 100)
        self.progress.setFixedSize(20 * GRID, 2 * GRID)
        self.progress.setFormat("Reading, %p %")
        self.progress.setAccessibleName("How much of both has been read")
        self._row.addSpacing(GRID)
        self._row.addWidget(self.progress)

    def _build_view(self, icons: Icons) -> None:
        self._row.addWidget(self._span)
        self._row.addSpacing(GRID)
        for icon, name, key, wish in (
            ("zoom-out", "Zoom out", "Ctrl+-", lambda: self.zoom_requested.emit(1 / 1.5)),
            ("zoom-in", "Zoom in", "Ctrl++", lambda: self.zoom_requested.emit(1.5)),
            ("zoom-selection", "Show the selection", "Ctrl+E", self.selection_requested.emit),
            ("fit", "Show all of both", "F", self.fit_requested.emit),
        ):
            self._button(icons, icon, "", name, key).clicked.connect(lambda _=False, w=wish: w())

    def _build_copy(self, icons: Icons) -> None:
        self.copy = self._button(icons, "copy", "Copy", "Copy the differences", "")
        menu = QMenu(self.copy)
        for text, kind, key in (
            ("Copy as &text", "text", "Ctrl+Shift+C"),
            ("Copy as CS&V", "csv", "Ctrl+Shift+V"),
        ):
            action = QAction(text, self.copy)
            action.setShortcut(QKeySequence(key))
            action.triggered.connect(lambda _=False, kind=kind: self.copy_requested.emit(kind))
            menu.addAction(action)
            self.addAction(action)
        self.copy.setMenu(menu)
        self.copy.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)

    def _button(self, icons: Icons, icon: str, text: str, tip: str, key: str) -> QToolButton:
        button = QToolButton()
        button.setAutoRaise(True)
        button.setText(text)
        if text:
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setFixedHeight(CONTROL_HEIGHT)
        icons.put(button, icon)
        button.setToolTip(f"{tip} ({key})" if key else tip)
        button.setAccessibleName(tip)
        if key:
            button.setShortcut(QKeySequence(key))
        self._row.addWidget(button)
        return button
