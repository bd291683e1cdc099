"""16-bit WAV files of all makers, whole and damaged."""

from __future__ import annotations

import io
import os
import struct
import subprocess

import numpy as np
import pytest
import soundfile

from audio.errors import FileMissing, FileUnreadable
from audio.pcmwav import PcmWav, WavTrack, find_samples
from audio.wavfile import StreamingWav

RNG = np.random.default_rng(5)
FRAMES = RNG.integers(-9000, 9000, (5000, 2)).astype(np.int16)


def chunk(name: bytes, body: bytes, size: int | None = None) -> bytes:
    size = len(body) if size is None else size
    return name + struct.pack("<I", size) + body + b"\0" * (len(body) % 2)


def form(tag=1, channels=2, rate=16_000, bits=16, align=None) -> bytes:
    align = channels * bits // 8 if align is None else align
    return chunk(b"fmt ", struct.pack("<HHIIHH", tag, channels, rate, rate * align, align, bits))


def riff(*chunks: bytes, head=b"RIFF", size=0) -> bytes:
    return head + struct.pack("<I", size) + b"WAVE" + b"".join(chunks)


DATA = FRAMES.tobytes()


def layout_of(content: bytes):
    return find_samples(io.BytesIO(content))


@pytest.mark.parametrize(("start", "stop"), [(0, 5000), (0, 1), (4999, 6000), (700, 2300), (9, 9)])
def test_frames_are_read_from_anywhere(tmp_path, start, stop):
    path = tmp_path / "x.wav"
    soundfile.write(path, FRAMES, 44_100, "PCM_16")
    wav = PcmWav(path)
    assert (wav.layout.rate, wav.layout.channels, wav.layout.frames) == (44_100, 2, 5000)
    assert wav.layout.told_frames is None
    assert np.array_equal(wav.read_frames(start, stop), FRAMES[start:stop])
    assert wav.read_frames(6000, 7000).shape == (0, 2)
    wav.close()


def test_one_channel_is_a_track(tmp_path):
    path = tmp_path / "x.wav"
    soundfile.write(path, FRAMES, 16_000, "PCM_16")
    for channel in (0, 1):
        track = WavTrack(path, channel)
        assert np.array_equal(track.read(10, 600), FRAMES[10:600, channel])
        assert len(track.read(4990, 6000)) == 10
        track.close()


def test_what_sox_and_our_own_recorder_write_is_read(tmp_path):
    ours, theirs = tmp_path / "ours.wav", tmp_path / "theirs.wav"
    with StreamingWav(ours) as file:
        file.write(FRAMES[:, 0])
    subprocess.run(["sox", ours, theirs], check=True, timeout=20)
    for path in (ours, theirs):
        track = WavTrack(path)
        assert np.array_equal(track.read(0, 5000), FRAMES[:, 0])
        track.close()


@pytest.mark.parametrize(
    "content",
    [
        riff(form(), chunk(b"LIST", b"odd"), chunk(b"data", DATA), chunk(b"LIST", b"more")),
        riff(chunk(b"JUNK", bytes(28)), form(), chunk(b"data", DATA)),
        riff(form(0xFFFE)[:4] + struct.pack("<I", 40) + form(0xFFFE)[8:]
             + struct.pack("<HHI", 22, 16, 3) + bytes.fromhex("0100000000001000800000aa00389b71"),
             chunk(b"data", DATA)),
        riff(chunk(b"ds64", struct.pack("<QQQI", 0, len(DATA), 5000, 0)), form(),
             chunk(b"data", DATA, 0xFFFFFFFF), head=b"RF64"),
    ],
    ids=["other chunks", "junk first", "extensible", "RF64"],
)  # fmt: skip
def test_chunks_are_followed_to_the_samples(content):
    layout = layout_of(content)
    assert (layout.frames, layout.channels, layout.told_frames) == (5000, 2, None)
    assert content[layout.offset :].startswith(DATA)


@pytest.mark.parametrize(
    ("told", "there", "frames"),
    [(20_000, 4002, 1000), (0, 20_000, 5000), (0xFFFFFFFF, 20_000, 5000), (0, 0, 0), (40, 0, 0)],
)
def test_a_wrong_length_in_the_header_is_put_right(told, there, frames):
    layout = layout_of(riff(form(), chunk(b"data", DATA[:there], told)))
    assert layout.frames == frames
    assert (layout.told_frames is None) == (told // 4 == frames)


def test_an_empty_file_with_other_chunks_behind_it_is_empty():
    layout = layout_of(riff(form(), chunk(b"data", b""), chunk(b"LIST", bytes(100))))
    assert layout.frames == 0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"RIFF",
        b"hello, this is no audio at all",
        riff(),
        riff(chunk(b"data", DATA)),
        riff(form(bits=8), chunk(b"data", DATA)),
        riff(form(bits=24), chunk(b"data", DATA)),
        riff(form(3, bits=32), chunk(b"data", DATA)),
        riff(form(channels=0), chunk(b"data", DATA)),
        riff(form(align=3), chunk(b"data", DATA)),
        riff(form()[:14]),
        riff(form()),
        riff(chunk(b"LIST", b"", 0xFFFFFFF0)),
        riff(*[chunk(b"JUNK", b"")] * 2000, form(), chunk(b"data", DATA)),
    ],
)
def test_other_files_are_left_to_others(content):
    assert layout_of(content) is None


def test_errors_name_the_file(tmp_path):
    with pytest.raises(FileMissing, match=r"nothing\.wav"):
        PcmWav(tmp_path / "nothing.wav")
    with pytest.raises(FileUnreadable, match="folder"):
        PcmWav(tmp_path)
    text = tmp_path / "text.wav"
    text.write_text("hello")
    with pytest.raises(FileUnreadable, match=r"text\.wav.*16-bit"):
        PcmWav(text)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such pipes")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(FileUnreadable, match="device"):
        PcmWav(tmp_path / "pipe.wav")


def test_a_file_that_becomes_shorter_gives_what_is_left(tmp_path):
    path = tmp_path / "x.wav"
    soundfile.write(path, FRAMES, 16_000, "PCM_16")
    wav = PcmWav(path)
    os.truncate(path, wav.layout.offset + 401)
    assert np.array_equal(wav.read_frames(0, 5000), FRAMES[:100])
    wav.close()
