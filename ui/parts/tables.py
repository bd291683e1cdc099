"""Tables that look alike: rows of one height, tabular figures, a sentence while empty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
)
from PySide6.QtGui import QColor, QKeySequence, QPainter, QPaintEvent, QPalette, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLineEdit,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from app.analysis.turn_records import Interruption, spread
from ui.parts.differing import first_difference
from ui.parts.theme import Theme, tabular
from ui.parts.tips import plain_tip

R = TypeVar("R")
Index = QModelIndex | QPersistentModelIndex
ROW_HEIGHT = 24
UNKNOWN = "–"


class Table(QTableView):
    """A table that says what will appear in it."""

    def __init__(self, empty_text: str) -> None:
        """Show ``empty_text`` while there are no rows."""
        super().__init__()
        self._empty_text = empty_text

    def set_empty_text(self, text: str) -> None:
        """Show another sentence while there are no rows."""
        if text != self._empty_text:
            self._empty_text = text
            self.viewport().update()

    def moveCursor(
        self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier
    ) -> QModelIndex:
        """Let Home and End go to the first row and the last: rows are chosen here, not cells."""
        model, here = self.model(), self.currentIndex()
        is_end = action == QAbstractItemView.CursorAction.MoveEnd
        if (is_end or action == QAbstractItemView.CursorAction.MoveHome) and model.rowCount():
            return model.index(model.rowCount() - 1 if is_end else 0, max(here.column(), 0))
        return super().moveCursor(action, modifiers)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the rows, or the sentence."""
        super().paintEvent(event)
        if self.model() is not None and self.model().rowCount() == 0:
            painter = QPainter(self.viewport())
            painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
            area = self.viewport().rect().adjusted(16, 0, -16, 0)
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(area, flags, self._empty_text)
            painter.end()


class TonedDelegate(QStyledItemDelegate):
    """Leaves texts their colours where a row is selected: they carry meaning there, too."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: Index) -> None:
        """Let a selected cell be written in the colour that it has when it is not."""
        super().initStyleOption(option, index)
        if option.state & QStyle.StateFlag.State_Selected:
            # the row says where the keyboard is: no frame round one of its cells
            option.state &= ~QStyle.StateFlag.State_HasFocus
            palette = option.palette
            palette.setBrush(
                QPalette.ColorRole.HighlightedText, palette.brush(QPalette.ColorRole.Text)
            )
            option.palette = palette


def fixed_table(
    model: QAbstractTableModel, name: str, empty_text: str, widths: Sequence[int]
) -> Table:
    """Return a table of ``model`` whose last column takes the room that ``widths`` leave."""
    table = Table(empty_text)
    table.setModel(model)
    table.setItemDelegate(TonedDelegate(table))
    table.setAccessibleName(name)
    table.setFont(tabular(-0.5))
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.setAlternatingRowColors(True)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerItem)
    table.setTabKeyNavigation(False)
    table.verticalHeader().hide()
    table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    table.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
    header = table.horizontalHeader()
    header.setHighlightSections(False)
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    header.setStretchLastSection(True)
    for column, width in enumerate(widths):
        table.setColumnWidth(column, width)
    return table


def find_by_key(table: QTableView, field: QLineEdit) -> None:
    """Let Ctrl+F lead from ``table`` into ``field``, by whose text its rows are chosen."""
    find = QShortcut(QKeySequence.StandardKey.Find, table)
    find.setContext(Qt.ShortcutContext.WidgetShortcut)
    find.activated.connect(lambda: field.setFocus(Qt.FocusReason.ShortcutFocusReason))


@dataclass(frozen=True, slots=True)
class Column(Generic[R]):
    """One column: its heading, what a row shows in it, what the numbers mean."""

    heading: str
    text: Callable[[R], str]
    width: int = 96
    tip: str = ""
    number: bool = True
    key: Callable[[R], float | str | None] | None = None
    """What rows are sorted by; None (not known) comes last, either way."""
    tone: Callable[[R], str] | None = None
    """The name of the theme's colour that a cell is written in; empty for the usual one."""
    cell_tip: Callable[[R], str] | None = None
    """What a cell's tooltip says."""


class RecordModel(QAbstractTableModel, Generic[R]):
    """A list of records that grows at its end and whose last ones may still change.

    What a cell says is worked out when it is drawn.
    """

    def __init__(
        self,
        columns: Sequence[Column[R]],
        parent: QObject | None = None,
        theme: Theme | None = None,
    ) -> None:
        """Show ``columns`` of no records; ``theme`` has the colours of their tones."""
        super().__init__(parent)
        self._columns = columns
        self._theme = theme
        self._records: list[R] = []

    def show_records(self, records: Sequence[R]) -> bool:
        """Show ``records``; only of the rows that differ the view is told. Say whether any do."""
        records = list(records)
        if records == self._records:  # quick, for mostly they are the same objects
            return False
        if len(records) < len(self._records):
            self.beginResetModel()
            self._records = []
            self.endResetModel()
        last, first = len(self._columns) - 1, len(self._records)
        for number in range(first_difference(self._records, records), first):
            if self._records[number] != records[number]:
                self._records[number] = records[number]
                self.dataChanged.emit(self.index(number, 0), self.index(number, last))
        if len(records) > first:
            self.beginInsertRows(QModelIndex(), first, len(records) - 1)
            self._records += records[first:]
            self.endInsertRows()
        return True

    def record(self, row: int) -> R:
        """Return the record of a row."""
        return self._records[row]

    def key(self, row: int, column: int) -> float | str | None:
        """Return what a row is sorted by in a column: its text where the column says nothing."""
        of = self._columns[column]
        return (of.key or of.text)(self._records[row])

    def refresh(self) -> None:
        """Tell the view that what the rows say may be another now."""
        if self._records:
            last = self.index(len(self._records) - 1, len(self._columns) - 1)
            self.dataChanged.emit(self.index(0, 0), last)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        """Return how many records there are."""
        return 0 if parent.isValid() else len(self._records)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        """Return how many columns there are."""
        return 0 if parent.isValid() else len(self._columns)

    def headerData(self, section: int, way: Qt.Orientation, role: int = 0) -> Any:
        """Return a heading, or what it means."""
        if way != Qt.Orientation.Horizontal:
            return None
        column = self._columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.heading
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return alignment(column.number)
        return column.tip if role == Qt.ItemDataRole.ToolTipRole else None

    def data(self, index: Index, role: int = 0) -> Any:
        """Return what a cell shows."""
        column = self._columns[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.text(self._records[index.row()])
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return alignment(column.number)
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._colour(column, index.row())
        if role == Qt.ItemDataRole.ToolTipRole and column.cell_tip is not None:
            return plain_tip(column.cell_tip(self._records[index.row()])) or None
        return None

    def _colour(self, column: Column[R], row: int) -> QColor | None:
        if column.tone is None or self._theme is None:
            return None
        tone = column.tone(self._records[row])
        return QColor(getattr(self._theme.colours, tone)) if tone else None


class SortedRecords(QSortFilterProxyModel):
    """The rows of a `RecordModel` in the order of a column; unsorted, in that of the records.

    What is not known stands last, whichever way the others are sorted.
    """

    def __init__(self, model: RecordModel[Any]) -> None:
        """Show ``model`` in its own order."""
        super().__init__(model)
        self._records = model
        self.setSourceModel(model)

    def lessThan(self, left: Index, right: Index) -> bool:
        """Compare two rows by the keys of their column."""
        one = self._records.key(left.row(), left.column())
        other = self._records.key(right.row(), right.column())
        if one is None or other is None:
            is_ascending = self.sortOrder() == Qt.SortOrder.AscendingOrder
            return (other is None and one is not None) == is_ascending and one is not other
        return bool(one < other)  # type: ignore[operator]


def sort_by_heading(table: QTableView, model: RecordModel[Any]) -> SortedRecords:
    """Let a click on a heading sort ``table``, a second one turn it round, a third undo it."""
    rows = SortedRecords(model)
    table.setModel(rows)
    header = table.horizontalHeader()
    header.setSortIndicatorClearable(True)
    header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
    table.setSortingEnabled(True)
    return rows


def alignment(number: bool) -> Qt.AlignmentFlag:
    """Return where a cell's text stands: numbers to the right."""
    side = Qt.AlignmentFlag.AlignRight if number else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter


def milliseconds(value: float | None, estimated: bool = False) -> str:
    """Return a number of ms with its unit; ``–`` where it is not known, ``≈`` where estimated."""
    if value is None:
        return UNKNOWN
    return f"{'≈ ' if estimated else ''}{value:.0f} ms"


def silence_text(interruption: Interruption) -> str:
    """Return an interruption's time to silence, or that there was nothing to silence."""
    if interruption.was_silent:
        return "already silent"
    return milliseconds(interruption.time_to_silence_ms, interruption.estimated)


def felt_text(interruption: Interruption, kind: str) -> tuple[str, str]:
    """Return what came of an interruption of class ``kind``, in words and as a figure.

    That is its time to silence, but of a late one the time from mouth to silence: who looks for
    what took so long is not to read that the speaker was quick.
    """
    if kind == "late":
        mouth = milliseconds(interruption.mouth_to_silence_ms, interruption.estimated)
        return f"{mouth} from mouth to silence", mouth
    time = silence_text(interruption)
    return time if interruption.was_silent else f"silent in {time}", time


def spread_text(name: str, values_ms: Sequence[float]) -> str:
    """Return median and 95th percentile of some times; nothing where there are none."""
    if not values_ms:
        return ""
    of = spread(list(values_ms))
    return f"{name} p50 {of.p50:.0f}, p95 {milliseconds(of.p95)} of {of.count}"
