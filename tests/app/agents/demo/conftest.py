"""What the demo agent's tests share: a script with short timings, and a server that runs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.agents.demo.gate import Address
from app.agents.demo.script import Script, load_script
from app.agents.demo.server import DemoServer, DemoServerThread
from app.agents.demo.speech import Speech, load_speeches

QUICK = """
[timing]
greeting_delay_ms = 0
endpoint_silence_ms = 250
reply_delay_ms = 0
pace = 20.0
ping_every_s = 0.05
idle_prompt_after_s = 600.0

[[greeting]]
id = "greeting"
text = "Sure, go ahead."
audio = "go-ahead.ogg"

[[reply]]
id = "queue"
text = "{queue}"
audio = "queue.ogg"

[[acknowledgement]]
id = "listening"
text = "All right, I am listening."
audio = "listening.ogg"
"""


@pytest.fixture(scope="session")
def shipped() -> Script:
    return load_script()


@pytest.fixture(scope="session")
def shipped_speech(shipped: Script) -> dict[str, Speech]:
    return load_speeches(shipped)


@pytest.fixture
def write_script(tmp_path: Path) -> Callable[[str], Path]:
    def write(content: str) -> Path:
        path = tmp_path / "script.toml"
        path.write_text(content, encoding="utf-8")
        return path

    return write


@pytest.fixture
def quick(write_script: Callable[[str], Path], shipped_speech: dict[str, Speech]) -> Script:
    return load_script(write_script(QUICK.format(queue=shipped_speech["queue"].text)))


@pytest.fixture
def server(quick: Script) -> DemoServer:
    return DemoServer(quick)


@pytest.fixture
def address(server: DemoServer) -> Iterator[Address]:
    with DemoServerThread(server) as address:
        yield address
