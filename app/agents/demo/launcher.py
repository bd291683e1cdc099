"""The demo agent in a process of its own, so that its work never delays the app's audio.

``start`` and ``stop`` may block and belong on the session thread. Two daemon threads read the
child's pipes: one its first line, the other its errors, of which it keeps the last few.
"""

from __future__ import annotations

import collections
import json
import logging
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO

from app.agents.demo.errors import DemoProcessError
from app.agents.demo.gate import Address

log = logging.getLogger(__name__)

START_DEADLINE_S = 10.0
_PATIENCE_S = 0.3
_JOIN_S = 0.1
_ERRORS_KEPT = 50
_PROJECT = Path(__file__).resolve().parents[3]


class DemoProcess:
    """The demo agent's process: started once, stopped for good; also a context manager.

    The child ends when its standard input closes, hence also when this process dies. Its key
    travels over a pipe, never on a command line or in an environment.
    """

    def __init__(self, script: Path | None = None, *, port: int = 0) -> None:
        """Prepare; nothing is started yet."""
        self._script = script
        self._port = port
        self._process: subprocess.Popen[str] | None = None
        self._errors: collections.deque[str] = collections.deque(maxlen=_ERRORS_KEPT)
        self._readers: tuple[threading.Thread, ...] = ()

    @property
    def alive(self) -> bool:
        """Whether the child runs."""
        return self._process is not None and self._process.poll() is None

    def start(self, deadline_s: float = START_DEADLINE_S) -> Address:
        """Start the child and wait until it listens.

        Raises:
            DemoProcessError: it died, said nothing in time, or was started before.
        """
        if self._process is not None:
            raise DemoProcessError("The demo agent was started already.")
        try:
            self._process = self._spawn()
        except OSError as error:
            raise DemoProcessError(f"The demo agent did not start: {error}.") from error
        try:
            return self._address(self._first_line(deadline_s))
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the child, within a second; at any time, and as often as wanted."""
        process = self._process
        if process is None:
            return
        if process.stdin:
            with suppress(OSError):  # it died with something unread
                process.stdin.close()
        _end(process)
        for reader in self._readers:
            reader.join(_JOIN_S)

    def __enter__(self) -> Address:
        """Start; gives the address."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()

    def __repr__(self) -> str:
        """Tell the process apart, without its secrets."""
        return f"<DemoProcess pid={self._process.pid if self._process else None}>"

    def _spawn(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "app.agents.demo", "--ready-on-stdout"]
        command += ["--port", str(self._port)]
        if self._script is not None:
            command += ["--script", str(self._script.absolute())]
        paths = [str(_PROJECT), os.environ.get("PYTHONPATH", "")]
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(path for path in paths if path),
            "PYTHONIOENCODING": "utf-8",
        }
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            env=environment,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )

    def _first_line(self, deadline_s: float) -> str:
        """Wait for the child's one line; an empty one means that it closed its output."""
        assert self._process is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        first: queue.Queue[str] = queue.Queue(maxsize=1)
        self._readers = (
            _start("demo-ready", _pass_first_line, self._process.stdout, first),
            _start("demo-errors", _keep_lines, self._process.stderr, self._errors),
        )
        try:
            return first.get(timeout=deadline_s)
        except queue.Empty:
            said = f"The demo agent did not start within {deadline_s:g} s."
            raise DemoProcessError(said) from None

    def _address(self, line: str) -> Address:
        if not line:
            raise DemoProcessError(self._obituary())
        try:
            ready = json.loads(line)
            return Address(str(ready["base_url"]), str(ready["agent_id"]), str(ready["key"]))
        except (ValueError, KeyError, TypeError):
            # Without the line itself, which may hold the key; and without the cause, which does.
            raise DemoProcessError("The demo agent's first words made no sense.") from None

    def _obituary(self) -> str:
        """Say why the child died: its own sentence, or the last line of a traceback."""
        for reader in self._readers:
            reader.join(1.0)
        lines = [line.strip() for line in self._errors if line.strip()]
        if not lines:
            return "The demo agent ended before it could listen, without saying why."
        is_traceback = any(line.startswith("Traceback") for line in lines)
        return f"The demo agent did not start: {lines[-1] if is_traceback else lines[0]}"


def _end(process: subprocess.Popen[str]) -> None:
    """Wait for a child whose input was closed; then ask it, then make it."""
    for urge in (None, process.terminate, process.kill):
        if urge is not None:
            urge()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE_S)
            return


def _start(name: str, target: Callable[..., None], *args: object) -> threading.Thread:
    thread = threading.Thread(target=target, args=args, name=name, daemon=True)
    thread.start()
    return thread


def _pass_first_line(pipe: IO[str], first: queue.Queue[str]) -> None:
    first.put(pipe.readline())
    with pipe:
        for _ in pipe:  # nothing more is expected, but a full pipe would stop the child
            pass


def _keep_lines(pipe: IO[str], kept: collections.deque[str]) -> None:
    with pipe:
        for line in pipe:
            kept.append(line)
            log.warning("demo agent: %s", line.rstrip())
