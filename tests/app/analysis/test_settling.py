"""What a tracker lets go of as a session goes on, and that nothing else changes by it."""

from __future__ import annotations

import pytest

from app.analysis.replies import Replies
from app.analysis.turns import TurnTracker
from tests.app.wild_session import WildSession

NAMES = (
    *("transcript", "interruptions", "spans", "user_turns", "agent_turns"),
    *("overlaps", "responses", "refused"),
)


def keeping_everything(monkeypatch: pytest.MonkeyPatch, events: list) -> TurnTracker:
    tracker = TurnTracker()
    with monkeypatch.context() as patch:
        patch.setattr(Replies, "settle", lambda *_: None)
        for event in events:
            tracker.feed(event)
    return tracker


@pytest.mark.parametrize("seed", range(40))
def test_what_is_let_go_of_changes_nothing(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    events = WildSession(seed).events
    whole, tracker = keeping_everything(monkeypatch, events), TurnTracker()
    for event in events:
        tracker.feed(event)
    for name in NAMES:
        assert getattr(tracker, name) == getattr(whole, name), name
    assert tracker.summary() == whole.summary()


@pytest.mark.parametrize("seed", range(8))
def test_of_old_replies_neither_audio_nor_alignment_is_kept(seed: int) -> None:
    tracker, replies = TurnTracker(), 0
    for event in WildSession(seed, 400).events:
        tracker.feed(event)
        kept = [reply for reply in tracker._said.replies.all if reply.chunks]
        assert len(kept) <= Replies.RECENT + 1
        replies = len(tracker._said.replies.all)
    settled = sum(reply._division is not None for reply in tracker._said.replies.all)
    assert settled > replies / 2


@pytest.mark.parametrize("seed", range(12))
def test_a_reader_that_takes_what_has_changed_has_it_all(seed: int) -> None:
    tracker, spans, interruptions, firsts = TurnTracker(), [], [], []
    for number, event in enumerate(WildSession(seed).events):
        tracker.feed(event)
        if number % 3 == 0:
            first = tracker.take_changed_spans()
            spans[first:] = tracker.settled_spans[first:]
            first = tracker.take_changed_interruptions()
            interruptions[first:] = tracker.interruptions[first:]
            firsts.append(first)
            assert spans == tracker.settled_spans
            assert interruptions == tracker.interruptions
    assert max(firsts) > len(interruptions) / 2
