"""The client's messages: what is understood, and what is refused without harm."""

from __future__ import annotations

import json

import pytest

from app.agents.demo import wire


def _parse(message: object) -> wire.ClientMessage:
    return wire.parse(json.dumps(message))


@pytest.mark.parametrize(
    ("message", "parsed"),
    [
        ({"user_audio_chunk": "AAE="}, wire.UserAudio(b"\x00\x01")),
        ({"user_audio_chunk": ""}, wire.UserAudio(b"")),
        ({"type": "pong", "event_id": 3}, wire.Pong(3)),
        ({"type": "user_message", "text": "hi"}, wire.UserMessage("hi")),
        (
            {"type": "multimodal_message", "text": {"type": "user_message", "text": "hi"}},
            wire.UserMessage("hi"),
        ),
        ({"type": "multimodal_message"}, wire.Other("multimodal_message")),
        ({"type": "user_activity"}, wire.UserActivity()),
        ({"type": "contextual_update", "text": "x"}, wire.Other("contextual_update")),
        ({"type": "feedback", "event_id": 1, "score": None}, wire.Other("feedback")),
        ({"type": "from_the_future", "x": [1]}, wire.Other("from_the_future")),
        ({"type": "conversation_initiation_client_data"}, wire.Initiation(False, False)),
        (
            {
                "type": "conversation_initiation_client_data",
                "conversation_config_override": {
                    "agent": {"first_message": "Hello!"},
                    "conversation": {"text_only": True},
                },
            },
            wire.Initiation(True, True),
        ),
        (
            {
                "type": "conversation_initiation_client_data",
                "conversation_config_override": {"text_only": True, "agent": None},
            },
            wire.Initiation(True, False),
        ),
    ],
)
def test_messages_of_the_protocol(message: object, parsed: wire.ClientMessage) -> None:
    assert _parse(message) == parsed


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "{",
        "[" * 100_000,
        "9" * 5000,
        "null",
        "[]",
        "{}",
        '{"type": 3}',
        '{"type": null}',
        '{"user_audio_chunk": 3}',
        '{"user_audio_chunk": "???"}',
        '{"user_audio_chunk": "AAA"}',
        '{"user_audio_chunk": "\\u00e9"}',
        '{"type": "pong", "event_id": "1"}',
        '{"type": "pong", "event_id": true}',
        '{"type": "user_message"}',
        '{"type": "multimodal_message", "text": {}}',
        '{"type": "conversation_initiation_client_data", "conversation_config_override": []}',
        b"\x00\x01",
    ],
)
def test_nonsense_is_refused(frame: str | bytes) -> None:
    with pytest.raises(wire.WireError):
        wire.parse(frame)
