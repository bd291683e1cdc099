"""Real PortAudio on the virtual card: which device is used, and what a dead one does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import numpy as np
import pytest

from audio import DefaultAudioInterface, devices, portaudio
from audio.account import DeviceFault, Heard, MicChunk
from audio.devices import list_devices
from audio.errors import DeviceError, SoundSystemSilent
from audio.pcm import SAMPLE_RATE, to_bytes, to_samples
from tests.rig.speech import loudness_dbfs, say, tone
from tests.rig.waiting import wait_until


def ignore(_chunk: bytes) -> None:
    pass


@contextmanager
def running(interface, callback=ignore):
    interface.start(callback)
    try:
        yield interface
    finally:
        began = time.monotonic()
        interface.stop()
        assert time.monotonic() - began < 0.5


def faults(interface) -> list[str]:
    records = interface.account.journal.read()[0]
    return [record.sentence for record in records if isinstance(record, DeviceFault)]


def test_lists_what_a_person_can_pick_and_no_monitors(sound_card):
    found = list_devices()
    assert {(d.role, d.label) for d in found if d.is_default} == {
        ("microphone", "Rig Microphone"),
        ("speaker", "Rig Speaker"),
    }
    assert not [d.label for d in found if "onitor" in d.label]


def test_lists_nothing_without_a_sound_server(sound_card):
    sound_card.stop()
    try:
        assert list_devices() == []
    finally:
        sound_card.start()


def test_hears_the_microphone(sound_card):
    speech = say("The quick brown fox jumps over the lazy dog.")
    chunks: list[bytes] = []
    with running(DefaultAudioInterface(), chunks.append):
        sound_card.speak(speech).wait()
        enough = len(speech) + SAMPLE_RATE // 2
        wait_until(lambda: len(chunks) * 4000 > enough, 15, "the whole sentence")
    captured = np.concatenate([to_samples(chunk) for chunk in chunks]).astype(float)
    # the first second alone: a busy machine may hold up the player of the rest for a moment
    word = speech[:SAMPLE_RATE].astype(float)
    lag = int(np.argmax(np.correlate(captured, word, "valid")))
    assert np.corrcoef(captured[lag : lag + len(word)], word)[0, 1] > 0.7


@pytest.mark.parametrize("by", ["id", "label"])
def test_plays_on_the_speaker_that_was_picked(sound_card, by):
    second = sound_card.add_speaker("second_speaker", "Second Speaker")
    try:
        found = next(d for d in list_devices() if d.label == "Second Speaker")
        name = getattr(found, by)
        with (
            sound_card.monitor("second_speaker.monitor") as heard,
            sound_card.monitor() as first,
            running(DefaultAudioInterface(output_device=name)) as interface,
        ):
            interface.output(to_bytes(tone(0.4)))
            heard.wait_for_sound()
            assert loudness_dbfs(first.samples) < -80
    finally:
        sound_card.unplug(second)


def test_listens_to_the_microphone_that_was_picked(sound_card):
    second = sound_card.add_microphone("second_mic", "Second Microphone")
    chunks: list[bytes] = []
    try:
        with running(DefaultAudioInterface(input_device="pulse:second_mic"), chunks.append):
            sound_card.speak(tone(1.0), feed="second_mic_feed")
            wait_until(
                lambda: any(loudness_dbfs(to_samples(chunk)) > -30 for chunk in chunks),
                what="the tone in the second microphone",
            )
    finally:
        sound_card.unplug(second)


def test_frames_can_be_set_for_each_instance(sound_card):
    chunks: list[bytes] = []
    interface = DefaultAudioInterface(input_frames=640, output_frames=80)
    assert (interface.INPUT_FRAMES_PER_BUFFER, DefaultAudioInterface.INPUT_FRAMES_PER_BUFFER) == (
        640,
        4000,
    )
    with sound_card.monitor() as heard, running(interface, chunks.append):
        interface.output(to_bytes(tone(0.3)))
        heard.wait_for_sound()
        wait_until(lambda: len(chunks) > 5, what="short chunks")
    assert {len(chunk) for chunk in chunks} == {1280}
    assert interface.account.counters.underruns == 0


def test_account_agrees_with_what_was_played(sound_card):
    with sound_card.monitor() as monitor, running(DefaultAudioInterface()) as interface:
        interface.output(to_bytes(tone(0.5)))
        monitor.wait_for_sound()
        monitor.wait_for_silence()
    records = interface.account.journal.read()[0]
    heard = [record for record in records if isinstance(record, Heard)]
    assert sum(span.stop - span.start for span in heard) == SAMPLE_RATE // 2
    assert [span.start for span in heard][1:] == [span.stop for span in heard][:-1]
    chunks = [record for record in records if isinstance(record, MicChunk)]
    assert all(chunk.stop - chunk.start == 4000 for chunk in chunks)


def test_a_sound_server_that_dies_holds_nothing_up(sound_card, error_log):
    with running(DefaultAudioInterface()) as interface:
        wait_until(lambda: interface.account.counters.mic_chunks, what="the first mic chunk")
        sound_card.kill()
        wait_until(lambda: len(faults(interface)) == 2, 10, "a report of both dead devices")
    sound_card.start()
    again = DefaultAudioInterface()
    with running(again):
        wait_until(lambda: again.account.counters.mic_chunks, what="it to work again")
    error_log.clear()


def test_starts_and_stops_many_times_and_leaves_no_thread(sound_card):
    before = threading.active_count()
    interface = DefaultAudioInterface()
    for _ in range(20):
        with running(interface):
            pass
    wait_until(lambda: threading.active_count() <= before, what="all threads to end")


def test_nothing_is_printed_by_the_libraries_below(sound_card):
    program = (
        "from audio import DefaultAudioInterface\n"
        "i = DefaultAudioInterface(); i.start(print and (lambda audio: None)); i.stop()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True
    )
    assert (done.stdout, done.stderr) == ("", "")


def test_without_pyaudio_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyaudio", None)
    with pytest.raises(ImportError, match="pip install pyaudio"):
        DefaultAudioInterface()


def test_a_device_that_is_not_there_is_named(sound_card):
    with pytest.raises(DeviceError, match="“Grandfather's gramophone”"):
        DefaultAudioInterface(output_device="Grandfather's gramophone").start(ignore)


@pytest.fixture
def hung_server(sound_card, monkeypatch):
    monkeypatch.setattr(devices, "ANSWER_S", 0.3)
    os.kill(sound_card.pid, signal.SIGSTOP)
    yield
    os.kill(sound_card.pid, signal.SIGCONT)
    wait_until(lambda: not devices._asking.locked(), 10, "whoever asked to have an answer")


def test_a_sound_server_that_hangs_is_not_waited_for_when_devices_are_listed(hung_server):
    for _ in range(3):
        began = time.monotonic()
        with pytest.raises(SoundSystemSilent) as raised:
            list_devices()
        assert time.monotonic() - began < 2
    # nobody named a device
    assert str(raised.value) == "The sound system does not answer."
    assert [thread.name for thread in threading.enumerate()].count("device-list") == 1


def test_a_device_that_was_named_is_named_when_the_sound_server_hangs(hung_server):
    with pytest.raises(DeviceError, match=r"The microphone “turnscope_mic” cannot be reached: the"):
        DefaultAudioInterface(input_device="pulse:turnscope_mic").start(ignore)


def test_what_others_write_to_stderr_is_not_lost_while_a_device_hangs(sound_card, hung_server):
    before = os.fstat(2)
    interface = DefaultAudioInterface()
    starting = threading.Thread(target=interface.start, args=(ignore,))
    starting.start()
    wait_until(portaudio._portaudio.locked, what="a device to be opening")
    wait_until(lambda: in_the_library(starting), what="the library to wait")
    assert os.path.samestat(os.fstat(2), before)
    interface.stop()
    os.kill(sound_card.pid, signal.SIGCONT)
    starting.join(10)
    assert not starting.is_alive()


def in_the_library(thread: threading.Thread) -> bool:
    """Whether a thread is inside PyAudio, where nothing of ours can be called."""
    frame = sys._current_frames().get(thread.ident)
    return frame is not None and "pyaudio" in frame.f_code.co_filename
