"""Events as JSON: read back from a recording, whoever wrote it, and packed to be kept in memory.

Pure functions; any thread.
"""

from __future__ import annotations

import json
import math
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from operator import attrgetter
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from app.timeline.event_types import KINDS, AgentChunkReceived, Alignment, Event


class EventError(ValueError):
    """A record that should be an event is none; ``str()`` says why."""


def event_from_dict(record: Mapping[str, Any]) -> Event | None:
    """Read back ``to_dict``; None for a type that this version does not know.

    Fields that are not known are passed over, and missing ones take their default.

    Raises:
        EventError: a field is missing that has no default, or is of the wrong type.

    """
    kind = KINDS.get(str(record.get("type")))
    if kind is None:
        return None
    values = {}
    for name, (read, has_default) in _readers(kind).items():
        if name in record:
            values[name] = _read_field(record, name, read)
        elif not has_default:
            raise EventError(f"“{kind.type}” has no “{name}”.")
    return kind(**values)


_Read = Callable[[Any], Any]
_readers_of: dict[type[Any], dict[str, tuple[_Read, bool]]] = {}


def _read_field(record: Mapping[str, Any], name: str, read: _Read) -> Any:
    try:
        return read(record[name])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise EventError(f"“{name}” cannot be {str(record[name])[:40]!r}.") from error


def _readers(kind: type[Any]) -> dict[str, tuple[_Read, bool]]:
    """Return for each field of ``kind`` what reads its value, and whether it has a default."""
    if kind in _readers_of:
        return _readers_of[kind]
    hints = get_type_hints(kind)
    _readers_of[kind] = {
        item.name: (
            _reader(hints[item.name]),
            item.default is not MISSING or item.default_factory is not MISSING,
        )
        for item in fields(kind)
    }
    return _readers_of[kind]


def _reader(hint: Any) -> _Read:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        inner = _reader(next(arg for arg in get_args(hint) if arg is not type(None)))
        return lambda value: None if value is None else inner(value)
    if origin is Literal:
        return _one_of(get_args(hint))
    if origin is tuple:
        item = _reader(get_args(hint)[0])
        return lambda value: tuple(item(each) for each in _instance((list, tuple))(value))
    if hint is Alignment:
        return _read_alignment
    if hint is float:
        return _read_float
    return _instance(origin or hint)


def _one_of(choices: tuple[Any, ...]) -> _Read:
    def read(value: Any) -> Any:
        if value not in choices:
            raise ValueError(value)
        return value

    return read


def _instance(kind: type | tuple[type, ...]) -> _Read:
    def read(value: Any) -> Any:
        # True is an int to Python, and no sample position to us
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise TypeError(value)
        return value

    return read


def _read_float(value: Any) -> float:
    number = float(_instance(int)(value) if not isinstance(value, float) else value)
    if not math.isfinite(number):
        raise ValueError(value)
    return number


def _read_alignment(value: Any) -> Alignment:
    readers = _readers(Alignment)
    return Alignment(**{name: readers[name][0](value[name]) for name in readers})


# -- packed ----------------------------------------------------------------------------------------

_values_of: dict[type[Event], Callable[[Event], tuple[Any, ...]]] = {
    kind: attrgetter(*(item.name for item in fields(kind))) for kind in KINDS.values()
}
_ALIGNMENT = [item.name for item in fields(AgentChunkReceived)].index("alignment")
_columns_of = attrgetter(*(item.name for item in fields(Alignment)))


def pack_event(event: Event) -> bytes:
    """Return ``event`` as one line of JSON without its line break: its type, then its values.

    Shorter than ``to_dict``, and for `unpack_event` of the same program alone.

    Raises:
        TypeError, ValueError, RecursionError: JSON has not what it holds.
        KeyError: it is of no known type.

    """
    values = list(_values_of[type(event)](event))
    if isinstance(event, AgentChunkReceived) and event.alignment is not None:
        values[_ALIGNMENT] = _columns_of(event.alignment)
    text = json.dumps([event.type, *values], ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass")


def unpack_event(line: bytes) -> Event:
    """Return the event that `pack_event` made ``line`` of."""
    name, *values = json.loads(line)
    kind = KINDS[name]
    if kind is AgentChunkReceived and values[_ALIGNMENT] is not None:
        values[_ALIGNMENT] = Alignment(*map(tuple, values[_ALIGNMENT]))
    return kind(*values)
