"""The contract's format and every conversion to and from it."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest

from audio import pcm
from audio.errors import FormatError

RATES = {"pcm_8000": 8000, "pcm_22050": 22050, "pcm_24000": 24000, "pcm_44100": 44100}
RATES |= {"pcm_16000": 16000, "pcm_48000": 48000, "ulaw_8000": 8000}


def tone(rate: int, hz: float = 440.0, seconds: float = 1.0, level: float = 10_000) -> pcm.Samples:
    at = np.arange(round(rate * seconds)) / rate
    return np.rint(level * np.sin(2 * np.pi * hz * at)).astype(np.int16)


def snr_db(wanted: np.ndarray, got: np.ndarray) -> float:
    """Leave the first and last 20 ms out: there a filter meets the silence around the tone."""
    wanted, got = wanted[320:-320].astype(float), got[320:-320].astype(float)
    return 10 * np.log10(np.mean(wanted**2) / max(np.mean((wanted - got) ** 2), 1e-9))


def sox(arguments: str, audio: bytes) -> bytes:
    command = ["sox", "-D", *arguments.split()]
    return subprocess.run(command, input=audio, capture_output=True, check=True).stdout


def test_samples_and_bytes_are_two_views_of_one_thing() -> None:
    audio = b"\x01\x00\xff\x7f\x00\x80"
    assert pcm.to_samples(audio).tolist() == [1, 32767, -32768]
    assert pcm.to_bytes(pcm.to_samples(audio)) == audio


def test_half_a_sample_is_refused_in_words() -> None:
    with pytest.raises(FormatError, match="3 bytes ends in half a sample"):
        pcm.to_samples(b"abc")


def test_times_and_samples() -> None:
    assert pcm.ms_to_samples(250) == 4000
    assert pcm.samples_to_ms(160) == 10.0
    assert pcm.seconds_to_samples(0.1) == 1600
    assert pcm.samples_to_seconds(8000) == 0.5


@pytest.mark.parametrize("name", pcm.FORMATS)
def test_a_tone_survives_each_format_both_ways(name: str) -> None:
    rate = RATES[name]
    encoder, decoder = pcm.Encoder(name), pcm.Decoder(name)
    audio = pcm.to_bytes(tone(16_000))
    there = encoder.encode(audio) + encoder.flush()
    assert len(there) == (rate if name.startswith("ulaw") else 2 * rate)
    back = pcm.to_samples(decoder.decode(there) + decoder.flush())
    assert len(back) == 16_000
    # mu-law itself is good for some 38 dB
    assert snr_db(tone(16_000), back) > (35 if name.startswith("ulaw") else 75)


@pytest.mark.parametrize("name", [name for name in pcm.FORMATS if name.startswith("pcm")])
def test_decoding_keeps_pitch_and_place(name: str) -> None:
    decoder = pcm.Decoder(name)
    got = decoder.decode(pcm.to_bytes(tone(RATES[name], 1000))) + decoder.flush()
    assert snr_db(tone(16_000, 1000), pcm.to_samples(got)) > 75


@pytest.mark.parametrize("name", pcm.FORMATS)
def test_how_a_stream_is_cut_up_does_not_matter(name: str) -> None:
    rng = np.random.default_rng(7)
    width = 1 if name.startswith("ulaw") else 2
    audio = rng.integers(0, 256, width * RATES[name] // 4, dtype=np.uint8).tobytes()
    whole = pcm.Decoder(name)
    expected = whole.decode(audio) + whole.flush()
    pieces, decoder, got = audio, pcm.Decoder(name), b""
    while pieces:
        cut = int(rng.integers(0, 700))
        decoded = decoder.decode(pieces[:cut])
        assert len(decoded) % 2 == 0
        got, pieces = got + decoded, pieces[cut:]
    assert got + decoder.flush() == expected


@pytest.mark.parametrize("name", pcm.FORMATS)
def test_no_format_holds_back_more_than_4_ms(name: str) -> None:
    decoder = pcm.Decoder(name)
    width = 1 if name.startswith("ulaw") else 2
    made = sum(len(decoder.decode(bytes(width * RATES[name] // 50))) // 2 for _ in range(50))
    assert pcm.samples_to_ms(16_000 - made) <= 4.1


def test_reset_drops_what_was_held_back() -> None:
    decoder = pcm.Decoder("pcm_8000")
    decoder.decode(pcm.to_bytes(tone(8000)))
    decoder.reset()
    assert not any(decoder.decode(bytes(1600)) + decoder.flush())


def test_nothing_above_the_new_limit_comes_back_as_a_lower_tone() -> None:
    encoder = pcm.Encoder("pcm_8000")
    got = pcm.to_samples(encoder.encode(pcm.to_bytes(tone(16_000, 5000))) + encoder.flush())
    assert np.abs(got[160:-160]).max() <= 2


def test_full_scale_is_clipped_and_never_wraps() -> None:
    square = np.where(tone(48_000, 300) > 0, 32767, -32768).astype(np.int16)
    decoder = pcm.Decoder("pcm_48000")
    got = pcm.to_samples(decoder.decode(pcm.to_bytes(square)) + decoder.flush())
    # a wrap would turn the overshoot beside an edge into the other sign
    middle = np.arange(13, len(got) - 40, 1)
    same_side = (got[middle] > 0) == (got[middle + 1] > 0)
    assert np.count_nonzero(~same_side) in range(596, 602)


def test_unknown_formats_are_named() -> None:
    for make in (pcm.Decoder, pcm.Encoder):
        with pytest.raises(FormatError, match=r"“opus_48000” is unknown; known are pcm_8000"):
            make("opus_48000")


@pytest.mark.skipif(shutil.which("sox") is None, reason="sox is not installed")
def test_ulaw_expands_as_sox_does() -> None:
    codes = bytes(range(256))
    theirs = sox("-t raw -e mu-law -b 8 -r 8000 -c 1 - -t raw -e signed -b 16 -r 8000 -", codes)
    assert pcm.to_bytes(pcm.ulaw_to_samples(codes)) == theirs


@pytest.mark.skipif(shutil.which("sox") is None, reason="sox is not installed")
def test_ulaw_compresses_no_worse_than_sox() -> None:
    levels = np.arange(-32768, 32768).astype(np.int16)
    raw = levels.tobytes()
    theirs = sox("-t raw -e signed -b 16 -r 8000 -c 1 - -t raw -e mu-law -b 8 -r 8000 -", raw)
    ours = pcm.samples_to_ulaw(levels)
    error = np.abs(pcm.ulaw_to_samples(ours) - levels.astype(int))
    assert np.all(error <= np.abs(pcm.ulaw_to_samples(theirs) - levels.astype(int)))


def test_ulaw_codes_survive_expanding_and_compressing() -> None:
    codes = bytes(code for code in range(256) if code != 127)
    assert pcm.samples_to_ulaw(pcm.ulaw_to_samples(codes)) == codes


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 44100, 96000])
def test_files_of_any_rate_become_the_contract(rate: int) -> None:
    stereo = np.stack([tone(rate), tone(rate)], axis=1)
    got = pcm.to_contract(stereo, rate)
    assert len(got) == 16_000
    assert snr_db(tone(16_000), got) > 70


def test_channels_are_mixed_to_their_mean() -> None:
    frames = np.array([[0.5, -0.25, 0.0, 0.75]] * 4)
    assert pcm.to_contract(frames, 16_000).tolist() == [8192] * 4
    assert pcm.to_contract(frames.ravel(), 16_000, channels=4).tolist() == [8192] * 4


def test_loud_floats_clip_and_broken_ones_are_silence() -> None:
    frames = np.array([1.5, -1.5, 1e38, np.nan, np.inf, -np.inf, 0.5])
    assert pcm.to_contract(frames, 16_000).tolist() == [32767, -32768, 32767, 0, 0, 0, 16384]


@pytest.mark.parametrize("dtype", [np.int16, np.int32])
def test_integer_files_keep_their_level(dtype: type) -> None:
    half = np.array([np.iinfo(dtype).min // 2, 0, np.iinfo(dtype).min], dtype=dtype)
    assert pcm.to_contract(half, 16_000).tolist() == [-16384, 0, -32768]


def test_impossible_rates_are_refused() -> None:
    with pytest.raises(FormatError, match="0 samples a second"):
        pcm.to_contract(np.zeros(4), 0)
