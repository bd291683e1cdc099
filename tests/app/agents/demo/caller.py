"""A caller: the real SDK's Conversation over a microphone and a speaker made of memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from elevenlabs import ElevenLabs
from elevenlabs.conversational_ai.conversation import (
    AudioInterface,
    Conversation,
    ConversationInitiationData,
)

from app.agents.demo.gate import Address
from tests.rig.waiting import wait_until

CHUNK_BYTES = 8000


class MemoryAudio(AudioInterface):
    """Whatever a test says goes to the microphone at once; what is played is kept.

    It opens with a chunk of silence, as a microphone does.
    """

    def __init__(self) -> None:
        self.played: list[bytes] = []
        self.interrupts = 0
        self.started = threading.Event()
        self._callback: Callable[[bytes], None]

    def start(self, input_callback: Callable[[bytes], None]) -> None:
        self._callback = input_callback
        input_callback(bytes(CHUNK_BYTES))
        self.started.set()

    def stop(self) -> None:
        self.started.clear()

    def output(self, audio: bytes) -> None:
        self.played.append(audio)

    def interrupt(self) -> None:
        self.interrupts += 1

    def say(self, pcm: bytes, silence_s: float = 0.0) -> None:
        """Speak, faster than a person could, in whole mic chunks."""
        pcm += bytes(int(silence_s * 16_000) * 2)
        pcm += bytes(-len(pcm) % CHUNK_BYTES)
        for at in range(0, len(pcm), CHUNK_BYTES):
            self._callback(pcm[at : at + CHUNK_BYTES])


class Caller(Conversation):
    """A Conversation that keeps every message, in order."""

    messages: list[dict[str, Any]]

    def _handle_message(self, message: dict[str, Any], ws: Any) -> None:
        super()._handle_message(message, ws)
        self.messages.append(message)

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The payloads of all messages of a type."""
        payloads = [m for m in list(self.messages) if m["type"] == kind]
        return [next(v for k, v in m.items() if k != "type") for m in payloads]

    def wait_for(self, kind: str, count: int = 1) -> dict[str, Any]:
        """Wait for the nth message of a type, and return its payload."""
        wait_until(lambda: len(self.of(kind)) >= count, what=f"message {count} of type {kind}")
        return self.of(kind)[count - 1]


@contextmanager
def calling(
    address: Address, audio: MemoryAudio | None, override: dict[str, Any] | None = None
) -> Iterator[Caller]:
    """Hold a conversation with the server while the block runs."""
    client = ElevenLabs(api_key=address.key, base_url=address.base_url)
    config = ConversationInitiationData(conversation_config_override=override or {})
    caller = Caller(
        client, address.agent_id, requires_auth=True, audio_interface=audio, config=config
    )
    caller.messages = []
    caller.start_session()
    try:
        caller.wait_for("conversation_initiation_metadata")
        yield caller
    finally:
        caller.end_session()
        caller.wait_for_session_end()
