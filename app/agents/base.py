"""What a session needs to know of an agent: a name for it, and where to reach it.

``open`` and ``close`` are called on threads of the session, and may block on processes and files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from app.notices import AppError
from app.secrets import ApiKey
from app.states import Ending, EndReason

CHECK_NETWORK = "Check the network, the base URL, and any proxy in between."
DEFAULT_HOST = "api.elevenlabs.io"


class AgentError(AppError):
    """An agent cannot be reached as asked; ``reason`` is how the session ends."""

    def __init__(self, reason: EndReason, sentence: str, advice: str = "") -> None:
        """Keep the reason beside the sentence and the advice."""
        super().__init__(sentence, advice)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an agent is reached. ``base_url`` None is ElevenLabs' own; no key is for public agents.

    With ``requires_auth`` a signed URL is asked for with the key.
    """

    base_url: str | None
    agent_id: str
    api_key: ApiKey | None = None
    requires_auth: bool = False
    name: str = ""
    """What a sentence calls the server; empty for its host."""

    @property
    def host(self) -> str:
        """What to call the server: its name, else its host, with the port where one is given."""
        if self.name or self.base_url is None:
            return self.name or DEFAULT_HOST
        return urlsplit(self.base_url).netloc.rpartition("@")[2]

    @property
    def shows_key(self) -> bool:
        """Whether the key would cross a network unencrypted."""
        if self.api_key is None or self.base_url is None:
            return False
        parts = urlsplit(self.base_url)
        host = parts.hostname or ""
        is_local = host in ("localhost", "::1") or host.startswith("127.")
        return parts.scheme == "http" and not is_local


class Watcher(Protocol):
    """What is told of a conversation, on threads of its own."""

    def on_ready(self, conversation_id: str, formats: dict[str, str]) -> None:
        """Hear that the agent has accepted the conversation, and audio runs."""

    def on_end(self, ending: Ending) -> None:
        """Hear that there is no conversation any more, and why; not for an end asked for."""


class Agent(Protocol):
    """An agent that a session can talk to. ``kind`` and ``agent_id`` stand in the recording."""

    @property
    def kind(self) -> str:
        """One word: what sort of agent it is."""

    @property
    def label(self) -> str:
        """Its name, for a person."""

    @property
    def agent_id(self) -> str:
        """Its id; empty where it is not known before ``open``."""

    def open(self) -> Endpoint:
        """Get ready to be talked to. Raises ``AgentError``."""

    def close(self) -> None:
        """Give back what ``open`` took. Harmless before it, twice, and while it is under way."""
