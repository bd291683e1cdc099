"""What the messages between user and agent say of turns, texts and interruptions. Pure logic.

A message of an unknown type, or of the wrong shape, says nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.analysis.cut import Cut
from app.analysis.interruptions import CutKeeper
from app.analysis.responses import RefusedKeeper, ResponseKeeper
from app.analysis.said import Said, text_in
from app.analysis.turn_keeper import TurnKeeper
from app.timeline.events import MessageReceived, MessageSent

REPLY = "agent_response_event"


def reply_text(message: MessageReceived) -> str:
    """Return the text of the reply that an ``agent_response`` brings."""
    return text_in(_body_of(message, REPLY), "agent_response")


def _body_of(message: MessageReceived, key: str) -> dict[str, Any]:
    """Return what stands under ``key``, or the whole of a message without it."""
    body = message.payload.get(key)
    return body if isinstance(body, dict) else message.payload


class MessageReader:
    """Tells a tracker's keepers what messages say."""

    def __init__(
        self,
        turns: TurnKeeper,
        cuts: CutKeeper,
        said: Said,
        responses: ResponseKeeper,
        refused: RefusedKeeper,
    ) -> None:
        """Tell these, which stay the tracker's."""
        self._turns = turns
        self._cuts = cuts
        self._said = said
        self._responses = responses
        self._refused = refused

    def read(self, message: MessageReceived) -> Cut | None:
        """Take a message of the agent's; return the cut of which it tells more, if any."""
        reader = _READERS.get(message.kind)
        if reader is None:
            return None
        key, read = reader
        return read(self, message, _body_of(message, key))

    def read_sent(self, message: MessageSent) -> None:
        """Take a message to the agent."""
        if message.kind == "user_message":
            self._turns.user_types()
            self._said.transcript.user_typed(text_in(message.payload, "text"), message.t)

    # -- by type ---------------------------------------------------------------------------------

    def _audio(self, message: MessageReceived, _body: dict[str, Any]) -> None:
        self._refused.take_audio(message)

    def _metadata(self, _message: MessageReceived, body: dict[str, Any]) -> None:
        self._refused.take_format(body.get("agent_output_audio_format"))

    def _interruption(self, message: MessageReceived, _body: dict[str, Any]) -> Cut | None:
        self._refused.agent_interrupts()
        return self._cuts.agent_tells(message.t, message.event_id)

    def _agent_response(self, message: MessageReceived, body: dict[str, Any]) -> None:
        self._refused.agent_responds()
        # what was heard already may turn out to be of this reply, and a silence to be before it
        self._responses.touch(len(self._turns.agent) - 1)
        self._said.set_text(message.t, text_in(body, "agent_response"), message.event_id)

    def _chat_part(self, message: MessageReceived, body: dict[str, Any]) -> None:
        self._said.add_chat(message, body)

    def _correction(self, message: MessageReceived, body: dict[str, Any]) -> None:
        self._said.correct(message, body)

    def _user_transcript(self, message: MessageReceived, body: dict[str, Any]) -> None:
        self._responses.user_is_understood(message.t)
        self._responses.touch(len(self._turns.agent) - 1)
        self._user_said(message, body, tentative=False)

    def _tentative_transcript(self, message: MessageReceived, body: dict[str, Any]) -> None:
        self._user_said(message, body, tentative=True)

    def _user_said(
        self, message: MessageReceived, body: dict[str, Any], *, tentative: bool
    ) -> None:
        text = text_in(body, "user_transcript")
        self._said.transcript.user_said(text, message.t, tentative=tentative)


_Reader = Callable[[MessageReader, MessageReceived, dict[str, Any]], Cut | None]

_READERS: dict[str, tuple[str, _Reader]] = {
    "audio": ("audio_event", MessageReader._audio),
    "conversation_initiation_metadata": (
        "conversation_initiation_metadata_event",
        MessageReader._metadata,
    ),
    "interruption": ("interruption_event", MessageReader._interruption),
    "agent_response": (REPLY, MessageReader._agent_response),
    "agent_chat_response_part": ("text_response_part", MessageReader._chat_part),
    "agent_response_correction": (
        "agent_response_correction_event",
        MessageReader._correction,
    ),
    "user_transcript": ("user_transcription_event", MessageReader._user_transcript),
    "tentative_user_transcript": (
        "tentative_user_transcription_event",
        MessageReader._tentative_transcript,
    ),
}
"""By type: the key under which a message's body is, and what reads it."""
