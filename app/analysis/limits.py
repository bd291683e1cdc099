"""What is still good enough: limits that can be set, and what they make of a record. Pure.

A limit colours figures, and turns a barge-in that took too long into a late one. None of them
changes the records, so that another limit needs no other analysis; ``pause_s`` alone is part of
the analysis, for it says where turns end.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from app.analysis.turn_records import Interruption, Overlap, OverlapClass

PAUSE_S = 1.0
"""So long a silence ends a turn, where nobody chose another."""

Class = Literal[
    "barge-in", "late", "button", "message", "false", "missed", "backchannel", "talked over", ""
]
"""What people see; empty where it is not certain, and for an overlap that an interrupt followed."""


@dataclass(frozen=True, slots=True)
class LimitInfo:
    """What one limit is. ``least`` and ``greatest`` are in ``unit``."""

    field: str
    """Its name in `Limits`."""
    name: str
    """What people read."""
    unit: Literal["ms", "s"]
    definition: str
    least: float
    greatest: float


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits; a figure is within one up to the limit itself, to the millisecond.

    Raises:
        ValueError: a value is not finite, or not within what its `LimitInfo` says.

    """

    mouth_to_silence_ms: float = 500.0
    time_to_silence_ms: float = 150.0
    response_latency_ms: float = 1500.0
    missed_s: float = 1.0
    pause_s: float = PAUSE_S

    def __post_init__(self) -> None:
        """Refuse what is no limit."""
        for info in INFOS:
            value = getattr(self, info.field)
            if not _is_within(value, info):
                raise ValueError(
                    f"The limit “{info.name}” is {value!r}: "
                    f"it goes from {info.least:g} to {info.greatest:g} {info.unit}."
                )

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Return the limits that ``values`` tell of, by field; what makes no sense is default."""
        return cls(
            **{
                info.field: float(values[info.field])
                for info in INFOS
                if info.field in values and _is_within(values[info.field], info)
            }
        )

    def to_dict(self) -> dict[str, float]:
        """Return them by field, for `of` to read."""
        return asdict(self)


INFOS = (
    LimitInfo(
        "mouth_to_silence_ms",
        "Mouth to silence",
        "ms",
        "From the onset of the user's speech to the last agent sample leaving the speaker. "
        "A barge-in that takes longer is late.",
        1.0,
        60_000.0,
    ),
    LimitInfo(
        "time_to_silence_ms",
        "Time to silence",
        "ms",
        "From the interrupt to the last agent sample leaving the speaker.",
        1.0,
        60_000.0,
    ),
    LimitInfo(
        "response_latency_ms",
        "Response latency",
        "ms",
        "From the end of the user's speech to the first agent sample leaving the speaker.",
        1.0,
        600_000.0,
    ),
    LimitInfo(
        "missed_s",
        "Missed interruption",
        "s",
        "User speech this long over agent playout that no interrupt follows is a missed "
        "interruption; shorter speech is a backchannel.",
        0.1,
        60.0,
    ),
    LimitInfo(
        "pause_s",
        "Pause that ends a turn",
        "s",
        "A silence this long ends a turn; speech that goes on sooner belongs to the same turn. "
        "What is in view keeps the pause it was opened with.",
        0.1,
        10.0,
    ),
)
"""All limits, in the order in which they are shown."""


def info_of(field: str) -> LimitInfo:
    """Return what the limit ``field`` is."""
    return next(info for info in INFOS if info.field == field)


def class_of(record: Interruption | Overlap, limits: Limits) -> Class:
    """Return the class that people see, by ``limits``."""
    if isinstance(record, Overlap):
        return _class_of_overlap(record, limits)
    is_over = exceeds(record.mouth_to_silence_ms, limits.mouth_to_silence_ms)
    if record.kind == "barge-in" and is_over:
        return "late"
    return record.kind or ""


def exceeds(figure: float | None, limit: float) -> bool:
    """Say whether a figure is known and over its limit, both in ms.

    Compared is what people read, whole milliseconds: one shown as 150 ms keeps a limit of 150 ms.
    """
    return figure is not None and round(figure) > limit


def _class_of_overlap(overlap: Overlap, limits: Limits) -> Class:
    if overlap.interruption is not None or overlap.kind == "talked over":
        return overlap.kind or ""
    if overlap.stop is None:
        return overlap.kind or ""
    return overlap_class(overlap, limits.missed_s) or ""


def overlap_class(overlap: Overlap, missed_s: float) -> OverlapClass | None:
    """Return the class of an overlap that no interrupt followed, and whose ends are known.

    None where the user went on to speak, or spoke for the most part, when the agent had ended:
    that was no backchannel.
    """
    if overlap.start > overlap.onset >= 0:  # before the first moment the agent may have spoken
        return "talked over"
    over_s = 0.0 if overlap.stop is None else overlap.stop - overlap.start
    if over_s + 1e-6 >= missed_s:
        return "missed"
    spoken_s = math.inf if overlap.speech_stop is None else overlap.speech_stop - overlap.onset
    return "backchannel" if spoken_s < missed_s and over_s >= spoken_s / 2 else None


def _is_within(value: Any, info: LimitInfo) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return info.least <= value <= info.greatest
