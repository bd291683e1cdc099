"""The columns of the table of interruptions: what stands in each, and what it means.

Main thread only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from app.analysis.limits import Limits
from ui.inspection.moments import (
    CLASSES,
    DISCARDED,
    TROUBLE,
    Moment,
    discarded_text,
    heard_text,
    is_mouth_over,
    is_time_over,
    mouth_text,
    source_text,
    time_text,
)
from ui.lanes.time_axis import clock_text
from ui.parts.tables import UNKNOWN, Column

OVER = "warning"
"""The colour of figures over their limit."""
WRONG = "interruption"
"""The colour of classes in which something went wrong."""

NUMBER: Column[Moment] = Column(
    "#",
    lambda m: m.name.removeprefix("#"),
    40,
    "The interruption's number in this session; an overlap has none",
    key=lambda m: None if m.cut is None else m.cut.number,
)
TIME: Column[Moment] = Column(
    "Time",
    lambda m: clock_text(m.at, 3),
    112,
    "Session time of the interrupt() call, or when both began to speak",
    key=lambda m: m.at,
)
CLASS: Column[Moment] = Column(
    "Class",
    lambda m: m.kind or UNKNOWN,
    96,
    "Barge-in, late, button, message, false; missed, backchannel, talked over",
    number=False,
    tone=lambda m: WRONG if m.kind in TROUBLE else "",
    cell_tip=lambda m: CLASSES.get(m.kind, "Not certain, or not yet"),
)
SOURCE: Column[Moment] = Column(
    "Source",
    source_text,
    112,
    "Who interrupted: the agent's server, the button, local VAD, or a message; "
    "none where nobody did",
    number=False,
)
MOUTH_TO_SILENCE: Column[Moment] = Column(
    "Mouth to silence",
    mouth_text,
    128,
    "From the onset of the user's speech to the last agent sample leaving the speaker, in "
    "ms: what a person feels",
    key=lambda m: None if m.cut is None else m.cut.mouth_to_silence_ms,
)
TIME_TO_SILENCE: Column[Moment] = Column(
    "Time to silence",
    time_text,
    120,
    "From the interrupt() call to the last agent sample leaving the speaker, in ms",
    key=lambda m: None if m.cut is None else m.cut.time_to_silence_ms,
)
DISCARDED_AUDIO: Column[Moment] = Column(
    "Discarded",
    discarded_text,
    132,
    DISCARDED,
    key=lambda m: None if m.cut is None else m.cut.discarded_ms + m.cut.held_back_ms,
)
HEARD: Column[Moment] = Column(
    "Heard up to",
    heard_text,
    240,
    "The words of the reply that had left the speaker; one that was cut ends in a dash",
    number=False,
)


def columns_of(limits: Limits) -> tuple[Column[Moment], ...]:
    """Return the columns; figures over ``limits`` are coloured."""
    mouth_ms, time_ms = limits.mouth_to_silence_ms, limits.time_to_silence_ms
    return (
        *(NUMBER, TIME, CLASS, SOURCE),
        _coloured(MOUTH_TO_SILENCE, mouth_ms, lambda m: is_mouth_over(m, limits)),
        _coloured(TIME_TO_SILENCE, time_ms, lambda m: is_time_over(m, limits)),
        *(DISCARDED_AUDIO, HEARD),
    )


def _coloured(
    column: Column[Moment], limit_ms: float, is_over: Callable[[Moment], bool]
) -> Column[Moment]:
    """Return it with its figures coloured over their limit, and a tooltip that says so."""
    tip = f"{column.tip}. Coloured over {limit_ms:g} ms"
    return replace(column, tip=tip, tone=lambda moment: OVER if is_over(moment) else "")
