"""The demo agent in its own process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.agents.demo import launcher
from app.agents.demo.errors import DemoProcessError
from app.agents.demo.gate import Address
from app.agents.demo.launcher import DemoProcess
from app.agents.demo.server import run_demo_server
from tests.app.agents.demo.caller import MemoryAudio, calling

Write = Callable[[str], Path]


def test_a_conversation_with_the_process() -> None:
    with DemoProcess() as address, calling(address, MemoryAudio()) as caller:
        assert "demo agent" in caller.wait_for("agent_response")["agent_response"]


def test_it_starts_and_stops_within_a_second() -> None:
    process = DemoProcess()
    process.start()
    assert process.alive
    began = time.monotonic()
    process.stop()
    assert time.monotonic() - began < 1.0
    assert not process.alive
    process.stop()


def test_stop_before_start_does_nothing() -> None:
    process = DemoProcess()
    process.stop()
    assert not process.alive
    with process as address:  # it can still be started
        assert process.alive
        assert address.key


def test_it_is_started_once() -> None:
    process = DemoProcess()
    with process, pytest.raises(DemoProcessError, match="started already"):
        process.start()


def test_the_key_is_on_no_command_line_and_in_no_repr() -> None:
    process = DemoProcess()
    with process as address:
        assert address.key not in repr(process) + repr(address)
        command = Path(f"/proc/{process._process.pid}/cmdline")
        if command.exists():
            assert address.key.encode() not in command.read_bytes()


def test_a_faulty_script_is_said_with_its_line(write_script: Write) -> None:
    path = write_script("[timing]\npace = 0\n")
    with pytest.raises(DemoProcessError, match="line 2: pace is 0, but must lie between"):
        DemoProcess(path).start()


def test_a_child_that_crashes_is_said_with_its_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "_PROJECT", Path("/nowhere"))
    monkeypatch.setattr(sys, "executable", sys.executable)
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    with pytest.raises(DemoProcessError, match=r"^The demo agent did not start: \S+"):
        DemoProcess().start()


def test_a_missing_python_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(DemoProcessError, match=r"did not start: .*No such file"):
        DemoProcess().start()


def test_a_child_that_says_nothing_is_given_up() -> None:
    process = DemoProcess()
    with pytest.raises(DemoProcessError, match=r"did not start within 0\.001 s"):
        process.start(deadline_s=0.001)
    assert not process.alive


def test_the_child_ends_when_its_parent_does() -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "app.agents.demo", "--ready-on-stdout"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=launcher._PROJECT,
        env=os.environ | {"PYTHONPATH": str(launcher._PROJECT)},
    )
    with child:
        assert child.stdout is not None
        assert child.stdin is not None
        assert json.loads(child.stdout.readline())["agent_id"] == "demo"
        child.stdin.close()
        assert child.wait(5) == 0


def test_serving_on_the_calling_thread_until_told_to_stop() -> None:
    stop = threading.Event()
    announced: list[Address] = []

    def announce(address: Address) -> None:
        announced.append(address)
        stop.set()

    assert run_demo_server(0, None, announce, "my-key", stop) == 0
    assert announced[0].key == "my-key"
    assert announced[0].base_url.startswith("http://127.0.0.1:")
