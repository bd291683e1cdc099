"""A session may last all day: what it keeps of an event is small, and so it stays."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator

import pytest

from tests.benchmarks.simulated_session import SimulatedSession
from tests.benchmarks.window_parts import WindowParts
from tests.ui.conftest import bury

BYTES_AN_EVENT = 90
"""Of which the tracks' overviews take 40, packed events 20. An hour has 100,000 events."""


@pytest.fixture
def session() -> SimulatedSession:
    return SimulatedSession()


@pytest.fixture
def parts(session: SimulatedSession) -> Iterator[WindowParts]:
    with WindowParts(session) as made:
        yield made
    bury()


def let_pass(session: SimulatedSession, parts: WindowParts, minutes: float) -> None:
    for _ in range(round(minutes * 15)):
        session.advance(4.0)
        parts.frame(with_panels=True)


def test_an_hour_takes_a_few_megabytes_whatever_is_shown_of_it(
    session: SimulatedSession, parts: WindowParts
) -> None:
    let_pass(session, parts, 3)
    tracemalloc.start()
    try:
        let_pass(session, parts, 2.5)  # what was there before is not traced, and goes
        gc.collect()
        before, events = tracemalloc.get_traced_memory()[0], session.timeline.appended
        let_pass(session, parts, 6)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert session.timeline.appended - events > 9000
    assert grown / (session.timeline.appended - events) < BYTES_AN_EVENT
