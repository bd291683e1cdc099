"""The one format of the contract, and the only conversions to and from it.

The contract is 16-bit little-endian PCM, mono, 16,000 samples a second. In memory it is a NumPy
array of ``int16``, here called ``Samples``. The functions have no state and may be entered by any
thread; a ``Decoder``, ``Encoder`` or ``ContractStream`` belongs to one thread at a time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from audio import sample_format
from audio.errors import FormatError
from audio.resample import StreamResampler

SAMPLE_RATE = sample_format.SAMPLE_RATE
"""Samples a second of the contract."""

SAMPLE_WIDTH = sample_format.SAMPLE_WIDTH
"""Bytes of one sample of the contract."""

Samples = NDArray[np.int16]

FORMATS = (
    "pcm_8000",
    "pcm_16000",
    "pcm_22050",
    "pcm_24000",
    "pcm_44100",
    "pcm_48000",
    "ulaw_8000",
)
"""The names of the agent protocol's audio formats."""

_LIMIT = 64.0
"""Floats beyond this (full scale is 1) are clipped before they are mixed, lest they overflow."""


def as_bytes(audio: bytes | bytearray | memoryview) -> bytes:
    """Return what ``audio`` holds. Of an array, or a view of one, ``len`` is no count of bytes."""
    return audio if isinstance(audio, bytes) else memoryview(audio).tobytes()


def to_samples(audio: bytes | bytearray | memoryview) -> Samples:
    """Return contract bytes as samples: a view, read-only where the bytes are.

    Raises:
        FormatError: the bytes end in half a sample.

    """
    if len(audio) % SAMPLE_WIDTH:
        raise FormatError(f"Audio of {len(audio)} bytes ends in half a sample.")
    return np.frombuffer(audio, dtype="<i2").astype(np.int16, copy=False)


def to_bytes(samples: Samples) -> bytes:
    """Return samples as contract bytes."""
    return samples.astype("<i2", copy=False).tobytes()


def ms_to_samples(ms: float) -> int:
    """Return the whole number of contract samples nearest to ``ms`` milliseconds."""
    return round(ms * SAMPLE_RATE / 1000)


def samples_to_ms(samples: float) -> float:
    """Return how many milliseconds ``samples`` contract samples last."""
    return samples * 1000 / SAMPLE_RATE


def seconds_to_samples(seconds: float) -> int:
    """Return the whole number of contract samples nearest to ``seconds``."""
    return round(seconds * SAMPLE_RATE)


def samples_to_seconds(samples: float) -> float:
    """Return how many seconds ``samples`` contract samples last."""
    return samples / SAMPLE_RATE


def silence(count: int) -> Samples:
    """Return ``count`` samples of silence."""
    return np.zeros(count, dtype=np.int16)


def round_to_samples(levels: NDArray[np.floating[Any]]) -> Samples:
    """Round levels in units of one ``int16`` step, without dither; clip what does not fit."""
    rounded: Samples = np.clip(np.rint(levels), -32768, 32767).astype(np.int16)
    return rounded


def format_rate(name: str) -> int:
    """Return the samples a second of the format called ``name``, one of ``FORMATS``.

    Raises:
        FormatError: no such format is known.

    """
    if name not in FORMATS:
        known = ", ".join(FORMATS)
        raise FormatError(f"The audio format “{name[:40]}” is unknown; known are {known}.")
    return int(name.partition("_")[2])


class Decoder:
    """Turns a stream of bytes in one of ``FORMATS`` into contract bytes.

    A chunk that ends in half a sample is joined to the next one. Where the rate differs, the last
    2 to 4 ms are held back until more comes, or until ``flush``.
    """

    def __init__(self, name: str) -> None:
        """Prepare for the format called ``name``; raises ``FormatError`` for an unknown one."""
        rate = format_rate(name)
        self.format = name
        self._ulaw = name.startswith("ulaw")
        self._resampler = StreamResampler(rate, SAMPLE_RATE) if rate != SAMPLE_RATE else None
        self._half = b""

    def decode(self, audio: bytes) -> bytes:
        """Return the contract bytes that ``audio`` completes; always whole samples."""
        return self._resample(self._whole_samples(audio))

    def flush(self) -> bytes:
        """Return what was held back and begin a new stream; half a sample is dropped."""
        self._half = b""
        if self._resampler is None:
            return b""
        return to_bytes(round_to_samples(self._resampler.flush()))

    def reset(self) -> None:
        """Drop what is held back and begin a new stream."""
        self._half = b""
        if self._resampler is not None:
            self._resampler.reset()

    def _whole_samples(self, audio: bytes) -> Samples:
        if self._ulaw:
            return ulaw_to_samples(audio)
        audio = self._half + audio
        whole = len(audio) - len(audio) % SAMPLE_WIDTH
        self._half = audio[whole:]
        return to_samples(audio[:whole])

    def _resample(self, samples: Samples) -> bytes:
        if self._resampler is None:
            return to_bytes(samples)
        return to_bytes(round_to_samples(self._resampler.process(samples.astype(np.float32))))


class Encoder:
    """Turns a stream of contract bytes into one of ``FORMATS``: ``Decoder`` reversed."""

    def __init__(self, name: str) -> None:
        """Prepare for the format called ``name``; raises ``FormatError`` for an unknown one."""
        rate = format_rate(name)
        self.format = name
        self._ulaw = name.startswith("ulaw")
        self._resampler = StreamResampler(SAMPLE_RATE, rate) if rate != SAMPLE_RATE else None
        self._half = b""

    def encode(self, audio: bytes) -> bytes:
        """Return the bytes in this format that the contract bytes ``audio`` complete."""
        audio = self._half + audio
        whole = len(audio) - len(audio) % SAMPLE_WIDTH
        self._half = audio[whole:]
        samples = to_samples(audio[:whole])
        if self._resampler is not None:
            samples = round_to_samples(self._resampler.process(samples.astype(np.float32)))
        return self._pack(samples)

    def flush(self) -> bytes:
        """Return what was held back and begin a new stream; half a sample is dropped."""
        self._half = b""
        if self._resampler is None:
            return b""
        return self._pack(round_to_samples(self._resampler.flush()))

    def _pack(self, samples: Samples) -> bytes:
        return samples_to_ulaw(samples) if self._ulaw else to_bytes(samples)


class ContractStream:
    """Turns frames of any rate and channel count, as files hold them, into contract samples.

    Channels are mixed to their mean, NaN and infinity become silence, and what is louder than full
    scale is clipped. Resampling is soxr's high quality, which holds back up to 0.1 s until
    ``flush``: meant for audio that is read ahead.
    """

    def __init__(self, rate: int, channels: int) -> None:
        """Prepare for ``channels`` interleaved channels at ``rate`` frames a second.

        Raises:
            FormatError: the rate or the number of channels is not positive.

        """
        if rate <= 0 or channels <= 0:
            raise FormatError(f"Audio cannot have {channels} channels at {rate} samples a second.")
        self._channels = channels
        self._soxr = (
            soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32")
            if rate != SAMPLE_RATE
            else None
        )

    def convert(self, frames: NDArray[Any]) -> Samples:
        """Return the samples that ``frames`` complete.

        ``frames`` has the shape (frames, channels), or is flat with its channels interleaved:
        floats with full scale 1, or integers with full scale at the end of their type's range.
        """
        return self._resample(_mono(frames, self._channels), last=False)

    def flush(self) -> Samples:
        """Return what was held back; nothing may be converted after it."""
        return self._resample(np.zeros(0, dtype=np.float32), last=True)

    def _resample(self, mono: NDArray[np.float32], last: bool) -> Samples:
        if self._soxr is not None:
            mono = self._soxr.resample_chunk(mono, last=last)
        return round_to_samples(mono * np.float32(32768))


def to_contract(audio: NDArray[Any], rate: int, channels: int = 1) -> Samples:
    """Convert a whole recording, as ``ContractStream.convert`` describes it."""
    stream = ContractStream(rate, audio.shape[1] if audio.ndim == 2 else channels)
    return np.concatenate((stream.convert(audio), stream.flush()))


def _mono(frames: NDArray[Any], channels: int) -> NDArray[np.float32]:
    levels = frames.reshape(-1, channels)
    if np.issubdtype(levels.dtype, np.integer):
        levels = levels / (np.iinfo(levels.dtype).max + 1.0)
    else:
        levels = np.where(np.isfinite(levels), np.clip(levels, -_LIMIT, _LIMIT), 0.0)
    mixed: NDArray[np.float32] = levels.mean(axis=1, dtype=np.float32)
    return mixed


def ulaw_to_samples(audio: bytes) -> Samples:
    """Expand mu-law bytes (ITU-T G.711) to samples at the same rate."""
    return _ULAW_LEVELS[np.frombuffer(audio, dtype=np.uint8)]


def samples_to_ulaw(samples: Samples) -> bytes:
    """Compress samples to the nearest mu-law bytes (ITU-T G.711) at the same rate."""
    return _ULAW_CODES[samples.view(np.uint16)].tobytes()


def _ulaw_levels() -> Samples:
    """Return the level of each code: inverted, a sign, 3 bits of segment and 4 of step."""
    code = ~np.arange(256, dtype=np.uint8)
    segment, step = (code >> 4 & 7).astype(np.int32), (code & 15).astype(np.int32)
    magnitude = ((2 * step + 33) << segment + 2) - 132
    return np.where(code & 128, -magnitude, magnitude).astype(np.int16)


def _ulaw_codes(levels: Samples) -> NDArray[np.uint8]:
    """Return the code nearest to each ``int16`` level, indexed by the level's unsigned view."""
    # 127 is the second code of zero, and never sent
    codes = np.array([code for code in range(256) if code != 127], dtype=np.uint8)
    codes = codes[np.argsort(levels[codes], kind="stable")]
    ordered = levels[codes].astype(np.float64)
    borders = (ordered[1:] + ordered[:-1]) / 2
    return codes[np.searchsorted(borders, np.arange(65536, dtype=np.uint16).view(np.int16))]


_ULAW_LEVELS = _ulaw_levels()
_ULAW_CODES = _ulaw_codes(_ULAW_LEVELS)
