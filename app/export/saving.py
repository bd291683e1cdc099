"""Saving a recording's audio as WAV where a person wants it. Blocks on the disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from app.bundle import BundleError, open_bundle
from app.mixing import TrackReader
from audio.errors import FileUnwritable
from audio.pcm import SAMPLE_RATE
from audio.wavfile import unwritable

_BLOCK = 10 * SAMPLE_RATE


def save_audio(bundle: Path, target: Path, *, apart: bool = False) -> list[Path]:
    """Write a recording's audio and return what was written.

    One stereo file ``target``, user left and agent right; or, ``apart``, one file for each of them,
    named after ``target`` with ``-user`` and ``-agent``. A file that is there is replaced, and only
    by a whole one.

    Raises:
        BundleError: it is no recording, or lacks the user or the agent track.
        FileError: a track cannot be read, or the target not be written.

    """
    opened = open_bundle(bundle)
    if opened.user is None or opened.agent is None:
        missing = "user" if opened.user is None else "agent"
        raise BundleError(f"The recording “{bundle.name}” has no {missing} track.")
    if not apart:
        return [_write([opened.user, opened.agent], target)]
    return [
        _write([track], target.with_name(f"{target.stem}-{name}.wav"))
        for name, track in (("user", opened.user), ("agent", opened.agent))
    ]


def _write(tracks: list[Path], target: Path) -> Path:
    if any(target.exists() and target.samefile(track) for track in tracks):
        sentence = f"“{target}” is the recording itself; save it under another name."
        raise FileUnwritable(target, sentence)
    unfinished = target.with_name(f".{target.name}.part")
    try:
        with TrackReader(tracks) as reader:
            _write_tracks(reader, unfinished, len(tracks))
        unfinished.replace(target)
    except OSError as error:
        raise unwritable(target, error) from error
    except RuntimeError as error:  # what soundfile raises, without saying why
        raise FileUnwritable(target, f"“{target}” cannot be written.") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return target


def _write_tracks(reader: TrackReader, path: Path, channels: int) -> None:
    # opened by Python: the system then says why it cannot be
    with (
        path.open("wb") as raw,
        soundfile.SoundFile(raw, "w", SAMPLE_RATE, channels, "PCM_16", format="WAV") as file,
    ):
        while reader.position < reader.duration_samples:
            file.write(np.stack(reader.read(_BLOCK), axis=1))
