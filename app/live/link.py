"""The link to an agent: everything of a session that may block on the network or on a process.

The session's thread never blocks on either, so that End works at once whatever they do. The thread
named link opens the agent, builds the conversation, and sends texts; closing has threads of
its own with deadlines, and leaves behind what does not answer.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from typing import TYPE_CHECKING, Protocol

from app.agents.base import CHECK_NETWORK, Agent, AgentError, Endpoint, Watcher
from app.notices import explain
from app.secrets import scrub_text
from app.states import Ending, EndReason
from app.tap.tap import Tap
from app.timeline.clock import SessionClock
from app.timeline.events import Timeline, Trouble
from audio.clock import now
from audio.worker import Worker

if TYPE_CHECKING:
    from app.agents.conversation import WatchedConversation

log = logging.getLogger(__name__)


class LinkWatcher(Watcher, Protocol):
    """What a session hears of its link, on the link's threads."""

    def on_opened(self, endpoint: Endpoint) -> None:
        """Hear that the agent is there to be talked to."""


class Link:
    """One conversation's way to its agent. ``start`` once, ``close`` once."""

    TEXTS = 20
    """Texts that wait to be sent; more are refused."""
    CLOSE_S = 0.8
    """How long an orderly end may take before the connection is broken off."""
    BREAK_OFF_S = 0.4
    OPEN_S = 60.0
    """How long an agent may take to open: a keyring may be waiting for somebody's password."""

    def __init__(
        self,
        agent: Agent,
        tap: Tap,
        timeline: Timeline,
        clock: SessionClock,
        watcher: LinkWatcher,
    ) -> None:
        """Prepare; nothing is opened before ``start``."""
        self._agent = agent
        self._tap = tap
        self._timeline = timeline
        self._clock = clock
        self._watcher = watcher
        self._host = agent.label
        self._opening_since: float | None = None
        self._requested_at: float | None = None
        self._texts: queue.Queue[str | None] = queue.Queue(self.TEXTS)
        # Guards the hand-over of a conversation from the link to whoever closes it.
        self._handing_over = threading.Lock()
        self._conversation: WatchedConversation | None = None
        self._closed = False
        self._worker = Worker("link", self._run)

    def start(self) -> None:
        """Begin to connect, on a thread of its own."""
        self._worker.start()

    def send_text(self, text: str) -> bool:
        """Queue a text for the agent; False where too many wait."""
        try:
            self._texts.put_nowait(text)
        except queue.Full:
            return False
        return True

    def overdue(self, connect_timeout_s: float, silence_timeout_s: float) -> Ending | None:
        """Return how the session ends for what has not come in time; None while all is well.

        ``connect_timeout_s`` is for an answer to the request, and again for the conversation's
        beginning; ``silence_timeout_s`` for any message at all once it runs.
        """
        conversation = self._conversation
        if conversation is None or self._requested_at is None:
            return self._not_opened()
        if conversation.connected_at is None:
            return self._unanswered(now() - self._requested_at, connect_timeout_s)
        if not conversation.ready:
            return self._not_begun(now() - conversation.connected_at, connect_timeout_s)
        last = conversation.last_message_at or conversation.connected_at
        return self._silent(now() - last, silence_timeout_s)

    def _not_opened(self) -> Ending | None:
        since = self._opening_since
        if since is None or now() - since <= self.OPEN_S:
            return None
        sentence = f"{self._agent.label} could not be opened within {self.OPEN_S:g} seconds."
        advice = "If a window asks for the password of the keyring, answer it, and start again."
        return Ending(EndReason.INTERNAL, sentence, advice)

    def _unanswered(self, waited_s: float, limit_s: float) -> Ending | None:
        sentence = f"{self._host} did not answer within {limit_s:g} seconds."
        return Ending(EndReason.NO_NETWORK, sentence, CHECK_NETWORK) if waited_s > limit_s else None

    def _not_begun(self, waited_s: float, limit_s: float) -> Ending | None:
        if waited_s > limit_s and self._tap.is_starting:
            return self._audio_not_open(limit_s)
        sentence = (
            f"{self._host} took the call, and did not begin the conversation within "
            f"{limit_s:g} seconds."
        )
        advice = "Check that the base URL is that of an agent's server."
        return Ending(EndReason.SERVER_SILENT, sentence, advice) if waited_s > limit_s else None

    def _audio_not_open(self, limit_s: float) -> Ending:
        """Return the ending where the SDK waits for the audio interface, and not for the agent."""
        sentence = f"{self._tap.carrier} did not open within {limit_s:g} seconds."
        advice = "Check that the sound system answers, or choose another device or a file."
        if self._tap.estimated:
            advice = "Its start() must return; what takes long belongs on a thread of its own."
        return Ending(EndReason.DEVICE, sentence, advice)

    def _silent(self, waited_s: float, limit_s: float) -> Ending | None:
        sentence = f"Nothing has come from {self._host} for {limit_s:g} seconds, not even a ping."
        advice = "Check the network, and whether the server still runs."
        return Ending(EndReason.SERVER_SILENT, sentence, advice) if waited_s > limit_s else None

    def close(self) -> None:
        """End the conversation and the agent within about ``CLOSE_S``, whatever they do."""
        with self._handing_over:
            self._closed = True
            conversation = self._conversation
        self._worker.stopping.set()
        self._wake()
        try:
            if conversation is not None:
                self._close_conversation(conversation)
        finally:
            closer = Worker("agent-close", lambda _stopping: self._agent.close())
            closer.start()
            if not closer.join(self.CLOSE_S):
                log.warning("%s takes long to close", self._agent.label)

    def _wake(self) -> None:
        """Have the link's thread see that it is to stop; texts that wait are thrown away for it."""
        while True:
            try:
                self._texts.put_nowait(None)
                return
            except queue.Full:
                with contextlib.suppress(queue.Empty):
                    self._texts.get_nowait()

    def _close_conversation(self, conversation: WatchedConversation) -> None:
        closer = Worker("link-close", lambda _stopping: conversation.close())
        closer.start()
        closer.join(self.CLOSE_S)
        if not conversation.join(0.0 if closer.alive else self.BREAK_OFF_S):
            log.info("The connection to %s is broken off: it does not close", self._host)
            conversation.break_off()
            closer.join(self.BREAK_OFF_S)
            conversation.join(self.BREAK_OFF_S)

    # -- the link's thread ---------------------------------------------------------------------

    def _run(self, stopping: threading.Event) -> None:
        try:
            self._open()
        except Exception as error:
            if not stopping.is_set():
                log.info("No conversation: %s", type(error).__name__, exc_info=True)
                self._watcher.on_end(self._ending_of(error))
            return
        while not stopping.is_set():
            text = self._texts.get()
            if text is not None:
                self._send(text)

    def _open(self) -> None:
        self._opening_since = now()
        endpoint = self._agent.open()
        if self._worker.stopping.is_set():  # it took so long that the session has ended
            return
        self._host = endpoint.host
        self._watcher.on_opened(endpoint)
        # Here and not above: importing the SDK takes a good part of a second.
        from app.agents.conversation import WatchedConversation

        conversation = WatchedConversation(
            endpoint, self._tap, self._timeline, self._clock, self._watcher
        )
        with self._handing_over:
            self._conversation = conversation
            is_late = self._closed
        if is_late:
            conversation.close()
            return
        self._requested_at = now()
        conversation.start_session()

    def _ending_of(self, error: Exception) -> Ending:
        if isinstance(error, AgentError):
            return Ending(error.reason, str(error), error.advice)
        if isinstance(error, ImportError):
            notice = explain(error)
            return Ending(EndReason.INTERNAL, notice.sentence, notice.advice)
        from app.agents.endings import ending_of

        return ending_of(error, self._host, ready=False)

    def _send(self, text: str) -> None:
        conversation = self._conversation
        if conversation is None:
            return
        try:
            conversation.send_user_message(text)
        except Exception as error:
            # The conversation may have ended a moment ago, in any of a dozen ways.
            log.info("A text was not sent", exc_info=True)
            sentence = scrub_text(f"A text could not be sent to the agent ({error}).")
            self._timeline.append(Trouble(self._clock.now(), "protocol", sentence))
