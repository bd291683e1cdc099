"""What a bundle's ``session.json`` says of a session: facts, and never a key or a token."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from app.analysis.turn_records import Summary

SCHEMA_VERSION = 1
"""Raised when an older reader would misread the bundle; new fields alone do not raise it."""

LISTENING_VERSION = "5"
"""How the tracks were listened to: since 2 events tell of the agent's voice on the user track, and
of the sound before an interrupt."""


def versions() -> dict[str, str]:
    """Return the versions of what made the recording, by name; what is not installed is absent."""
    found = {"python": platform.python_version(), "system": platform.platform()}
    found["listening"] = LISTENING_VERSION
    for package in ("turnscope", "elevenlabs"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """Who talked to whom, through what."""

    agent_kind: str = ""
    agent_label: str = ""
    agent_id: str = ""
    conversation_id: str = ""
    microphone: str = ""
    speaker: str = ""
    replays: str = ""
    """The bundle whose user track was the microphone, empty where nothing was replayed."""
    is_estimated: bool = False
    """Whether playout times are modelled, for the audio interface keeps no account."""
    formats: Mapping[str, str] = field(default_factory=dict)
    """The agent's audio formats: ``user_input`` and ``agent_output``, once they are known."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=versions)

    def to_dict(self) -> dict[str, Any]:
        """Return it as ``session.json`` has it."""
        facts = asdict(self)
        agent = {
            "kind": facts.pop("agent_kind"),
            "label": facts.pop("agent_label"),
            "id": facts.pop("agent_id"),
            "conversation_id": facts.pop("conversation_id"),
        }
        devices = {name: facts.pop(name) for name in ("microphone", "speaker")}
        return {"agent": agent, "devices": devices, **facts}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SessionInfo:
        """Read back ``to_dict``; what is missing or of another type keeps its default."""
        agent, devices = _mapping(data.get("agent")), _mapping(data.get("devices"))
        flat = {**data, **{f"agent_{name}": agent.get(name) for name in ("kind", "label", "id")}}
        flat["conversation_id"] = agent.get("conversation_id")
        flat.update({name: devices.get(name) for name in ("microphone", "speaker")})
        default = cls(versions={})
        kept = {
            item.name: flat[item.name]
            for item in fields(cls)
            if isinstance(flat.get(item.name), type(getattr(default, item.name)))
        }
        return cls(**{"versions": {}, **kept})


def summary_facts(summary: Summary) -> dict[str, Any]:
    """Return a session in figures as the ``summary`` of ``session.json``; null is not known."""
    spreads = ("response_latency_ms", "time_to_silence_ms", "mouth_to_silence_ms")
    return {
        **{name: getattr(summary, name) for name in ("user_turns", "agent_turns", "interruptions")},
        **{f"{name}_p50": _rounded(getattr(summary, name).p50) for name in spreads},
        **{f"{name}_p95": _rounded(getattr(summary, name).p95) for name in spreads},
        **{
            name: round(getattr(summary, name), 1)
            for name in ("received_ms", "heard_ms", "discarded_ms")
        },
        "troubles": dict(summary.troubles),
    }


def utc_text(moment: datetime) -> str:
    """Return a moment as ``session.json`` has it: UTC, in milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
