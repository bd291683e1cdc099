"""Every implementation under the real SDK client, against the demo agent's server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from elevenlabs import AsyncElevenLabs, ElevenLabs
from elevenlabs.conversational_ai.conversation import AsyncConversation, Conversation

from app.agents.demo.gate import Address
from app.agents.demo.server import DemoServer, DemoServerThread
from audio import (
    AsyncAdapter,
    AsyncDefaultAudioInterface,
    DefaultAudioInterface,
    FileAudioInterface,
)
from audio.account import Interrupted, Silenced
from audio.default import DeviceSink
from audio.duplex import DuplexInterface
from audio.file import FileSource
from tests.contract.user_interface import SpeakerlessPhone
from tests.rig.speech import say, silence, write_wav
from tests.rig.waiting import wait_until

QUESTION = "Excuse me, may I interrupt you here and ask for something else?"
DEADLINE_S = 20.0


@pytest.fixture
def address() -> Iterator[Address]:
    with DemoServerThread(DemoServer()) as address:
        yield address


@pytest.fixture
def caller(tmp_path: Path) -> Path:
    """Somebody who lets the agent speak for two seconds, and then speaks over it."""
    speech = np.concatenate((silence(2.0), say(QUESTION), silence(0.5)))
    return write_wav(tmp_path / "caller.wav", speech)


class Ledger:
    """What the conversation told, by kind."""

    def __init__(self) -> None:
        self.agent: list[str] = []
        self.user: list[str] = []
        self.corrections: list[str] = []
        self.ends: list[Any] = []

    def callbacks(self) -> dict[str, Any]:
        return {
            "callback_agent_response": self.agent.append,
            "callback_user_transcript": self.user.append,
            "callback_agent_response_correction": lambda _was, now: self.corrections.append(now),
            "callback_disconnect": self.ends.append,
        }

    def async_callbacks(self) -> dict[str, Any]:
        def awaited(callback):
            async def call(*arguments):
                callback(*arguments)

            return call

        return {name: awaited(callback) for name, callback in self.callbacks().items()}


def assert_interrupted_in_mid_sentence(interface, ledger: Ledger) -> None:
    records = interface.account.journal.read()[0]
    interrupts = [record for record in records if isinstance(record, Interrupted)]
    assert interrupts, "the agent never gave way"
    assert interrupts[0].queued > 8000, "there was much of the reply still to be heard"
    silenced = [record for record in records if isinstance(record, Silenced)]
    assert silenced[0].silent_at - silenced[0].interrupted_at < 0.25
    assert ledger.corrections, "the agent said how far it was heard"
    assert ledger.agent[0].startswith(ledger.corrections[0].rstrip(" .…-")[:20])


def sync_interfaces(caller: Path, heard: Path) -> dict[str, Any]:
    return {
        "devices": DefaultAudioInterface,
        "files": lambda: FileAudioInterface(caller, heard),
        "file-and-speaker": lambda: DuplexInterface(FileSource(caller), DeviceSink()),
    }


@pytest.mark.parametrize("kind", ["devices", "files", "file-and-speaker"])
def test_a_barge_in_with_the_sdk_conversation(kind, sound_card, address, caller, tmp_path):
    interface, ledger = sync_interfaces(caller, tmp_path / "heard.wav")[kind](), Ledger()
    client = ElevenLabs(api_key=address.key, base_url=address.base_url)
    conversation = Conversation(
        client,
        address.agent_id,
        requires_auth=True,
        audio_interface=interface,
        **ledger.callbacks(),
    )
    conversation.start_session()
    try:
        wait_until(lambda: ledger.agent, DEADLINE_S, "the greeting")
        if kind == "devices":
            sound_card.speak(caller)
        wait_until(lambda: ledger.user, DEADLINE_S, "the agent to have heard the user")
    finally:
        conversation.end_session()
    assert conversation.wait_for_session_end()
    assert_interrupted_in_mid_sentence(interface, ledger)
    assert ledger.user[0].startswith("(you spoke for")
    assert [end.reason for end in ledger.ends] == ["user"]


@pytest.mark.parametrize("kind", ["devices", "files"])
def test_a_barge_in_with_the_async_conversation(kind, sound_card, address, caller, tmp_path):
    ledger = Ledger()

    async def converse():
        interface = (
            AsyncDefaultAudioInterface()
            if kind == "devices"
            else AsyncAdapter(FileAudioInterface(caller, tmp_path / "heard.wav"))
        )
        client = AsyncElevenLabs(api_key=address.key, base_url=address.base_url)
        conversation = AsyncConversation(
            client,
            address.agent_id,
            requires_auth=False,
            audio_interface=interface,
            **ledger.async_callbacks(),
        )
        # the SDK's asynchronous client cannot await a signed URL; asked for here as it would be
        signed = await client.conversational_ai.conversations.get_signed_url(
            agent_id=address.agent_id
        )
        conversation._get_wss_url = lambda: signed.signed_url
        await conversation.start_session()
        await until(lambda: ledger.agent, "the greeting")
        if kind == "devices":
            sound_card.speak(caller)
        await until(lambda: ledger.user, "the agent to have heard the user")
        await conversation.end_session()
        await conversation.wait_for_session_end()
        return interface.inner

    inner = asyncio.run(converse())
    assert_interrupted_in_mid_sentence(inner, ledger)
    assert [end.reason for end in ledger.ends] == ["user"]


async def until(condition, what: str) -> None:
    await asyncio.to_thread(wait_until, condition, DEADLINE_S, what)


def test_a_class_that_a_user_wrote(address):
    phone, ledger = SpeakerlessPhone(), Ledger()
    client = ElevenLabs(api_key=address.key, base_url=address.base_url)
    conversation = Conversation(
        client,
        address.agent_id,
        requires_auth=True,
        audio_interface=phone,
        **ledger.callbacks(),
    )
    conversation.start_session()
    try:
        wait_until(lambda: phone.played, DEADLINE_S, "the greeting to be played")
        conversation.send_user_message("Never mind that.")
        wait_until(lambda: phone.interrupts, DEADLINE_S, "the agent to interrupt itself")
    finally:
        conversation.end_session()
    conversation.wait_for_session_end()
    assert not [t for t in threading.enumerate() if t is phone.output_thread]


def test_a_server_that_hangs_up_stops_the_interface(address, caller, tmp_path):
    """The SDK then calls ``stop()`` from inside the callback, or from its receive thread."""
    with DemoServerThread(DemoServer()) as dying:
        interface = FileAudioInterface(caller, tmp_path / "heard.wav")
        ledger = Ledger()
        conversation = Conversation(
            ElevenLabs(api_key=dying.key, base_url=dying.base_url),
            dying.agent_id,
            requires_auth=True,
            audio_interface=interface,
            **ledger.callbacks(),
        )
        conversation.start_session()
        wait_until(lambda: ledger.agent, DEADLINE_S, "the greeting")
    wait_until(lambda: ledger.ends, DEADLINE_S, "the conversation to end")
    conversation.wait_for_session_end()
    interface.output(b"\0\0")
    counted = interface.account.counters.received_samples
    interface.output(b"\0\0")
    assert interface.account.counters.received_samples == counted
