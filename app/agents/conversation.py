"""The SDK's conversation, watched: every message both ways goes on the timeline.

Importing this imports the SDK, which takes a good part of a second: a session does so on a thread
of its own. Threads: the session's link builds and starts a conversation; the agent receive thread
handles messages; the uplink sends mic chunks; a closing thread ends it.
"""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from elevenlabs.client import ElevenLabs
from elevenlabs.conversational_ai.conversation import (
    ClientTools,
    Conversation,
    DisconnectionDetails,
)
from websockets.exceptions import ConnectionClosed
from websockets.sync.connection import Connection

from app.agents import messages
from app.agents.base import AgentError, Endpoint, Watcher
from app.agents.careful_http import TIMEOUT_S, make_client
from app.agents.endings import ending_of
from app.agents.trimming import Allowance
from app.plain import one_line
from app.secrets import remember, scrub, scrub_text
from app.states import Ending, EndReason
from app.tap.tap import Tap
from app.timeline.clock import SessionClock
from app.timeline.events import MessageReceived, MessageSent, Timeline, Trouble
from audio.clock import now

log = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 1.0
"""How long the closing handshake may take before the socket is closed without it."""

_OPEN_PARAMETERS = frozenset({"agent_id", "source", "version", "environment"})
"""Parameters of a signed URL that are no secret; any other may be its signature."""


class _NotingSocket:
    """The part of a WebSocket that the SDK's message handling uses; notes what it sends."""

    def __init__(self, ws: Connection, note: Callable[[str], None]) -> None:
        self._ws = ws
        self._note = note

    def send(self, text: str) -> None:
        self._ws.send(text)
        self._note(text)


class _NoTools(ClientTools):
    """Answers every tool call at once: this client has no tools.

    The SDK's own answers from an event loop on a further thread, in which calls pile up that come
    faster than their answers go out.
    """

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def execute_tool(
        self, tool_name: str, parameters: dict[str, Any], callback: Callable[[dict[str, Any]], None]
    ) -> None:
        callback(
            {
                "type": "client_tool_result",
                "tool_call_id": parameters.get("tool_call_id"),
                "result": f"Tool '{tool_name}' is not registered",
                "is_error": True,
            }
        )


class WatchedConversation(Conversation):
    """One conversation of the SDK's, as a session wants it.

    Malformed messages are noted and passed over; the agent's thread does not keep the program
    from ending; closing is bounded in time.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        tap: Tap,
        timeline: Timeline,
        clock: SessionClock,
        watcher: Watcher,
    ) -> None:
        """Prepare the client; nothing is sent before ``start_session``."""
        self._http = make_client()
        key = endpoint.api_key
        client = ElevenLabs(
            base_url=endpoint.base_url,
            api_key=key.reveal() if key is not None else None,
            timeout=TIMEOUT_S,
            httpx_client=self._http,
        )
        super().__init__(
            client,
            endpoint.agent_id,
            requires_auth=endpoint.requires_auth,
            # It asks for the four methods, not for its base class.
            audio_interface=cast(Any, tap),
            client_tools=_NoTools(),
        )
        self._tap = tap
        self._timeline = timeline
        self._clock = clock
        self._watcher = watcher
        self._host = endpoint.host
        self._socket: Connection | None = None
        self._said_in_error = ""
        self._allowance = Allowance()
        self.ready = False
        self.connected_at: float | None = None
        self.last_message_at: float | None = None

    # -- start and end -------------------------------------------------------------------------

    def start_session(self) -> None:
        """Ask for the signed URL where one is needed, and start the agent receive thread.

        Blocks for as long as the request takes, and raises what the request raises.
        """
        sdk: Any = super()
        url = self._get_signed_url() if self.requires_auth else sdk._get_wss_url()
        if self._should_stop.is_set():
            return
        # The SDK's own thread would keep the program alive while it connects, or closes.
        self._thread = threading.Thread(
            target=self._run, args=(url,), name="agent receive", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """End the conversation, and wait for the closing handshake."""
        try:
            self._end_session(DisconnectionDetails(reason="user"))
            ws = self._socket
            if ws is not None:
                ws.close()
        finally:
            self._http.close()

    def break_off(self) -> None:
        """Close the socket without a handshake, for a server that does not answer. Never blocks."""
        ws = self._socket
        if ws is not None:
            # Past the library's locks, which a send that hangs may hold.
            with contextlib.suppress(OSError):
                ws.socket.shutdown(socket.SHUT_RDWR)

    def join(self, timeout_s: float) -> bool:
        """Wait for the agent receive thread; say whether it has ended."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout_s)
        return thread is None or not thread.is_alive()

    def _end_session(self, details: DisconnectionDetails) -> None:
        # The SDK passes on the text alone of what it caught; here it is still being handled.
        error = sys.exc_info()[1]
        if details.reason != "user" and not self._should_stop.is_set():
            self._watcher.on_end(self._ending_of(error))
        super()._end_session(details)

    def _ending_of(self, error: BaseException | None) -> Ending:
        ending = ending_of(error, self._host, ready=self.ready)
        log.info("The conversation ended: %s", scrub_text(ending.text), exc_info=error)
        if self._said_in_error and ending.reason is EndReason.SERVER_CLOSED:
            return Ending(ending.reason, f"{ending.sentence} {self._said_in_error}", ending.advice)
        return ending

    def _get_signed_url(self) -> str:
        sdk: Any = super()
        try:
            url: str = sdk._get_signed_url()
            parts = urlsplit(url)
            host = (parts.hostname or "").encode("idna")
            usable = parts.scheme in ("ws", "wss") and bool(host)
        except (AttributeError, TypeError, ValueError):
            usable = False
        if not usable:
            raise AgentError(
                EndReason.SERVER_ERROR,
                f"{self._host} answered the request for a signed URL with something else.",
                "Check the base URL.",
            ) from None
        remember(url, lasting=False)
        for name, value in parse_qsl(parts.query):
            if name not in _OPEN_PARAMETERS:
                remember(value, lasting=False)
        return url

    # -- messages ------------------------------------------------------------------------------

    def send_user_message(self, text: str) -> None:
        """Send a text message of the user's. Blocks on the network."""
        super().send_user_message(text)
        self._note_sent(json.dumps({"type": "user_message", "text": text}))

    def _create_initiation_message(self) -> str:
        # The SDK's first act on an open connection, and the first sight of the connection.
        self._socket = self._ws
        if self._socket is not None:
            self._socket.close_timeout = CLOSE_TIMEOUT_S
        self.connected_at = now()
        sdk: Any = super()
        message: str = sdk._create_initiation_message()
        self._note_sent(message)
        return message

    def _handle_message(self, message: Any, ws: Connection) -> None:
        self.last_message_at = now()
        kind, payload = messages.kind_of(message), messages.payload_of(message)
        self._note_received(message, kind, payload)
        self._tell_tap(kind, payload)
        sdk: Any = super()
        try:
            sdk._handle_message(message, _NotingSocket(ws, self._note_sent))
        except ConnectionClosed:
            raise
        except Exception as error:
            log.warning("A message of type %r is malformed", kind, exc_info=True)
            self._note_trouble(kind, error)
        finally:
            self._tap.forget_announced()
        if kind == "conversation_initiation_metadata":
            self._note_ready(payload)

    def _tell_tap(self, kind: str, payload: dict[str, Any]) -> None:
        event_id = messages.event_id_of(payload)
        if kind == "audio":
            self._tap.announce(event_id, messages.alignment_of(payload, self._allowance))
        elif kind == "agent_response":
            self._tap.agent_responded(event_id)
        elif kind == "interruption" and event_id is not None:
            self._tap.agent_interrupts(event_id)
        elif kind == "error":
            self._said_in_error = scrub_text(messages.error_text_of(payload))

    def _note_received(self, message: Any, kind: str, payload: dict[str, Any]) -> None:
        self._timeline.append(
            MessageReceived(
                self._clock.now(),
                scrub_text(one_line(kind)),
                scrub(messages.shown(message, self._allowance)),
                messages.event_id_of(payload),
                messages.audio_bytes_of(payload),
                self._why_dropped(kind, payload),
            )
        )

    def _why_dropped(self, kind: str, payload: dict[str, Any]) -> str:
        """Return why the SDK will not play this audio: it goes by the last interruption's id."""
        event_id = messages.event_id_of(payload)
        if kind != "audio" or event_id is None or event_id > self._last_interrupt_id:
            return ""
        return f"event {event_id} is not above the last interruption's, {self._last_interrupt_id}"

    def _note_ready(self, payload: dict[str, Any]) -> None:
        if self.ready:
            return
        self.ready = True
        formats = {
            "agent_output": _name_in(payload, "agent_output_audio_format"),
            "user_input": _name_in(payload, "user_input_audio_format"),
        }
        self._tap.set_formats(formats["agent_output"], formats["user_input"])
        self._watcher.on_ready(_name_in(payload, "conversation_id"), formats)

    def _note_sent(self, text: str) -> None:
        message = json.loads(text)
        kind, payload = messages.kind_of(message), scrub(messages.shown(message, self._allowance))
        self._timeline.append(MessageSent(self._clock.now(), kind, payload, len(text)))

    def _note_trouble(self, kind: str, error: Exception) -> None:
        why = type(error).__name__
        sentence = f"A message of type “{one_line(kind)}” could not be understood ({why}); "
        sentence += "it was passed over."
        self._timeline.append(Trouble(self._clock.now(), "protocol", scrub_text(sentence)))


def _name_in(payload: dict[str, Any], key: str) -> str:
    """Return a short text that names something, fit for a sentence and for a file."""
    return scrub_text(one_line(messages.text_of(payload, key)[:200]))
