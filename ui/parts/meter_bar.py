"""A level meter: bar, held peak, a number four times a second, a light that stays after clipping.

Main thread only. 0 dBFS is full scale. The ballistics are those of `audio.meter`, not of this
widget.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.parts.theme import CONTROL_HEIGHT, Theme, tabular, translucent

if TYPE_CHECKING:
    from audio.meter import MeterReading

SCALE_FROM_DBFS = -60.0
NUMBER_EVERY_S = 0.25
NUMBER_WIDTH = 72


class MeterBar(QWidget):
    """Shows RMS as a bar, the held peak as a line and a number, and a latch for clipping."""

    clip_reset_requested = Signal()

    def __init__(self, theme: Theme, party: str, name: str) -> None:
        """Use the colour of ``party`` (``user`` or ``agent``); ``name`` is for screen readers."""
        super().__init__()
        self._theme, self._party = theme, party
        self._reading: MeterReading | None = None
        self._number = "–"
        self._number_at = 0.0
        self.setFixedHeight(CONTROL_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(NUMBER_WIDTH + 64)
        self.setAccessibleName(name)
        self.setToolTip(
            f"{name} in dBFS: 0 is clipping. Bar: RMS over 300 ms. Line and number: peak, held.\n"
            "The field at the right end lights up when a sample clipped, until you click it."
        )
        theme.changed.connect(self.update)

    @property
    def number(self) -> str:
        """The level as it is written beside the bar."""
        return self._number

    @property
    def clipped(self) -> bool:
        """Whether the clip light is on."""
        return self._reading is not None and self._reading.clipped

    def show_reading(self, reading: MeterReading | None) -> None:
        """Show a reading; None where nothing is being captured or played."""
        changed = reading != self._reading
        self._reading = reading
        due = perf_counter() - self._number_at >= NUMBER_EVERY_S
        text = level_text(reading.hold_dbfs) if reading else "–"
        if text != self._number and (due or reading is None):
            self._number_at = perf_counter()
            self._number = text
            changed = True
        if changed:
            self.update()

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return QSize(200, CONTROL_HEIGHT)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Wish the clip light out."""
        self.clip_reset_requested.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw bar, hold, light and number."""
        painter = QPainter(self)
        colours, reading = self._theme.colours, self._reading
        colour = QColor(getattr(colours, self._party))
        bar = QRectF(0, self.height() / 2 - 4, self.width() - NUMBER_WIDTH - 16, 8)
        painter.fillRect(bar, QColor(colours.raised))
        painter.fillRect(self._part(bar, reading and reading.rms_dbfs), colour)
        peak = self._part(bar, reading and reading.hold_dbfs)
        if peak.width() > 1:
            painter.fillRect(QRectF(peak.right() - 2, bar.top() - 2, 2, 12), colour)
        light = QRectF(bar.right() + 4, bar.top(), 8, 8)
        painter.fillRect(light, QColor(colours.fault if self.clipped else colours.raised))
        painter.setPen(translucent(colours.muted, 0.5))
        for dbfs in (-48, -36, -24, -12):
            x = round(bar.left() + self._share(dbfs) * bar.width())
            painter.drawLine(x, round(bar.bottom()) + 2, x, round(bar.bottom()) + 4)
        painter.setPen(QColor(colours.text if reading else colours.muted))
        painter.setFont(tabular(-1.0))
        area = self.rect().adjusted(self.width() - NUMBER_WIDTH, 0, 0, 0)
        painter.drawText(
            area, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self._number
        )
        painter.end()

    def _part(self, bar: QRectF, dbfs: float | None) -> QRectF:
        share = 0.0 if dbfs is None else self._share(dbfs)
        return QRectF(bar.left(), bar.top(), bar.width() * share, bar.height())

    @staticmethod
    def _share(dbfs: float) -> float:
        return min(max(1 - dbfs / SCALE_FROM_DBFS, 0.0), 1.0)


def level_text(dbfs: float) -> str:
    """Return a level with its unit."""
    from audio.meter import FLOOR_DBFS

    if dbfs <= FLOOR_DBFS:
        return f"< −{-FLOOR_DBFS:.0f} dBFS"
    return f"{dbfs:.0f} dBFS".replace("-", "−")
