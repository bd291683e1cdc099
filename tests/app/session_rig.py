"""Sessions with an agent of the test's own, recorded, and none left running."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.agents.base import Endpoint
from app.live.session import Session
from app.secrets import ApiKey
from app.timeline.events import Event
from tests.app.agents.fake_agent import (
    KEY,
    SIGNATURE,
    FakeAgent,
    QuietCaller,
    eventually,
    metadata,
    until_closed,
)
from tests.rig.opened import open_bundle

SECOND = bytes(32_000)


def agent_at(base_url: str, *, key: bool = False) -> FakeAgent:
    return FakeAgent(Endpoint(base_url, "a", ApiKey(KEY) if key else None, requires_auth=key))


EXPECTED_ERRORS = ("elevenlabs.conversational_ai.conversation", "app.tap.tap", "websockets.server")
"""The SDK logs every end it did not ask for as an error; the tap, what somebody's class raises."""


@contextmanager
def sessions(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Callable[..., Session]]:
    """Make sessions that are recorded, and leave none running."""
    made: list[Session] = []

    def make_session(agent: object, caller: object = None, **options: float) -> Session:
        timeouts = {"connect_timeout_s": 5.0, "silence_timeout_s": 5.0, **options}
        session = Session(agent, caller or QuietCaller(), record_to=tmp_path, **timeouts)
        made.append(session)
        return session

    yield make_session
    for session in made:
        session.close()
    assert eventually(lambda: not session_threads()), session_threads()
    errors = [record for record in caplog.records if record.levelname == "ERROR"]
    assert not [record for record in errors if record.name not in EXPECTED_ERRORS]


def session_threads() -> list[str]:
    names = ("session", "link", "link-close", "agent receive", "recorder", "analysis")
    return [thread.name for thread in threading.enumerate() if thread.name in names]


def run(session: Session, within_s: float = 10.0) -> Session:
    session.start()
    assert session.wait(within_s), session.state
    return session


def events_of(session: Session, kind: type[Event]) -> list[Event]:
    return [event for event in session.timeline.read()[0] if isinstance(event, kind)]


def assert_recorded(session: Session) -> None:
    assert session.bundle is not None
    bundle = open_bundle(session.bundle)
    end = json.loads((session.bundle / "session.json").read_text())["end"]
    assert (end["reason"], end["sentence"]) == (session.reason, session.sentence)
    assert bundle.user is not None
    assert bundle.agent is not None
    everything = b"".join(path.read_bytes() for path in session.bundle.iterdir() if path.is_file())
    assert KEY.encode() not in everything
    assert SIGNATURE.encode() not in everything


def send_then_listen(*texts: str | bytes):
    def handle(ws):
        for text in (metadata(), *texts):
            ws.send(text)
        until_closed(ws)

    return handle
