"""The demo agent's server: the ElevenLabs Agents protocol on a loopback port.

The server lives on one asyncio event loop. ``DemoServer`` is for whoever has a loop,
``DemoServerThread`` brings one on a thread named ``demo-server``, ``run_demo_server`` holds the
calling thread until it is told to stop.
"""

from __future__ import annotations

import asyncio
import contextlib
import http
import json
import logging
import os
import secrets
import threading
import urllib.parse
import weakref
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.protocol import State

from app.agents.demo.call import Call
from app.agents.demo.errors import PortError
from app.agents.demo.gate import SIGNED_URL_PATH, SOCKET_PATH, Address, Gate, RefusedError
from app.agents.demo.script import DEFAULT_SCRIPT, Script, load_script
from app.agents.demo.speech import Speech, load_speeches

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
CONVERSATIONS_MAX = 8
HANDSHAKE_DEADLINE_S = 2.0
"""Ample on loopback; and as long as this, a request that never ends can hold up the end."""
CLOSE_DEADLINE_S = 0.3
ACCEPT_S = 0.02
"""In so long the loop has made a connection of what it has accepted."""
MESSAGE_MAX_BYTES = 1024 * 1024
_POLL_S = 0.1


class DemoServer:
    """The demo agent, listening from ``start`` to ``stop``; also an async context manager."""

    def __init__(
        self, script: Script | None = None, *, port: int = 0, key: str | None = None
    ) -> None:
        """Prepare; ``port`` 0 takes a free one, and without a key one is drawn.

        Raises:
            ScriptError: the speech of the script cannot be had.
        """
        self._script = script or load_script(DEFAULT_SCRIPT)
        self._speeches: dict[str, Speech] = load_speeches(self._script)
        self._port = port
        self._key = key or secrets.token_urlsafe(32)
        self._server: Server | None = None
        self._gate: Gate | None = None
        self._guests: weakref.WeakSet[ServerConnection] = weakref.WeakSet()
        self._open_calls = 0
        self._calls_taken = 0
        self.faults = 0
        """Frames from clients that could not be understood, in all conversations that ended."""

    async def start(self) -> Address:
        """Listen, and say where.

        Raises:
            PortError: the wanted port cannot be had.
        """
        try:
            self._server = await serve(
                self._converse,
                HOST,
                self._port,
                # any factory will do, says its documentation
                create_connection=self._welcome,  # type: ignore[arg-type]
                process_request=lambda _, request: self._answer(request),
                compression=None,
                open_timeout=HANDSHAKE_DEADLINE_S,
                close_timeout=CLOSE_DEADLINE_S,
                max_size=MESSAGE_MAX_BYTES,
                server_header="turnscope-demo",
                logger=_quiet_logger(),
            )
        except (OSError, OverflowError) as error:
            raise PortError(self._port, _reason(error)) from error
        port = next(iter(self._server.sockets)).getsockname()[1]
        self._gate = Gate(self._key, self._script.agent.id, port, monotonic)
        return Address(f"http://{HOST}:{port}", self._script.agent.id, self._key)

    async def stop(self) -> None:
        """Hang up on everybody and stop listening."""
        if self._server is not None:
            self._server.close()
            await asyncio.sleep(ACCEPT_S)
            self._hang_up_on_the_undecided()
            await self._server.wait_closed()
            self._server = None

    def _welcome(self, *arguments: Any, **settings: Any) -> ServerConnection:
        guest = ServerConnection(*arguments, **settings)
        self._guests.add(guest)
        return guest

    def _hang_up_on_the_undecided(self) -> None:
        """Drop those who have connected and not finished their request: closing waits for them."""
        for guest in tuple(self._guests):
            transport: asyncio.Transport | None = getattr(guest, "transport", None)
            if guest.protocol.state is State.CONNECTING and transport is not None:
                transport.abort()

    async def __aenter__(self) -> Address:
        """Start; gives the address."""
        return await self.start()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        await self.stop()

    def _answer(self, request: Request) -> Response | None:
        """Answer the signed-URL request, or let a socket pass by returning None."""
        if self._gate is None:  # a request in the instant before `start` returns
            return _json_response(503, {"detail": "starting"})
        try:
            self._gate.check_source(request.headers)
            url = urllib.parse.urlsplit(request.path)
            query = dict(urllib.parse.parse_qsl(url.query))
            if url.path == SIGNED_URL_PATH:
                self._gate.check_key(request.headers)
                return _json_response(200, {"signed_url": self._gate.sign(query.get("agent_id"))})
            if url.path != SOCKET_PATH:
                raise RefusedError(404, "not_found", "Not Found")
            if self._open_calls >= CONVERSATIONS_MAX:
                raise RefusedError(
                    503, "too_many_conversations", "Too many conversations are open."
                )
            self._gate.admit(query.get("agent_id"), query.get("conversation_signature"))
        except RefusedError as refused:
            log.info("demo agent: refused with %d: %s", refused.status, refused)
            return _json_response(refused.status, refused.body)
        except ValueError:  # a request target that is no URL
            return _json_response(400, {"detail": "bad request"})
        return None

    async def _converse(self, socket: ServerConnection) -> None:
        conversation_id = f"conv_demo_{secrets.token_hex(8)}"
        call = Call(socket, self._script, self._speeches, conversation_id, self._calls_taken)
        self._open_calls += 1
        self._calls_taken += 1
        log.info("demo agent: %s began", conversation_id)
        try:
            await call.run()
        except ConnectionClosed:
            pass  # the client hung up, as clients do
        except Exception:
            log.exception("demo agent: %s failed", conversation_id)
            raise
        finally:
            self._open_calls -= 1
            self.faults += call.faults
            log.info("demo agent: %s ended, %d faulty frames", conversation_id, call.faults)


class DemoServerThread:
    """A DemoServer on a thread of its own, for tests and for embedding; a context manager."""

    def __init__(self, server: DemoServer) -> None:
        """Prepare; ``start`` raises what the server's start raises."""
        self._server = server
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="demo-server", daemon=True)

    def start(self, timeout_s: float = 5.0) -> Address:
        """Start the thread and the server on it; once only."""
        self._thread.start()
        try:
            future = asyncio.run_coroutine_threadsafe(self._server.start(), self._loop)
            return future.result(timeout_s)
        except BaseException:
            self._end_loop(timeout_s)
            raise

    def stop(self, timeout_s: float = 2.0) -> None:
        """Hang up, stop listening, end the thread."""
        if self._thread.is_alive():
            future = asyncio.run_coroutine_threadsafe(self._server.stop(), self._loop)
            future.result(timeout_s)
            self._end_loop(timeout_s)

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

    def _end_loop(self, timeout_s: float) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout_s)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            # a guest who was hung up on in mid-request is not quite gone yet
            left = asyncio.all_tasks(self._loop)
            for task in left:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            self._loop.close()


def run_demo_server(
    port: int,
    script: Path | None,
    announce: Callable[[Address], None],
    key: str | None = None,
    stop: threading.Event | None = None,
) -> int:
    """Serve on the calling thread until ``stop`` is set or Ctrl-C; return 0.

    ``announce`` is called once, with the address, when the server listens.

    Raises:
        ScriptError: the script is faulty.
        PortError: the wanted port cannot be had.
    """
    server = DemoServer(load_script(script or DEFAULT_SCRIPT), port=port, key=key)
    with contextlib.suppress(KeyboardInterrupt):  # the usual end of a server in a terminal
        asyncio.run(_serve_until(server, announce, stop or threading.Event()))
    return 0


async def _serve_until(
    server: DemoServer, announce: Callable[[Address], None], stop: threading.Event
) -> None:
    async with server as address:
        announce(address)
        while not stop.is_set():  # noqa: ASYNC110 - an Event of threads cannot be awaited
            await asyncio.sleep(_POLL_S)


def _reason(error: OSError | OverflowError) -> str:
    """Return the system's own words; asyncio puts its own around them."""
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno)
    return "there is no such port"


def _json_response(status: int, body: object) -> Response:
    content = json.dumps(body).encode()
    headers = Headers(
        {
            "Content-Type": "application/json",
            "Content-Length": str(len(content)),
            "Cache-Control": "no-store",
            "Connection": "close",
        }
    )
    return Response(status, http.HTTPStatus(status).phrase, headers, content)


def _quiet_logger() -> logging.Logger:
    """Return websockets' logger, which speaks up for faults of the server alone.

    At lower levels it would log request lines, and with them signatures.
    """
    logger = logging.getLogger("websockets.demo")
    logger.setLevel(logging.CRITICAL)
    return logger
