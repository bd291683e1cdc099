"""Playing a recording: what is heard, to the sample, where it is, and what goes wrong."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.playing.outlet import FADE_SAMPLES
from app.playing.player import Player, PlayerState
from app.recordings.sources import Sources, open_sources, sources_of
from audio.clock import now
from audio.errors import DeviceError, FileUnreadable
from audio.file import FileSink
from audio.pcm import SAMPLE_RATE
from tests.app.played import SECOND, Track, counting, heard, passed, playing
from tests.rig.speech import tone, write_wav
from tests.rig.waiting import wait_until

# --- What is heard ------------------------------------------------------------------------------


def test_both_parties_are_heard_together_and_whole(tmp_path: Path) -> None:
    user, agent = Track(np.full(SECOND // 2, 1000)), Track(np.full(SECOND // 4, 200))
    with playing(user, agent, tmp_path / "out.wav") as player:
        assert player.wait(5)
        assert player.error is None
        assert player.state is PlayerState.OVER
        assert player.position_s == player.duration_s == 0.5
    expected = np.concatenate((np.full(SECOND // 4, 1200), np.full(SECOND // 4, 1000)))
    assert np.array_equal(heard(tmp_path / "out.wav"), expected)
    assert user.closed
    assert agent.closed


def test_what_is_too_loud_together_is_clipped(tmp_path: Path) -> None:
    loud = Track(np.full(SECOND // 5, 30_000))
    with playing(loud, loud, tmp_path / "out.wav") as player:
        assert player.wait(5)
    assert set(heard(tmp_path / "out.wav")) == {32767}


@pytest.mark.parametrize(
    ("audible", "expected"), [((True, False), 1000), ((False, True), 200), ((False, False), None)]
)
def test_one_party_alone_or_neither(
    tmp_path: Path, audible: tuple[bool, bool], expected: int | None
) -> None:
    user, agent = Track(np.full(SECOND // 4, 1000)), Track(np.full(SECOND // 4, 200))
    manner = {"user": audible[0], "agent": audible[1]}
    with playing(user, agent, tmp_path / "out.wav", **manner) as player:
        assert player.wait(5)
    samples = heard(tmp_path / "out.wav")
    assert samples.tolist() == ([expected] * (SECOND // 4) if expected else [])


@pytest.mark.parametrize(("start", "stop"), [(1234, 9876), (160, 161), (0, 4_000)])
def test_a_selection_is_exact_to_the_sample(tmp_path: Path, start: int, stop: int) -> None:
    numbers = counting(1)
    manner = {"from_s": start / SAMPLE_RATE, "to_s": stop / SAMPLE_RATE}
    with playing(Track(numbers), None, tmp_path / "out.wav", **manner) as player:
        assert player.wait(5)
        assert player.position_s == stop / SAMPLE_RATE
    assert np.array_equal(heard(tmp_path / "out.wav"), numbers[start:stop])


def test_a_loop_has_no_seam(tmp_path: Path) -> None:
    numbers = counting(1)
    with playing(
        Track(numbers), None, tmp_path / "out.wav", from_s=0.3, to_s=0.5123, loop=True
    ) as player:
        assert player.loop == pytest.approx((0.3, 0.5123), abs=1e-4)
        seen = player.position_s
        for _ in range(3):  # the end is passed three times
            wait_until(lambda: player.position_s > 0.45)
            wait_until(lambda: player.position_s < 0.35)
            seen = max(seen, player.position_s)
        assert seen < 0.5123
    samples = heard(tmp_path / "out.wav")[: -2 * FADE_SAMPLES]
    expected = np.tile(numbers[4800:8197], 5)[: len(samples)]
    assert len(samples) > 0.6 * SECOND
    assert np.array_equal(samples, expected)


@pytest.mark.parametrize("speed", [0.5, 2.0])
def test_speed_changes_the_duration_and_not_the_pitch(tmp_path: Path, speed: float) -> None:
    with playing(Track(tone(1.0, 440)), None, tmp_path / "out.wav", speed=speed) as player:
        passed(player, 0.3)
        began, place = now(), player.position_s
        passed(player, 0.7)
        assert (player.position_s - place) / (now() - began) == pytest.approx(speed, rel=0.1)
        assert player.wait(5)
        assert player.position_s == 1.0
    samples = heard(tmp_path / "out.wav")
    assert len(samples) == pytest.approx(SECOND / speed, rel=0.01)
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 1 << 18))
    assert np.argmax(spectrum) * SAMPLE_RATE / (1 << 18) == pytest.approx(440, abs=1)


def test_a_recording_of_nothing_is_over_at_once() -> None:
    for sources in (sources_of(None, None), sources_of(Track(np.zeros(0)), None)):
        player = Player(sources, FileSink(None))
        player.start()
        assert player.wait(5)
        assert player.error is None
        player.close()


def test_the_lanes_of_a_stereo_file_are_user_and_agent(tmp_path: Path) -> None:
    stereo = np.tile(np.array([[1000, 200]], np.int16), (SECOND // 4, 1))
    soundfile.write(tmp_path / "call.wav", stereo, SAMPLE_RATE)
    for swap, expected in ((False, 1000), (True, 200)):
        sources = open_sources(tmp_path / "call.wav", swap=swap)
        player = Player(sources, FileSink(tmp_path / "out.wav"), agent=False)
        player.start()
        assert player.wait(5)
        player.close()
        assert set(heard(tmp_path / "out.wav")) == {expected}


# --- Where it is --------------------------------------------------------------------------------


def test_the_position_follows_the_clock_from_where_it_begins() -> None:
    with playing(Track(np.full(SECOND, 500)), from_s=0.4) as player:
        assert player.position_s == pytest.approx(0.4, abs=0.05)
        passed(player, 0.5)
        began, place = now(), player.position_s
        passed(player, 0.8)
        assert player.position_s - place == pytest.approx(now() - began, abs=0.02)


@pytest.mark.parametrize("speed", [0.5, 1.0, 1.7])
def test_the_position_never_goes_back_while_it_plays(speed: float) -> None:
    with playing(Track(tone(0.6)), speed=speed) as player:
        seen = [player.position_s]
        wait_until(lambda: seen.append(player.position_s) or player.over, 5)
        assert np.diff(seen).min() >= 0
        assert seen[-1] == 0.6


# --- Faults -------------------------------------------------------------------------------------


def test_a_speaker_that_does_not_open_says_so() -> None:
    class NoSpeaker(FileSink):
        def open(self, pull, on_fault, on_xrun):
            raise DeviceError("speaker", "Box", "is gone")

    track = Track(np.full(SECOND, 1))
    player = Player(sources_of(track, None), NoSpeaker(None))
    with pytest.raises(DeviceError, match="Box"):
        player.start()
    assert player.over
    assert track.closed
    player.close()


def test_a_speaker_that_dies_ends_it_with_its_sentence() -> None:
    class Dying(FileSink):
        def open(self, pull, on_fault, on_xrun):
            opened = super().open(pull, on_fault, on_xrun)
            on_fault("The speaker “Box” has stopped.")
            return opened

    player = Player(sources_of(Track(np.full(SECOND, 1)), None), Dying(None))
    player.start()
    assert player.wait(5)
    assert str(player.error) == "The speaker “Box” has stopped."
    player.close()


@pytest.mark.parametrize("paused", [False, True])
def test_a_file_that_cannot_be_read_any_further_ends_it_with_its_sentence(paused: bool) -> None:
    def fail() -> None:
        if player.position_s > 0.2:
            raise FileUnreadable("user.wav", "“user.wav” cannot be read any further.")

    player = Player(sources_of(Track(np.full(5 * SECOND, 1), fail), None), FileSink(None))
    player.start()
    if paused:
        wait_until(lambda: player.position_s > 0.1)
        player.pause()
        player.seek(3.0)
        player.resume()
    assert player.wait(5)
    assert "user.wav" in str(player.error)
    assert player.position_s < 3.1
    player.close()


def test_whoever_waits_for_the_end_finds_the_error(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise OSError("gone")

    for _ in range(5):
        player = Player(sources_of(Track(np.ones(SECOND), fail), None), FileSink(None))
        player.start()
        assert player.wait(5)
        assert isinstance(player.error, OSError)
        player.close()


def test_one_that_was_never_started_closes_what_it_was_given() -> None:
    track = Track(np.ones(SECOND))
    player = Player(sources_of(track, None), FileSink(None))
    player.pause()
    player.resume()
    player.seek(0.5)
    player.close()
    assert track.closed
    assert player.over


def test_a_slow_disk_costs_a_gap_and_nothing_else(tmp_path: Path) -> None:
    numbers, slow = counting(1.3), threading.Event()

    def wait_a_while() -> None:
        if player.position_s > 0.3 and not slow.is_set():
            slow.set()
            threading.Event().wait(0.5)

    player = Player(sources_of(Track(numbers, wait_a_while), None), FileSink(tmp_path / "out.wav"))
    player.start()
    wait_until(slow.is_set)
    passed(player, 0.8)
    began, place = now(), player.position_s
    passed(player, 1.1)
    assert player.position_s - place == pytest.approx(now() - began, abs=0.02)
    assert player.wait(5)
    player.close()
    samples = soundfile.read(tmp_path / "out.wav", dtype="int16")[0]
    assert np.array_equal(samples[samples != 0], numbers)


def test_sources_of_a_file_are_played(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "mono.wav", counting(0.3))
    sources: Sources = open_sources(path)
    player = Player(sources, FileSink(tmp_path / "out.wav"))
    player.start()
    assert player.wait(5)
    player.close()
    assert np.array_equal(heard(tmp_path / "out.wav"), counting(0.3))
