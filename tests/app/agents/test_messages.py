"""What is read from messages, whatever is in them."""

from __future__ import annotations

import json

import pytest

from app.agents import messages
from app.timeline.events import Alignment

ODD = [None, 7, "text", [], {}, {"type": None}, {"type": []}, {"type": "audio", "audio_event": 3}]


@pytest.mark.parametrize("message", ODD)
def test_nothing_that_a_server_sends_raises(message):
    payload = messages.payload_of(message)
    assert isinstance(messages.kind_of(message), str)
    assert messages.event_id_of(payload) is None
    assert messages.alignment_of(payload) is None
    assert messages.audio_bytes_of(payload) == 0
    json.dumps(messages.shown(message), allow_nan=False)


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("audio", "audio_event"),
        ("user_transcript", "user_transcription_event"),
        ("tentative_user_transcript", "tentative_user_transcription_event"),
        ("agent_chat_response_part", "text_response_part"),
        ("client_tool_call", "client_tool_call"),
    ],
)
def test_payloads_stand_where_the_protocol_has_them(kind, key):
    assert messages.payload_of({"type": kind, key: {"event_id": 3}}) == {"event_id": 3}


@pytest.mark.parametrize(
    ("value", "event_id"),
    [(3, 3), ("4", 4), (5.0, 5), ("x", None), (float("inf"), None), ([], None), (None, None)],
)
def test_event_ids_are_read_as_the_sdk_reads_them(value, event_id):
    assert messages.event_id_of({"event_id": value}) == event_id


def test_audio_is_not_kept_but_its_size_is():
    event = {"event_id": 3, "audio_base_64": "AAAA" * 100 + "AA==", "alignment": {}, "x": 1}
    shown = messages.shown({"type": "audio", "audio_event": event})
    assert shown == {"audio_event": {"event_id": 3, "x": 1}}
    assert messages.audio_bytes_of(event) == 301


def test_alignment():
    whole = {"chars": ["H", "i"], "char_start_times_ms": [0, 80.4], "char_durations_ms": [80, 70]}
    assert messages.alignment_of({"alignment": whole}) == Alignment(("H", "i"), (0, 80), (80, 70))


@pytest.mark.parametrize(
    "change",
    [
        {"chars": "Hi"},
        {"chars": ["H"]},
        {"chars": ["H", 3]},
        {"char_start_times_ms": None},
        {"char_start_times_ms": [0, "x"]},
        {"char_durations_ms": [0, float("nan")]},
        {"char_durations_ms": [0, 1e300]},
    ],
)
def test_an_alignment_that_is_not_whole_is_none(change):
    whole = {"chars": ["H", "i"], "char_start_times_ms": [0, 80], "char_durations_ms": [80, 70]}
    assert messages.alignment_of({"alignment": {**whole, **change}}) is None


def test_what_is_too_much_is_cut():
    deep: object = 1
    for _ in range(100):
        deep = [deep]
    message = {
        "type": "new",
        "text": "x" * 100_000,
        "list": list(range(10_000)),
        "dict": {str(number): number for number in range(10_000)},
        "deep": deep,
        "number": 10**5000,
        "nan": float("nan"),
    }
    shown = messages.shown(message)
    text = json.dumps(shown, allow_nan=False)
    assert len(text) < 60_000
    assert "(100000 characters)" in shown["text"]
    assert shown["list"][-1] == "… (9500 more)"


def test_what_an_error_says_is_one_line():
    assert messages.error_text_of({"message": "out\nof  credits"}) == (
        "The server said: “out of credits”."
    )
    assert messages.error_text_of({"message": 7}) == ""


def test_an_alignment_too_long_to_be_one_is_none():
    count = messages.LONGEST_ALIGNMENT + 1
    long = {"chars": ["a"] * count}
    long |= {name: [0] * count for name in ("char_start_times_ms", "char_durations_ms")}
    assert messages.alignment_of({"alignment": long}) is None
