"""Errors of the SDK and its libraries, as sentences. The servers' own are in ``test_session``."""

from __future__ import annotations

import socket
import ssl

import httpx
import pytest
from elevenlabs.core.api_error import ApiError
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK, InvalidURI
from websockets.frames import Close

from app.agents.base import AgentError
from app.agents.endings import ending_of, quoted
from app.secrets import ApiKey
from app.states import EndReason
from audio.errors import DeviceError

pytestmark = pytest.mark.filterwarnings("ignore:websockets:DeprecationWarning")

KEY = "sk_feedfacefeedfacefeedfacefeedface"


def closed(code: int, reason: str = "", *, by_us: bool = False) -> ConnectionClosedError:
    close = Close(code, reason)
    return ConnectionClosedError(None if by_us else close, close if by_us else None, None)


CASES = [
    (ApiError(status_code=401, headers={"xi-api-key": KEY}, body="no"), EndReason.REFUSED_KEY),
    (ApiError(status_code=404, body={"detail": {"message": "Agent x"}}), EndReason.UNKNOWN_AGENT),
    (ApiError(status_code=422, body={"detail": [{"msg": "bad id"}]}), EndReason.UNKNOWN_AGENT),
    (ApiError(status_code=429, body=None), EndReason.SERVER_ERROR),
    (ApiError(status_code=500, body="<html>"), EndReason.SERVER_ERROR),
    (ApiError(status_code=301, body=""), EndReason.SERVER_ERROR),
    (ApiError(status_code=None, body=3), EndReason.SERVER_ERROR),
    (httpx.ConnectTimeout("x"), EndReason.NO_NETWORK),
    (httpx.ReadTimeout("x"), EndReason.NO_NETWORK),
    (httpx.ConnectError("x"), EndReason.NO_NETWORK),
    (httpx.RemoteProtocolError("x"), EndReason.SERVER_ERROR),
    (socket.gaierror(-2, "Name or service not known"), EndReason.NO_NETWORK),
    (ssl.SSLCertVerificationError("self-signed"), EndReason.NO_NETWORK),
    (TimeoutError("timed out"), EndReason.NO_NETWORK),
    (InvalidURI("ftp://x", "scheme"), EndReason.SERVER_ERROR),
    (closed(1011, "boom"), EndReason.SERVER_CLOSED),
    (closed(1008, "Invalid API key"), EndReason.REFUSED_KEY),
    (closed(3000, "Could not find agent with that id"), EndReason.UNKNOWN_AGENT),
    (closed(1009, by_us=True), EndReason.SERVER_ERROR),
    (closed(1011, by_us=True), EndReason.SERVER_SILENT),
    (ConnectionClosedError(None, None, None), EndReason.SERVER_CLOSED),
    (ConnectionClosedOK(Close(1000, "bye"), None, None), EndReason.AGENT),
    (DeviceError("speaker", "Box", "is gone"), EndReason.DEVICE),
    (AgentError(EndReason.REFUSED_KEY, "No.", "Do."), EndReason.REFUSED_KEY),
    (RecursionError("deep"), EndReason.SERVER_ERROR),
    (ZeroDivisionError("oops"), EndReason.INTERNAL),
    (None, EndReason.AGENT),
]


@pytest.mark.parametrize(("error", "reason"), CASES, ids=lambda value: str(value)[:40])
def test_every_error_has_a_reason_and_a_whole_sentence(error, reason):
    ApiKey(KEY)
    ending = ending_of(error, "api.example.org", ready=True)
    assert ending.reason is reason, ending
    assert ending.sentence.endswith(".")
    assert ending.sentence[0].isupper() or ending.sentence.startswith("api.example.org")
    assert KEY not in ending.text
    assert "headers" not in ending.text
    assert "<html>" not in ending.text


def test_what_the_server_said_is_quoted():
    ending = ending_of(CASES[1][0], "api.example.org", ready=False)
    assert "“Agent x”" in ending.sentence
    assert "saying “bye”" in ending_of(CASES[21][0], "x", ready=True).sentence


def test_a_quotation_is_one_short_clean_line():
    ApiKey(KEY)
    assert quoted(None) == ""
    assert quoted("a\n b\x1b[31m") == "“a b[31m”"
    assert len(quoted("x" * 1000)) < 170
    assert KEY not in quoted(f"your key {KEY} is bad")
