"""A session's bundle, read at one go: what it says of itself, and all its events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path

from app.bundles.bundle import BundleFacts, find_events, read_facts
from app.recordings.recorded_events import RecordedEvents, Unread
from app.recordings.turns_found import events_warnings
from app.timeline.events import Event


@dataclass(frozen=True, slots=True)
class Opened(BundleFacts):
    """A bundle with the events that this version knows, in their order."""

    events: list[Event] = field(default_factory=list)


def open_bundle(path: Path) -> Opened:
    """Read the bundle in the folder `path` with the program's own readers.

    Raises:
        BundleError: as `read_facts` does.
    """
    facts = read_facts(path)
    lines = list(_lines(facts))
    unread = [(number, each.of) for number, each in lines if isinstance(each, Unread)]
    broken = [number for number, of in unread if not of]
    facts.warnings.extend(events_warnings(broken, {of for _, of in unread if of}))
    known = {item.name: getattr(facts, item.name) for item in fields(BundleFacts)}
    return Opened(**known, events=[each for _, each in lines if not isinstance(each, Unread)])


def _lines(facts: BundleFacts) -> Iterator[tuple[int, Event]]:
    path = find_events(facts.path, facts.warnings)
    number = 0
    for piece in RecordedEvents(path).iterate() if path is not None else ():
        for event in piece:
            number += 1
            yield number, event
