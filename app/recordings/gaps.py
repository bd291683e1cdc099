"""Where silence stands on the tracks in place of what was not recorded. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from app.timeline.events import Event, Trouble

Gap = tuple[float, float]
"""From, and until, in session seconds."""


MOST = 1e10
"""Four months in milliseconds: no session has seconds, or a gap milliseconds, beyond that."""


def gap_of(event: Event) -> Gap | None:
    """Return the gap that ``event`` tells of; None where it tells of none."""
    if not isinstance(event, Trouble) or event.kind not in ("gap", "recorder"):
        return None
    start, stop = _number(event.data, "start"), _number(event.data, "stop")
    if start is not None and stop is not None:
        return (start, stop) if 0 <= start < stop else None
    missing_ms = _number(event.data, "ms")
    if missing_ms is None or missing_ms <= 0:
        return None
    # what is missing lies before the audio that came late
    return max(event.t - missing_ms / 1000, 0.0), event.t


def gaps_in(events: Iterable[Event]) -> list[Gap]:
    """Return the gaps that ``events`` tell of, in order, those that overlap as one."""
    found: list[Gap] = []
    for start, stop in sorted(gap for event in events if (gap := gap_of(event)) is not None):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], stop))
        else:
            found.append((start, stop))
    return found


def _number(data: Mapping[str, Any], name: str) -> float | None:
    value = data.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    # a recording of anybody's may say NaN, or a whole number that no float can hold
    return float(value) if -MOST < value < MOST else None
