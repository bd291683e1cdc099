"""What servers do to a session: how they end it, refuse it, fall silent and send nonsense."""

from __future__ import annotations

import json
import threading
import time
import wave

import pytest

from app.live.session import EndReason, State
from app.timeline.events import AgentChunkReceived, Interrupted, MessageReceived, Trouble
from tests.app.agents.fake_agent import (
    KEY,
    QuietCaller,
    audio,
    deaf_port,
    eventually,
    message,
    metadata,
    running,
    until_closed,
)
from tests.app.session_rig import (
    SECOND,
    agent_at,
    assert_recorded,
    events_of,
    run,
    send_then_listen,
    session_threads,
)


def close_with(code: int, reason: str = "", *, after: str | None = None):
    def handle(ws):
        if after is not None:
            ws.recv()
            ws.send(after)
        ws.close(code, reason)

    return handle


def drop(ws):
    ws.send(metadata())
    ws.socket.close()


def raw_frame(ws):
    ws.send(metadata())
    ws.socket.sendall(b"\x81\x05\xff\xfe\xfd\xfc\xfb")
    until_closed(ws)


HUGE = json.dumps({"type": "audio", "audio_event": {"event_id": 1, "x": "A" * 17_000_000}})


ENDINGS = {
    "the agent ends": (close_with(1000, after=metadata()), EndReason.AGENT, "ended the conv"),
    "closes at once": (close_with(1000), EndReason.SERVER_CLOSED, "before the conversation"),
    "closes with a fault": (
        close_with(1011, "llm fell over", after=metadata()),
        EndReason.SERVER_CLOSED,
        "code 1011, saying “llm fell over”",
    ),
    "knows no such agent": (
        close_with(3000, "The AI agent you are trying to reach does not exist."),
        EndReason.UNKNOWN_AGENT,
        "knows no agent",
    ),
    "wants authentication": (
        close_with(3000, "This agent requires authentication"),
        EndReason.REFUSED_KEY,
        "refused the API key",
    ),
    "drops the line": (drop, EndReason.SERVER_CLOSED, "broke off"),
    "sends nonsense": (send_then_listen("}{ hello"), EndReason.SERVER_ERROR, "“}{ hello”"),
    "sends half a message": (
        send_then_listen(audio(1, SECOND)[:1000]),
        EndReason.SERVER_ERROR,
        "not a message",
    ),
    "sends bytes that are no text": (
        send_then_listen(b"\xff\xfe"),
        EndReason.SERVER_ERROR,
        "not a",
    ),
    "sends a frame of broken text": (raw_frame, EndReason.SERVER_ERROR, "UTF-8"),
    "sends 17 MB": (send_then_listen(HUGE), EndReason.SERVER_ERROR, "16 MiB"),
    "nests without end": (send_then_listen("[" * 200_000), EndReason.SERVER_ERROR, "not a message"),
}


@pytest.mark.parametrize(("handler", "reason", "words"), ENDINGS.values(), ids=ENDINGS.keys())
def test_an_end_that_the_server_makes_has_its_sentence_and_its_recording(
    make, handler, reason, words
):
    with running(handler) as server:
        session = run(make(agent_at(server.base_url)))
    assert session.reason is reason, session.sentence
    assert words in session.sentence
    assert session.sentence.endswith(".")
    assert session.state is (State.ENDED if reason is EndReason.AGENT else State.FAILED)
    assert_recorded(session)


REFUSALS = {
    "key refused": ({"signed_url_status": 401}, EndReason.REFUSED_KEY),
    "key forbidden": ({"signed_url_status": 403}, EndReason.REFUSED_KEY),
    "agent unknown": ({"signed_url_status": 404}, EndReason.UNKNOWN_AGENT),
    "socket refused": ({"socket_status": 401}, EndReason.REFUSED_KEY),
    "socket forbidden": ({"socket_status": 403}, EndReason.REFUSED_KEY),
    "socket not found": ({"socket_status": 404}, EndReason.UNKNOWN_AGENT),
    "server out of order": ({"socket_status": 503}, EndReason.SERVER_ERROR),
    "signed URL is no JSON": ({"signed_url_body": "<html>"}, EndReason.SERVER_ERROR),
    "signed URL is no URL": ({"signed_url_body": '{"signed_url": 7}'}, EndReason.SERVER_ERROR),
    "signed URL is missing": ({"signed_url_body": "{}"}, EndReason.SERVER_ERROR),
    "signed URL is a file": (
        {"signed_url_body": '{"signed_url": "file:///etc/passwd"}'},
        EndReason.SERVER_ERROR,
    ),
}


@pytest.mark.parametrize(("answers", "reason"), REFUSALS.values(), ids=REFUSALS.keys())
def test_a_refusal_has_its_sentence(make, caplog, answers, reason):
    with running(until_closed, **answers) as server:
        session = run(make(agent_at(server.base_url, key=True)))
    assert session.reason is reason, session.sentence
    assert server.base_url.removeprefix("http://") in session.sentence
    assert "headers" not in session.sentence
    assert KEY not in caplog.text
    assert_recorded(session)


def test_what_the_server_says_of_a_refusal_is_quoted(make):
    body = json.dumps({"detail": {"status": "invalid_api_key", "message": "Invalid API key"}})
    with running(until_closed, signed_url_status=401, signed_url_body=body) as server:
        session = run(make(agent_at(server.base_url, key=True)))
    assert "“Invalid API key”" in session.sentence


def test_no_server_is_no_network(make):
    with deaf_port() as port:
        pass
    session = run(make(agent_at(f"http://127.0.0.1:{port}")))
    assert session.reason is EndReason.NO_NETWORK
    assert f"127.0.0.1:{port} could not be reached" in session.sentence
    assert_recorded(session)


def test_a_name_that_nobody_knows_is_no_network(make):
    session = run(make(agent_at("http://agent.invalid", key=True)))
    assert session.reason is EndReason.NO_NETWORK
    assert "agent.invalid" in session.sentence


@pytest.mark.parametrize("key", [True, False])
def test_a_server_that_never_answers_is_given_up(make, key):
    with deaf_port() as port:
        session = run(make(agent_at(f"http://127.0.0.1:{port}", key=key), connect_timeout_s=0.3))
    assert session.reason is EndReason.NO_NETWORK
    assert "did not answer within 0.3 seconds" in session.sentence
    assert_recorded(session)


def test_end_works_at_once_while_the_server_does_not_answer(make):
    with deaf_port() as port:
        session = make(agent_at(f"http://127.0.0.1:{port}", key=True))
        session.start()
        assert eventually(lambda: "link" in session_threads())
        began = time.monotonic()
        session.end()
        assert session.wait(2.5)
        assert time.monotonic() - began < 2.5
    assert (session.state, session.reason) == (State.ENDED, EndReason.USER)


def test_a_call_that_does_not_begin_is_a_silent_server(make):
    with running(until_closed) as server:
        session = run(make(agent_at(server.base_url), connect_timeout_s=0.5))
    assert session.reason is EndReason.SERVER_SILENT
    assert "did not begin the conversation" in session.sentence


def test_a_server_that_falls_silent_is_noticed(make):
    with running(send_then_listen()) as server:
        session = run(make(agent_at(server.base_url), silence_timeout_s=0.5))
    assert session.reason is EndReason.SERVER_SILENT
    assert "not even a ping" in session.sentence
    assert_recorded(session)


def test_end_does_not_wait_for_a_server_that_does_not_close(make):
    free = threading.Event()

    def hang(ws):
        ws.send(metadata())
        ws.recv_events_thread  # noqa: B018 - the connection stays open, and nobody answers
        ws.protocol_mutex.acquire()
        free.wait(20)
        ws.protocol_mutex.release()

    with running(hang) as server:
        session = make(agent_at(server.base_url))
        session.start()
        assert eventually(lambda: session.state is State.RUNNING)
        began = time.monotonic()
        session.end()
        assert session.wait(3)
        assert time.monotonic() - began < 2.5
        free.set()
    assert session.state is State.ENDED


MALFORMED = [
    "[]",
    '"hello"',
    "null",
    "{}",
    '{"type": 7}',
    '{"type": "audio"}',
    '{"type": "audio", "audio_event": []}',
    '{"type": "audio", "audio_event": {"event_id": "x", "audio_base_64": ""}}',
    '{"type": "audio", "audio_event": {"event_id": Infinity, "audio_base_64": ""}}',
    '{"type": "audio", "audio_event": {"event_id": 1}}',
    '{"type": "audio", "audio_event": {"event_id": 1, "audio_base_64": 5}}',
    '{"type": "audio", "audio_event": {"event_id": 1, "audio_base_64": "A"}}',
    '{"type": "ping", "ping_event": {}}',
    '{"type": "interruption", "interruption_event": null}',
    '{"type": "client_tool_call", "client_tool_call": {}}',
]


def test_malformed_messages_are_troubles_and_the_session_goes_on(make):
    caller = QuietCaller()
    texts = (*MALFORMED, metadata(), audio(5, SECOND))
    with running(send_then_listen(*texts)) as server:
        session = make(agent_at(server.base_url), caller)
        session.start()
        assert eventually(lambda: caller.outputs), session.sentence
        session.end()
        assert session.wait(5)
    assert caller.outputs == [SECOND]
    troubles = [event for event in events_of(session, Trouble) if event.kind == "protocol"]
    # the type 7 is no fault but an unknown type; the second metadata is one
    assert len(troubles) == len(MALFORMED)
    assert session.reason is EndReason.USER
    assert_recorded(session)


def test_unknown_types_and_long_texts_are_on_the_timeline_and_pass(make):
    brand_new = message("brand_new", "brand_new_event", text="x" * 10_000_000, list=[1] * 5000)
    with running(send_then_listen(brand_new, message("x" * 5000, "y"))) as server:
        session = make(agent_at(server.base_url))
        session.start()
        assert eventually(lambda: len(events_of(session, MessageReceived)) == 3)
        session.end()
        assert session.wait(5)
    event = events_of(session, MessageReceived)[1]
    assert event.kind == "brand_new"
    assert len(json.dumps(event.to_dict())) < 100_000
    assert "(10000000 characters)" in event.payload["brand_new_event"]["text"]
    assert not [event for event in events_of(session, Trouble) if event.kind == "protocol"]
    assert_recorded(session)


def test_a_ten_megabyte_message_of_audio_is_kept_whole(make):
    caller = QuietCaller()
    pcm = bytes(7_500_000)
    with running(send_then_listen(audio(1, pcm))) as server:
        session = make(agent_at(server.base_url), caller)
        session.start()
        assert eventually(lambda: caller.outputs, 10)
        session.end()
        assert session.wait(10)
    assert len(b"".join(caller.outputs)) == len(pcm)
    assert session.bundle is not None
    with wave.open(str(session.bundle / "received.wav")) as received:
        assert received.getnframes() == len(pcm) // 2
    assert_recorded(session)


def test_audio_that_the_sdk_drops_says_why(make):
    caller = QuietCaller()
    texts = (audio(1, SECOND), message("interruption", "interruption_event", event_id=3))
    late = (audio(3, SECOND), audio(4, SECOND))
    with running(send_then_listen(*texts, *late)) as server:
        session = make(agent_at(server.base_url), caller)
        session.start()
        assert eventually(lambda: len(caller.outputs) == 2)
        session.end()
        assert session.wait(5)
    received = [event for event in events_of(session, MessageReceived) if event.kind == "audio"]
    assert [bool(event.dropped) for event in received] == [False, True, False]
    assert [event.event_id for event in events_of(session, AgentChunkReceived)] == [1, 4]
    assert [(event.source, event.event_id) for event in events_of(session, Interrupted)] == [
        ("agent", 3)
    ]
