"""The rig itself: what is played is heard, what is said is captured, what is broken is mended."""

from __future__ import annotations

import logging
import os
import pwd
import subprocess
import sys
import threading
from pathlib import Path

import keyring
import numpy as np
import pyaudio
import pytest
import soundfile
from PySide6.QtCore import qWarning

from audio import clock
from tests.rig.hygiene import collecting_errors, threads_left
from tests.rig.screen import Screen
from tests.rig.sound_card import FEED, MICROPHONE, SPEAKER, SoundCard
from tests.rig.speech import RATE_HZ, Samples, click, loudness_dbfs, say, silence, tone
from tests.rig.waiting import wait_until

BLOCK_FRAMES = 160


class Player:
    """Plays samples through a PyAudio callback once `play()` was called, then silence."""

    def __init__(self) -> None:
        self.asked_at = 0.0
        self._samples = silence(0)
        self._audio = pyaudio.PyAudio()
        self._stream = self._audio.open(
            RATE_HZ,
            1,
            pyaudio.paInt16,
            output=True,
            frames_per_buffer=BLOCK_FRAMES,
            stream_callback=self._pull,
        )

    def __enter__(self) -> Player:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._audio.terminate()

    @property
    def active(self) -> bool:
        return bool(self._stream.is_active())

    def play(self, samples: Samples) -> None:
        self._samples, self.asked_at = samples, clock.now()

    def _pull(self, _data: object, frames: int, _time: object, _flags: int) -> tuple[bytes, int]:
        block, self._samples = self._samples[:frames], self._samples[frames:]
        return np.pad(block, (0, frames - block.size)).tobytes(), pyaudio.paContinue


class Listener:
    """Captures the default microphone through a PyAudio callback."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []
        self._audio = pyaudio.PyAudio()
        self._stream = self._audio.open(
            RATE_HZ,
            1,
            pyaudio.paInt16,
            input=True,
            frames_per_buffer=BLOCK_FRAMES,
            stream_callback=self._take,
        )

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._audio.terminate()

    @property
    def samples(self) -> Samples:
        return np.frombuffer(b"".join(list(self._blocks)), dtype=np.int16)

    def _take(self, data: bytes, _frames: int, _time: object, _flags: int) -> tuple[None, int]:
        self._blocks.append(data)
        return None, pyaudio.paContinue


def envelope(samples: Samples) -> Samples:
    """Mean magnitude of each 10 ms."""
    whole = samples.size // 160 * 160
    return np.abs(samples[:whole].astype(np.int32)).reshape(-1, 160).mean(axis=1)


def test_what_a_callback_plays_is_heard_at_once_and_as_loud(sound_card: SoundCard) -> None:
    with Player() as player, sound_card.monitor() as monitor:
        begin = monitor.length
        player.play(tone(0.5, dbfs=-12))
        onset = monitor.wait_for_sound(begin)
        end = monitor.wait_for_silence()

    assert 0 < monitor.time_of(onset) - player.asked_at < 0.15
    # A busy machine may starve the stream for a moment: that makes it longer, never shorter.
    assert 0.495 < (end - onset) / RATE_HZ < 0.65
    assert loudness_dbfs(monitor.samples[onset:end]) == pytest.approx(-15, abs=1)


def test_what_is_said_arrives_at_the_microphone(sound_card: SoundCard) -> None:
    speech = say("Can you hear me?")
    with Listener() as listener:
        wait_until(lambda: listener.samples.size > RATE_HZ // 5, what="the microphone to run")
        sound_card.speak(speech).wait()
        wait_until(lambda: not listener.samples[-RATE_HZ // 5 :].any(), what="silence after it")
    heard, said = envelope(listener.samples), envelope(speech)
    # a busy machine may starve a stream for a moment: that parts the speech in one place, and
    # shifts the others by part of a step; of other words three parts are 0.3 off, or more
    unlike = sorted(_unlikeness(heard, part) for part in np.array_split(said, 4))
    assert unlike[2] < 0.25, unlike


def _unlikeness(heard: Samples, part: Samples) -> float:
    """How far the most similar stretch of what was heard is from ``part``, as a share of it."""
    stretches = np.lib.stride_tricks.sliding_window_view(heard, part.size)
    return float(np.abs(stretches - part).sum(axis=1).min() / part.sum())


def test_a_sound_file_can_be_spoken_and_cut_off(sound_card: SoundCard, tmp_path: Path) -> None:
    path = tmp_path / "caller.wav"
    soundfile.write(path, tone(5).repeat(3), 48_000)
    with sound_card.monitor(MICROPHONE) as monitor:
        speech = sound_card.speak(path)
        onset = monitor.wait_for_sound()
        speech.stop()
        end = monitor.wait_for_silence()
    assert (end - onset) / RATE_HZ < 2


def test_the_monitor_ties_positions_to_times(sound_card: SoundCard) -> None:
    two_clicks = np.concatenate([click(), silence(0.25), click()])
    with Player() as player, sound_card.monitor() as monitor:
        player.play(two_clicks)
        first = monitor.wait_for_sound()
        second = monitor.wait_for_sound(first + RATE_HZ // 10)
    apart_s = monitor.time_of(second) - monitor.time_of(first)
    assert apart_s == pytest.approx(0.252, abs=0.01)
    assert monitor.position_at(monitor.time_of(second)) == pytest.approx(second, abs=2)


def test_the_echo_path_brings_the_speaker_to_the_microphone(sound_card: SoundCard) -> None:
    with (
        Player() as player,
        sound_card.monitor() as speaker,
        sound_card.monitor(MICROPHONE) as microphone,
        sound_card.echo_path(latency_ms=120, volume=0.5),
    ):
        player.play(tone(0.5))
        left_at = speaker.time_of(speaker.wait_for_sound())
        came_back = microphone.wait_for_sound()
        end = microphone.wait_for_silence()
    assert microphone.time_of(came_back) - left_at == pytest.approx(0.12, abs=0.04)
    echo_dbfs = loudness_dbfs(microphone.samples[came_back + 1600 : end - 1600])
    assert echo_dbfs == pytest.approx(loudness_dbfs(tone(0.5)) - 6, abs=1)


def test_unplugging_the_speaker_leaves_it_gone_until_mended(sound_card: SoundCard) -> None:
    sound_card.unplug_speaker()
    assert SPEAKER not in sound_card.pactl("list", "short", "sinks")
    sound_card.mend()
    assert sound_card.pactl("get-default-sink") == SPEAKER


def test_unplugging_the_microphone_leaves_it_gone_until_plugged_in(sound_card: SoundCard) -> None:
    sound_card.unplug_microphone()
    assert MICROPHONE not in sound_card.pactl("list", "short", "sources")
    sound_card.plug_microphone()
    assert sound_card.pactl("get-default-source") == MICROPHONE


def test_a_sound_server_that_died_comes_back_at_the_same_address(sound_card: SoundCard) -> None:
    sound_card.kill()
    with pytest.raises(subprocess.CalledProcessError):
        sound_card.pactl("info")
    sound_card.start()
    assert sound_card.pactl("get-default-sink") == SPEAKER


def test_more_devices_can_be_plugged_in_and_told_apart(
    sound_card: SoundCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    headset = sound_card.add_speaker("headset", "Headset of the rig")
    sound_card.add_microphone("headset_mic", "Headset microphone")
    assert "Headset of the rig" in sound_card.pactl("list", "sinks")
    assert "Headset microphone" in sound_card.pactl("list", "sources")
    with sound_card.monitor("headset.monitor") as headset_ear, sound_card.monitor() as speaker_ear:
        monkeypatch.setenv("PULSE_SINK", headset.name)
        with Player() as player:
            player.play(tone(0.2))
            headset_ear.wait_for_sound()
            headset_ear.wait_for_silence()
    assert speaker_ear.first_sound() is None


def test_the_second_microphone_hears_its_own_feed_only(sound_card: SoundCard) -> None:
    sound_card.add_microphone("headset_mic", "Headset microphone")
    with sound_card.monitor("headset_mic") as near, sound_card.monitor(MICROPHONE) as other:
        sound_card.speak(tone(0.2), feed="headset_mic_feed").wait()
        near.wait_for_sound()
        assert other.first_sound() is None
        sound_card.speak(tone(0.2), feed=FEED).wait()
        other.wait_for_sound()


def test_speech_is_the_contracts_format_and_made_once() -> None:
    speech = say("Hello")
    assert speech.dtype == np.int16
    assert 0.2 < speech.size / RATE_HZ < 1.5
    assert loudness_dbfs(speech) > -35
    assert say("Hello") is speech


def test_the_screen_shows_a_window_that_can_be_driven(screen: Screen, tmp_path: Path) -> None:
    program = tmp_path / "window.py"
    program.write_text(_WINDOW)
    typed = tmp_path / "typed.txt"
    process = subprocess.Popen(
        [sys.executable, str(program), str(typed)],
        env={"PATH": "/usr/bin:/bin", **screen.environment()},
    )
    try:
        window = screen.find_window("Rig window")
        screen.place_window(window, 400, 300)
        screen.click(200, 150)
        screen.type("hello -x")
        screen.keys("Return")
        wait_until(typed.exists, what="the window to take what was typed")
        picture = screen.screenshot(tmp_path / "screen.png")
        screen.close_window(window)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
    assert typed.read_text() == "hello -x"
    assert picture.read_bytes().startswith(b"\x89PNG")


_WINDOW = """
import pathlib, sys
from PySide6.QtWidgets import QApplication, QLineEdit

app = QApplication([])
line = QLineEdit()
line.setWindowTitle("Rig window")
line.returnPressed.connect(lambda: pathlib.Path(sys.argv[1]).write_text(line.text()))
line.show()
sys.exit(app.exec())
"""


def test_a_wait_in_vain_says_what_for() -> None:
    with pytest.raises(AssertionError, match="the moon"):
        wait_until(lambda: False, 0.02, "the moon")


def test_a_thread_that_stays_is_named_and_one_that_ends_is_not() -> None:
    before = set(threading.enumerate())
    stop = threading.Event()
    stays = threading.Thread(target=stop.wait, name="stays", daemon=True)
    ends = threading.Thread(target=lambda: stop.wait(0.1), name="ends")
    stays.start()
    ends.start()
    try:
        assert threads_left(before, deadline_s=0.3) == ["stays"]
        assert threads_left(before, allowed=["st"]) == []
    finally:
        stop.set()
        stays.join()


def test_logged_errors_are_collected_and_lesser_things_are_not(error_log: list[str]) -> None:
    logger = logging.getLogger("rig.test")
    with collecting_errors() as lines:
        logger.warning("no matter")
        try:
            raise ValueError("broken")
        except ValueError:
            logger.exception("It failed")
    assert lines == ["rig.test: It failed (ValueError: broken)"]
    assert error_log == lines
    error_log.clear()


def test_qts_warnings_are_collected(qt_messages: list[str]) -> None:
    qWarning("something is off")
    assert qt_messages == ["something is off"]
    qt_messages.clear()


def test_nothing_of_a_person_is_in_reach(private_home: Path) -> None:
    assert Path(os.environ["XDG_CONFIG_HOME"]).is_relative_to(private_home)
    assert pwd.getpwuid(os.getuid()).pw_dir != os.environ["HOME"]
    keyring.set_password("turnscope-rig", "user", "word")
    assert keyring.get_password("turnscope-rig", "user") is None
