"""The menu in which limits are set. Main thread only."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDoubleSpinBox, QFormLayout, QMenu, QWidget, QWidgetAction

from app.analysis.limits import LimitInfo, Limits, info_of
from ui.parts.theme import GRID

STEPS = {"ms": 10.0, "s": 0.1}


class LimitMenu(QMenu):
    """A menu in which some of the limits can be set."""

    limit_changed = Signal(str, float)
    """A limit's field, and its value in its unit."""

    def __init__(self, fields: tuple[str, ...], parent: QWidget) -> None:
        """Offer the limits ``fields``."""
        super().__init__(parent)
        self.boxes = {field: self._box(info_of(field)) for field in fields}
        form = QWidget()
        rows = QFormLayout(form)
        rows.setContentsMargins(GRID, GRID, GRID, GRID)
        for field, box in self.boxes.items():
            rows.addRow(info_of(field).name, box)
        action = QWidgetAction(self)
        action.setDefaultWidget(form)
        self.addAction(action)
        self.aboutToShow.connect(next(iter(self.boxes.values())).setFocus)

    def show_limits(self, limits: Limits) -> None:
        """Show the limits as they are."""
        for field, box in self.boxes.items():
            box.blockSignals(True)
            box.setValue(getattr(limits, field))
            box.blockSignals(False)

    def _box(self, info: LimitInfo) -> QDoubleSpinBox:
        box = QDoubleSpinBox()
        box.setDecimals(0 if info.unit == "ms" else 1)
        box.setRange(info.least, info.greatest)
        box.setSingleStep(STEPS[info.unit])
        box.setSuffix(f" {info.unit}")
        box.setKeyboardTracking(False)
        box.setToolTip(info.definition)
        box.setAccessibleName(f"Limit: {info.name}, in {info.unit}")
        box.valueChanged.connect(
            lambda value, field=info.field: self.limit_changed.emit(field, value)
        )
        return box
