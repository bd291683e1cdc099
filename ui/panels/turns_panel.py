"""The table of turns, both parties in order, with response latencies. Main thread only."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QModelIndex, Signal
from PySide6.QtWidgets import QDoubleSpinBox, QLabel, QSplitter, QVBoxLayout, QWidget

from app.analysis import turn_records
from app.analysis.limits import Limits, exceeds, info_of
from app.analysis.silences import spoken_turns
from app.analysis.turn_records import Response
from ui.lanes.scene import Turn
from ui.lanes.time_axis import clock_text
from ui.panels.latencies import Latencies
from ui.panels.latency_chart import LatencyChart
from ui.parts.differing import first_difference
from ui.parts.stick_to_end import StickToEnd
from ui.parts.tables import (
    UNKNOWN,
    Column,
    RecordModel,
    fixed_table,
    milliseconds,
    sort_by_heading,
)
from ui.parts.theme import Theme, small

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
EMPTY = "Turns of both parties will appear here, with the agent's response latency."


@dataclass(frozen=True, slots=True)
class TurnRow:
    """One turn; an agent's comes with how it came about, where that is known."""

    who: str
    start: float
    stop: float | None
    response: Response | None = None
    silence_ms: float | None = None
    """The silence between the other party's turn, on which it follows, and this one."""

    @property
    def length_s(self) -> float | None:
        """How long it was heard."""
        return None if self.stop is None else self.stop - self.start

    @property
    def latency_ms(self) -> float | None:
        """The response latency of an agent's turn that answers a user's."""
        return None if self.response is None else self.response.latency_ms

    @property
    def endpointing_ms(self) -> float | None:
        """From the end of the user's speech until the agent told that it took it for ended."""
        of = self.response
        return None if of is None else _between(of.user_stop, of.endpointed_at)

    @property
    def agent_ms(self) -> float | None:
        """From endpointing, else from the end of the user's speech, to the first agent chunk."""
        of = self.response
        if of is None or of.user_stop is None:
            return None
        since = of.user_stop if of.endpointed_at is None else of.endpointed_at
        return _between(since, of.first_chunk_at)

    @property
    def playout_ms(self) -> float | None:
        """From the first agent chunk to the first sample heard."""
        of = self.response
        return None if of is None else _between(of.first_chunk_at, of.heard_at)

    @property
    def underruns(self) -> int | None:
        """How often the playout queue ran dry in it."""
        return None if self.response is None else self.response.underruns

    @property
    def lead_ms(self) -> float | None:
        """How far its audio was ahead of playout, at the least."""
        return None if self.response is None else self.response.least_lead_ms


def _between(start: float | None, stop: float | None) -> float | None:
    return None if start is None or stop is None else (stop - start) * 1e3


def _length(turn: TurnRow) -> str:
    return "going on" if turn.length_s is None else f"{turn.length_s:.2f} s"


def _time(of: Callable[[TurnRow], float | None]) -> Callable[[TurnRow], str]:
    """Return what writes a time of a row's in ms."""

    def text(row: TurnRow) -> str:
        estimated = row.response is not None and row.response.estimated
        return milliseconds(of(row), estimated).replace("-", "−")

    return text


def _latency(row: TurnRow) -> float | None:
    return row.latency_ms


def _underruns(row: TurnRow) -> str:
    of = row.response
    if of is None:
        return UNKNOWN
    return f"{of.underruns} ({of.underrun_ms:.0f} ms)" if of.underruns else "0"


def _lead(row: TurnRow) -> str:
    of = row.response
    return UNKNOWN if of is None else milliseconds(of.least_lead_ms).replace("-", "−")


def _median_lead(row: TurnRow) -> str:
    of = row.response
    if of is None or of.median_lead_ms is None:
        return ""
    return f"Median {milliseconds(of.median_lead_ms)}".replace("-", "−")


def columns_of(is_over: Callable[[TurnRow], bool]) -> tuple[Column[TurnRow], ...]:
    """Return the columns; ``is_over`` says whose response latency is over the limit."""
    return (
        Column(
            "Time",
            lambda t: clock_text(t.start, 3),
            112,
            "Session time at which the turn began",
            key=lambda t: t.start,
        ),
        Column("Who", lambda t: "You" if t.who == "user" else "Agent", 56, number=False),
        Column(
            "Length", _length, 80, "How long it was heard, in seconds", key=lambda t: t.length_s
        ),
        Column(
            "Silence",
            _time(lambda t: t.silence_ms),
            80,
            "From the end of the other party's turn to the beginning of this one, in ms; – where "
            "no turn of the other's came before it, or the two overlap",
            key=lambda t: t.silence_ms,
        ),
        Column(
            "Response latency",
            _time(_latency),
            144,
            "From the end of the user's speech to the first agent sample leaving the speaker, in "
            "ms; it is the sum of the three parts beside it",
            key=_latency,
            tone=lambda t: "warning" if is_over(t) else "",
            cell_tip=lambda t: "Over the limit" if is_over(t) else "",
        ),
        Column(
            "Endpointing",
            _time(lambda t: t.endpointing_ms),
            96,
            "From the end of the user's speech until the agent told that it took the turn for "
            "ended (its final user transcript), in ms; – where no event tells it",
            key=lambda t: t.endpointing_ms,
        ),
        Column(
            "Agent",
            _time(lambda t: t.agent_ms),
            72,
            "From endpointing (from the end of the user's speech where no event tells of it) to "
            "the arrival of the first agent chunk, in ms; below 0 where the chunk came before",
            key=lambda t: t.agent_ms,
        ),
        Column(
            "Playout",
            _time(lambda t: t.playout_ms),
            72,
            "From the arrival of the first agent chunk to its first sample leaving the speaker, in "
            "ms",
            key=lambda t: t.playout_ms,
        ),
        Column(
            "Underruns",
            _underruns,
            96,
            "How often the playout queue ran dry inside the turn, and for how long in all, in ms",
            key=lambda t: t.underruns,
            tone=lambda t: "warning" if t.underruns else "",
        ),
        Column(
            "Ahead",
            _lead,
            88,
            "How far the agent's audio was ahead of playout when a chunk arrived, at the least, in "
            "ms; the first chunk does not count",
            key=lambda t: t.lead_ms,
            cell_tip=_median_lead,
        ),
    )


def merge_turns(
    user: Sequence[Turn],
    agent: Sequence[Turn],
    responses: Sequence[Response],
    begin: float = -inf,
) -> list[TurnRow]:
    """Return both parties' turns in order, an agent's with the response that began it.

    Only those that begin at second ``begin`` or later; of the turns before it the last of each
    party is needed, for the silence that ends with the first.
    """
    of = {response.heard_at: response for response in responses}
    spoken = spoken_turns(
        [turn_records.Turn("user", *turn) for turn in user],
        [turn_records.Turn("agent", *turn) for turn in agent],
    )
    return [
        TurnRow(
            turn.who,
            turn.start,
            turn.stop,
            of.get(turn.start) if turn.who == "agent" else None,
            silence_ms,
        )
        for turn, silence_ms in spoken
        if turn.start >= begin
    ]


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
