"""No collection goes through what was there before a session, while one runs."""

from __future__ import annotations

import gc
import weakref

import pytest

from app.live.session import Session, State
from app.live.still_heap import leave_out_what_came, still_heap
from tests.app.agents.fake_agent import eventually, metadata, running
from tests.app.session_rig import agent_at


class Kept:
    pass


@pytest.fixture(autouse=True)
def nothing_is_frozen():
    gc.unfreeze()
    yield
    assert gc.get_freeze_count() == 0


def looked_at() -> int:
    """Return how many objects a full collection would go through."""
    return len(gc.get_objects())


def test_what_was_there_is_left_out_and_comes_back():
    before = looked_at()
    with still_heap():
        assert looked_at() < before / 10
    assert looked_at() > before / 2


def test_it_is_left_out_until_the_last_one_lets_go():
    with still_heap():
        with still_heap():
            pass
        assert gc.get_freeze_count() > 0


def test_what_came_later_can_be_left_out_too():
    with still_heap():
        came = [Kept() for _ in range(5000)]
        frozen = gc.get_freeze_count()
        leave_out_what_came()
        assert gc.get_freeze_count() >= frozen + len(came)


def test_what_has_become_garbage_since_is_collected_before_the_rest_is_left_out():
    with still_heap():
        ring = Kept()
        ring.itself, gone = ring, weakref.ref(ring)
        del ring
        leave_out_what_came()
        assert gone() is None


def test_without_a_session_nothing_is_left_out():
    leave_out_what_came()
    assert gc.get_freeze_count() == 0


def test_no_collection_goes_through_the_program_while_audio_runs(make, monkeypatch):
    monkeypatch.setattr(Session, "LEAVE_OUT_S", 0.2)

    def listen(ws):
        ws.send(metadata())
        for _text in ws:
            pass

    with running(listen) as server:
        session = make(agent_at(server.base_url))
        session.start()
        assert eventually(lambda: session.state is State.RUNNING)
        assert gc.get_freeze_count() > 10_000
        kept = [Kept() for _ in range(5000)]
        assert eventually(lambda: looked_at() < len(kept))  # what lasts, as well
        session.end()
        assert session.wait(5)
        assert eventually(lambda: gc.get_freeze_count() == 0)
