"""What is read from an agent's messages, whatever is in them. Pure functions, no SDK.

A server may send anything. Nothing here raises: what is missing or of another type is None or
empty, and what is too long is cut, so that a timeline of many messages stays small.
"""

from __future__ import annotations

import math
from typing import Any

from app.events import Alignment

LONGEST_TEXT = 20_000
LONGEST_LIST = 500
DEEPEST = 12

PAYLOAD_KEYS = {
    "agent_chat_response_part": "text_response_part",
    "user_transcript": "user_transcription_event",
    "tentative_user_transcript": "tentative_user_transcription_event",
}
"""Where the payload of a message does not stand under its type, with or without ``_event``."""


def kind_of(message: object) -> str:
    """Return the message's type, or a word in brackets for what has none."""
    if not isinstance(message, dict):
        return f"({type(message).__name__})"
    kind = message.get("type")
    return kind[:100] if isinstance(kind, str) else "(no type)"


def payload_of(message: object) -> dict[str, Any]:
    """Return the object under the message's payload key, empty where there is none."""
    if not isinstance(message, dict):
        return {}
    kind = kind_of(message)
    for key in (PAYLOAD_KEYS.get(kind, ""), f"{kind}_event", kind):
        payload = message.get(key)
        if isinstance(payload, dict):
            return payload
    return {}


def event_id_of(payload: dict[str, Any]) -> int | None:
    """Return the payload's event id as the SDK reads it: anything that ``int()`` takes."""
    value = payload.get("event_id")
    try:
        return int(value) if isinstance(value, (int, float, str)) else None
    except (ValueError, OverflowError):
        return None


def text_of(payload: dict[str, Any], key: str) -> str:
    """Return the text under ``key``, empty where there is none."""
    value = payload.get(key)
    return value if isinstance(value, str) else ""


def error_text_of(payload: dict[str, Any]) -> str:
    """Return what an ``error`` message says, cut to a line; empty where it says nothing."""
    for key in ("message", "reason", "error", "error_name"):
        text = " ".join(text_of(payload, key).split())
        if text:
            return f"The server said: “{text[:160]}”."
    return ""


def shown(message: object) -> dict[str, Any]:
    """Return what the timeline keeps of a message: without its type, audio and alignment."""
    if not isinstance(message, dict):
        return {"value": trimmed(message)}
    rest = {key: value for key, value in message.items() if key != "type"}
    if kind_of(message) != "audio":
        return dict(trimmed(rest))
    hidden = ("audio_base_64", "alignment")
    event = {key: value for key, value in payload_of(message).items() if key not in hidden}
    return dict(trimmed({**rest, "audio_event": event}))


def audio_bytes_of(payload: dict[str, Any]) -> int:
    """Return how many bytes of audio a payload's base64 stands for; 0 where there is none."""
    encoded = payload.get("audio_base_64")
    if not isinstance(encoded, str):
        return 0
    return len(encoded) * 3 // 4 - encoded[-2:].count("=")


def trimmed(value: Any, depth: int = 0) -> Any:
    """Return a copy of JSON-like ``value``, cut to what a timeline can keep.

    Numbers that JSON cannot hold become their names.
    """
    if isinstance(value, str):
        return _trimmed_text(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and value.bit_length() > 63:
        return "(a number too long to keep)"
    if isinstance(value, (dict, list)):
        return "…" if depth >= DEEPEST else _trimmed_items(value, depth)
    return value


def _trimmed_text(text: str) -> str:
    if len(text) <= LONGEST_TEXT:
        return text
    return f"{text[:LONGEST_TEXT]}… ({len(text)} characters)"


def _trimmed_items(value: dict[str, Any] | list[Any], depth: int) -> Any:
    more = len(value) - LONGEST_LIST
    if isinstance(value, list):
        items = [trimmed(item, depth + 1) for item in value[:LONGEST_LIST]]
        return [*items, f"… ({more} more)"] if more > 0 else items
    kept = list(value.items())[:LONGEST_LIST]
    fields = {_trimmed_text(str(name)): trimmed(item, depth + 1) for name, item in kept}
    return {**fields, "…": f"({more} more)"} if more > 0 else fields


def alignment_of(payload: dict[str, Any]) -> Alignment | None:
    """Return the payload's character alignment, or None where it has none that is whole."""
    value = payload.get("alignment")
    if not isinstance(value, dict):
        return None
    chars = value.get("chars")
    starts = _milliseconds(value.get("char_start_times_ms"))
    durations = _milliseconds(value.get("char_durations_ms"))
    if not isinstance(chars, list) or starts is None or durations is None:
        return None
    if not len(chars) == len(starts) == len(durations):
        return None
    if not all(isinstance(char, str) and len(char) < 100 for char in chars):
        return None
    return Alignment(tuple(chars), starts, durations)


def _milliseconds(values: object) -> tuple[int, ...] | None:
    if not isinstance(values, list):
        return None
    if not all(isinstance(value, (int, float)) and abs(value) < 1e9 for value in values):
        return None
    return tuple(round(value) for value in values)
