"""The server, against the real SDK; and against whoever has no business there."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
from elevenlabs import ElevenLabs
from elevenlabs.core.api_error import ApiError
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from app.agents.demo import call
from app.agents.demo.errors import PortError
from app.agents.demo.gate import SIGNED_URL_PATH, SOCKET_PATH, Address
from app.agents.demo.script import Script
from app.agents.demo.server import CONVERSATIONS_MAX, DemoServer, DemoServerThread
from app.agents.demo.speech import Speech
from tests.app.agents.demo.caller import MemoryAudio, calling
from tests.rig.waiting import wait_until

INITIATION = json.dumps({"type": "conversation_initiation_client_data"})


def _get(address: Address, path: str, **headers: str) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection(urlsplit(address.base_url).netloc, timeout=5)
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def _signed_url(address: Address) -> str:
    path = f"{SIGNED_URL_PATH}?agent_id={address.agent_id}"
    status, body = _get(address, path, **{"xi-api-key": address.key})
    assert status == 200
    return str(body["signed_url"])


@contextmanager
def _socket(address: Address) -> Iterator[ClientConnection]:
    with connect(_signed_url(address), open_timeout=5) as ws:
        yield ws


def _until(ws: ClientConnection, kind: str) -> dict[str, Any]:
    while True:
        message: dict[str, Any] = json.loads(ws.recv(timeout=5))
        if message["type"] == kind:
            return message


# A conversation


def test_it_greets_the_sdks_client(address: Address, quick: Script) -> None:
    audio = MemoryAudio()
    with calling(address, audio) as caller:
        assert caller.of("conversation_initiation_metadata")[0]["conversation_id"]
        assert caller.messages[0]["type"] == "conversation_initiation_metadata"
        greeting = caller.wait_for("agent_response")
        assert greeting["agent_response"] == quick.greetings[0].text


def test_the_whole_line_arrives_with_its_alignment(
    address: Address, shipped_speech: dict[str, Speech]
) -> None:
    audio = MemoryAudio()
    speech = shipped_speech["go-ahead"]
    with calling(address, audio) as caller:
        wait_until(lambda: len(b"".join(audio.played)) >= len(speech.pcm), what="the whole line")
        assert b"".join(audio.played) == speech.pcm
        chars = [char for event in caller.of("audio") for char in event["alignment"]["chars"]]
        assert "".join(chars) == speech.text


def test_it_hears_a_turn_and_answers(
    address: Address, quick: Script, shipped_speech: dict[str, Speech]
) -> None:
    audio = MemoryAudio()
    with calling(address, audio) as caller:
        caller.wait_for("agent_response")
        # the greeting, 1.2 s, is cut off by this: the user does not wait
        audio.say(shipped_speech["microphone"].pcm, silence_s=0.3)
        said = caller.wait_for("user_transcript")["user_transcript"]
        assert said.startswith("(you spoke for ")
        assert float(said.split()[3]) == pytest.approx(8.1, abs=0.3)
        assert caller.wait_for("agent_response", 2)["agent_response"] == quick.replies[0].text
        assert max(event["vad_score"] for event in caller.of("vad_score")) > 0.9


def test_barge_in_brings_interruption_then_correction_then_silence(
    address: Address, shipped_speech: dict[str, Speech]
) -> None:
    audio = MemoryAudio()
    with calling(address, audio) as caller:
        caller.send_user_message("talk to me")
        caller.wait_for("agent_response", 2)
        wait_until(lambda: caller.of("audio")[-1]["event_id"] > 1, what="the reply's audio")
        interrupts = audio.interrupts
        audio.say(shipped_speech["listening"].pcm)
        corrections = len(caller.of("agent_response_correction"))
        correction = caller.wait_for("agent_response_correction", corrections + 1)
        assert audio.interrupts == interrupts + 1
        kinds = [m["type"] for m in caller.messages]
        last = len(kinds) - 1 - kinds[::-1].index("interruption")
        assert kinds[last + 1] == "agent_response_correction"
        assert "audio" not in kinds[last:]
        original, corrected = (
            correction["original_agent_response"],
            correction["corrected_agent_response"],
        )
        assert original == shipped_speech["queue"].text
        assert original.startswith(corrected)
        assert len(corrected) < len(original) / 2
        audio.say(bytes(16_000))
        answer = caller.wait_for("agent_response", 3)
        assert answer["event_id"] > caller.of("interruption")[-1]["event_id"]


def test_typed_text_is_answered(address: Address, quick: Script) -> None:
    with calling(address, MemoryAudio()) as caller:
        caller.wait_for("agent_response")
        caller.send_user_message("hello")
        assert caller.wait_for("agent_response", 2)["agent_response"] == quick.replies[0].text


def test_what_has_no_effect_is_accepted(address: Address) -> None:
    with calling(address, MemoryAudio()) as caller:
        caller.send_contextual_update("the user is on the pricing page")
        caller.register_user_activity()
        caller.send_multimodal_message(text="hello", file_id="file")
        caller.wait_for("agent_response", 2)


def test_pings_tell_the_round_trip(address: Address) -> None:
    with calling(address, MemoryAudio()) as caller:
        assert caller.wait_for("ping", 3)["ping_ms"] is not None


def test_an_overridden_first_message_is_passed_over_aloud(address: Address, quick: Script) -> None:
    override = {"agent": {"first_message": "Good evening."}}
    with calling(address, MemoryAudio(), override) as caller:
        assert "passed over" in caller.wait_for("demo_notice")["text"]
        assert caller.wait_for("agent_response")["agent_response"] == quick.greetings[0].text


def test_a_conversation_in_text(address: Address) -> None:
    with calling(address, None) as caller:
        caller.send_user_message("hello")
        caller.wait_for("agent_response", 2)
        assert caller.of("audio") == []


def test_conversations_follow_one_another(address: Address) -> None:
    ids = set()
    for _ in range(3):
        with calling(address, MemoryAudio()) as caller:
            ids.add(caller.of("conversation_initiation_metadata")[0]["conversation_id"])
    assert len(ids) == 3


# Refusals


def test_a_wrong_key_is_refused_as_elevenlabs_does(address: Address) -> None:
    client = ElevenLabs(api_key="wrong", base_url=address.base_url)
    with pytest.raises(ApiError) as refused:
        client.conversational_ai.conversations.get_signed_url(agent_id=address.agent_id)
    assert refused.value.status_code == 401
    assert refused.value.body["detail"]["status"] == "invalid_api_key"
    assert address.key not in str(refused.value)


def test_an_unknown_agent_is_refused(address: Address) -> None:
    client = ElevenLabs(api_key=address.key, base_url=address.base_url)
    with pytest.raises(ApiError) as refused:
        client.conversational_ai.conversations.get_signed_url(agent_id="nobody")
    assert refused.value.status_code == 404


def test_no_key_is_refused(address: Address) -> None:
    assert _get(address, f"{SIGNED_URL_PATH}?agent_id=demo")[0] == 401


@pytest.mark.parametrize("path", ["/", "/v1", SIGNED_URL_PATH + "/more", "//[", "/%00"])
def test_other_paths_are_not_there(address: Address, path: str) -> None:
    status, _ = _get(address, path, **{"xi-api-key": address.key})
    assert status in (400, 404)


@pytest.mark.parametrize("origin", ["https://example.com", "null", "http://127.0.0.1:1"])
def test_a_foreign_page_gets_no_signed_url(address: Address, origin: str) -> None:
    headers = {"xi-api-key": address.key, "Origin": origin}
    status, body = _get(address, f"{SIGNED_URL_PATH}?agent_id=demo", **headers)
    assert status == 403
    assert "signed_url" not in body


def test_a_foreign_page_gets_no_socket(address: Address) -> None:
    with (
        pytest.raises(InvalidStatus, match="403"),
        connect(_signed_url(address), origin="https://example.com"),
    ):
        pass


def test_its_own_origin_is_welcome(address: Address) -> None:
    with connect(_signed_url(address), origin=address.base_url) as ws:
        ws.send(INITIATION)
        told = _until(ws, "conversation_initiation_metadata")
        assert told["conversation_initiation_metadata_event"]["conversation_id"]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1.evil.example:{port}"])
def test_another_host_name_is_refused(address: Address, host: str) -> None:
    name = host.format(port=urlsplit(address.base_url).port)
    headers = {"xi-api-key": address.key, "Host": name}
    assert _get(address, f"{SIGNED_URL_PATH}?agent_id=demo", **headers)[0] == 403


def test_localhost_is_its_own_name_too(address: Address) -> None:
    host = f"localhost:{urlsplit(address.base_url).port}"
    headers = {"xi-api-key": address.key, "Host": host}
    assert _get(address, f"{SIGNED_URL_PATH}?agent_id=demo", **headers)[0] == 200


@pytest.mark.parametrize("query", ["", "?agent_id=demo", "?agent_id=demo&conversation_signature=x"])
def test_a_socket_without_a_signature_is_refused(address: Address, query: str) -> None:
    url = address.base_url.replace("http", "ws") + SOCKET_PATH + query
    with pytest.raises(InvalidStatus, match="401"), connect(url):
        pass


def test_a_signed_url_opens_one_socket(address: Address) -> None:
    url = _signed_url(address)
    with connect(url), pytest.raises(InvalidStatus, match="401"), connect(url):
        pass


def test_conversations_are_bounded(address: Address) -> None:
    with ExitStack() as sockets:
        for _ in range(CONVERSATIONS_MAX):
            sockets.enter_context(_socket(address))
        with pytest.raises(InvalidStatus, match="503"), _socket(address):
            pass
    wait_until(lambda: _opens(address), what="room for another conversation")


def _opens(address: Address) -> bool:
    try:
        with _socket(address):
            return True
    except InvalidStatus:
        return False


# Nonsense


def test_nonsense_is_passed_over_and_counted(address: Address, server: DemoServer) -> None:
    with _socket(address) as ws:
        ws.send("{not json")
        ws.send(INITIATION)
        _until(ws, "conversation_initiation_metadata")
        for nonsense in (b"\x00\xff", "[]", '{"user_audio_chunk": "?"}', '{"type": "pong"}'):
            ws.send(nonsense)
        ws.send(INITIATION)
        ws.send(json.dumps({"user_audio_chunk": "AA=="}))  # half a sample
        ws.send(json.dumps({"type": "user_message", "text": "still there?"}))
        _until(ws, "agent_response")
        _until(ws, "agent_response")
    wait_until(lambda: server.faults == 5, what="the faults to be counted")


def test_endless_nonsense_ends_the_conversation_with_a_reason(address: Address) -> None:
    with _socket(address) as ws:
        ws.send(INITIATION)
        for _ in range(call.FAULTS_MAX + 1):
            ws.send("nonsense")
        with pytest.raises(ConnectionClosed) as closed:
            _until(ws, "never")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008


def test_who_never_says_the_first_message_is_hung_up_on(
    address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call, "FIRST_MESSAGE_DEADLINE_S", 0.05)
    with _socket(address) as ws:
        assert "not initiated" in _until(ws, "error")["error_event"]["message"]


def test_a_message_that_is_too_large_ends_that_conversation_alone(address: Address) -> None:
    with _socket(address) as other, _socket(address) as ws:
        ws.send(INITIATION)
        with suppress(ConnectionClosed):  # the server may hang up before it is all out
            ws.send("x" * 10_000_000)
        with pytest.raises(ConnectionClosed) as closed:
            _until(ws, "never")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009
        other.send(INITIATION)
        _until(other, "conversation_initiation_metadata")


@pytest.mark.parametrize("content", [b"\x00\xff\r\n\r\n", b"POST / HTTP/1.1\r\n\r\n", b""])
def test_what_is_not_http_does_no_harm(address: Address, content: bytes) -> None:
    url = urlsplit(address.base_url)
    with socket.create_connection((url.hostname, url.port), timeout=5) as raw:
        raw.sendall(content)
        raw.shutdown(socket.SHUT_WR)
        while raw.recv(4096):
            pass
    assert _signed_url(address)


# Start and stop


def test_a_port_in_use_is_said(quick: Script, address: Address) -> None:
    port = urlsplit(address.base_url).port
    assert port is not None
    with (
        pytest.raises(PortError, match=rf"cannot listen on port {port} .*choose another port\.$"),
        DemoServerThread(DemoServer(quick, port=port)),
    ):
        pass


def test_an_impossible_port_is_said(quick: Script) -> None:
    with (
        pytest.raises(PortError, match="port 70000"),
        DemoServerThread(DemoServer(quick, port=70000)),
    ):
        pass


def test_stopping_hangs_up(quick: Script) -> None:
    thread = DemoServerThread(DemoServer(quick))
    address = thread.start()
    with _socket(address) as ws:
        ws.send(INITIATION)
        _until(ws, "conversation_initiation_metadata")
        thread.stop()
        with pytest.raises(ConnectionClosed) as closed:
            _until(ws, "never")
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1001
    with pytest.raises(ConnectionRefusedError):
        _get(address, "/")


def test_stopping_does_not_wait_for_a_request_that_never_ends(quick: Script) -> None:
    thread = DemoServerThread(DemoServer(quick))
    port = urlsplit(thread.start().base_url).port
    with socket.create_connection(("127.0.0.1", port)) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nX: ")
        began = time.monotonic()
        thread.stop(4.0)
        assert time.monotonic() - began < 1.5


def test_it_listens_on_loopback_alone(server: DemoServer, address: Address) -> None:
    assert server._server is not None
    assert {sock.getsockname()[0] for sock in server._server.sockets} == {"127.0.0.1"}
