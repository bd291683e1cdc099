"""What of a server's messages stays in memory."""

from __future__ import annotations

import json

from app.agents.trimming import LARGEST, SMALL, Allowance


def test_a_message_of_many_texts_is_cut_as_a_whole():
    kept = Allowance().trim({"a": [["z" * 9_000] * 400] * 4})
    assert len(json.dumps(kept)) < 1.2 * LARGEST
    assert "more)" in json.dumps(kept)


def test_a_session_of_large_messages_keeps_a_bounded_sum_and_small_ones_whole():
    allowance = Allowance(total=3 * LARGEST)
    sizes = [len(json.dumps(allowance.trim({"text": "x" * 20_000}))) for _ in range(100)]
    assert sum(sizes) < 3 * LARGEST + 100 * 2 * SMALL
    assert allowance.trim({"text": "a whole reply", "event_id": 3}) == {
        "text": "a whole reply",
        "event_id": 3,
    }


def test_items_are_counted_too():
    allowance = Allowance(total=0)
    assert allowance.takes(50)
    assert not allowance.takes(5_000)
