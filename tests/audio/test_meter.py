"""What a level meter shows."""

from __future__ import annotations

import numpy as np
import pytest

from audio.meter import FLOOR_DBFS, Meter


def sine(peak: float, seconds: float = 0.5) -> np.ndarray:
    at = np.arange(round(16_000 * seconds)) / 16_000
    return np.rint(peak * np.sin(2 * np.pi * 1000 * at)).astype(np.int16)


def fed(meter: Meter, samples: np.ndarray, at: float, block: int = 160) -> float:
    """Feed in blocks and return the time after the last."""
    for start in range(0, len(samples), block):
        meter.feed(samples[start : start + block], at + start / 16_000)
    return at + len(samples) / 16_000


def test_silence_and_no_audio_read_the_floor() -> None:
    meter = Meter()
    assert meter.reading(5.0) == (FLOOR_DBFS, FLOOR_DBFS, FLOOR_DBFS, False)
    end = fed(meter, np.zeros(1600, np.int16), 5.0)
    assert meter.reading(end) == (FLOOR_DBFS, FLOOR_DBFS, FLOOR_DBFS, False)


@pytest.mark.parametrize("block", [37, 160, 320, 4000])
@pytest.mark.parametrize("dbfs", [-6.0, -20.0, -60.0])
def test_a_sine_reads_its_peak_and_3_db_less_of_rms(dbfs: float, block: int) -> None:
    meter = Meter()
    end = fed(meter, sine(32768 * 10 ** (dbfs / 20)), 100.003, block)
    reading = meter.reading(end)
    assert reading.peak_dbfs == pytest.approx(dbfs, abs=0.1)
    assert reading.hold_dbfs == pytest.approx(dbfs, abs=0.1)
    assert reading.rms_dbfs == pytest.approx(dbfs - 3.01, abs=0.1)
    assert not reading.clipped


def test_rms_is_that_of_the_last_300_ms() -> None:
    meter = Meter()
    end = fed(meter, np.full(16_000, 16384, np.int16), 10.0)
    end = fed(meter, np.zeros(2400, np.int16), end)
    assert meter.reading(end).rms_dbfs == pytest.approx(-6.02 - 3.01, abs=0.3)
    end = fed(meter, np.zeros(2560, np.int16), end)
    assert meter.reading(end).rms_dbfs == FLOOR_DBFS


def test_a_dead_device_does_not_leave_the_meter_standing() -> None:
    meter = Meter()
    end = fed(meter, sine(20_000), 10.0)
    assert meter.reading(end + 0.32).rms_dbfs == FLOOR_DBFS
    assert meter.reading(end + 10).peak_dbfs == FLOOR_DBFS


def test_peak_falls_by_20_db_a_second_and_its_mark_waits() -> None:
    meter = Meter()
    end = fed(meter, sine(16384, 0.1), 10.0)
    assert meter.reading(end + 0.5).peak_dbfs == pytest.approx(-16.0, abs=0.1)
    assert meter.reading(end + 1.45).hold_dbfs == pytest.approx(-6.0, abs=0.1)
    assert meter.reading(end + 2.5).hold_dbfs == pytest.approx(-26.0, abs=0.1)


def test_a_softer_sound_holds_the_falling_peak_at_its_own_level() -> None:
    meter = Meter()
    end = fed(meter, sine(16384, 0.1), 10.0)
    end = fed(meter, sine(1638.4, 2.0), end)
    reading = meter.reading(end)
    assert reading.peak_dbfs == pytest.approx(-26.0, abs=0.1)
    assert reading.hold_dbfs == pytest.approx(-16.5, abs=1.0)


@pytest.mark.parametrize("level", [32767, -32768])
def test_clipping_is_latched_until_reset(level: int) -> None:
    meter = Meter()
    meter.feed(np.array([0, level, 0], np.int16), 1.0)
    assert meter.reading(1000.0).clipped
    meter.reset_clip()
    assert not meter.reading(1000.0).clipped
    meter.feed(np.array([32766, -32766], np.int16), 1001.0)
    assert not meter.reading(1001.0).clipped
