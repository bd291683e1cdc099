"""The demo agent: the same protocol, spoken by a process of our own on this machine."""

from __future__ import annotations

import threading
from pathlib import Path

from app.agents.base import AgentError, Endpoint
from app.agents.demo.errors import DemoError
from app.agents.demo.launcher import DemoProcess
from app.agents.demo.script import DEFAULT_SCRIPT, RESOURCES
from app.plain import one_line
from app.secrets import ApiKey
from app.states import EndReason


class DemoAgent:
    """Starts a demo agent for a session, and ends it with the session.

    ``open`` and ``close`` may come from two threads; whichever is last, no process is left.
    """

    kind = "demo"

    def __init__(self, script: Path | None = None) -> None:
        """Let it say and do what ``script`` says, else what the shipped script does."""
        self.agent_id = ""
        self.label = _label(script)
        self._process = DemoProcess(script)
        # Guards the flag and the process's end against a start that is just done.
        self._closing = threading.Lock()
        self._closed = False

    def open(self) -> Endpoint:
        """Start the process and wait until it listens."""
        try:
            address = self._process.start()
        except DemoError as error:
            advice = "Check the script, if one was given; else the log has the details."
            raise AgentError(EndReason.SERVER_ERROR, str(error), advice) from error
        with self._closing:
            if self._closed:
                self._process.stop()
        self.agent_id = address.agent_id
        key = ApiKey(address.key)
        return Endpoint(
            address.base_url, address.agent_id, key, requires_auth=True, name="the demo agent"
        )

    def close(self) -> None:
        """End the process."""
        with self._closing:
            self._closed = True
            self._process.stop()


def _label(script: Path | None) -> str:
    """Return what to call the agent: one that misbehaves on purpose says how."""
    if script is None or script == DEFAULT_SCRIPT:
        return "Demo agent"
    name = script.stem.replace("-", " ") if script.parent == RESOURCES else script.name
    return f"Demo agent: {one_line(name)}"
