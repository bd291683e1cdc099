"""A session without a screen: when it ends, what it says on the way, and the summary."""

from __future__ import annotations

import io
import json
import re
import signal
import threading
from pathlib import Path

import numpy as np
import pytest

from app.agents.base import Endpoint
from app.agents.demo_agent import DemoAgent
from app.analysis.turns import TurnTracker
from app.commands.run import (
    FAILED,
    INTERRUPTED,
    OK,
    RunPlan,
    clock,
    report,
    run_session,
    summary_lines,
)
from app.live.choices import build_audio, end_of_input
from app.live.session import EndReason, Session
from audio.wavfile import StreamingWav
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
from tests.app.told_events import TWO_REPLIES
from tests.rig.speech import say, silence, write_wav

SECOND = b"\x10\x00" * 16_000


@pytest.fixture
def caller_wav(tmp_path: Path) -> Path:
    path = tmp_path / "caller.wav"
    with StreamingWav(path) as wav:
        wav.write(np.zeros(4_000, np.int16))
    return path


def one_reply(ws):
    ws.send(metadata())
    ws.send(message("agent_response", "agent_response_event", agent_response="Hi", event_id=1))
    for _ in range(4):
        ws.send(audio(1, SECOND))
    until_closed(ws)


def run(session: Session, plan: RunPlan, *, as_json: bool = False) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    code = run_session(session, plan, out, err, as_json=as_json)
    return code, out.getvalue(), err.getvalue()


def agent_at(base_url: str) -> FakeAgent:
    return FakeAgent(Endpoint(base_url, "a"))


def test_a_run_ends_after_its_seconds_and_says_what_happened(tmp_path):
    with running(one_reply) as server:
        session = Session(agent_at(server.base_url), QuietCaller(), record_to=tmp_path)
        plan = RunPlan(seconds=1.0, interrupt_at=(0.6, 0.8))
        code, out, err = run(session, plan)
    assert code == OK
    assert "interruptions     1" in out
    assert re.search(r"#1 at 00:0\d\.\d +button, silent in \d+ ms, mouth to silence –", out)
    assert str(session.bundle) in out
    assert "estimated" in out
    assert "Running." in err
    assert "Interrupt 1, by the button." in err
    assert "Nothing to interrupt" in err
    assert "\x1b" not in err


def test_a_run_ends_once_the_file_has_ended_and_all_is_quiet(tmp_path, caller_wav):
    interface = build_audio(str(caller_wav), str(tmp_path / "heard.wav"))
    with running(one_reply) as server:
        session = Session(agent_at(server.base_url), interface)
        plan = RunPlan(input_ended=end_of_input(interface), quiet_s=0.3)
        code, out, _ = run(session, plan, as_json=True)
    assert code == OK
    told = json.loads(out)
    assert told["reason"] == "input_ended"
    # four seconds of agent audio were heard to their end before it was quiet
    assert told["heard_ms"] == pytest.approx(4000, abs=10)
    assert told["duration_s"] > 4.2
    assert told["recording"] is None
    assert told["is_estimated"] is False
    # four seconds that came at once: the queue did not run dry inside the reply
    assert told["health"]["underruns"] == 0


def test_the_health_of_a_run_tells_underruns_as_the_turns_do():
    """The pause between two replies is none, though the queue ran dry and went on in it."""
    session, tracker = Session(agent_at("http://127.0.0.1:1"), QuietCaller()), TurnTracker()
    for event in TWO_REPLIES:
        tracker.feed(event)
    assert report(session, tracker)["health"]["underruns"] == 1


def test_a_session_that_fails_has_its_code_and_its_sentence(caplog):
    session = Session(agent_at("http://127.0.0.1:1"), QuietCaller())
    code, out, _ = run(session, RunPlan())
    assert code == FAILED
    assert "127.0.0.1:1 could not be reached" in out


def test_control_c_ends_in_good_order(tmp_path):
    with running(one_reply) as server:
        session = Session(agent_at(server.base_url), QuietCaller(), record_to=tmp_path)

        def press() -> None:
            assert eventually(lambda: session.conversation_id)
            signal.raise_signal(signal.SIGINT)

        threading.Thread(target=press).start()
        code, out, _ = run(session, RunPlan(seconds=20))
    assert code == INTERRUPTED
    assert session.reason is EndReason.USER
    assert "You ended the session." in out
    assert session.bundle is not None
    assert json.loads((session.bundle / "session.json").read_text())["end"]["reason"] == "user"


def test_the_demo_agent_answers_a_caller_from_a_file_and_yields_to_them(tmp_path):
    caller = write_wav(
        tmp_path / "caller.wav",
        np.concatenate((say("Could you tell me something?"), silence(2.5), say("Stop, please."))),
    )
    interface = build_audio(str(caller), "none")
    session = Session(DemoAgent(), interface, record_to=tmp_path)
    plan = RunPlan(input_ended=end_of_input(interface), quiet_s=1.0, seconds=9)
    code, out, err = run(session, plan, as_json=True)
    told = json.loads(out)
    assert code == OK, err
    assert told["user_turns"] == 2
    assert told["agent_turns"] >= 1
    assert told["response_latencies_ms"]
    assert [cut["source"] for cut in told["interruption_list"]][:1] == ["agent"]
    assert told["interruption_list"][0]["time_to_silence_ms"] < 100
    assert told["interruption_list"][0]["mouth_to_silence_ms"] > 0
    devices = json.loads((Path(told["recording"]) / "session.json").read_text())["devices"]
    assert devices == {"microphone": "caller.wav", "speaker": "nobody"}


def test_real_devices_carry_a_session_and_name_themselves(sound_card, tmp_path):
    session = Session(DemoAgent(), build_audio("default", "default"), record_to=tmp_path)
    code, out, err = run(session, RunPlan(seconds=4.0, interrupt_at=(2.5,)), as_json=True)
    told = json.loads(out)
    assert code == OK, err
    assert told["is_estimated"] is False
    assert told["heard_ms"] > 1000
    assert told["interruption_list"][0]["source"] == "button"
    assert told["interruption_list"][0]["time_to_silence_ms"] < 100
    assert session.facts.microphone != "default"
    assert session.facts.speaker != session.facts.microphone


def test_progress_on_a_terminal_is_one_line_that_is_written_over(tmp_path):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    with running(one_reply) as server:
        session = Session(agent_at(server.base_url), QuietCaller())
        run_session(session, RunPlan(seconds=0.6), io.StringIO(), terminal)
    written = terminal.getvalue()
    assert "the agent speaking" in written
    assert re.search(r"\d\.\d s queued, interruptions: 0", written)
    assert written.count("\n") < 6
    assert written.endswith("\r\x1b[K")


def test_a_broken_pipe_for_progress_ends_nothing():
    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    with running(one_reply) as server:
        session = Session(agent_at(server.base_url), QuietCaller())
        out = io.StringIO()
        assert run_session(session, RunPlan(seconds=0.2), out, Broken()) == OK
    assert "duration" in out.getvalue()


def test_what_is_not_known_is_a_dash_and_null():
    session = Session(agent_at("http://127.0.0.1:1"), QuietCaller())
    lines = summary_lines(session, TurnTracker())
    assert lines[0] == "Fake agent: the session did not begin."
    assert "  response latency  –" in lines
    told = report(session, TurnTracker())
    assert told["response_latency_ms"]["p50"] is None
    assert told["reason"] is None
    json.dumps(told, allow_nan=False)


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "00:00.0"), (61.25, "01:01.2"), (3600, "60:00.0"), (-1, "00:00.0")]
)
def test_the_clock(seconds, shown):
    assert clock(seconds) == shown
