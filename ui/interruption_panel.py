"""The table of interruptions: how fast the agent went quiet, and what was heard.

Main thread only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from ui.stick_to_end import StickToEnd
from ui.tables import (
    UNKNOWN,
    Column,
    RecordModel,
    fixed_table,
    milliseconds,
    silence_text,
    spread_text,
)
from ui.theme import small
from ui.time_axis import clock_text

if TYPE_CHECKING:
    from app.turn_records import Interruption

EMPTY = (
    "Every interruption will appear here with its time to silence. "
    "Speak while the agent speaks, or press Esc."
)
SOURCES = {"agent": "agent's server", "button": "button", "vad": "local VAD", "message": "message"}


def heard_up_to(text: str, longest: int = 120) -> str:
    """Return the end of what was heard, in quotes; ``–`` where it is not known."""
    text = " ".join(text.split())
    if not text:
        return UNKNOWN
    return f"“{text}”" if len(text) <= longest else f"“…{text[-longest:]}”"


COLUMNS: tuple[Column[Interruption], ...] = (
    Column("#", lambda i: str(i.number), 40, "The interruption's number in this session"),
    Column("Time", lambda i: clock_text(i.at, 3), 112, "Session time of the interrupt() call"),
    Column(
        "Source",
        lambda i: SOURCES.get(i.source, i.source),
        112,
        "Who interrupted: the agent's server, the button, or local VAD",
        number=False,
    ),
    Column(
        "Class",
        lambda i: i.kind or UNKNOWN,
        80,
        "Barge-in, button, message, or false: with no user speech behind it",
        number=False,
    ),
    Column(
        "Time to silence",
        silence_text,
        120,
        "From the interrupt() call to the last agent sample leaving the speaker, in ms",
    ),
    Column(
        "Mouth to silence",
        lambda i: milliseconds(i.mouth_to_silence_ms, i.estimated),
        128,
        "From the onset of the user's speech to that same moment, in ms: what a person feels",
    ),
    Column(
        "Discarded",
        lambda i: milliseconds(i.discarded_ms),
        96,
        "Agent audio thrown away before it was played, in ms",
    ),
    Column(
        "Heard up to",
        lambda i: heard_up_to(i.heard_text),
        240,
        "The words of the reply that had left the speaker",
        number=False,
    ),
)


class InterruptionPanel(QWidget):
    """Lists interruptions; choosing one shows it in the timeline."""

    interruption_chosen = Signal(float)
    """Session seconds of the interruption."""

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__()
        self.model: RecordModel[Interruption] = RecordModel(COLUMNS, self)
        widths = [column.width for column in COLUMNS]
        self.table = fixed_table(self.model, "Interruptions", EMPTY, widths[:-1])
        self._figures = QLabel(self)
        self._figures.setFont(small(-0.5))
        self.table.setTextElideMode(Qt.TextElideMode.ElideLeft)
        StickToEnd(self.table.verticalScrollBar())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.table)
        self.table.clicked.connect(lambda index: self._choose(index.row()))
        self.table.activated.connect(lambda index: self._choose(index.row()))

    def title_widgets(self) -> list[QWidget]:
        """Return what belongs in the title bar: the figures of all interruptions."""
        return [self._figures]

    def show_interruptions(self, interruptions: Sequence[Interruption]) -> None:
        """Show these, in order."""
        if not self.model.show_records(interruptions):
            return
        known = [i.time_to_silence_ms for i in interruptions if i.time_to_silence_ms is not None]
        self._figures.setText(spread_text("time to silence", known))

    def select(self, number: int) -> None:
        """Select the interruption with this number, and show it."""
        for row in range(self.model.rowCount()):
            if self.model.record(row).number == number:
                self.table.selectRow(row)
                self._choose(row)

    def _choose(self, row: int) -> None:
        self.interruption_chosen.emit(self.model.record(row).at)
