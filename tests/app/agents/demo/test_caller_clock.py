"""The caller's time: told by samples while they come, and by the wall clock where they do not."""

from __future__ import annotations

import base64
import json
import random
import threading
from time import monotonic

import pytest
from websockets.sync.client import ClientConnection, connect

from app.agents.demo.caller_clock import CallerClock
from app.agents.demo.script import Script
from app.agents.demo.server import DemoServer, DemoServerThread
from app.agents.demo.speech import Speech
from tests.app.agents.demo.test_server import INITIATION, _signed_url

CHUNK = 4000
CHUNK_S = 0.25
RATE = 16_000


def hear(clock: CallerClock, arrivals: list[float]) -> list[float]:
    return [clock.hear(at, CHUNK) for at in arrivals]


def test_a_chunk_happens_when_its_last_sample_was_spoken_however_late_it_comes() -> None:
    late = random.Random(1)
    arrivals = [100 + 0.25 * n + late.uniform(0.0, 0.9) for n in range(1, 400)]
    assert hear(CallerClock(100.0), arrivals) == [0.25 * n for n in range(1, 400)]


def test_the_first_chunk_may_be_late_for_a_device_takes_a_while_to_open() -> None:
    clock = CallerClock(100.0)
    assert clock.due(0.0) == pytest.approx(101.0)
    assert hear(clock, [100.9, 101.15]) == [0.25, 0.5]
    assert clock.due(0.6) == pytest.approx(101.25)


def test_what_is_due_after_a_chunk_waits_for_it_but_not_for_ever() -> None:
    clock = CallerClock(100.0)
    hear(clock, [100.25, 100.5])
    assert clock.due(0.7) == pytest.approx(100.7)
    assert clock.due(0.75) == pytest.approx(101.75)
    clock.reach(0.75)
    clock.hear(100.8, CHUNK)
    assert clock.due(0.75) == pytest.approx(100.75, abs=0.001)


def test_time_goes_on_where_no_audio_comes_and_audio_goes_on_from_there() -> None:
    clock = CallerClock(100.0)
    hear(clock, [100.25, 100.5])
    clock.reach(3.0)
    assert clock.at(103.5) == pytest.approx(3.5)
    assert hear(clock, [104.0, 104.25]) == pytest.approx([4.0, 4.25])


def test_audio_that_was_held_up_takes_its_own_place_again() -> None:
    clock = CallerClock(100.0)
    hear(clock, [100.25, 100.5])
    clock.reach(1.0)
    held_up = hear(clock, [101.5, 101.5, 101.5, 101.5])
    assert held_up == pytest.approx([1.5, 1.5, 1.5, 1.5])
    assert hear(clock, [101.75, 102.0]) == pytest.approx([1.75, 2.0])


def test_text_comes_before_a_chunk_that_is_on_its_way() -> None:
    clock = CallerClock(100.0)
    hear(clock, [100.25])
    assert clock.at(100.4) == pytest.approx(0.4)
    assert clock.at(100.6) == 0.5


def test_a_slower_caller_is_followed() -> None:
    clock = CallerClock(0.0)
    last = hear(clock, [0.25 * n * 1.0005 for n in range(1, 8000)])[-1]
    assert last == 7999 * 0.25
    assert clock.due(last) == pytest.approx(7999 * 0.25 * 1.0005)


def test_without_audio_to_expect_the_wall_clock_tells_the_time() -> None:
    clock = CallerClock(100.0, expects_audio=False)
    assert clock.due(0.3) == pytest.approx(100.3)
    assert clock.at(102.0) == pytest.approx(2.0)


def test_time_never_goes_back() -> None:
    clock, moments = CallerClock(0.0), [0.0]
    chance = random.Random(2)
    now = 0.0
    for _ in range(2000):
        now += chance.choice((0.0, 0.01, 0.3, 1.5))
        if chance.random() < 0.5:
            clock.reach(clock.hear(now, chance.choice((160, 4000, 16_000))))
        else:
            clock.reach(clock.at(now))
        moments.append(clock.t)
    assert moments == sorted(moments)


def test_the_same_caller_meets_the_same_agent_however_late_the_network_is(
    quick: Script, shipped_speech: dict[str, Speech]
) -> None:
    pcm = _caller(shipped_speech)
    told: dict[int, list[str]] = {}
    with DemoServerThread(DemoServer(quick)) as address:
        urls = [_signed_url(address) for _ in range(3)]
        calls = [
            threading.Thread(target=lambda n=n: told.update({n: _call(urls[n], pcm, n)}))
            for n in range(3)
        ]
        for each in calls:
            each.start()
        for each in calls:
            each.join()
    assert any("interruption" in line for line in told[0])
    assert told[1] == told[0]
    assert told[2] == told[0]


def _caller(speech: dict[str, Speech]) -> bytes:
    """Begin where a reply may have begun or not, go on at the same edge, and cut in."""
    word, sentence = speech["go-ahead"].pcm, speech["listening"].pcm
    pauses_s = (0.4, 0.75, 0.26, 0.5, 0.76)
    pcm = b"".join(
        bytes(2 * round(pause_s * RATE)) + (word if n % 2 else sentence)
        for n, pause_s in enumerate(pauses_s)
    )
    return pcm + bytes(2 * CHUNK * 4)


def _call(url: str, pcm: bytes, seed: int) -> list[str]:
    """Speak in real time through a network that is late at random; return what came of it."""
    late, told = random.Random(seed), []
    with connect(url) as ws:
        ws.send(INITIATION)
        began = monotonic()
        for n, at in enumerate(range(0, len(pcm), 2 * CHUNK), 1):
            _take(ws, began + n * CHUNK_S + seed * late.uniform(0.0, 0.1), told)
            chunk = base64.b64encode(pcm[at : at + 2 * CHUNK]).decode()
            ws.send(json.dumps({"user_audio_chunk": chunk}))
        _take(ws, monotonic() + 0.3, told)
    # with each chunk comes a score: behind the last one the network may have cut us off anywhere
    last = max(n for n, line in enumerate(told) if "vad_score" in line)
    return told[: last + 1]


def _take(ws: ClientConnection, until: float, told: list[str]) -> None:
    """Note what comes until then, but for what tells of this connection."""
    while (left_s := until - monotonic()) > 0:
        try:
            message = str(ws.recv(timeout=left_s))
        except TimeoutError:
            return
        if '"ping' not in message and "conversation_id" not in message:
            told.append(message)
