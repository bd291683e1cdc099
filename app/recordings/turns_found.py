"""What a turn tracker has found in a session that is over, and its place on disk.

``peaks/turns.json`` in a bundle spares reading every event again. It is a cache: it goes by the
size of ``events.jsonl`` and the version of the analysis, and whatever is wrong with it, the events
are read again. No state; any thread that may wait for the disk.
"""

from __future__ import annotations

import json
import threading
import types
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, Self, Union, get_args, get_origin, get_type_hints

from app.analysis import bounds
from app.analysis.limits import PAUSE_S
from app.analysis.turn_records import (
    AudioSpan,
    Interruption,
    Line,
    Overlap,
    Refused,
    Response,
    Spread,
    Summary,
    Turn,
)
from app.analysis.turns import TurnTracker
from app.analysis.viewed import TurnView
from app.bundles.bundle_files import read_small_file
from app.bundles.inside import is_inside
from app.recordings.peaks_cache import FOLDER, keep_file
from app.recordings.recorded_events import RecordedEvents, Unread
from app.recordings.recorded_sound import SoundFound
from app.secrets import scrub
from app.timeline.events import Event
from app.timeline.json_line import count_values
from app.timeline.sane_events import LONGEST_S, MOST

ANALYSIS_VERSION = 5
"""Raised whenever the same events may give other turns, interruptions, latencies or lines."""

NAME = "turns.json"

# What was analysed up to the bounds of `app.analysis.bounds` takes 28 MB and 2.2 million values.
# Of these sizes a forged file takes half a gigabyte at the most, while it is parsed.
MOST_BYTES = 40 * 1024 * 1024
MOST_VALUES = 3_000_000
MOST_RECORDS = 2 * bounds.MOST
"""Records of one kind in a file: the last event of an analysis may add a few to their bound."""
MOST_SPANS = 3 * bounds.MOST_PIECES


def _nothing() -> Summary:
    nothing = Spread()
    return Summary(0.0, 0, 0, 0, nothing, nothing, nothing, 0.0, 0.0, 0.0, 0)


@dataclass(frozen=True, slots=True)
class TurnsFound:
    """A frozen copy of a tracker's results. Nothing changes the lists."""

    user_turns: list[Turn] = field(default_factory=list)
    agent_turns: list[Turn] = field(default_factory=list)
    response_latencies_ms: list[float] = field(default_factory=list)
    spans: list[AudioSpan] = field(default_factory=list)
    interruptions: list[Interruption] = field(default_factory=list)
    overlaps: list[Overlap] = field(default_factory=list)
    responses: list[Response] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    transcript: list[Line] = field(default_factory=list)
    figures: Summary = field(default_factory=_nothing)
    warnings: list[str] = field(default_factory=list)
    """What was wrong with events, a sentence each."""

    @classmethod
    def of(cls, tracker: TurnView, warnings: Iterable[str] = ()) -> Self:
        """Copy what ``tracker`` has found so far."""
        return cls(
            list(tracker.user_turns),
            list(tracker.agent_turns),
            list(tracker.response_latencies_ms),
            list(tracker.spans),
            list(tracker.interruptions),
            list(tracker.overlaps),
            list(tracker.responses),
            list(tracker.refused),
            list(tracker.transcript),
            tracker.summary(),
            list(warnings),
        )

    def summary(self) -> Summary:
        """Return it all in figures."""
        return self.figures

    def save(self, bundle: Path, events_bytes: int | None = None) -> None:
        """Keep it in the bundle; does nothing where it cannot be kept, or could not be read back.

        ``events_bytes`` is how much of ``events.jsonl`` was read for it; None is all of it.
        """
        if events_bytes is None:
            events_bytes = _size_of(bundle / "events.jsonl")
        facts = {"version": ANALYSIS_VERSION, "events_bytes": events_bytes}
        content = {item.name: _to_plain(getattr(self, item.name)) for item in fields(self)}
        text = json.dumps({**facts, **scrub(content)}, ensure_ascii=False, separators=(",", ":"))
        written = text.encode("utf-8", "backslashreplace")
        if len(written) <= MOST_BYTES and count_values(written) <= MOST_VALUES:
            keep_file(bundle, NAME, written)

    @classmethod
    def load(cls, bundle: Path, events_bytes: int) -> Self | None:
        """Return what was kept; None where nothing is, or not of ``events_bytes`` of events."""
        path = bundle / FOLDER / NAME
        try:
            if not is_inside(bundle, path):
                return None
            written = read_small_file(path, MOST_BYTES)
            if count_values(written) > MOST_VALUES:
                return None
            kept = json.loads(written)
            if (kept["version"], kept["events_bytes"]) != (ANALYSIS_VERSION, events_bytes):
                return None
            readers = _readers(TurnsFound)
            return cls(**{name: read(kept[name]) for name, read in readers.items()})
        except (OSError, ValueError, TypeError, KeyError, RecursionError, OverflowError):
            return None


def find_turns(
    events: RecordedEvents,
    stopping: threading.Event,
    note: Callable[[int], None],
    pause_s: float = PAUSE_S,
    sound: SoundFound | None = None,
) -> TurnsFound | None:
    """Feed all events to a tracker; None where ``stopping`` is set before the end.

    ``note`` is told how many events are done; a silence of ``pause_s`` ends a turn. What is found
    with another pause than ``app.analysis.limits.PAUSE_S`` is not to be kept in a bundle. ``sound``
    is what the tracks hold that the events do not tell.
    """
    tracker, done = TurnTracker(pause_s), 0
    unreadable: list[int] = []
    unknown: set[str] = set()

    def known() -> Iterator[Event]:
        nonlocal done
        for piece in events.iterate():
            if stopping.is_set():
                return
            for number, event in enumerate(piece, done + 1):
                if not isinstance(event, Unread):
                    yield event
                elif event.of:
                    unknown.add(event.of)
                else:
                    unreadable.append(number)
            done += len(piece)
            note(done)

    for event in known() if sound is None else sound.among(known()):
        tracker.feed(event)
        if tracker.is_full:
            break
    if stopping.is_set():
        return None
    return TurnsFound.of(tracker, [*tracker.warnings, *events_warnings(unreadable, unknown)])


def events_warnings(unreadable: list[int], unknown: set[str]) -> list[str]:
    """Return sentences on the lines that could not be read, and the types that are not known."""
    warnings = []
    if unreadable:
        first = ", ".join(str(number) for number in unreadable[:5])
        more = " and others" if len(unreadable) > 5 else ""
        lines = "1 line" if len(unreadable) == 1 else f"{len(unreadable)} lines"
        warnings.append(
            f"{lines} of events.jsonl cannot be read (line {first}{more}); the rest is shown."
        )
    if unknown:
        names = ", ".join(sorted(unknown)[:10])
        warnings.append(f"Events of unknown type were passed over: {names}.")
    return warnings


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


# -- records as plain data: a list of a record's fields, in their order ---------------------------


def _to_plain(value: Any) -> Any:
    if is_dataclass(value):
        return [_to_plain(getattr(value, item.name)) for item in fields(value)]
    if isinstance(value, list):
        return [_to_plain(item) for item in value]
    return value


_Read = Callable[[Any], Any]
_readers_of: dict[type[Any], dict[str, _Read]] = {}
_DURATIONS = ("ms", "p50", "p95", "greatest")
"""How fields end that hold milliseconds; other floats are seconds, or smaller."""


def _readers(kind: type[Any]) -> dict[str, _Read]:
    """Return what reads each field of a record, in their order."""
    if kind not in _readers_of:
        hints = get_type_hints(kind)
        _readers_of[kind] = {
            item.name: _reader(
                hints[item.name], MOST if item.name.endswith(_DURATIONS) else LONGEST_S
            )
            for item in fields(kind)
        }
    return _readers_of[kind]


def _reader(hint: Any, most: float) -> _Read:
    """Return what reads a value; a float in it is to be less than ``most``, either way."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in {Union, types.UnionType}:
        inner = _reader(next(each for each in arguments if each is not type(None)), most)
        return lambda value: None if value is None else inner(value)
    if origin is list:
        item = _reader(arguments[0], most)
        longest = MOST_SPANS if arguments[0] is AudioSpan else MOST_RECORDS
        return lambda value: [item(each) for each in _listed(longest, value)]
    if origin is Literal:
        return lambda value: arguments[arguments.index(value)]
    if isinstance(hint, type) and is_dataclass(hint):
        return partial(_record, hint)
    readers: dict[Any, _Read] = {float: partial(_number, most), int: _count}
    return {**readers, dict[str, int]: _counts}.get(hint) or partial(_checked, hint)


def _record(kind: type[Any], values: Any) -> Any:
    readers = _readers(kind).values()
    return kind(*[read(value) for read, value in zip(readers, values, strict=True)])


def _checked(kind: type[Any], value: Any) -> Any:
    if type(value) is not kind:
        raise TypeError(value)
    return value


def _listed(longest: int, value: Any) -> Any:
    if len(_checked(list, value)) > longest:
        raise ValueError(len(value))
    return value


def _counts(value: Any) -> dict[str, int]:
    return {str(name): _count(count) for name, count in _checked(dict, value).items()}


def _count(value: Any) -> Any:
    """Read a whole number: of sample positions and counts there are no more than ``MOST``."""
    if not -MOST < _checked(int, value) < MOST:
        raise ValueError(value)
    return value


def _number(most: float, value: Any) -> float:
    number = float(value if type(value) is int else _checked(float, value))
    if not -most < number < most:  # which NaN is not, either
        raise ValueError(value)
    return number
