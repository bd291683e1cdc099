"""A class that a user wrote, after the SDK's documentation: what the app may count on with it."""

from __future__ import annotations

import time

import pytest

from tests.contract.user_interface import SpeakerlessPhone
from tests.rig.waiting import wait_until

REPLY = b"\x10\x10" * 1600


@pytest.fixture
def phone():
    made = SpeakerlessPhone()
    yield made
    if hasattr(made, "should_stop"):
        made.stop()


def test_delivers_mic_chunks_of_250_ms(phone):
    chunks: list[bytes] = []
    phone.start(chunks.append)
    wait_until(lambda: len(chunks) >= 2, what="two mic chunks")
    assert {len(chunk) for chunk in chunks} == {8000}


def test_plays_what_is_output_until_it_is_interrupted(phone):
    phone.start(lambda _chunk: None)
    for _ in range(20):
        phone.output(REPLY)
    wait_until(lambda: len(phone.played) >= 2, what="the beginning of the reply")
    phone.interrupt()
    played = len(phone.played)
    with pytest.raises(AssertionError):
        wait_until(lambda: len(phone.played) > played + 1, 0.5)


def test_stops_from_inside_the_callback_and_starts_again(phone):
    took: list[float] = []

    def callback(_chunk: bytes) -> None:
        began = time.monotonic()
        phone.stop()
        took.append(time.monotonic() - began)

    phone.start(callback)
    wait_until(lambda: took, what="stop() to return")
    chunks: list[bytes] = []
    phone.start(chunks.append)
    wait_until(lambda: chunks, what="a mic chunk after the restart")
    assert len(took) == 1
