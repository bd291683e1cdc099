"""The playhead against an outside listener, and a speaker that goes, on the virtual sound card."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.playing.player import Player
from app.recordings.sources import open_sources
from audio.default import DeviceSink
from tests.benchmarks.playhead import (
    BAR_MS,
    Act,
    measure_steady,
    nothing,
    pause_twice,
    playing,
    write_clicks,
)
from tests.rig.sound_card import SoundCard
from tests.rig.waiting import wait_until


@pytest.mark.parametrize(
    ("act", "manner", "seconds"),
    [
        (nothing, {"speed": 0.5}, 1.8),
        (pause_twice, {}, 0.2),
        (nothing, {"speed": 2.0}, 1.5),
        (nothing, {"from_s": 1.0, "to_s": 1.6, "loop": True}, 1.4),
    ],
    ids=["half speed", "pauses", "double speed", "loop"],
)
def test_the_playhead_agrees_with_the_ear(
    sound_card: SoundCard, tmp_path: Path, act: Act, manner: dict[str, object], seconds: float
) -> None:
    run = measure_steady(sound_card, tmp_path, seconds, act, **manner)
    assert len(run.errors_ms) >= 3
    assert np.abs(run.errors_ms).max() < BAR_MS


def test_a_sound_server_that_dies_ends_it_with_a_sentence(
    sound_card: SoundCard, tmp_path: Path, error_log: list[str]
) -> None:
    path = tmp_path / "clicks.wav"
    write_clicks(path, 30.0)
    with playing(path) as player:
        wait_until(lambda: player.position_s > 0.2)
        sound_card.kill()
        assert player.wait(8)
        assert "has stopped answering" in str(player.error)
        assert player.position_s < 3
    assert all("has stopped answering" in line for line in error_log)
    error_log.clear()


def test_the_speaker_can_be_chosen(sound_card: SoundCard, tmp_path: Path) -> None:
    path = tmp_path / "clicks.wav"
    write_clicks(path, 3.0)
    sound_card.add_speaker("second", "Second Speaker")
    with sound_card.monitor("second.monitor") as second, sound_card.monitor() as first:
        player = Player(open_sources(path), DeviceSink("pulse:second"))
        player.start()
        second.wait_for_sound()
        player.close()
        assert first.first_sound() is None
