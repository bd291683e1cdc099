"""Why a conversation ended, read from whatever the SDK, its libraries or the system raised.

Imports the SDK's libraries: import it where the SDK is imported. Pure functions. Text that came
from a server is quoted, cut and scrubbed, and never decides more than which sentence is said.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import httpx
from elevenlabs.core.api_error import ApiError
from websockets.exceptions import (
    ConnectionClosed,
    ConnectionClosedOK,
    InvalidHandshake,
    InvalidStatus,
    InvalidURI,
    ProxyError,
)

from app.agents.base import CHECK_NETWORK, AgentError
from app.notices import explain
from app.plain import one_line
from app.secrets import scrub_text
from app.states import Ending, EndReason
from audio.errors import AudioError

LONGEST_QUOTE = 160

TRY_AGAIN = "Start again; if it goes on, look at the event log and at the server's own log."

_UNKNOWN_AGENT = re.compile(
    r"agent.{0,60}(not (be )?found|does not exist|unknown|invalid)"
    r"|(not find|no such|unknown|invalid).{0,30}agent",
    re.IGNORECASE,
)
_REFUSED = re.compile(
    r"auth|api.?key|permission|forbidden|signed url|signature|token|allowlist", re.IGNORECASE
)


def ending_of(error: BaseException | None, host: str, *, ready: bool) -> Ending:
    """Return why a conversation with ``host`` ended that ``error`` ended.

    None is an end without an error: the agent's. ``ready`` tells whether there was a conversation.
    """
    if error is None:
        return _ended_by_agent(host, ready, "")
    for kind, tell in _TELL:
        if isinstance(error, kind):
            return tell(error, host, ready)
    if ready and isinstance(error, ValueError):  # a number of thousands of digits is no JSON error
        return _of_nonsense(error, host, ready)
    notice = explain(error)
    return Ending(EndReason.INTERNAL, notice.sentence, notice.advice)


def quoted(text: object) -> str:
    """Return a server's text as a quotation: one line, cut, scrubbed; empty where there is none."""
    line = scrub_text(one_line(str(text or "")))
    if not line:
        return ""
    return f"“{line[:LONGEST_QUOTE]}…”" if len(line) > LONGEST_QUOTE else f"“{line}”"


def _ended_by_agent(host: str, ready: bool, said: str) -> Ending:
    if ready:
        return Ending(EndReason.AGENT, f"The agent ended the conversation{_saying(said)}.")
    return Ending(
        EndReason.SERVER_CLOSED,
        f"{host} closed the connection before the conversation began{_saying(said)}.",
        "Check the agent id, and whether the agent may be reached from here.",
    )


def _saying(said: object) -> str:
    words = quoted(said)
    return f", saying {words}" if words else ""


# -- the signed URL and the handshake ----------------------------------------------------------


def _of_status(status: int, said: object, host: str) -> Ending:
    saying = _saying(said)
    if status in (401, 403):
        return refused_key(host, said)
    if status in (404, 422):
        return unknown_agent(host, said)
    if status == 429:
        return Ending(
            EndReason.SERVER_ERROR,
            f"{host} has had too many requests{saying}.",
            "Wait a minute, or check the limits of your plan.",
        )
    if status >= 500:
        return Ending(
            EndReason.SERVER_ERROR,
            f"{host} failed with HTTP {status}{saying}.",
            "The fault is the server's: try again in a while.",
        )
    return Ending(
        EndReason.SERVER_ERROR,
        f"{host} did not answer as an agent's server does (HTTP {status}){saying}.",
        "Check the base URL.",
    )


def refused_key(host: str, said: object) -> Ending:
    """Return the ending for a key that was refused, or is missing."""
    return Ending(
        EndReason.REFUSED_KEY,
        f"{host} refused the API key, or wants one{_saying(said)}.",
        "Check the key and its permissions, that the agent is in its workspace, and the region.",
    )


def unknown_agent(host: str, said: object) -> Ending:
    """Return the ending for an agent id that the server does not know."""
    return Ending(
        EndReason.UNKNOWN_AGENT,
        f"{host} knows no agent of that id{_saying(said)}.",
        "Check the agent id, the region, and which workspace the key is of.",
    )


def _of_api_error(error: BaseException, host: str, _ready: bool) -> Ending:
    status = getattr(error, "status_code", None) or 0
    return _of_status(status, _said_in(getattr(error, "body", None)), host)


def _of_invalid_status(error: BaseException, host: str, _ready: bool) -> Ending:
    response = getattr(error, "response", None)
    body = bytes(getattr(response, "body", b"") or b"")[:2000].decode("utf-8", "replace")
    try:
        said = _said_in(json.loads(body))
    except (ValueError, RecursionError):
        said = "" if "<" in body else body
    return _of_status(getattr(response, "status_code", 0), said, host)


def _said_in(body: Any) -> str:
    """Return the message inside an error body, whose shape differs from case to case."""
    for key in ("detail", "message", "error", "status"):
        if isinstance(body, dict) and key in body:
            return _said_in(body[key])
    if isinstance(body, list):
        return _said_in(body[0]) if body else ""
    if isinstance(body, dict):
        return str(body.get("msg", ""))
    return body if isinstance(body, str) and "<" not in body else ""


# -- a connection that closed ------------------------------------------------------------------


def _of_close(error: BaseException, host: str, ready: bool) -> Ending:
    received, sent = getattr(error, "rcvd", None), getattr(error, "sent", None)
    if received is not None:
        return _closed_by_server(received.code, received.reason, error, host, ready)
    if sent is not None and sent.code in _REFUSED_FRAMES:
        sentence, advice = _REFUSED_FRAMES[sent.code]
        reason = EndReason.SERVER_SILENT if sent.code == 1011 else EndReason.SERVER_ERROR
        return Ending(reason, sentence.format(host=host), advice)
    return Ending(EndReason.SERVER_CLOSED, f"The connection to {host} broke off.", CHECK_NETWORK)


_REFUSED_FRAMES = {
    1002: ("{host} broke the rules of WebSocket, and the connection was closed.", TRY_AGAIN),
    1007: ("{host} sent text that is not valid UTF-8.", TRY_AGAIN),
    1009: ("{host} sent a message of more than 16 MiB, which no client takes.", TRY_AGAIN),
    1011: ("{host} does not answer any more.", CHECK_NETWORK),
}
"""What our own side said when it closed the connection: a fault of what it received."""


def _closed_by_server(code: int, said: str, error: BaseException, host: str, ready: bool) -> Ending:
    if isinstance(error, ConnectionClosedOK):
        return _ended_by_agent(host, ready, said)
    if _UNKNOWN_AGENT.search(said):
        return unknown_agent(host, said)
    if _REFUSED.search(said):
        return refused_key(host, said)
    sentence = f"{host} closed the connection with code {code}{_saying(said)}."
    return Ending(EndReason.SERVER_CLOSED, sentence, TRY_AGAIN)


# -- the rest ----------------------------------------------------------------------------------


def _of_agent_error(error: BaseException, _host: str, _ready: bool) -> Ending:
    reason = error.reason if isinstance(error, AgentError) else EndReason.INTERNAL
    return Ending(reason, str(error), getattr(error, "advice", ""))


def _of_audio(error: BaseException, _host: str, _ready: bool) -> Ending:
    notice = explain(error)
    return Ending(EndReason.DEVICE, notice.sentence, notice.advice)


def _of_nonsense(error: BaseException, host: str, _ready: bool) -> Ending:
    document = getattr(error, "doc", "")
    said = quoted(document[:400]) if isinstance(document, str) else ""
    return Ending(
        EndReason.SERVER_ERROR,
        f"{host} sent something that is not a message{': ' if said else ''}{said}.",
        "A message is one JSON text. " + TRY_AGAIN,
    )


def _of_handshake(_error: BaseException, host: str, _ready: bool) -> Ending:
    return Ending(
        EndReason.SERVER_ERROR,
        f"{host} does not answer as an agent's server does.",
        "Check the base URL.",
    )


def _of_timeout(_error: BaseException, host: str, _ready: bool) -> Ending:
    return Ending(EndReason.NO_NETWORK, f"{host} did not answer in time.", CHECK_NETWORK)


def _of_network(error: BaseException, host: str, _ready: bool) -> Ending:
    system = error if isinstance(error, OSError) else _system_error_behind(error)
    if system is None:
        return Ending(EndReason.NO_NETWORK, f"{host} could not be reached.", CHECK_NETWORK)
    return Ending(
        EndReason.NO_NETWORK,
        f"{host} could not be reached. {explain(system).sentence}",
        CHECK_NETWORK,
    )


def _system_error_behind(error: BaseException) -> OSError | None:
    """Return the system's own error behind the ones that libraries wrapped round it."""
    cause: BaseException | None = error
    for _ in range(10):
        cause = (cause.__cause__ or cause.__context__) if cause is not None else None
        if isinstance(cause, OSError):
            return cause
    return None


_Tell = Callable[[BaseException, str, bool], Ending]
# The order matters: the first kind that fits is taken.
_TELL: tuple[tuple[type[BaseException], _Tell], ...] = (
    (AgentError, _of_agent_error),
    (AudioError, _of_audio),
    (ApiError, _of_api_error),
    (InvalidStatus, _of_invalid_status),
    (ConnectionClosed, _of_close),
    (ProxyError, _of_network),
    (InvalidURI, _of_handshake),
    (InvalidHandshake, _of_handshake),
    (httpx.TimeoutException, _of_timeout),
    (httpx.ProtocolError, _of_handshake),
    (httpx.TransportError, _of_network),
    (httpx.HTTPError, _of_handshake),
    (TimeoutError, _of_timeout),
    (OSError, _of_network),
    (json.JSONDecodeError, _of_nonsense),
    (UnicodeDecodeError, _of_nonsense),
    (RecursionError, _of_nonsense),
)
