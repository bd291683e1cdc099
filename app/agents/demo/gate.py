"""Who may talk to the demo agent: keys, signatures, and where a request comes from.

The server is on loopback, where any program and any web page on this machine can knock. So it
wants a key; it answers only to its own name, lest a page reach it by DNS rebinding; and it turns
away every page that is not its own. Pure but for the clock it is given.
"""

from __future__ import annotations

import secrets
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field

from websockets.datastructures import Headers

SIGNED_URL_PATH = "/v1/convai/conversation/get-signed-url"
SOCKET_PATH = "/v1/convai/conversation"

SIGNATURES_MAX = 64
SIGNATURE_LIVES_S = 60.0


@dataclass(frozen=True, slots=True)
class Address:
    """Where the demo agent is, and what it takes to talk to it. ``repr`` keeps the key back."""

    base_url: str
    agent_id: str
    key: str = field(repr=False)


class RefusedError(Exception):
    """A request is turned away, with an HTTP status and a reason in ElevenLabs' own form."""

    def __init__(self, status: int, code: str, message: str) -> None:
        """Keep the HTTP status, ElevenLabs' name of the fault, and the sentence."""
        super().__init__(message)
        self.status = status
        self.body = {"detail": {"status": code, "message": message}}


class Gate:
    """Checks requests, and gives out signatures that open one socket each."""

    def __init__(self, key: str, agent_id: str, port: int, clock: Callable[[], float]) -> None:
        """``clock`` gives seconds; ``port`` is the one the server listens on."""
        self._key = key.encode()
        self._agent_id = agent_id
        self._hosts = (f"127.0.0.1:{port}", f"localhost:{port}")
        self._origins = tuple(f"http://{host}" for host in self._hosts)
        self._clock = clock
        self._signatures: dict[str, float] = {}  # each with the time it expires, oldest first

    def check_source(self, headers: Headers) -> None:
        """Refuse a request to another name than the server's own, or from a foreign page."""
        hosts = headers.get_all("Host")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            raise RefusedError(403, "forbidden_host", "This server answers to its own name alone.")
        if any(origin.lower() not in self._origins for origin in headers.get_all("Origin")):
            raise RefusedError(403, "forbidden_origin", "Pages of other sites may not connect.")

    def check_key(self, headers: Headers) -> None:
        """Refuse a request that does not carry the key."""
        keys = headers.get_all("xi-api-key")
        if not keys:
            raise RefusedError(401, "needs_authorization", "The header xi-api-key is missing.")
        given = keys[0].encode("utf-8", "replace")
        if len(keys) > 1 or not secrets.compare_digest(given, self._key):
            raise RefusedError(401, "invalid_api_key", "Invalid API key")

    def sign(self, agent_id: str | None) -> str:
        """Give out a signed URL for one conversation with an agent.

        The oldest signature goes when there are too many.

        Raises:
            RefusedError: there is no such agent here.
        """
        if agent_id != self._agent_id:
            raise RefusedError(404, "agent_not_found", "There is no agent with this id here.")
        while len(self._signatures) >= SIGNATURES_MAX:
            del self._signatures[next(iter(self._signatures))]
        signature = secrets.token_urlsafe(32)
        self._signatures[signature] = self._clock() + SIGNATURE_LIVES_S
        query = urllib.parse.urlencode({"agent_id": agent_id, "conversation_signature": signature})
        return f"ws://{self._hosts[0]}{SOCKET_PATH}?{query}"

    def admit(self, agent_id: str | None, signature: str | None) -> None:
        """Use a signature up; refuse one that is missing, unknown, spent or expired."""
        expires_at = self._signatures.pop(signature or "", None)
        if expires_at is None or self._clock() > expires_at:
            raise RefusedError(401, "invalid_signature", "The signed URL is not valid (any more).")
        if agent_id != self._agent_id:
            raise RefusedError(404, "agent_not_found", "There is no agent with this id here.")
