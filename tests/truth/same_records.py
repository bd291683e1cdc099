"""Whether two trackers found the same."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from app.recordings.turns_found import TurnsFound


def differences(live: TurnsFound, recorded: TurnsFound) -> list[str]:
    """Say for each kind of record in what the two differ; nothing where they are the same."""
    told: list[str] = []
    for item in fields(TurnsFound):
        ours, theirs = getattr(live, item.name), getattr(recorded, item.name)
        if item.name != "warnings" and ours != theirs:
            told.append(f"{item.name}: {_first_difference(ours, theirs)}")
    return told


def _first_difference(ours: Any, theirs: Any) -> str:
    if not isinstance(ours, list):
        return f"live {ours!r}, recorded {theirs!r}"
    if len(ours) != len(theirs):
        return f"live {len(ours)}, recorded {len(theirs)}"
    one, other = next(pair for pair in zip(ours, theirs, strict=True) if pair[0] != pair[1])
    return f"live {one!r}, recorded {other!r}"
