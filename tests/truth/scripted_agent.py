"""An agent that does what a scenario says, when it says so: a server of the real protocol.

It hears nothing and decides nothing. One connection; its handler thread reads and throws away,
a second one sends what is due. What it sent, and when, is kept: that is truth.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from types import TracebackType

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from app.agents.base import Endpoint
from app.agents.demo import wire
from app.agents.demo.speech import Speech
from audio import clock
from audio.pcm import SAMPLE_RATE
from tests.truth.scenario import Cut, Reply, Scenario, Transcript
from tests.truth.voice import agent_speech


@dataclass(frozen=True)
class SentReply:
    """A reply as it was sent. ``at`` is monotonic seconds, of its first audio."""

    reply: Reply
    speech: Speech
    event_id: int
    at: float


@dataclass(frozen=True)
class SentCut:
    """An interruption as it was sent, at monotonic ``at``."""

    cut: Cut
    event_id: int
    at: float


@dataclass
class _Speaking:
    """The reply that is being sent."""

    sent: SentReply
    next_at: float
    done: int = 0

    @property
    def is_done(self) -> bool:
        return self.done >= self.sent.speech.samples


class ScriptedAgent:
    """Listens between entering and leaving the ``with`` block; also an agent for a `Session`."""

    kind = "scripted"
    label = "Scripted agent"
    agent_id = "scripted"

    def __init__(self, scenario: Scenario) -> None:
        self.replies: list[SentReply] = []
        self.cuts: list[SentCut] = []
        self.mic_bytes = 0
        """How much of the caller's audio has come."""
        self._setting = scenario.setting
        self._actions = [
            action
            for action in scenario.actions
            if not (isinstance(action, Cut) and action.kind == "button")
        ]
        self._event_id = 0
        self._last_cut_id = 0
        self._speaking: _Speaking | None = None
        self._began_at = 0.0
        self._begun = threading.Event()
        self._stopping = threading.Event()
        self._server: Server | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> ScriptedAgent:
        for action in self._actions:  # espeak-ng now, and not while the clock runs
            if isinstance(action, Reply):
                agent_speech(action.text, self._setting.agent, action.gap_ms)
        self._server = serve(self._converse, "127.0.0.1", 0, compression=None, close_timeout=0.2)
        self._thread = threading.Thread(target=self._server.serve_forever, name="scripted-agent")
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping.set()
        self._begun.set()
        assert self._server is not None
        assert self._thread is not None
        self._server.shutdown()
        self._thread.join(5)

    def open(self) -> Endpoint:
        """Tell a session where it is reached."""
        assert self._server is not None
        port = self._server.socket.getsockname()[1]
        return Endpoint(f"http://127.0.0.1:{port}", self.agent_id)

    def close(self) -> None:
        """Nothing was taken."""

    def begin(self, at: float) -> None:
        """Let the plan's zero be at monotonic ``at``."""
        self._began_at = at
        self._begun.set()

    # -- the connection ------------------------------------------------------------------------

    def _converse(self, socket: ServerConnection) -> None:
        socket.recv()
        socket.send(json.dumps(wire.metadata("conv_scripted")))
        sender = threading.Thread(target=self._play, args=(socket,), name="scripted-sender")
        sender.start()
        try:
            for frame in socket:
                message = wire.parse(frame)
                if isinstance(message, wire.UserAudio):
                    self.mic_bytes += len(message.pcm)
        except ConnectionClosed:
            pass  # the session is over
        finally:
            self._stopping.set()
            self._begun.set()
            sender.join(5)

    def _play(self, socket: ServerConnection) -> None:
        self._begun.wait()
        pending = list(self._actions)
        try:
            while (pending or self._speaking) and not self._stopping.is_set():
                action_at = self._began_at + pending[0].at if pending else float("inf")
                chunk_at = self._speaking.next_at if self._speaking else float("inf")
                due = min(action_at, chunk_at)
                if self._stopping.wait(max(0.0, due - clock.now())):
                    return
                if action_at <= chunk_at:
                    self._do(socket, pending.pop(0))
                else:
                    self._send_chunk(socket)
        except ConnectionClosed:
            pass  # the session ended earlier than the plan

    def _do(self, socket: ServerConnection, action: Reply | Cut | Transcript) -> None:
        if isinstance(action, Reply):
            self._begin_reply(socket, action)
        elif isinstance(action, Cut):
            self._cut(socket, action)
        else:
            self._send(socket, wire.user_transcript(action.text, self._next_id()))

    def _begin_reply(self, socket: ServerConnection, reply: Reply) -> None:
        speech = agent_speech(reply.text, self._setting.agent, reply.gap_ms)
        event_id = self._last_cut_id if reply.shares_id else self._next_id()
        self._send(socket, wire.agent_response(reply.text, event_id))
        now = clock.now()
        self.replies.append(SentReply(reply, speech, event_id, now))
        self._speaking = _Speaking(self.replies[-1], now)
        self._send_chunk(socket)

    def _send_chunk(self, socket: ServerConnection) -> None:
        speaking, setting = self._speaking, self._setting
        assert speaking is not None
        speech, start = speaking.sent.speech, speaking.done
        stop = min(start + setting.chunk_ms * SAMPLE_RATE // 1000, speech.samples)
        alignment = speech.alignment(start, stop) if setting.alignment else None
        pcm = speech.pcm[2 * start : 2 * stop]
        self._send(socket, wire.audio(pcm, speaking.sent.event_id, alignment))
        speaking.done = stop
        speaking.next_at += setting.chunk_ms / 1000 / setting.pace
        if speaking.is_done:
            self._speaking = None

    def _cut(self, socket: ServerConnection, cut: Cut) -> None:
        self._speaking = None
        self._last_cut_id = self._next_id()
        self._send(socket, wire.interruption(self._last_cut_id))
        now = clock.now()
        self.cuts.append(SentCut(cut, self._last_cut_id, now))
        if self._setting.correction and self.replies:
            last = self.replies[-1]
            heard = last.speech.text_heard(round((now - last.at) * SAMPLE_RATE))
            message = wire.agent_response_correction(last.reply.text, heard, last.event_id)
            self._send(socket, message)

    def _next_id(self) -> int:
        self._event_id += 1
        return self._event_id

    @staticmethod
    def _send(socket: ServerConnection, message: wire.Message) -> None:
        socket.send(json.dumps(message))
