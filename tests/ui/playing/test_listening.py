"""One playback at a time, and what is commanded while its speaker opens."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from audio.errors import DeviceError
from tests.ui.conftest import Until
from tests.ui.fakes import HEADSET, FakePlayback, FakeServices
from ui.playing.listening import Listening
from ui.services import PlayWish

CALL = PlayWish(Path("/recordings/call"), HEADSET, from_s=2.0, to_s=5.0, loop=True)


class SlowServices(FakeServices):
    """Whose speaker opens when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.may_open = threading.Event()
        self.may_open.set()

    def play(self, wish: PlayWish) -> FakePlayback:
        self.may_open.wait(5)
        return super().play(wish)


@pytest.fixture
def slow() -> SlowServices:
    return SlowServices()


@pytest.fixture
def listening(slow: SlowServices, application: object) -> Iterator[Listening]:
    made = Listening(slow)
    yield made
    slow.may_open.set()
    made.close()
    assert all(each.calls[-1:] == ["close"] for each in slow.playbacks)


def playing(listening: Listening, slow: SlowServices, until: Until) -> FakePlayback:
    listening.play(CALL)
    until(lambda: listening.position_s is not None)
    return slow.playbacks[-1]


def test_what_was_wished_for_is_played_at_the_chosen_speed(
    listening: Listening, slow: SlowServices, until: Until
) -> None:
    listening.set_speed(1.5)
    listening.set_tracks(True, False)
    playing(listening, slow, until)
    wish = slow.asked[-1]
    assert (wish.path, wish.from_s, wish.to_s, wish.loop) == (CALL.path, 2.0, 5.0, True)
    assert (wish.speed, wish.user, wish.agent) == (1.5, True, False)


def test_commands_reach_what_plays(listening: Listening, slow: SlowServices, until: Until) -> None:
    playback = playing(listening, slow, until)
    told: list[bool] = []
    listening.changed.connect(lambda: told.append(listening.paused))
    listening.pause()
    listening.pause()
    listening.seek(4.0)
    listening.set_loop((1.0, 2.0))
    listening.set_loop(None)
    listening.set_speed(0.5)
    listening.set_tracks(False, True)
    listening.resume()
    expected = ["pause", "seek 4", "loop (1.0, 2.0)", "loop None", "speed 0.5"]
    assert playback.calls == [*expected, "tracks False True", "resume"]
    assert told == [True, False]
    assert listening.active


def test_commands_before_the_speaker_is_open_hold_once_it_is(
    listening: Listening, slow: SlowServices, until: Until
) -> None:
    slow.may_open.clear()
    listening.play(CALL)
    assert listening.active
    assert listening.position_s is None
    listening.set_speed(2.0)
    listening.pause()
    assert listening.paused
    slow.may_open.set()
    until(lambda: listening.position_s is not None)
    assert slow.playbacks[-1].calls == ["speed 2", "pause"]
    assert listening.paused


def test_another_takes_the_place_of_what_plays(
    listening: Listening, slow: SlowServices, until: Until
) -> None:
    first = playing(listening, slow, until)
    listening.pause()
    listening.play(CALL)
    until(lambda: len(slow.playbacks) == 2 and listening.position_s is not None)
    assert first.calls == ["pause", "stop", "close"]
    assert not listening.paused


def test_one_that_was_stopped_before_it_was_open_is_never_heard_of(
    listening: Listening, slow: SlowServices, until: Until
) -> None:
    slow.may_open.clear()
    listening.play(CALL)
    listening.pause()
    listening.stop()
    assert not listening.active
    assert not listening.paused
    slow.may_open.set()
    until(lambda: slow.playbacks and slow.playbacks[0].calls == ["close"])
    assert listening.position_s is None


def test_the_end_and_a_fault_are_told(
    listening: Listening, slow: SlowServices, until: Until
) -> None:
    failures: list[Exception] = []
    listening.failed.connect(failures.append)
    playback = playing(listening, slow, until)
    playback.over, playback.error = True, DeviceError("speaker", "Headset", "stopped working")
    listening.advance()
    assert not listening.active
    assert failures == [playback.error]
    slow.failure = DeviceError("speaker", "Headset", "is gone")
    listening.play(CALL)
    until(lambda: len(failures) == 2)
    assert not listening.active


def test_commands_to_nothing_do_nothing(listening: Listening) -> None:
    listening.pause()
    listening.resume()
    listening.seek(1.0)
    listening.set_loop(None)
    listening.advance()
    assert not listening.active
