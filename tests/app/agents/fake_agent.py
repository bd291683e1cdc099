"""A server that speaks, or breaks, the agent protocol as a test wants, and a quiet caller."""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from app.agents.base import Endpoint

Handler = Callable[[ServerConnection], None]
KEY = "sk_0123456789abcdef0123456789abcdef"
SIGNATURE = "cvsig-3f9a77b1c0de4e55"


def metadata(output: str = "pcm_16000", input_: str = "pcm_16000") -> str:
    event = {
        "conversation_id": "conv_test",
        "agent_output_audio_format": output,
        "user_input_audio_format": input_,
    }
    return json.dumps(
        {
            "type": "conversation_initiation_metadata",
            "conversation_initiation_metadata_event": event,
        }
    )


def audio(event_id: Any, pcm: bytes, **extra: Any) -> str:
    event = {"audio_base_64": base64.b64encode(pcm).decode(), "event_id": event_id, **extra}
    return json.dumps({"type": "audio", "audio_event": event})


def message(kind: str, payload_key: str, **payload: Any) -> str:
    return json.dumps({"type": kind, payload_key: payload})


def until_closed(ws: ServerConnection) -> list[dict[str, Any]]:
    return [json.loads(text) for text in ws]


@dataclass
class FakeServer:
    port: int
    requests: list[Request] = field(default_factory=list)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def running(
    handler: Handler,
    *,
    signed_url_status: int = 200,
    signed_url_body: str | None = None,
    socket_status: int = 0,
    socket_body: str = "",
) -> Iterator[FakeServer]:
    server = FakeServer(0)

    def answer(ws: ServerConnection, request: Request) -> Response | None:
        server.requests.append(request)
        if "get-signed-url" in request.path:
            url = f"ws://127.0.0.1:{server.port}/v1/convai/conversation?agent_id=a"
            signed = json.dumps({"signed_url": f"{url}&conversation_signature={SIGNATURE}"})
            return _response(signed_url_status, signed_url_body or signed)
        return _response(socket_status, socket_body) if socket_status else None

    with serve(handler, "127.0.0.1", 0, process_request=answer, close_timeout=0.2) as listening:
        server.port = listening.socket.getsockname()[1]
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        yield server
        listening.shutdown()
        thread.join(5)


def _response(status: int, body: str) -> Response:
    content = body.encode()
    headers = Headers({"Content-Type": "application/json", "Content-Length": str(len(content))})
    return Response(status, HTTPStatus(status).phrase, headers, content)


@contextmanager
def deaf_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@dataclass
class FakeAgent:
    """An agent at an address of the test's choosing."""

    endpoint: Endpoint
    kind: str = "fake"
    label: str = "Fake agent"
    agent_id: str = "a"
    opened: int = 0
    closed: int = 0

    def open(self) -> Endpoint:
        self.opened += 1
        return self.endpoint

    def close(self) -> None:
        self.closed += 1


class QuietCaller:
    """The sort of class a user writes: four methods and no account. Speaks silence."""

    CHUNK_S = 0.05

    def __init__(self) -> None:
        self.outputs: list[bytes] = []
        self.interrupts = 0
        self.starts = 0
        self.stops = 0
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, input_callback: Callable[[bytes], None]) -> None:
        self.starts += 1
        self._stopping = stopping = threading.Event()

        def speak() -> None:
            while not stopping.wait(self.CHUNK_S):
                input_callback(bytes(int(self.CHUNK_S * 32_000)))

        self._thread = threading.Thread(target=speak, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self.stops += 1
        self._stopping.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(1)

    def output(self, audio: bytes) -> None:
        self.outputs.append(audio)

    def interrupt(self) -> None:
        self.interrupts += 1


def eventually(condition: Callable[[], object], within_s: float = 5.0) -> bool:
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True
