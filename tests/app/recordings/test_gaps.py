"""Gaps: what an event tells of what was not recorded."""

from __future__ import annotations

from typing import Any

import pytest

from app.recordings.gaps import gap_of, gaps_in
from app.timeline.events import Muted, Trouble


def trouble(kind: str, t: float = 50.0, **data: Any) -> Trouble:
    return Trouble(t, kind, "Something is missing.", data=data)


def test_the_recorder_tells_where_silence_stands() -> None:
    assert gap_of(trouble("recorder", start=10.0, stop=12.5)) == (10.0, 12.5)
    assert gap_of(trouble("recorder", stopped_at=10.0)) is None


def test_a_device_that_paused_tells_how_long_before_its_audio_came() -> None:
    assert gap_of(trouble("gap", t=8.0, ms=250.0)) == (7.75, 8.0)
    assert gap_of(trouble("gap", t=0.1, ms=250.0)) == (0.0, 0.1)
    assert gap_of(trouble("gap", error="ValueError")) is None


@pytest.mark.parametrize(
    "data",
    [
        {"start": "x", "stop": 2.0},
        {"start": 3.0, "stop": 2.0},
        {"start": -1.0, "stop": 2.0},
        {"ms": True},
        {"ms": -4.0},
        {"ms": None},
    ],
)
def test_nonsense_is_no_gap(data: dict[str, Any]) -> None:
    assert gap_of(trouble("gap", **data)) is None


def test_other_troubles_and_other_events_are_no_gaps() -> None:
    assert gap_of(trouble("underrun", start=1.0, stop=2.0)) is None
    assert gap_of(Muted(1.0, True)) is None


def test_gaps_are_in_order_and_those_that_overlap_are_one() -> None:
    events = [
        trouble("recorder", start=30.0, stop=31.0),
        trouble("gap", t=6.0, ms=1000.0),
        trouble("recorder", start=5.5, stop=8.0),
    ]
    assert gaps_in(events) == [(5.0, 8.0), (30.0, 31.0)]
