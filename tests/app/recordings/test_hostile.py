"""A server that means harm, a disk that is full: the session ends well, and says so plainly."""

from __future__ import annotations

import io
import json
import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from app.agents.base import AgentError, Endpoint
from app.agents.careful_http import LONGEST_ANSWER
from app.agents.elevenlabs import ElevenLabsAgent
from app.bundles import bundle_writer
from app.commands import streams
from app.commands.run import DEVICE_OR_FILE, Progress, RunPlan, run_session
from app.live.session import EndReason, Session, State
from app.secrets import ApiKey
from app.timeline.events import MessageReceived, MessageSent, StateChanged, Timeline, Trouble
from tests.app.agents.fake_agent import (
    FakeAgent,
    QuietCaller,
    audio,
    eventually,
    message,
    metadata,
    running,
    until_closed,
)
from tests.rig.opened import open_bundle

HOSTILE = "\x1b[2J\x9b31m\u202egnp.exe\r\nFAKE \ud800"


def session_at(base_url: str, folder, **endpoint) -> Session:
    agent = FakeAgent(Endpoint(base_url, "a", **endpoint))
    return Session(agent, QuietCaller(), record_to=folder)


def run(handler, folder, *, as_json: bool) -> tuple[str, str, Session]:
    out, err = io.StringIO(), io.StringIO()
    with running(handler) as server:
        session = session_at(server.base_url, folder)
        run_session(session, RunPlan(seconds=0.6), out, err, as_json=as_json)
    return out.getvalue(), err.getvalue(), session


def shouting(ws):
    ws.send(metadata(HOSTILE, HOSTILE).replace("conv_test", "\\u001b[31m\\u009b"))
    ws.send(message("agent_response", "agent_response_event", agent_response=HOSTILE, event_id=1))
    chars = {"chars": list(HOSTILE)}
    times = {name: [0] * len(HOSTILE) for name in ("char_start_times_ms", "char_durations_ms")}
    ws.send(audio(1, bytes(32_000), alignment={**chars, **times}))
    ws.send(json.dumps({"type": "audio" + HOSTILE}))
    ws.send(json.dumps({"type": "audio", "audio_event": HOSTILE}))
    ws.send(message("interruption", "interruption_event", event_id=1))
    ws.send(message("error", "error_event", message=HOSTILE))
    ws.close(1011, "bad \x1b[31m \u202e")


@pytest.mark.parametrize("as_json", [False, True])
def test_what_a_server_says_does_not_steer_the_terminal(tmp_path, as_json, caplog):
    out, err, session = run(shouting, tmp_path, as_json=as_json)
    for line in (out + err).splitlines():
        assert line.isprintable()
        assert not line.startswith("FAKE")
    out.encode()
    assert open_bundle(session.bundle).end["reason"] == "server_closed"


def test_a_number_of_thousands_of_digits_is_the_servers_fault(tmp_path, caplog):
    def count(ws):
        ws.send(metadata())
        ws.send('{"type": "ping", "ping_event": {"event_id": ' + "9" * 5000 + "}}")
        until_closed(ws)

    _, _, session = run(count, tmp_path, as_json=False)
    assert session.reason is EndReason.SERVER_ERROR


def test_many_tool_calls_are_answered_at_once_on_no_further_thread(tmp_path):
    calls, answers = 300, []

    def call_tools(ws):
        ws.send(metadata())
        for number in range(calls):
            call = {"tool_name": "open", "tool_call_id": str(number), "parameters": {}}
            ws.send(json.dumps({"type": "client_tool_call", "client_tool_call": call}))
        answers.extend(one for one in until_closed(ws) if one.get("type") == "client_tool_result")

    with running(call_tools) as server:
        session = session_at(server.base_url, tmp_path)
        session.start()
        assert eventually(lambda: _sent(session, "client_tool_result") == calls)
        assert not any("ClientTools" in thread.name for thread in threading.enumerate())
        session.close()
        assert eventually(lambda: len(answers) == calls)
    assert all(answer["is_error"] for answer in answers)


def _sent(session: Session, kind: str) -> int:
    events = session.timeline.read()[0]
    return sum(isinstance(event, MessageSent) and event.kind == kind for event in events)


def test_large_messages_do_not_fill_the_memory(tmp_path):
    def fat(ws):
        ws.send(metadata())
        for _ in range(5):
            ws.send(json.dumps({"type": "fat", "fat": [["z" * 9_000] * 40] * 8}))
        until_closed(ws)

    _, _, session = run(fat, tmp_path, as_json=False)
    events = session.timeline.read()[0]
    kept = [event for event in events if isinstance(event, MessageReceived) and event.kind == "fat"]
    assert len(kept) == 5
    assert all(len(json.dumps(event.payload)) < 100_000 for event in kept)


def test_a_flood_of_troubles_is_counted_on_the_terminal():
    told = io.StringIO()
    progress = Progress(told)
    for number in range(1000):
        progress.tell(1.0 + number / 2000, f"Trouble {number}.")
    progress.tell(2.0, "Running.")
    lines = told.getvalue().splitlines()
    assert len(lines) == Progress.LINES_A_SECOND + 2
    assert lines[-2].endswith(f"… and {1000 - Progress.LINES_A_SECOND} more in this second.")
    assert lines[-1].endswith("Running.")


@contextmanager
def endless_answer() -> Iterator[tuple[int, list[int]]]:
    """A port whose HTTP answer never ends; and how many bytes of it were taken."""
    sent = [0]
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
                try:
                    while sent[0] < 200 * LONGEST_ANSWER:
                        connection.sendall(b" " * 65_536)
                        sent[0] += 65_536
                except OSError:
                    pass  # the client has had enough

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield listening.getsockname()[1], sent
        thread.join(5)


def test_an_answer_without_end_is_not_read_to_its_end(tmp_path):
    with endless_answer() as (port, sent):
        key = ApiKey("sk_0123456789abcdef0123456789abcdef")
        session = session_at(f"http://127.0.0.1:{port}", tmp_path, api_key=key, requires_auth=True)
        session.start()
        assert session.wait(10)
    assert session.state is State.FAILED
    assert "does not answer as an agent's server does" in session.sentence
    assert sent[0] < 50 * LONGEST_ANSWER


def test_a_signed_url_whose_host_no_name_can_have_is_the_servers_fault(tmp_path):
    body = json.dumps({"signed_url": f"wss://{'a' * 70}.example/"})
    with running(until_closed, signed_url_body=body) as server:
        session = session_at(
            server.base_url, tmp_path, api_key=ApiKey("sk_" + "0" * 32), requires_auth=True
        )
        session.start()
        assert session.wait(10)
    assert session.reason is EndReason.SERVER_ERROR


def test_a_key_that_no_header_can_hold_is_refused_with_a_sentence():
    agent = ElevenLabsAgent("a", find_key=lambda: ApiKey("schlüssel-123"))
    with pytest.raises(AgentError, match="characters that no key has"):
        agent.open()


# -- the disk ----------------------------------------------------------------------------------


def test_a_recording_that_cannot_begin_leaves_no_folder(tmp_path, monkeypatch):
    class NoRoom(bundle_writer.EventLog):
        def __init__(self, *_args):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(bundle_writer, "EventLog", NoRoom)
    session = session_at("http://127.0.0.1:9", tmp_path)
    session.start()
    assert session.wait(10)
    assert session.reason is EndReason.RECORDING
    assert not list(tmp_path.iterdir())


def test_a_recording_that_is_not_whole_shows_in_summary_and_exit_code(
    tmp_path, monkeypatch, caplog
):
    def full(self, lines):
        raise OSError(28, "No space left on device")

    def greet(ws):
        ws.send(metadata())
        until_closed(ws)

    monkeypatch.setattr(bundle_writer.EventLog, "_append", full)
    out = io.StringIO()
    with running(greet) as server:
        session = session_at(server.base_url, tmp_path)
        code = run_session(session, RunPlan(seconds=0.3), out, io.StringIO())
    assert session.state is State.ENDED
    assert code == DEVICE_OR_FILE
    assert "not whole" in out.getvalue()
    assert caplog.text.count("The recording cannot be written") == 1  # no recovery in between


# -- the standard streams ----------------------------------------------------------------------


def test_closed_streams_are_replaced_and_take_any_text(monkeypatch):
    ascii_only = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdin", None)
    monkeypatch.setattr(sys, "stdout", ascii_only)
    monkeypatch.setattr(sys, "stderr", None)
    streams.mend_streams()
    print("1–2 \ud800")
    print("unheard", file=sys.stderr)
    sys.stdout.flush()
    assert ascii_only.buffer.getvalue() == b"1?2 ?" + os.linesep.encode()
    sys.stdin.close()
    sys.stderr.close()


def test_a_dumb_terminal_gets_no_escapes(monkeypatch):
    class Dumb(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setenv("TERM", "dumb")
    told = Dumb()
    Progress(told).tell(0.0, "Running.")
    assert told.getvalue() == "00:00.0  Running.\n"


def test_hostile_events_are_told_in_one_line():
    timeline = Timeline()
    timeline.append(Trouble(0.0, "protocol", HOSTILE))
    timeline.append(StateChanged(0.0, "running"))
    told = io.StringIO()
    for event in timeline.read()[0]:
        Progress(told).tell(event.t, getattr(event, "sentence", "") or "Running.")
    assert len(told.getvalue().splitlines()) == 2
