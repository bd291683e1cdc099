"""An ElevenLabs agent: an agent id, a key unless it is public, and the region or deployment."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from app.agents.base import AgentError, Endpoint
from app.secrets import ApiKey, find_api_key
from app.states import EndReason

KEY_ADVICE = (
    "Store one with “turnscope key set” or in the settings, set ELEVENLABS_API_KEY, "
    "or choose to connect without a key if the agent is public."
)


def check_base_url(text: str) -> str | None:
    """Return ``text`` as a base URL without a slash at its end; None where it is empty.

    Raises:
        AgentError: it is not an http or https address of a host, or holds a password.

    """
    text = text.strip().rstrip("/")
    if not text:
        return None
    try:
        parts = urlsplit(text)
        usable = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:  # a bad port, or brackets that do not match
        usable = False
    if not usable or parts.scheme not in ("http", "https"):
        raise AgentError(
            EndReason.NO_NETWORK,
            f"“{text[:80]}” is not the address of a server.",
            "A base URL looks like https://api.elevenlabs.io or http://127.0.0.1:8000.",
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise AgentError(
            EndReason.NO_NETWORK,
            "The base URL holds more than a scheme, a host and a path.",
            "Leave out user names, passwords and anything after “?” or “#”.",
        )
    return text


class ElevenLabsAgent:
    """An agent on ElevenLabs' servers, or on a deployment that speaks their protocol."""

    kind = "elevenlabs"

    def __init__(
        self,
        agent_id: str,
        *,
        base_url: str = "",
        use_key: bool = True,
        find_key: Callable[[], ApiKey | None] = find_api_key,
    ) -> None:
        """Take what a person typed; nothing is checked, and no key looked up, before ``open``.

        ``use_key`` is for agents that require authentication; without it no key is sent at all.
        """
        self.agent_id = agent_id.strip()
        self._base_url = base_url
        self._use_key = use_key
        self._find_key = find_key

    @property
    def label(self) -> str:
        """Its name, for a person."""
        return f"ElevenLabs {self.agent_id}" if self.agent_id else "ElevenLabs"

    def open(self) -> Endpoint:
        """Check the agent id and the address, and look up the key. May wait for the keyring."""
        if not self.agent_id:
            raise AgentError(
                EndReason.UNKNOWN_AGENT,
                "No agent id is given.",
                "It stands in the agent's page on the ElevenLabs site, and begins with “agent_”.",
            )
        base_url = check_base_url(self._base_url)
        if not self._use_key:
            return Endpoint(base_url, self.agent_id)
        key = self._find_key()
        if not key:
            raise AgentError(EndReason.REFUSED_KEY, "There is no API key.", KEY_ADVICE)
        if not (key.reveal().isascii() and key.reveal().isprintable()):
            sentence = "The API key holds characters that no key has."
            raise AgentError(EndReason.REFUSED_KEY, sentence, KEY_ADVICE)
        return Endpoint(base_url, self.agent_id, key, requires_auth=True)

    def close(self) -> None:
        """Nothing was taken."""
