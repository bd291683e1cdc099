"""Events of a recording of anybody's: their numbers are those of a session. Pure; any thread.

A time of 1e300 s is a number like others to JSON; what draws or counts with it is not to meet it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from operator import attrgetter
from typing import Any

from app.timeline.event_codec import EventError, event_from_dict
from app.timeline.event_types import Event

LONGEST_S = 1e7
"""No session lasts longer than this, which is four months."""
MOST = 1e12
"""More than its samples, and than its milliseconds."""

_numbers_of: dict[type[Event], attrgetter[Any]] = {}


def read_event(record: Mapping[str, Any]) -> Event | None:
    """Read an event as `event_from_dict` does it.

    Raises:
        EventError: as there, or a time, a duration or a position is one that no session has.

    """
    event = event_from_dict(record)
    if event is None:
        return None
    kind = type(event)
    if kind not in _numbers_of:
        # the time twice: of one name alone attrgetter gives no tuple
        _numbers_of[kind] = attrgetter("t", *(each.name for each in fields(kind)))
    if not -LONGEST_S < event.t < LONGEST_S:
        raise EventError("Its time is not one of a session.")
    for value in _numbers_of[kind](event):
        if isinstance(value, int | float) and not -MOST < value < MOST:
            raise EventError("A number in it is not one of a session.")
    return event
