"""What messages say of texts, whatever their shape."""

from __future__ import annotations

import pytest

from app.analysis.turn_messages import reply_text
from app.timeline.events import MessageReceived
from tests.app.told_events import response, track, user_transcript


def test_a_tentative_transcript_gives_way_to_the_final_one():
    tracker = track(user_transcript(1, "I wa", tentative=True), user_transcript(2, "I want", True))
    assert [(line.text, line.tentative) for line in tracker.transcript] == [("I want", True)]
    tracker.feed(user_transcript(3, "I want tea"))
    tracker.feed(user_transcript(4, "now"))
    assert [line.text for line in tracker.transcript] == ["I want tea", "now"]


def test_an_agent_that_only_writes_has_lines_too():
    def part(t, text):
        payload = {"text_response_part": {"text": text, "type": "delta", "event_id": 3}}
        return MessageReceived(t, "agent_chat_response_part", payload, 3)

    tracker = track(part(1, "Hel"), part(1.1, "lo"), response(1.2, "Hello", 3))
    assert [line.text for line in tracker.transcript] == ["Hello"]


def test_messages_of_the_wrong_shape_are_passed_over():
    bad = [
        MessageReceived(1, "agent_response", {"agent_response_event": "text"}),
        MessageReceived(1, "agent_response", {}),
        MessageReceived(1, "user_transcript", {"user_transcription_event": {"user_transcript": 5}}),
        MessageReceived(1, "agent_response_correction", {"agent_response_correction_event": None}),
        MessageReceived(1, "unheard_of", {"a": [1]}),
    ]
    assert all(line.text == "" for line in track(*bad).transcript)


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        ({"agent_response_event": {"agent_response": "Hello"}}, "Hello"),
        ({"agent_response": "Hello"}, "Hello"),
        ({"agent_response_event": {"agent_response": 5}, "agent_response": "Hello"}, ""),
        ({}, ""),
    ],
)
def test_a_reply_has_the_text_that_its_line_shows(payload, text):
    message = MessageReceived(1.0, "agent_response", payload, 1)
    assert reply_text(message) == text
    assert [line.text for line in track(message).transcript] == [text]
