"""The list of findings: what is wrong with what is viewed, worst first, and what to try.

Main thread only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QWidget,
)

from app.analysis.limits import Limits
from ui.lanes.time_axis import clock_text
from ui.parts.tables import Column, RecordModel, Table, fixed_table
from ui.parts.theme import GRID, small

if TYPE_CHECKING:
    from app.analysis.findings import Finding
    from app.analysis.viewed import TurnView

EMPTY = (
    "What is wrong with a session will appear here in plain words, worst first, with what to try. "
    "Talk to an agent for a minute, and cut in a few times."
)
COLUMNS: tuple[Column[Finding], ...] = (
    Column(
        "Finding",
        lambda finding: finding.sentence,
        400,
        "What the figures carry, and how often it was seen; the worst comes first",
        number=False,
        cell_tip=lambda finding: finding.sentence,
    ),
    Column(
        "Seen",
        lambda finding: str(len(finding.moments) or ""),
        64,
        "At how many moments of the session; the list on the right has them",
    ),
    Column(
        "What to try",
        lambda finding: finding.advice,
        320,
        "What may help",
        number=False,
        cell_tip=lambda finding: finding.advice,
    ),
)
MOMENT_COLUMNS: tuple[Column[float], ...] = (
    Column(
        "Seen at",
        lambda t: clock_text(t, 3),
        152,
        "When the chosen finding was seen, in session time; a click or Enter goes there",
        number=False,
    ),
)
PADDING = 6
"""Above and below the text of a row, in device-independent pixels."""
CELL_INSET = 12
"""Left and right of the text of a cell: the padding of the style sheet, and the style's margin."""


class FindingsPanel(QWidget):
    """Lists findings; choosing one shows the first moment it was seen at, in the timeline.

    What is viewed is looked at anew once a second at most, and only while the panel is in sight.
    """

    moment_chosen = Signal(float)
    """Session seconds that a person wants to see."""
    EVERY_MS = 1000

    def __init__(self) -> None:
        """Begin empty, with the default limits."""
        super().__init__()
        self._limits = Limits()
        self._view: TurnView | None = None
        self._is_due = False
        self.findings: list[Finding] = []
        self.model: RecordModel[Finding] = RecordModel(COLUMNS, self)
        self.table: Table = fixed_table(
            self.model, "Findings", EMPTY, [column.width for column in COLUMNS[:-1]]
        )
        self.times: RecordModel[float] = RecordModel(MOMENT_COLUMNS, self)
        self.moments: Table = fixed_table(self.times, "Moments of the finding", "", [])
        self._count = QLabel(self)
        self._timer = QTimer(self)
        self._timer.setObjectName("findings")
        self._timer.setSingleShot(True)
        self._timer.setInterval(self.EVERY_MS)
        self._timer.timeout.connect(self._look_if_due)
        self._fit = QTimer(self)
        self._fit.setObjectName("finding-rows")
        self._fit.setSingleShot(True)
        self._fit.timeout.connect(self._fit_rows)
        self._build()
        self._connect()

    def title_widgets(self) -> list[QWidget]:
        """Return what belongs in the title bar: how many there are."""
        return [self._count]

    # -- what it shows -------------------------------------------------------------------------

    def show_turns(self, view: TurnView | None) -> None:
        """Show what is wrong with ``view``, now or within a second; with None, nothing."""
        if view is not self._view:
            self._timer.stop()
        self._view, self._is_due = view, True
        if view is None:
            self._show([])
        if not self._timer.isActive():
            self._look_if_due()

    def set_limits(self, limits: Limits) -> None:
        """Let findings go by other limits."""
        self._limits, self._is_due = limits, True
        self._look_if_due()

    def showEvent(self, event: QShowEvent) -> None:
        """Bring what is shown up to date."""
        super().showEvent(event)
        self._look_if_due()

    def _look_if_due(self) -> None:
        if not self._is_due or not self.isVisible():
            return
        self._is_due = False
        if self._view is None:
            self._show([])
            self.table.set_empty_text(EMPTY)
            return
        from app.analysis.findings import find, nothing_found

        self._timer.start()
        view = self._view
        self._show(find(view, self._limits))
        if not self.findings:
            self.table.set_empty_text(nothing_found(view))

    def _show(self, findings: Sequence[Finding]) -> None:
        chosen = self._chosen()
        self.findings = list(findings)
        if not self.model.show_records(self.findings):
            return
        self._count.setText(_count_text(len(self.findings)))
        self._fit.start(0)
        self._choose_again(chosen)

    def _chosen(self) -> str:
        row = self.table.currentIndex().row()
        return self.findings[row].id if 0 <= row < len(self.findings) else ""

    def _choose_again(self, chosen: str) -> None:
        """Keep the finding that was chosen, wherever it stands now."""
        rows = [row for row, finding in enumerate(self.findings) if finding.id == chosen]
        if rows and self.table.currentIndex().row() != rows[0]:
            self.table.selectRow(rows[0])
        self._show_moments()

    def _show_moments(self) -> None:
        row = max(self.table.currentIndex().row(), 0)
        moments = self.findings[row].moments if row < len(self.findings) else ()
        self.times.show_records(moments)

    # -- what is done with it ------------------------------------------------------------------

    def _build(self) -> None:
        self._count.setFont(small(-0.5))
        table = self.table
        table.setWordWrap(True)
        table.setTextElideMode(Qt.TextElideMode.ElideNone)
        table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header = table.horizontalHeader()
        header.setStretchLastSection(False)
        for column in (0, len(COLUMNS) - 1):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
        self.moments.setFixedWidth(MOMENT_COLUMNS[0].width)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID // 2)
        row.addWidget(table, 1)
        row.addWidget(self.moments)

    def _connect(self) -> None:
        self.table.clicked.connect(self._go_to_first)
        self.table.activated.connect(self._go_to_first)
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self._show_moments())
        self.moments.clicked.connect(self._go_to)
        self.moments.activated.connect(self._go_to)
        self.table.horizontalHeader().sectionResized.connect(lambda *_: self._fit.start(0))

    def _fit_rows(self) -> None:
        for row in range(self.model.rowCount()):
            self.table.setRowHeight(row, self._height_of(row) + 2 * PADDING)

    def _height_of(self, row: int) -> int:
        """Return how high the texts of a row are; Qt's answer leaves out the cells' padding."""
        metrics, highest = self.table.fontMetrics(), 0
        for column, of in enumerate(COLUMNS):
            room = QRect(0, 0, self.table.columnWidth(column) - 2 * CELL_INSET, 10_000)
            text = of.text(self.findings[row])
            area = metrics.boundingRect(room, Qt.TextFlag.TextWordWrap, text)
            highest = max(highest, area.height())
        return highest

    def _go_to_first(self, index: QModelIndex) -> None:
        moments = self.model.record(index.row()).moments
        if moments:
            self.moment_chosen.emit(moments[0])

    def _go_to(self, index: QModelIndex) -> None:
        self.moment_chosen.emit(self.times.record(index.row()))


def _count_text(count: int) -> str:
    return f"{count} finding{'' if count == 1 else 's'}" if count else ""
