"""Hearing an interrupted agent go on: what was heard up to the cut, then what was discarded."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from app.analysis.turn_records import AudioSpan, Interruption
from app.bundles.bundle import BundleError
from app.playing.gone_on import Continuation, continuation_of, gone_on
from app.playing.player import Player
from app.recordings.sources import sources_of
from app.services import AppServices
from audio.file import FileSink
from audio.playout import PlayoutQueue
from tests.app.played import SECOND, Track, counting, heard
from tests.rig.speech import tone, write_wav
from ui.services import PlayWish

FADE = PlayoutQueue.FADE_SAMPLES
BEGAN, CUT = SECOND // 2, SECOND
"""Where in the session the agent began, and fell silent."""


def as_heard(received: np.ndarray, seconds: float = 3.0) -> np.ndarray:
    """The agent's track: ``received`` from ``BEGAN`` on, faded out until ``CUT``."""
    track = np.zeros(round(seconds * SECOND), np.int16)
    track[BEGAN:CUT] = received[: CUT - BEGAN]
    ramp = np.linspace(1.0, 0.0, FADE, dtype=np.float32)
    track[CUT - FADE : CUT] = (track[CUT - FADE : CUT] * ramp).astype(np.int16)
    return track


def cut_at(silent_at: float | None, **known: object) -> Interruption:
    return Interruption(1, 0.9, "agent", silent_at=silent_at, **known)


@pytest.mark.parametrize("speed", [1.0, 2.0])
def test_what_leaves_the_speaker_is_what_was_heard_and_then_what_was_discarded(
    tmp_path: Path, speed: float
) -> None:
    received = tone(2.0, 300.0)
    agent, out = as_heard(received), tmp_path / "out.wav"
    spans = [
        AudioSpan("heard", 0, CUT - BEGAN, BEGAN / SECOND),
        AudioSpan("discarded", CUT - BEGAN, len(received), CUT / SECOND),
    ]
    pieces = continuation_of(cut_at(CUT / SECOND), spans)
    sources = gone_on(sources_of(None, Track(agent), Track(received)), pieces)
    player = Player(sources, FileSink(out), from_s=0.4, to_s=pieces[-1].ends_s, speed=speed)
    player.start()
    assert player.wait(10)
    player.close()
    played = heard(out)
    if speed == 1.0:
        # the fade of the cut is undone: rounding is all that is left of it
        expected = received[np.flatnonzero(received)[0] : np.flatnonzero(received)[-1] + 1]
        assert len(played) == len(expected)
        apart = np.abs(played.astype(int) - expected)
        assert apart.max() <= 2
        assert np.count_nonzero(apart) <= FADE
    else:
        assert len(played) == pytest.approx(len(received) / speed, abs=400)


def test_the_user_speaks_on_beside_it(tmp_path: Path) -> None:
    user = np.full(3 * SECOND, 1000, np.int16)
    received = np.full(2 * SECOND, 200, np.int16)
    pieces = (Continuation(1.0, SECOND // 2, 2 * SECOND),)
    sources = gone_on(sources_of(Track(user), Track(as_heard(received)), Track(received)), pieces)
    player = Player(sources, FileSink(tmp_path / "out.wav"), from_s=1.0, to_s=pieces[0].ends_s)
    player.start()
    assert player.wait(10)
    player.close()
    assert heard(tmp_path / "out.wav").tolist() == [1200] * (3 * SECOND // 2)


def test_every_part_of_it_reads_alike_in_any_pieces() -> None:
    received = counting(2.0)
    pieces = (
        Continuation(1.0, 8000, 9000, FADE),
        Continuation(1.0 + 1000 / SECOND, 20_000, 20_500),
        Continuation(1.5, 30_000, 32_000),
    )
    track = gone_on(sources_of(None, Track(as_heard(received, 1.2)), Track(received)), pieces).agent
    assert track is not None
    assert track.duration_samples == 24_000 + 2000
    whole = track.read(0, track.duration_samples)
    assert np.array_equal(whole[16_000:17_000], received[8000:9000])
    assert np.array_equal(whole[17_000:17_500], received[20_000:20_500])
    assert not whole[17_500:24_000].any()
    assert np.array_equal(whole[24_000:], received[30_000:])
    for size in (61, 700):
        parts = [track.read(n, min(n + size, 26_000)) for n in range(0, 26_000, size)]
        assert np.array_equal(np.concatenate(parts), whole)


def test_what_one_interruption_threw_away_is_found_among_all_that_was() -> None:
    spans = [
        AudioSpan("discarded", 0, 1600, 0.5),
        AudioSpan("heard", 1600, 3200, 0.9),
        AudioSpan("discarded", 3200, 4800, 1.0),
        AudioSpan("discarded", 9600, 11_200, 1.1),
        AudioSpan("discarded", 11_200, 12_800, 5.0),
    ]
    assert continuation_of(cut_at(1.0), spans) == (
        Continuation(1.0, 3200, 4800, FADE),
        Continuation(1.1, 9600, 11_200),
    )
    assert [each.fade for each in continuation_of(cut_at(1.0, estimated=True), spans)] == [0, 0]
    assert continuation_of(cut_at(None), spans) == ()
    assert continuation_of(cut_at(0.5), spans) == (Continuation(0.5, 0, 1600, 0),)


def test_nothing_discarded_is_the_recording_itself_and_what_is_not_kept_says_so() -> None:
    sources = sources_of(Track(tone(0.1)), None)
    assert gone_on(sources, ()) is sources
    with pytest.raises(BundleError, match="discarded"):
        gone_on(sources, (Continuation(0.0, 0, 100),))


def test_the_window_has_it_played_from_a_bundle(tmp_path: Path) -> None:
    folder = tmp_path / "2026-11-22_10-15-03_demo"
    folder.mkdir()
    (folder / "session.json").write_text(json.dumps({"schema": 1}))
    (folder / "events.jsonl").write_text("")
    received = np.full(2 * SECOND, 700, np.int16)
    write_wav(folder / "user.wav", np.zeros(2 * SECOND, np.int16))
    write_wav(folder / "agent.wav", as_heard(received, 2.0))
    out = str(tmp_path / "out.wav")
    pieces = (Continuation(1.0, SECOND // 2, SECOND, FADE),)
    wish = PlayWish(folder, out, from_s=0.5, to_s=pieces[0].ends_s, continuations=pieces)
    with pytest.raises(BundleError, match="discarded"):
        AppServices().play(wish)
    write_wav(folder / "received.wav", received)
    player = AppServices().play(wish)
    assert player.wait(5)
    player.close()
    assert set(np.unique(heard(Path(out)))) <= {699, 700}
    assert len(heard(Path(out))) == SECOND
