"""What is read from an agent's messages, whatever is in them. Pure functions, no SDK.

A server may send anything. Nothing here raises: what is missing or of another type is None or
empty, and what is too long is cut, so that a timeline of many messages stays small.
"""

from __future__ import annotations

from typing import Any

from app.agents.trimming import Allowance
from app.plain import one_line
from app.timeline.events import Alignment

LONGEST_ALIGNMENT = 5_000
"""Characters of an alignment; a message of 16 MiB holds six minutes of speech, which has fewer."""

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
        text = one_line(text_of(payload, key))
        if text:
            return f"The server said: “{text[:160]}”."
    return ""


def shown(message: object, allowance: Allowance | None = None) -> dict[str, Any]:
    """Return what the timeline keeps of a message: without its type, audio and alignment.

    It is cut to what ``allowance``, the session's, has room for.
    """
    allowance = allowance or Allowance()
    if not isinstance(message, dict):
        return {"value": allowance.trim(message)}
    rest = {key: value for key, value in message.items() if key != "type"}
    if kind_of(message) == "audio":
        hidden = ("audio_base_64", "alignment")
        event = {key: value for key, value in payload_of(message).items() if key not in hidden}
        rest["audio_event"] = event
    return dict(allowance.trim(rest))


def audio_bytes_of(payload: dict[str, Any]) -> int:
    """Return how many bytes of audio a payload's base64 stands for; 0 where there is none."""
    encoded = payload.get("audio_base_64")
    if not isinstance(encoded, str):
        return 0
    return len(encoded) * 3 // 4 - encoded[-2:].count("=")


def alignment_of(payload: dict[str, Any], allowance: Allowance | None = None) -> Alignment | None:
    """Return the payload's character alignment, or None where it has none that is whole.

    None as well where it is too long to be one, or ``allowance`` has no room for it.
    """
    value = payload.get("alignment")
    if not isinstance(value, dict):
        return None
    chars = value.get("chars")
    if not isinstance(chars, list) or not _may_be_kept(chars, allowance):
        return None
    starts = _milliseconds(value.get("char_start_times_ms"))
    durations = _milliseconds(value.get("char_durations_ms"))
    if starts is None or durations is None:
        return None
    if not len(chars) == len(starts) == len(durations):
        return None
    if not all(isinstance(char, str) and len(char) < 100 for char in chars):
        return None
    return Alignment(tuple(chars), starts, durations)


def _may_be_kept(chars: list[Any], allowance: Allowance | None) -> bool:
    has_room = (allowance or Allowance()).takes(3 * len(chars))
    return has_room and len(chars) <= LONGEST_ALIGNMENT


def _milliseconds(values: object) -> tuple[int, ...] | None:
    if not isinstance(values, list):
        return None
    if not all(isinstance(value, (int, float)) and abs(value) < 1e9 for value in values):
        return None
    return tuple(round(value) for value in values)
