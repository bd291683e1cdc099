"""One conversation on one socket: frames in, messages out, in real time.

Runs as one task on the server's event loop. All decisions are the Dialogue's, and the time by which
it decides is the caller's: see ``caller_clock``.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from time import monotonic

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from app.agents.demo import wire
from app.agents.demo.caller_clock import CallerClock
from app.agents.demo.dialogue import Dialogue
from app.agents.demo.ears import Ears
from app.agents.demo.pulse import Pinger
from app.agents.demo.script import Script
from app.agents.demo.speech import Speech
from app.agents.demo.wire import Message, WireError
from audio.pcm import SAMPLE_WIDTH, samples_to_seconds

log = logging.getLogger(__name__)

FIRST_MESSAGE_DEADLINE_S = 10.0
FAULTS_MAX = 100
_SLICE_BYTES = 8000  # a quarter of a second: the longest the event loop is kept from others
_LOOK_S = 0.002  # in so long the loop reads what has come
_POLICY_VIOLATION = 1008
_FIRST_MESSAGE_NOTICE = (
    "The first message of your own was passed over: the demo agent has only its recorded voice."
)


class Call:
    """A conversation, from its first frame to its last. Counts the frames it could not use."""

    def __init__(
        self,
        socket: ServerConnection,
        script: Script,
        speeches: Mapping[str, Speech],
        conversation_id: str,
        greeting: int,
    ) -> None:
        """Keep what the conversation needs; ``greeting`` says which one is said, counted round."""
        self.faults = 0
        self._socket = socket
        self._script = script
        self._speeches = speeches
        self._conversation_id = conversation_id
        self._greeting = greeting
        self._ears = Ears(script.behaviour.yield_to_sound_dbfs)
        self._pinger = Pinger(monotonic(), script.timing.ping_every_s)

    async def run(self) -> None:
        """Hold the conversation until the client hangs up or proves hopeless."""
        try:
            async with asyncio.timeout(FIRST_MESSAGE_DEADLINE_S):
                initiation = await self._initiation()
        except TimeoutError:
            await self._give_up("the conversation was not initiated in time")
            return
        if initiation is not None:
            await self._converse(initiation)

    async def _initiation(self) -> wire.Initiation | None:
        """Wait for the client's first message; whatever comes before it is of no use."""
        while self.faults <= FAULTS_MAX:
            message = await self._receive()
            if isinstance(message, wire.Initiation):
                return message
        await self._give_up("too many messages that cannot be understood")
        return None

    async def _converse(self, initiation: wire.Initiation) -> None:
        clock = CallerClock(monotonic(), expects_audio=not initiation.text_only)
        dialogue = Dialogue(
            self._script,
            self._speeches,
            clock.t,
            greeting=self._greeting,
            text_only=initiation.text_only,
        )
        await self._send([wire.metadata(self._conversation_id)])
        if initiation.wants_first_message:
            await self._send([wire.demo_notice(_FIRST_MESSAGE_NOTICE)])
        while self.faults <= FAULTS_MAX:
            await self._send(dialogue.step(clock.t))
            await self._ping()
            due_at = dialogue.due_at()
            message = await self._receive_until(min(clock.due(due_at), self._pinger.due_at))
            if message is not None:
                await self._take(dialogue, clock, message)
            elif monotonic() >= clock.due(due_at):
                clock.reach(due_at)
        await self._give_up("too many messages that cannot be understood")

    async def _receive_until(self, deadline: float) -> wire.ClientMessage | None:
        """Return the next message, or None at the deadline. Cancelling ``recv`` loses nothing.

        What has come is taken in first, however late it is that we look.
        """
        try:
            async with asyncio.timeout(max(_LOOK_S, deadline - monotonic())):
                return await self._receive()
        except TimeoutError:
            return None

    async def _receive(self) -> wire.ClientMessage | None:
        try:
            return wire.parse(await self._socket.recv())
        except WireError as fault:
            self.faults += 1
            log.warning("demo agent: a message was passed over: %s", fault)
            return None

    async def _take(
        self, dialogue: Dialogue, clock: CallerClock, message: wire.ClientMessage
    ) -> None:
        if isinstance(message, wire.UserAudio):
            await self._listen(dialogue, clock, message.pcm)
            return
        match message:
            case wire.UserMessage():
                await self._reach(dialogue, clock, clock.at(monotonic()))
                dialogue.user_message(clock.t)
            case wire.UserActivity():
                dialogue.user_activity(clock.at(monotonic()))
            case wire.Pong(event_id):
                self._pinger.pong(monotonic(), event_id)
            case _:  # a second initiation, a type without effect here, or one yet unknown
                pass

    async def _listen(self, dialogue: Dialogue, clock: CallerClock, pcm: bytes) -> None:
        end = clock.hear(monotonic(), len(pcm) // SAMPLE_WIDTH)
        for start in range(0, len(pcm), _SLICE_BYTES):
            piece = pcm[start : start + _SLICE_BYTES]
            to_come = (len(pcm) - start - len(piece)) // SAMPLE_WIDTH
            heard = self._ears.feed(piece)
            await self._reach(dialogue, clock, end - samples_to_seconds(to_come))
            dialogue.hear(clock.t, heard)
            await self._send(dialogue.step(clock.t))
            await asyncio.sleep(0)

    async def _reach(self, dialogue: Dialogue, clock: CallerClock, t: float) -> None:
        """Let the caller's time be ``t``, with all that is due before it done in its order."""
        while (due_at := dialogue.due_at()) < t:
            clock.reach(due_at)
            await self._send(dialogue.step(clock.t))
        clock.reach(t)

    async def _ping(self) -> None:
        """Ping by the wall clock: it is the network that a ping asks about."""
        if monotonic() >= self._pinger.due_at:
            await self._send([self._pinger.ping(monotonic())])

    async def _send(self, messages: list[Message]) -> None:
        for message in messages:
            await self._socket.send(json.dumps(message))

    async def _give_up(self, reason: str) -> None:
        try:
            await self._send([wire.error(_POLICY_VIOLATION, reason)])
            await self._socket.close(_POLICY_VIOLATION, reason)
        except ConnectionClosed:
            pass  # the client was faster
