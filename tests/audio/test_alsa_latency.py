"""Real PortAudio on the virtual card: the speaker's buffer has the room that was asked for."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from audio import portaudio
from audio.alsa_latency import output_latency
from audio.devices import address
from audio.pcm import SAMPLE_RATE
from audio.portaudio import ALSA_LATENCY_S, DeviceStream

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="ALSA is Linux's.")
BLOCK = 80


def default_speaker() -> dict:
    library = portaudio.load().PyAudio()
    try:
        return library.get_default_output_device_info()
    finally:
        library.terminate()


def test_the_speaker_is_opened_with_room_for_a_late_callback(sound_card):
    stream = DeviceStream("speaker", address(None, "speaker"), BLOCK)
    stream.open_output(lambda frames, _at: np.zeros(frames, np.int16), lambda: None)
    try:
        # what PortAudio says of a stream is what it has got: the buffer without the block in it
        assert stream._tie.latency_s == pytest.approx(ALSA_LATENCY_S, abs=BLOCK / SAMPLE_RATE / 2)
    finally:
        stream.close()


def test_whoever_opens_a_stream_afterwards_gets_the_usual_latency(sound_card):
    library = portaudio.load().PyAudio()
    try:
        info = library.get_default_output_device_info()
        usual = info["defaultLowOutputLatency"]
        with output_latency(info, 0.05) as is_so:
            assert is_so
            changed = library.get_device_info_by_index(info["index"])
            assert changed["defaultLowOutputLatency"] == pytest.approx(0.05)
        again = library.get_device_info_by_index(info["index"])
        assert again["defaultLowOutputLatency"] == usual
    finally:
        library.terminate()


def test_a_table_that_is_not_what_was_told_is_left_alone(sound_card):
    library = portaudio.load().PyAudio()
    try:
        info = library.get_default_output_device_info()
        with output_latency({**info, "defaultSampleRate": 1.0}, 0.05) as is_so:
            assert not is_so
            kept = library.get_device_info_by_index(info["index"])
            assert kept["defaultLowOutputLatency"] == info["defaultLowOutputLatency"]
    finally:
        library.terminate()


def test_without_portaudio_in_use_nothing_is_changed(sound_card):
    info = default_speaker()  # PortAudio is closed again: it has no table any more
    with output_latency(info, 0.05) as is_so:
        assert not is_so
