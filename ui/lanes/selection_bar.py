"""The line below the overview: the selection in figures, or how to make one. Main thread only."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from ui.lanes.amplitude import dbfs_text
from ui.lanes.lane_geometry import GUTTER
from ui.lanes.time_axis import clock_text, span_text
from ui.parts.icons import Icons
from ui.parts.theme import GRID, small, tabular

HINT = "Drag in the lanes to select; click to set the playhead."


@dataclass(frozen=True, slots=True)
class LaneLevels:
    """A lane's name, and its peak and RMS in the selection: 1 is full scale, NaN is not known."""

    name: str
    peak: float
    rms: float


class SelectionBar(QWidget):
    """Start, length and levels of the selection, and what can be done with it."""

    zoom_requested = Signal()
    marker_requested = Signal()

    def __init__(self, icons: Icons) -> None:
        """Begin without a selection."""
        super().__init__()
        self._times = QLabel(HINT)
        self._levels = QLabel()
        self.zoom = self._button(icons, "zoom-selection", "Zoom to the selection (Z)")
        self.marker = self._button(icons, "marker", "Make the selection a marker (K)")
        self._build()
        self.show_selection(None)

    def show_selection(self, selection: tuple[float, float] | None) -> None:
        """Show where it begins and how long it is; its levels are not known yet."""
        for part in (self._levels, self.zoom, self.marker):  # the hint has all the room
            part.setVisible(selection is not None)
        self._levels.clear()
        if selection is None:
            self._times.setText(HINT)
            return
        start, stop = selection
        digits = 3 if stop - start >= 0.1 else 5
        self._times.setText(
            f"Selection {clock_text(start, digits)} – {clock_text(stop, digits)}, "
            f"{span_text(stop - start) if stop - start < 1 else length_text(stop - start)}"
        )

    def show_levels(self, lanes: list[LaneLevels]) -> None:
        """Show how loud it is in each lane."""
        texts = [
            f"{lane.name}: peak {dbfs_text(lane.peak)}, RMS {dbfs_text(lane.rms)}" for lane in lanes
        ]
        self._levels.setText("   ".join(texts))

    def _build(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(GUTTER, 0, 0, 0)
        row.setSpacing(GRID)
        for label in (self._times, self._levels):
            label.setFont(tabular(-1.0))
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            # What does not fit is cut: the window must not grow with what is selected.
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        row.addWidget(self._times, 5)
        row.addWidget(self._levels, 8)
        row.addWidget(self.zoom)
        row.addWidget(self.marker)
        self._levels.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._levels.setToolTip(
            "Peak: the sample farthest from zero. RMS: the root of the mean square of all samples "
            "of the selection. Both in dBFS, 0 at full scale."
        )
        self.zoom.clicked.connect(self.zoom_requested)
        self.marker.clicked.connect(self.marker_requested)
        self.setFixedHeight(3 * GRID)

    @staticmethod
    def _button(icons: Icons, name: str, tip: str) -> QToolButton:
        button = QToolButton()
        icons.put(button, name)
        button.setToolTip(tip)
        button.setAccessibleName(tip.split(" (", maxsplit=1)[0])
        button.setAutoRaise(True)
        button.setFont(small())
        return button


def length_text(seconds: float) -> str:
    """Return a length of a second or more with milliseconds."""
    if seconds < 60:
        return f"{seconds:.3f} s"
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)} min {rest:06.3f} s"
