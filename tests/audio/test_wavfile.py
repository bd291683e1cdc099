"""WAV files that stay valid while they are written, and the repair of those cut short."""

from __future__ import annotations

import contextlib
import shutil
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audio.errors import FileMissing, FileUnreadable, FileUnwritable
from audio.wavfile import HEADER_BYTES, StreamingWav, recover

resource = pytest.importorskip("resource", reason="limits on file size are a POSIX thing")

RAMP = np.arange(-8000, 8000, dtype=np.int16)


def read(path: Path) -> np.ndarray:
    samples, rate = soundfile.read(path, dtype="int16")
    assert rate == 16_000
    assert samples.ndim == 1
    return samples


def sox_samples(path: Path) -> int:
    return int(subprocess.run(["soxi", "-s", path], capture_output=True, check=True).stdout)


@contextlib.contextmanager
def disk_full_at(limit_bytes: int) -> Iterator[None]:
    """Let no file of this process grow past the limit: the system refuses half-way, for real."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "agent.wav"


def test_what_was_written_is_read_back(path: Path) -> None:
    with StreamingWav(path) as wav:
        wav.write(RAMP[:1000])
        wav.write(RAMP[1000:])
        assert wav.samples_written == len(RAMP)
    assert np.array_equal(read(path), RAMP)
    assert path.stat().st_size == HEADER_BYTES + 2 * len(RAMP)


def test_a_file_is_valid_from_its_creation_and_after_each_flush(path: Path) -> None:
    with StreamingWav(path) as wav:
        assert len(read(path)) == 0
        for count in (1, 160, 4000):
            wav.write(RAMP[:count])
            wav.flush(to_disk=True)
            assert len(read(path)) == wav.samples_written == wav.flushed_samples
            if shutil.which("soxi"):
                assert sox_samples(path) == wav.samples_written


def test_between_flushes_readers_see_the_last_one(path: Path) -> None:
    with StreamingWav(path) as wav:
        wav.write(RAMP[:500])
        wav.flush()
        wav.write(RAMP[500:])
        assert wav.flushed_samples == 500
        assert np.array_equal(read(path), RAMP[:500])


def test_silence_is_cheap_and_silent(path: Path) -> None:
    hour = 3600 * 16_000
    with StreamingWav(path) as wav:
        wav.write(RAMP)
        wav.write_silence(hour)
        wav.write(RAMP)
    assert path.stat().st_blocks * 512 < 1_000_000
    with soundfile.SoundFile(path) as file:
        assert len(file) == hour + 2 * len(RAMP)
        file.seek(len(RAMP) - 1)
        assert file.read(3, dtype="int16").tolist() == [7999, 0, 0]
        file.seek(len(RAMP) + hour)
        assert np.array_equal(file.read(dtype="int16"), RAMP)


def test_past_4_gib_the_file_becomes_rf64_and_loses_nothing(path: Path) -> None:
    many = (1 << 31) + 1_000_000
    with StreamingWav(path) as wav:
        wav.write_silence(many)
        wav.write(RAMP)
        wav.flush()
        with soundfile.SoundFile(path) as file:
            assert file.format == "RF64"
            assert len(file) == many + len(RAMP)
            file.seek(many)
            assert np.array_equal(file.read(dtype="int16"), RAMP)
        wav.write(RAMP)
    assert recover(path) == many + 2 * len(RAMP)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda folder: folder / "missing" / "a.wav", "its folder does not exist"),
        (lambda folder: folder, "it is a folder"),
        (lambda _folder: Path("/dev/full"), "the disk is full"),
    ],
)
def test_what_cannot_be_created_is_named(tmp_path: Path, make, why: str) -> None:
    with pytest.raises(FileUnwritable) as caught:
        StreamingWav(make(tmp_path))
    assert str(caught.value) == f"“{make(tmp_path)}” cannot be written: {why}."
    assert caught.value.path == make(tmp_path)


def test_a_full_disk_costs_only_what_did_not_fit(path: Path) -> None:
    with StreamingWav(path) as wav:
        wav.write(RAMP)
        with disk_full_at(HEADER_BYTES + 2 * len(RAMP) + 1001):
            for _ in range(2):
                with pytest.raises(FileUnwritable, match=r"agent\.wav” cannot be written: "):
                    wav.write(-RAMP)
            with pytest.raises(FileUnwritable):
                wav.write_silence(10_000)
            wav.flush()
            assert np.array_equal(read(path), RAMP)
        wav.write_silence(100)
        wav.write(-RAMP)
    expected = np.concatenate((RAMP, np.zeros(100, np.int16), -RAMP))
    assert np.array_equal(read(path), expected)


def test_closing_twice_and_on_an_error(path: Path) -> None:
    with contextlib.suppress(KeyError), StreamingWav(path) as wav:
        wav.write(RAMP)
        raise KeyError
    wav.close()
    wav.close()
    assert np.array_equal(read(path), RAMP)


CHILD = """
import os, signal, sys
import numpy as np
from audio.wavfile import StreamingWav
wav = StreamingWav(sys.argv[1])
ramp = np.arange(-8000, 8000, dtype=np.int16)
wav.write(ramp); wav.flush(); wav.write(ramp[:123])
os._exit(7) if sys.argv[2] == "exit" else os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(("way", "code"), [("exit", 7), ("kill", -signal.SIGKILL)])
def test_a_process_that_dies_leaves_a_valid_file(path: Path, way: str, code: int) -> None:
    child = subprocess.run([sys.executable, "-c", CHILD, path, way], cwd=Path.cwd(), check=False)
    assert child.returncode == code
    assert np.array_equal(read(path), RAMP)
    if shutil.which("soxi"):
        assert sox_samples(path) == len(RAMP)
    assert recover(path) == len(RAMP) + 123
    assert np.array_equal(read(path), np.concatenate((RAMP, RAMP[:123])))


def whole_file(path: Path) -> bytes:
    with StreamingWav(path) as wav:
        wav.write(RAMP)
    return path.read_bytes()


@pytest.mark.parametrize("cut", [0, 1, 43, 79, 80, 81, 82, 20_001, 32_079])
def test_a_file_cut_anywhere_is_repaired(path: Path, cut: int) -> None:
    path.write_bytes(whole_file(path)[:cut])
    kept = max(cut - HEADER_BYTES, 0) // 2
    assert recover(path) == kept
    assert np.array_equal(read(path), RAMP[:kept])
    repaired = path.read_bytes()
    assert recover(path) == kept
    assert path.read_bytes() == repaired


def test_repair_leaves_a_whole_file_alone(path: Path) -> None:
    whole = whole_file(path)
    path.chmod(0o444)
    assert recover(path) == len(RAMP)
    assert path.read_bytes() == whole


def test_other_programs_files_are_repaired_too(path: Path) -> None:
    soundfile.write(path, RAMP, 16_000, subtype="PCM_16")
    whole = path.read_bytes()
    assert recover(path) == len(RAMP)
    # a labelled file: the words after the samples are none
    tagged = whole + b"LIST" + struct.pack("<I", 4) + b"INFO"
    tagged = tagged[:4] + struct.pack("<I", len(tagged) - 8) + tagged[8:]
    path.write_bytes(tagged)
    assert recover(path) == len(RAMP)
    assert path.read_bytes() == tagged
    path.write_bytes(whole[:-101])
    assert recover(path) == len(RAMP) - 51
    assert np.array_equal(read(path), RAMP[:-51])


def test_what_is_no_recording_is_refused_and_untouched(path: Path) -> None:
    with pytest.raises(FileMissing, match=r"There is no file “.*agent\.wav”"):
        recover(path)
    path.write_bytes(b"ID3 this is a song")
    with pytest.raises(FileUnreadable, match=r"agent\.wav” is not a WAV file"):
        recover(path)
    assert path.read_bytes() == b"ID3 this is a song"
    soundfile.write(path, np.zeros((10, 2)), 44_100)
    with pytest.raises(FileUnreadable, match=r"is not 16-bit mono PCM at 16000 Hz"):
        recover(path)
    with pytest.raises(FileUnreadable, match="it is a folder"):
        recover(path.parent)
