"""Reading the tracks of an audio file once, from beginning to end, for their peaks.

No state. Any thread that may wait; what is read is seen at once by whoever views the peaks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import closing

import numpy as np
from numpy.typing import NDArray

from app.recordings.audio_form import AudioForm
from audio.errors import AudioError
from audio.pcm import SAMPLE_RATE, round_to_samples
from audio.pcmwav import PcmWav
from audio.peaks import BASE_SAMPLES, Envelope, PeakPyramid
from audio.readahead import open_audio

OnFrames = Callable[[int], None]

PIECE_BYTES = 1024 * 1024
"""Read and reduced at a time: it fits the processor's cache, so the disk is all that is slow."""
TRANSPOSED_FRAMES = 16
MISSING_S = 0.5
"""A file that ends this much too early is said to."""


def read_peaks(
    form: AudioForm,
    pyramids: Sequence[PeakPyramid],
    stopping: threading.Event,
    on_frames: OnFrames,
) -> str:
    """Append the channels of a file to ``pyramids``, the first to the first, as far as there are.

    ``on_frames(count)`` is told of every piece. Returns what was wrong, as a sentence, or nothing.
    """
    read = _read_plain if form.is_plain else _read_decoded
    try:
        frames = read(form, pyramids, stopping, on_frames)
    except (OSError, RuntimeError, AudioError):
        return f"“{form.path.name}” cannot be read to its end; what could be read is shown."
    missing_s = (form.frames - frames) / form.rate
    if missing_s < MISSING_S or stopping.is_set():
        return ""
    return (
        f"“{form.path.name}” ends {missing_s:.1f} s before the end that its header tells of; "
        "what is there is shown."
    )


def _read_plain(
    form: AudioForm,
    pyramids: Sequence[PeakPyramid],
    stopping: threading.Event,
    on_frames: OnFrames,
) -> int:
    bins = max(PIECE_BYTES // (form.channels * BASE_SAMPLES * 2), 1)
    room = np.empty((bins * BASE_SAMPLES, form.channels), dtype="<i2")
    done = 0
    with closing(PcmWav(form.path)) as wav:
        while not stopping.is_set():
            frames = wav.read_into(room, done).astype(np.int16, copy=False)
            if not len(frames):
                break
            done += len(frames)
            for pyramid, envelope in zip(pyramids, reduce_frames(frames), strict=False):
                pyramid.append_bins(envelope, len(frames))
            on_frames(len(frames))
    return done


def reduce_frames(frames: NDArray[np.int16]) -> list[Envelope]:
    """Return the extremes of each 256 frames, for each channel; the last bin may be of fewer."""
    if frames.shape[1] == 1:
        samples = frames[:, 0]
        starts = np.arange(0, len(samples), BASE_SAMPLES)
        low, high = np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts)
        return [Envelope(low, high)]
    whole = len(frames) // BASE_SAMPLES * BASE_SAMPLES
    lows, highs = (_fold(frames[:whole], pick) for pick in (np.minimum, np.maximum))
    if whole < len(frames):
        rest = frames[whole:]
        lows = np.column_stack((lows, rest.min(axis=0)))
        highs = np.column_stack((highs, rest.max(axis=0)))
    return [Envelope(low, high) for low, high in zip(lows, highs, strict=True)]


def _fold(frames: NDArray[np.int16], pick: np.ufunc) -> NDArray[np.int16]:
    """Return ``pick`` of each 256 frames, shape (channels, bins).

    A bin is folded in halves, which keeps its channels apart and goes over long runs of memory, as
    fast as they are read; when the runs have become short, across the bins.
    """
    channels = frames.shape[1]
    bins = frames.reshape(-1, BASE_SAMPLES * channels)
    while bins.shape[1] > TRANSPOSED_FRAMES * channels:
        half = bins.shape[1] // 2
        bins = pick(bins[:, :half], bins[:, half:])
    across: NDArray[np.int16] = np.ascontiguousarray(bins.T)
    while len(across) > channels:
        half = len(across) // 2
        across = pick(across[:half], across[half:])
    return across


def _read_decoded(
    form: AudioForm,
    pyramids: Sequence[PeakPyramid],
    stopping: threading.Event,
    on_frames: OnFrames,
) -> int:
    used = min(len(pyramids), form.channels)
    bins = _Bins(form.rate, used)
    with closing(open_audio(form.path)) as file:
        while not stopping.is_set():
            frames = file.read(form.block_frames, dtype="float32", always_2d=True)
            for pyramid, envelope in zip(pyramids, bins.feed(frames[:, :used]), strict=False):
                pyramid.append_bins(envelope, len(envelope.low) * BASE_SAMPLES)
            on_frames(len(frames))
            if len(frames) < form.block_frames:
                break
    for pyramid, envelope in zip(pyramids, bins.flush(), strict=False):
        pyramid.append_bins(envelope, bins.samples - len(pyramid))
    return bins.frames


class _Bins:
    """Puts frames of any rate into bins of 256 samples at 16 kHz, by their places in time."""

    def __init__(self, rate: int, channels: int) -> None:
        self.frames = 0
        self._rate = rate
        self._bins = 0
        self._held = np.zeros((0, channels), np.float32)

    @property
    def samples(self) -> int:
        """How many samples at 16 kHz all the frames are."""
        return -(-self.frames * SAMPLE_RATE // self._rate)

    def feed(self, frames: NDArray[np.float32]) -> list[Envelope]:
        """Take the next frames, and return the bins that they complete, for each channel."""
        begin = self.frames - len(self._held)
        held = np.concatenate((self._held, _levels(frames)))
        self.frames += len(frames)
        complete = self.frames * SAMPLE_RATE // (BASE_SAMPLES * self._rate)
        numbers = np.arange(self._bins, complete + 1)
        edges = -(-numbers * (BASE_SAMPLES * self._rate) // SAMPLE_RATE) - begin
        self._bins, self._held = complete, held[edges[-1] :]
        return _extremes(held[: edges[-1]], edges[:-1])

    def flush(self) -> list[Envelope]:
        """Return what is left as a last bin; no list where nothing is left."""
        return _extremes(self._held, np.zeros(1, np.int64)) if len(self._held) else []


def _levels(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return ``frames`` in steps of a sample, with silence for what is no number."""
    if not np.isfinite(frames).all():
        frames = np.where(np.isfinite(frames), frames, np.float32(0))
    levels: NDArray[np.float32] = frames * np.float32(32768)
    return levels


def _extremes(frames: NDArray[np.float32], starts: NDArray[np.int64]) -> list[Envelope]:
    columns = [np.ascontiguousarray(column) for column in frames.T]
    if not len(starts):
        return [Envelope(np.zeros(0, np.int16), np.zeros(0, np.int16)) for _ in columns]
    return [
        Envelope(
            round_to_samples(np.minimum.reduceat(column, starts)),
            round_to_samples(np.maximum.reduceat(column, starts)),
        )
        for column in columns
    ]
