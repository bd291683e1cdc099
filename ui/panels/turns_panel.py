"""The table of turns, both parties in order, with response latencies. Main thread only."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from math import inf
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QModelIndex, Signal
from PySide6.QtWidgets import QDoubleSpinBox, QLabel, QSplitter, QVBoxLayout, QWidget

from app.analysis.limits import Limits, exceeds, info_of
from app.analysis.turn_records import Response
from ui.lanes.scene import Turn
from ui.panels.latencies import Latencies
from ui.panels.latency_chart import LatencyChart
from ui.panels.turn_columns import columns_of
from ui.panels.turn_rows import TurnRow, merge_turns
from ui.parts.differing import first_difference
from ui.parts.stick_to_end import StickToEnd
from ui.parts.tables import RecordModel, fixed_table, sort_by_heading
from ui.parts.theme import Theme, small

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
EMPTY = "Turns of both parties will appear here, with the agent's response latency."


class TurnsPanel(QWidget):
    """Lists turns, and draws their response latencies; choosing one shows it in the timeline."""

    moment_chosen = Signal(float)
    limit_changed = Signal(float)
    """A person chose another limit of the response latency, in ms."""

    def __init__(self, theme: Theme) -> None:
        """Begin empty, with the default limits."""
        super().__init__()
        self._limits = Limits()
        columns = columns_of(self._is_over)
        self.model: RecordModel[TurnRow] = RecordModel(columns, self, theme)
        widths = [column.width for column in columns]
        self.table = fixed_table(self.model, "Turns", EMPTY, widths[:-1])
        self.rows = sort_by_heading(self.table, self.model)
        self.chart = LatencyChart(theme)
        self.limit = QDoubleSpinBox(self)
        self._rows: list[TurnRow] = []
        self._user: list[Turn] = []
        self._agent: list[Turn] = []
        self._responses: list[Response] = []
        self._latencies = Latencies()
        self._figures = QLabel(self)
        self._build()

    def title_widgets(self) -> list[QWidget]:
        """Return what belongs in the title bar: the figures of all turns, and the limit."""
        return [self._figures, self.limit]

    def set_limits(self, limits: Limits) -> None:
        """Colour by ``limits``."""
        if limits == self._limits:
            return
        self._limits = limits
        self.limit.blockSignals(True)
        self.limit.setValue(limits.response_latency_ms)
        self.limit.blockSignals(False)
        self.model.refresh()
        self._show_figures()

    def show_turns(
        self, user: Sequence[Turn], agent: Sequence[Turn], responses: Sequence[Response]
    ) -> None:
        """Show these, in order of their beginnings."""
        user, agent, responses = list(user), list(agent), list(responses)
        begin = min(
            first_change(self._user, user, start_of),
            first_change(self._agent, agent, start_of),
            first_change(self._responses, responses, heard_at),
        )
        if begin == inf:
            return
        self._user, self._agent, self._responses = user, agent, responses
        self._bring(begin)
        self.model.show_records(self._rows)
        self._show_figures()

    def _is_over(self, row: TurnRow) -> bool:
        return exceeds(row.latency_ms, self._limits.response_latency_ms)

    def _show_figures(self) -> None:
        limit_ms = self._limits.response_latency_ms
        ends = self._rows[-1].stop or self._rows[-1].start if self._rows else 0.0
        self.chart.show_dots(self._latencies.dots, limit_ms, ends)
        self._figures.setText(self._latencies.text(limit_ms))

    def _bring(self, begin: float) -> None:
        """Bring rows and latencies of turns up to date that begin at second ``begin`` or later."""
        user, agent, responses = self._user, self._agent, self._responses
        kept = bisect_left(self._rows, begin, key=start_of_row)
        # with the last turn of each before them: a silence begins at its end
        from_user, from_agent = (
            max(bisect_left(turns, begin, key=start_of) - 1, 0) for turns in (user, agent)
        )
        latest = responses[bisect_left(responses, begin, key=heard_at) :]
        self._rows[kept:] = merge_turns(user[from_user:], agent[from_agent:], latest, begin)
        self._latencies.bring(latest, begin)

    def _choose(self, index: QModelIndex) -> None:
        row = self.rows.mapToSource(index).row()
        self.moment_chosen.emit(self.model.record(row).start)

    def _choose_limit(self, value_ms: float) -> None:
        self.limit_changed.emit(value_ms)

    def _build(self) -> None:
        StickToEnd(self.table.verticalScrollBar())
        for signal in (self.table.clicked, self.table.activated):
            signal.connect(self._choose)
        self.chart.moment_chosen.connect(self.moment_chosen)
        splitter = QSplitter()
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.table)
        splitter.addWidget(self.chart)
        splitter.setStretchFactor(0, 1)
        splitter.setSizes([936, 328])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(splitter)
        self._figures.setFont(small(-0.5))
        info = info_of("response_latency_ms")
        self.limit.setRange(info.least, info.greatest)
        self.limit.setDecimals(0)
        self.limit.setSingleStep(100)
        self.limit.setPrefix("limit ")
        self.limit.setSuffix(" ms")
        self.limit.setValue(self._limits.response_latency_ms)
        self.limit.setKeyboardTracking(False)
        self.limit.setAccessibleName("Limit of the response latency, in ms")
        self.limit.setToolTip(f"What takes longer is coloured. {info.name}: {info.definition}")
        self.limit.valueChanged.connect(self._choose_limit)


def first_change(old: list[T], new: list[T], time_of: Callable[[T], float]) -> float:
    """Return the time of the first item, old or new, from which on they differ; inf for none."""
    same = first_difference(old, new)
    return min((time_of(each[same]) for each in (old, new) if same < len(each)), default=inf)


def heard_at(response: Response) -> float:
    """Return when a response was heard first."""
    return response.heard_at


def start_of(turn: Turn) -> float:
    """Return when a turn began."""
    return turn[0]


def start_of_row(row: TurnRow) -> float:
    """Return when the turn of a row began."""
    return row.start
