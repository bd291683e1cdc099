"""The table of turns, both parties in order, with response latencies. Main thread only."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from ui.scene import Turn
from ui.stick_to_end import StickToEnd
from ui.tables import UNKNOWN, Column, RecordModel, fixed_table, milliseconds, spread_text
from ui.theme import small
from ui.time_axis import clock_text

EMPTY = "Turns of both parties will appear here, with the agent's response latency."


@dataclass(frozen=True, slots=True)
class TurnRow:
    """One turn; ``latency_ms`` is that of an agent's turn which answers a user's."""

    who: str
    start: float
    stop: float | None
    latency_ms: float | None


def _length(turn: TurnRow) -> str:
    return UNKNOWN if turn.stop is None else f"{turn.stop - turn.start:.2f} s"


COLUMNS: tuple[Column[TurnRow], ...] = (
    Column("Time", lambda t: clock_text(t.start, 3), 112, "Session time at which the turn began"),
    Column("Who", lambda t: "You" if t.who == "user" else "Agent", 80, number=False),
    Column("Length", _length, 96, "How long it was heard, in seconds"),
    Column(
        "Response latency",
        lambda t: milliseconds(t.latency_ms),
        136,
        "From the end of the user's speech to the first agent sample leaving the speaker, in ms",
    ),
    Column("", lambda t: "" if t.stop is not None else "going on", 96, number=False),
)


def merge_turns(
    user: Sequence[Turn], agent: Sequence[Turn], latencies_ms: Collection[float]
) -> list[TurnRow]:
    """Return both parties' turns in order.

    An agent's turn has a response latency if its distance from the user's turn before it is one of
    ``latencies_ms``: what counts as an answer is not decided here.
    """
    known = {round(each, 3) for each in latencies_ms}
    rows: list[TurnRow] = []
    user_stop: float | None = None
    for start, stop, who in sorted(
        [(*turn, "user") for turn in user] + [(*turn, "agent") for turn in agent],
        key=lambda turn: turn[0],
    ):
        latency = None
        if who == "user":
            user_stop = stop
        elif user_stop is not None and round((start - user_stop) * 1e3, 3) in known:
            latency = (start - user_stop) * 1e3
        rows.append(TurnRow(who, start, stop, latency))
    return rows


class TurnsPanel(QWidget):
    """Lists turns; choosing one shows it in the timeline."""

    moment_chosen = Signal(float)
    TAIL = 8
    """Turns of either party that are gone through again; those before them are what they were."""

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__()
        self.model: RecordModel[TurnRow] = RecordModel(COLUMNS, self)
        widths = [column.width for column in COLUMNS]
        self.table = fixed_table(self.model, "Turns", EMPTY, widths[:-1])
        self._shown: tuple[object, ...] = ()
        self._rows: list[TurnRow] = []
        self._counts = (0, 0)
        self._figures = QLabel(self)
        self._figures.setFont(small(-0.5))
        StickToEnd(self.table.verticalScrollBar())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.table)
        for signal in (self.table.clicked, self.table.activated):
            signal.connect(
                lambda index: self.moment_chosen.emit(self.model.record(index.row()).start)
            )

    def title_widgets(self) -> list[QWidget]:
        """Return what belongs in the title bar: the figures of all turns."""
        return [self._figures]

    def show_turns(
        self, user: Sequence[Turn], agent: Sequence[Turn], latencies_ms: Sequence[float]
    ) -> None:
        """Show these, in order of their beginnings."""
        shown = (len(user), len(agent), *user[-2:], *agent[-2:], len(latencies_ms))
        if shown == self._shown:
            return
        self._shown = shown
        self._bring(user, agent, latencies_ms)
        self.model.show_records(self._rows)
        self._figures.setText(spread_text("response latency", latencies_ms))

    def _bring(
        self, user: Sequence[Turn], agent: Sequence[Turn], latencies_ms: Sequence[float]
    ) -> None:
        """Bring the rows up to date from a few turns before the last ones on."""
        counts, self._counts = self._counts, (len(user), len(agent))
        least = min(len(user), len(agent), *counts)
        if least <= self.TAIL or len(user) < counts[0] or len(agent) < counts[1]:
            self._rows = merge_turns(user, agent, latencies_ms)
            return
        begin = min(user[counts[0] - self.TAIL][0], agent[counts[1] - self.TAIL][0])
        kept = bisect_left(self._rows, begin, key=lambda row: row.start)
        # one more of each: the user's turn before them tells what the first of them answers
        from_user, from_agent = (
            max(bisect_left(turns, begin, key=start_of) - 1, 0) for turns in (user, agent)
        )
        latest = latencies_ms[-2 * (self.TAIL + len(agent) - from_agent) :]
        tail = merge_turns(user[from_user:], agent[from_agent:], latest)
        del self._rows[kept:]
        self._rows += tail[bisect_left(tail, begin, key=lambda row: row.start) :]


def start_of(turn: Turn) -> float:
    """Return when a turn began."""
    return turn[0]
