"""Interruptions and overlaps of every class, as tests of what shows them want them."""

from __future__ import annotations

from app.analysis.turn_records import Interruption, Overlap, Sound
from ui.inspection.interruption_panel import InterruptionPanel

LATE = Interruption(
    1,
    5.6,
    "agent",
    kind="barge-in",
    discarded_ms=3000.0,
    silent_at=5.64,
    time_to_silence_ms=40.0,
    user_onset=5.0,
    chunk_ended_at=5.25,
    chunk_sent_at=5.26,
    told_at=5.59,
    mouth_to_silence_ms=640.0,
    heard_text="Let me tell you about the wea",
    unheard_text="ther of the week",
    agent_next_at=8.4,
)
FALSE = Interruption(
    2,
    12.0,
    "agent",
    kind="false",
    silent_at=12.2,
    time_to_silence_ms=200.0,
    sound=Sound("echo", 11.0, 12.0, -24.0, -60.0, 0.0, 0.93, 142.0, -31.0),
)
BUTTON = Interruption(3, 20.0, "button", kind="button", was_silent=True)
MISSED = Overlap(9.0, 10.6, 9.0, 10.7, "missed")
SHORT = Overlap(15.0, 15.3, 15.0, 15.3, "backchannel")
CLAIMED = Overlap(5.0, 5.64, 5.0, 7.0, None, 1)
CUTS, OVERLAPS = [LATE, FALSE, BUTTON], [CLAIMED, MISSED, SHORT]
KINDS = ["late", "missed", "false", "backchannel", "button"]


def shown(panel: InterruptionPanel, column: int = 2) -> list[str]:
    """Return what the rows of ``panel`` say in a column, from the top: their classes."""
    rows = panel.rows
    return [rows.data(rows.index(row, column)) for row in range(rows.rowCount())]
