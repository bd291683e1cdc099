"""The table of interruptions and overlaps: how fast the agent went quiet, and what was heard.

Main thread only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QComboBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.analysis.limits import Limits
from ui.inspection.interruption_columns import columns_of
from ui.inspection.limit_menu import LimitMenu
from ui.inspection.moments import (
    CLASSES,
    TROUBLE,
    Moment,
    as_text,
    heard_text,
    moments_of,
    source_text,
)
from ui.lanes.time_axis import clock_text
from ui.parts.stick_to_end import StickToEnd
from ui.parts.tables import (
    Column,
    Index,
    RecordModel,
    SortedRecords,
    find_by_key,
    fixed_table,
    spread_text,
)
from ui.parts.theme import Theme, small

if TYPE_CHECKING:
    from app.analysis.turn_records import Interruption, Overlap

EMPTY = (
    "Every interruption will appear here, with how long it took until the agent was silent, and "
    "what was heard. Speak while the agent speaks, or press Esc."
)
NONE_FITS = "No interruption is of this class and holds this text."
ALL, ALL_TROUBLE = "", "trouble"


class MomentModel(RecordModel[Moment]):
    """The moments; their columns change with the limits."""

    def set_columns(self, of: Sequence[Column[Moment]]) -> None:
        """Let ``of`` say what is in the same columns from now on."""
        self._columns = of
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(of) - 1)
        self.refresh()


class FittingMoments(SortedRecords):
    """The rows of a class, or of any, that hold a text."""

    def __init__(self, model: RecordModel[Moment]) -> None:
        """Let all rows through."""
        self._kind = ALL
        self._text = ""
        super().__init__(model)

    def fit(self, kind: str, text: str) -> None:
        """Let through the rows of ``kind`` that hold ``text``, whatever its case."""
        self._kind, self._text = kind, text.casefold()
        # what is set is not used: that there is another is what has the rows looked at again
        self.setFilterFixedString(f"{kind}\n{text}")

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:
        """Whether a row is let through."""
        moment = self._records.record(row)
        if self._kind == ALL_TROUBLE:
            if moment.kind not in TROUBLE:
                return False
        elif self._kind not in (ALL, moment.kind):
            return False
        return not self._text or self._text in _searched(moment)


def _searched(moment: Moment) -> str:
    texts = [moment.name, clock_text(moment.at, 3), moment.kind, source_text(moment)]
    texts.append(heard_text(moment))
    if moment.cut is not None:
        texts += [moment.cut.heard_text, moment.cut.unheard_text, moment.cut.corrected_text or ""]
    return " ".join(texts).casefold()


class InterruptionPanel(QWidget):
    """Lists interruptions and overlaps; choosing one opens it."""

    moment_chosen = Signal(object)
    """The `Moment` that a person wants to see."""
    moments_changed = Signal()
    """There are others, or more is known of one."""

    def __init__(self, theme: Theme | None = None) -> None:
        """Begin empty, with the default limits; ``theme`` colours what is over them."""
        super().__init__()
        self._limits = Limits()
        self._cuts: list[Interruption] = []
        self._overlaps: list[Overlap] = []
        self.moments: list[Moment] = []
        """All of them, in order of time."""
        self._chosen: tuple[str, float] | None = None
        columns = columns_of(self._limits)
        self.model = MomentModel(columns, self, theme)
        widths = [column.width for column in columns]
        self.table = fixed_table(self.model, "Interruptions", EMPTY, widths[:-1])
        self.rows = FittingMoments(self.model)
        self._figures = QLabel(self)
        self.kind, self.text = QComboBox(self), QLineEdit(self)
        self.limits = LimitMenu(
            ("mouth_to_silence_ms", "time_to_silence_ms", "missed_s", "pause_s"), self
        )
        self.limits.show_limits(self._limits)
        self._limits_button = QToolButton(self)
        self._build()
        self._connect()

    def title_widgets(self) -> list[QWidget]:
        """Return what belongs in the title bar: the figures of all, and the filter."""
        return [self._figures, self._limits_button, self.kind, self.text]

    # -- what it shows -------------------------------------------------------------------------

    def show_interruptions(
        self, cuts: Sequence[Interruption], overlaps: Sequence[Overlap] = ()
    ) -> None:
        """Show these, both in order of time."""
        if list(cuts) == self._cuts and list(overlaps) == self._overlaps:
            return  # quick, for mostly they are the same objects
        self._cuts, self._overlaps = list(cuts), list(overlaps)
        self._show()

    def set_limits(self, limits: Limits) -> None:
        """Let classes and colours go by other limits."""
        if limits == self._limits:
            return
        self._limits = limits
        self.limits.show_limits(limits)
        self.model.set_columns(columns_of(limits))
        self._show()

    def _show(self) -> None:
        self.moments = moments_of(self._cuts, self._overlaps, self._limits)
        self.model.show_records(self.moments)
        self._keep_chosen()
        mouth = [c.mouth_to_silence_ms for c in self._cuts if c.mouth_to_silence_ms is not None]
        time = [c.time_to_silence_ms for c in self._cuts if c.time_to_silence_ms is not None]
        spreads = (spread_text("mouth to silence", mouth), spread_text("time to silence", time))
        self._figures.setText(" · ".join(filter(None, spreads)))
        self._show_counts()
        self.moments_changed.emit()

    def _show_counts(self) -> None:
        counts = Counter(moment.kind for moment in self.moments)
        for index in range(self.kind.count()):
            kind = self.kind.itemData(index)
            text = _NAMES.get(kind, kind.capitalize())
            if kind == ALL:
                count = len(self.moments)
            elif kind == ALL_TROUBLE:
                count = sum(counts[each] for each in TROUBLE)
            else:
                count = counts[kind]
            self.kind.setItemText(index, f"{text} ({count})" if count else text)

    # -- what is chosen ------------------------------------------------------------------------

    def moment(self, key: tuple[str, float] | None) -> Moment | None:
        """Return what is known now of the one with this key."""
        return next((moment for moment in self.moments if moment.key == key), None)

    def select(self, number: int) -> None:
        """Choose the interruption with this number."""
        self.choose(self.moment(("cut", number)))

    def select_overlap(self, start: float) -> None:
        """Choose the overlap that begins at ``start``, or the interruption that followed it."""
        for overlap in self._overlaps:
            if overlap.start == start and overlap.interruption is not None:
                self.select(overlap.interruption)
                return
        self.choose(self.moment(("both", start)))

    def step(self, steps: int) -> None:
        """Choose the next of the rows shown, or one before; the first where none is chosen."""
        count = self.rows.rowCount()
        if not count:
            return
        row = self._row_of(self._chosen)
        if row is None:
            row = 0 if steps > 0 else count - 1
        else:
            row = min(max(row + steps, 0), count - 1)
        self.choose(self._at(row))

    def choose(self, moment: Moment | None) -> None:
        """Select a moment's row, and tell that it was chosen."""
        if moment is None:
            return
        self._chosen = moment.key
        self._keep_chosen(reveal=True)
        self.moment_chosen.emit(moment)

    def mark(self, key: tuple[str, float] | None) -> None:
        """Select the row with this key, or none, without telling anybody."""
        self._chosen = key
        self._keep_chosen()

    def _keep_chosen(self, reveal: bool = False) -> None:
        """Let the selection be that of the chosen one, wherever its row is now."""
        row = self._row_of(self._chosen)
        current = self.table.currentIndex()
        if row is None:
            if current.isValid() and self._chosen is not None:
                self.table.clearSelection()
            return
        if current.row() != row or not self.table.selectionModel().hasSelection():
            place = self.table.verticalScrollBar().value()
            self.table.selectRow(row)
            if not reveal:
                self.table.verticalScrollBar().setValue(place)
        if reveal:
            self.table.scrollTo(self.rows.index(row, 0))

    def _row_of(self, key: tuple[str, float] | None) -> int | None:
        if key is None:
            return None
        for number, moment in enumerate(self.moments):
            if moment.key == key:
                index = self.rows.mapFromSource(self.model.index(number, 0))
                return index.row() if index.isValid() else None
        return None

    def _at(self, row: int) -> Moment:
        return self.model.record(self.rows.mapToSource(self.rows.index(row, 0)).row())

    def _activated(self, index: QModelIndex) -> None:
        if index.isValid():
            self.choose(self._at(index.row()))

    def copy(self) -> None:
        """Copy the selected one as text."""
        index = self.table.currentIndex()
        if index.isValid():
            QGuiApplication.clipboard().setText(as_text(self._at(index.row())))

    # -- building ------------------------------------------------------------------------------

    def _fit(self) -> None:
        self.rows.fit(self.kind.currentData(), self.text.text())
        self.table.set_empty_text(NONE_FITS if self.moments else EMPTY)
        self._keep_chosen()

    def _build(self) -> None:
        table = self.table
        table.setModel(self.rows)
        table.setTextElideMode(Qt.TextElideMode.ElideLeft)
        header = table.horizontalHeader()
        header.setSortIndicatorClearable(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        table.setSortingEnabled(True)
        StickToEnd(table.verticalScrollBar())
        self._figures.setFont(small(-0.5))
        for name, kind in (
            (_NAMES[ALL], ALL),
            (_NAMES[ALL_TROUBLE], ALL_TROUBLE),
            *((each.capitalize(), each) for each in CLASSES),
        ):
            self.kind.addItem(name, kind)
        self.kind.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.kind.setAccessibleName("Class of interruptions")
        self.kind.setToolTip("Show interruptions of one class only")
        self.text.setPlaceholderText("Filter")
        self.text.setClearButtonEnabled(True)
        self.text.setAccessibleName("Filter of interruptions")
        self.text.setToolTip(
            "Show interruptions only that hold this text: words, source, time (Ctrl+F)"
        )
        self.text.setMaximumWidth(160)
        button = self._limits_button
        button.setText("Limits")
        button.setAutoRaise(True)
        button.setToolTip("Limits: what is late, what is missed, which figures are coloured")
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setMenu(self.limits)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(table)

    def _connect(self) -> None:
        self.table.clicked.connect(self._activated)
        self.table.activated.connect(self._activated)
        self.kind.currentIndexChanged.connect(lambda _: self._fit())
        self.text.textChanged.connect(lambda _: self._fit())
        find_by_key(self.table, self.text)
        copying = QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), self.table)
        copying.setContext(Qt.ShortcutContext.WidgetShortcut)
        copying.activated.connect(self.copy)


_NAMES = {ALL: "All", ALL_TROUBLE: "Late, false, missed"}
