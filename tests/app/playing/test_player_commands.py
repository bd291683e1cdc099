"""Commands to a player: they act fast, from any thread, and lose nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.playing.outlet import FADE_SAMPLES
from app.playing.player import Player, PlayerState
from app.recordings.sources import sources_of
from audio.account import Heard, Interrupted
from audio.clock import now
from audio.file import FileSink
from tests.app.played import FADED, SECOND, Track, counting, heard, passed, playing, records, runs
from tests.rig.speech import tone
from tests.rig.waiting import wait_until


def test_a_pause_is_silent_at_once_and_goes_on_at_the_very_sample(tmp_path: Path) -> None:
    numbers = counting(1.9)
    with playing(Track(numbers), None, tmp_path / "out.wav") as player:
        for place in (0.3, 0.6):
            passed(player, place)
            began = now()
            player.pause()
            assert now() - began < 0.05
            assert player.state is PlayerState.PAUSED
            held = settled(player)
            assert held == pytest.approx(place, abs=0.1)
            player.resume()
        assert player.wait(5)
    first, second, third = runs(heard(tmp_path / "out.wav"))
    one, two = (int(part[-FADED - 1]) for part in (first, second))
    assert np.array_equal(first[:-FADED], numbers[:one])
    assert np.array_equal(second[FADED:-FADED], numbers[one + FADE_SAMPLES : two])
    assert np.array_equal(third[FADED:], numbers[two + FADE_SAMPLES :])


def settled(player: Player) -> float:
    """The position of a paused player, once what was on its way has been heard."""
    seen = [player.position_s]
    began = now()
    wait_until(lambda: seen.append(player.position_s) or now() - began > 0.1)
    assert seen[-1] == seen[-5]
    return seen[-1]


def test_a_pause_while_paused_and_one_while_it_resumes_lose_nothing(tmp_path: Path) -> None:
    numbers = counting(1)
    with playing(Track(numbers), None, tmp_path / "out.wav") as player:
        passed(player, 0.3)
        for _ in range(5):
            player.pause()
            player.pause()
            player.resume()
        assert player.wait(5)
    samples = heard(tmp_path / "out.wav")
    assert np.isin(numbers, samples).mean() > 0.95  # but for the fades
    assert len(samples) < 1.2 * SECOND


def test_while_paused_it_goes_where_it_is_sent_and_plays_from_there(tmp_path: Path) -> None:
    numbers = counting(1.9)
    with playing(Track(numbers), None, tmp_path / "out.wav") as player:
        passed(player, 0.2)
        player.pause()
        player.seek(1.5)
        assert player.position_s == 1.5
        player.resume()
        assert player.wait(5)
    _first, second = runs(heard(tmp_path / "out.wav"))
    assert np.array_equal(second[FADED:], numbers[24_000 + FADE_SAMPLES :])


def test_a_seek_acts_fast_and_without_a_gap(tmp_path: Path) -> None:
    numbers = counting(1.9)
    with playing(Track(numbers), None, tmp_path / "out.wav") as player:
        passed(player, 0.2)
        began = now()
        player.seek(1.5)
        assert now() - began < 0.05
        passed(player, 1.5)
        assert now() - began < 0.1
        assert player.wait(5)
    samples = heard(tmp_path / "out.wav")
    assert len(runs(samples)) == 1
    assert np.array_equal(
        samples[-6400 + FADE_SAMPLES :], numbers[24_000 + FADE_SAMPLES : 24_000 + 6400]
    )


def test_muting_acts_fast_and_without_a_gap(tmp_path: Path) -> None:
    user, agent = Track(np.full(3 * SECOND, 1000)), Track(np.full(3 * SECOND, 200))
    with playing(user, agent, tmp_path / "out.wav") as player:
        for number, audible in enumerate([(True, False), (False, True), (True, True)], 1):
            passed(player, 0.3 * number)
            player.set_tracks(*audible)
        passed(player, 1.2)
        asked = [0.3, 0.6, 0.9]
    samples = heard(tmp_path / "out.wav")
    assert len(runs(samples)) == 1
    for at, level in zip(asked, (1000, 200, 1200), strict=True):
        changed = np.flatnonzero(samples[round(at * SECOND) :] == level)[0] / SECOND
        assert changed < 0.1
    levels, counts = np.unique(samples, return_counts=True)
    steady = counts[np.isin(levels, (1200, 1000, 200))].sum()
    assert len(samples) - steady < 4 * 3 * FADE_SAMPLES


def test_another_speed_goes_on_where_it_is(tmp_path: Path) -> None:
    with playing(Track(tone(3.0)), None, tmp_path / "out.wav") as player:
        passed(player, 0.4)
        player.set_speed(2.0)
        place, began = player.position_s, now()
        assert place == pytest.approx(0.4, abs=0.05)
        passed(player, 1.6)
        assert now() - began == pytest.approx(0.6, abs=0.08)
        player.set_speed(1.0)
        place, began = player.position_s, now()
        passed(player, 2.0)
        assert now() - began == pytest.approx(2.0 - place, abs=0.05)
    assert len(runs(heard(tmp_path / "out.wav"))) == 1


def test_a_loop_can_be_moved_left_and_outrun() -> None:
    with playing(Track(counting(1.9))) as player:
        player.set_loop((0.5, 0.7))  # outside: its beginning
        wait_until(lambda: 0.5 <= player.position_s < 0.6)
        wait_until(lambda: player.position_s > 0.65)
        wait_until(lambda: player.position_s < 0.6)
        player.set_loop((0.4, 0.8))  # inside: it goes on
        passed(player, 0.75)
        wait_until(lambda: player.position_s < 0.5)
        player.seek(1.2)  # away from it: to the end of the recording
        assert player.loop is None
        assert player.wait(5)
        assert player.position_s == player.duration_s


def test_a_loop_that_is_ended_plays_to_its_end() -> None:
    with playing(Track(counting(1.9)), from_s=0.2, to_s=0.4, loop=True) as player:
        wait_until(lambda: player.position_s > 0.35)
        wait_until(lambda: player.position_s < 0.3)
        player.set_loop(None)
        assert player.wait(5)
        assert player.position_s == 0.4


def test_the_shortest_loop_can_be_heard_and_stopped() -> None:
    with playing(Track(counting(1)), from_s=0.5, to_s=0.5, loop=True, speed=2.0) as player:
        wait_until(lambda: player.position_s > 0.502)
        player.stop()
        assert player.wait(5)


def test_stop_is_silent_at_once_and_keeps_the_position(tmp_path: Path) -> None:
    with playing(Track(np.full(60 * SECOND, 500)), None, tmp_path / "out.wav") as player:
        passed(player, 0.2)
        began = now()
        player.stop()
        assert now() - began < 0.05
        at = player.position_s
        assert player.wait(2)
        assert player.position_s == at < 0.4
    assert len(heard(tmp_path / "out.wav")) < (at + 0.05) * SECOND


def test_nothing_is_heard_after_a_stop_that_comes_while_it_reads() -> None:
    reads: list[int] = []

    def stop_in_between() -> None:
        reads.append(1)
        if len(reads) == 3:
            player.stop()

    track = Track(np.full(10 * SECOND, 500), stop_in_between)
    player = Player(sources_of(track, None), FileSink(None))
    player.start()
    assert player.wait(5)
    stopped_at = next(r.at for r in records(player) if isinstance(r, Interrupted))
    assert not [r for r in records(player) if isinstance(r, Heard) and r.at > stopped_at + 0.05]
    assert len(reads) == 3
    player.close()


def test_commands_of_any_kind_from_any_thread_do_no_harm(tmp_path: Path) -> None:
    track = Track(tone(60.0))
    with playing(track, track, tmp_path / "out.wav") as player:
        until = now() + 1.0
        worst: list[float] = []

        def command(seed: int) -> None:
            chance = np.random.default_rng(seed)
            commands: list[Callable[[], None]] = [
                player.pause,
                player.resume,
                lambda: player.seek(chance.uniform(-5, 70)),
                lambda: player.set_speed(chance.uniform(0.1, 3)),
                lambda: player.set_tracks(chance.random() > 0.5, chance.random() > 0.5),
                lambda: player.set_loop(tuple(sorted(chance.uniform(-1, 61, 2)))),
                lambda: player.set_loop(None),
                lambda: worst.append(abs(player.position_s - 30)),
            ]
            while now() < until:
                commands[chance.integers(len(commands))]()
                threading.Event().wait(0.002)

        threads = [threading.Thread(target=command, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert max(worst) <= 30
        if not player.over:  # a seek to the end may have come last
            player.set_tracks(True, True)
            player.set_speed(1.0)
            player.seek(10.0)
            player.resume()
            wait_until(lambda: 10.0 < player.position_s < 11.0)
    assert player.error is None


def test_what_is_queued_ahead_and_read_at_a_time_is_bounded() -> None:
    track = Track(np.full(60 * SECOND, 500))
    with playing(track, speed=2.0) as player:
        most = [0]
        wait_until(lambda: most.append(player._outlet.queued_samples) or player.position_s > 1.0, 5)
        assert max(most) <= Player.AHEAD_SAMPLES + 200
    assert track.longest_read <= SECOND // 5
