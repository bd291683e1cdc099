"""The messages of the ElevenLabs Agents WebSocket protocol, as far as a server needs them.

Server to client they are built as dictionaries, ready for JSON; client to server they are parsed
into small records, and whatever does not fit raises ``WireError``. Pure.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from app.agents.demo.speech import Alignment

Message = dict[str, Any]

AUDIO_FORMAT = "pcm_16000"


class WireError(ValueError):
    """A client's message that cannot be understood; the sentence says why."""


@dataclass(frozen=True, slots=True)
class UserAudio:
    """A mic chunk: bytes of 16-bit mono little-endian PCM at 16 kHz, perhaps half a sample."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class Initiation:
    """The client's first message."""

    text_only: bool
    wants_first_message: bool


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to the ping with this id."""

    event_id: int


@dataclass(frozen=True, slots=True)
class UserMessage:
    """What the user typed."""

    text: str


@dataclass(frozen=True, slots=True)
class UserActivity:
    """The user is busy typing."""


@dataclass(frozen=True, slots=True)
class Other:
    """Any other type, known or not: accepted, and without effect."""

    type: str


ClientMessage = UserAudio | Initiation | Pong | UserMessage | UserActivity | Other


def parse(frame: str | bytes) -> ClientMessage:
    """Parse one frame from the client.

    Raises:
        WireError: it is not text, not a JSON object, or a known message with wrong fields.
    """
    if isinstance(frame, bytes):
        raise WireError("a binary frame came; the protocol has text frames only")
    try:
        message = json.loads(frame)
    except (ValueError, RecursionError) as error:
        raise WireError("a frame is not JSON") from error
    if not isinstance(message, dict):
        raise WireError("a frame is not a JSON object")
    if "user_audio_chunk" in message:
        return _user_audio(message["user_audio_chunk"])
    return _typed(message)


def _user_audio(content: Any) -> UserAudio:
    if not isinstance(content, str):
        raise WireError("user_audio_chunk is not a text")
    try:
        return UserAudio(base64.b64decode(content, validate=True))
    except (binascii.Error, ValueError) as error:
        raise WireError("user_audio_chunk is not base64") from error


def _typed(message: Message) -> ClientMessage:
    kind = message.get("type")
    match kind:
        case "conversation_initiation_client_data":
            return _initiation(message)
        case "pong":
            return Pong(_field(message, "event_id", int))
        case "user_message":
            return UserMessage(_field(message, "text", str))
        case "multimodal_message" if isinstance(message.get("text"), dict):
            return UserMessage(_field(message["text"], "text", str))
        case "user_activity":
            return UserActivity()
        case str():
            return Other(kind)
    raise WireError("a frame has no type")


def _field(message: Message, name: str, wanted: type[Any]) -> Any:
    value = message.get(name)
    if type(value) is not wanted:
        raise WireError(f"{name} of {message.get('type')} is not of type {wanted.__name__}")
    return value


def _initiation(message: Message) -> Initiation:
    """Read the two overrides that mean something here; the SDK puts text_only at either place."""
    override = _table(message, "conversation_config_override")
    text_only = override.get("text_only") is True
    text_only = text_only or _table(override, "conversation").get("text_only") is True
    first_message = _table(override, "agent").get("first_message")
    return Initiation(text_only, bool(first_message))


def _table(message: Message, name: str) -> Message:
    value = message.get(name)
    if value is not None and not isinstance(value, dict):
        raise WireError(f"{name} is not an object")
    return value or {}


def metadata(conversation_id: str) -> Message:
    """Build the server's first message."""
    return {
        "type": "conversation_initiation_metadata",
        "conversation_initiation_metadata_event": {
            "conversation_id": conversation_id,
            "agent_output_audio_format": AUDIO_FORMAT,
            "user_input_audio_format": AUDIO_FORMAT,
        },
    }


def audio(pcm: bytes, event_id: int, alignment: Alignment | None) -> Message:
    """Build an agent chunk, with the times of its characters if there are any."""
    event: Message = {"audio_base_64": base64.b64encode(pcm).decode(), "event_id": event_id}
    if alignment is not None:
        event["alignment"] = {
            "chars": list(alignment.chars),
            "char_start_times_ms": list(alignment.start_times_ms),
            "char_durations_ms": list(alignment.durations_ms),
        }
    return {"type": "audio", "audio_event": event}


def agent_response(text: str, event_id: int) -> Message:
    """Build the whole text of a reply."""
    event = {"agent_response": text, "event_id": event_id}
    return {"type": "agent_response", "agent_response_event": event}


def agent_response_correction(original: str, corrected: str, event_id: int) -> Message:
    """Build the correction of a reply that was cut off."""
    return {
        "type": "agent_response_correction",
        "agent_response_correction_event": {
            "original_agent_response": original,
            "corrected_agent_response": corrected,
            "event_id": event_id,
        },
    }


def user_transcript(text: str, event_id: int) -> Message:
    """Build what the user said."""
    event = {"user_transcript": text, "event_id": event_id}
    return {"type": "user_transcript", "user_transcription_event": event}


def interruption(event_id: int) -> Message:
    """Build the command to drop all audio up to this event id."""
    return {"type": "interruption", "interruption_event": {"event_id": event_id}}


def vad_score(score: float) -> Message:
    """Build how likely the user was speaking just now, 0 to 1."""
    return {"type": "vad_score", "vad_score_event": {"vad_score": round(score, 3)}}


def ping(event_id: int, ping_ms: int | None) -> Message:
    """Build a ping that carries the round trip of an earlier one, if there was one."""
    return {"type": "ping", "ping_event": {"event_id": event_id, "ping_ms": ping_ms}}


def error(code: int, reason: str) -> Message:
    """Build the last message before the server closes because of an error."""
    return {"type": "error", "error_event": {"code": code, "message": reason}}


def demo_notice(text: str) -> Message:
    """Build a remark of the demo agent's own: a type that clients do not know, and pass over."""
    return {"type": "demo_notice", "demo_notice_event": {"text": text}}
