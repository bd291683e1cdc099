"""How much later the same caller is: by turns, else by the loudness of the tracks."""

from __future__ import annotations

import numpy as np
import pytest

from app.analysis.turn_records import Turn
from app.comparison.align import align, find_track_offset
from app.recordings.turns_found import TurnsFound
from audio.peaks import PeakPyramid
from tests.rig.speech import RATE_HZ, Samples, say, silence, tone

NOTHING = TurnsFound()


def track(*parts: Samples) -> PeakPyramid:
    peaks = PeakPyramid()
    peaks.append(np.concatenate(parts))
    return peaks


def spoken(*onsets: float) -> TurnsFound:
    return TurnsFound([Turn("user", onset, onset + 1.0) for onset in onsets])


CALLER = (say("Could you tell me"), silence(1.3), say("something about it?"), silence(0.4))
OTHER = (say("Nobody else has said anything of the kind."), silence(3.0), say("Never."))


@pytest.mark.parametrize("delay_s", [0.0, 0.7313, 4.0])
def test_tracks_tell_it_to_within_a_few_ms(delay_s: float) -> None:
    early, late = track(*CALLER, silence(2.0)), track(silence(delay_s), *CALLER)
    assert find_track_offset(early, late) == pytest.approx(delay_s, abs=0.008)
    assert find_track_offset(late, early) == pytest.approx(-delay_s, abs=0.008)


def test_a_part_of_the_caller_is_found_in_the_whole() -> None:
    whole = track(*OTHER, *CALLER, *OTHER)
    before_s = sum(len(part) for part in OTHER) / RATE_HZ
    assert find_track_offset(track(*CALLER), whole) == pytest.approx(before_s, abs=0.02)


@pytest.mark.parametrize("other", [(silence(2.0),), (silence(0),), (tone(8.0),)])
def test_of_another_sound_nothing_is_told(other: tuple[Samples, ...]) -> None:
    assert find_track_offset(track(*CALLER), track(*other)) is None


def test_turns_come_first_and_tracks_where_turns_have_little_in_common() -> None:
    tracks = track(*CALLER), track(silence(0.5), *CALLER)
    assert align(spoken(1, 4, 9), spoken(2, 5, 10), tracks) == pytest.approx(1.0)
    assert align(spoken(1, 4, 9), spoken(2, 5.9, 12), tracks) == pytest.approx(0.5, abs=0.008)
    assert align(NOTHING, spoken(2), tracks) == pytest.approx(0.5, abs=0.008)
    assert align(None, None, tracks) == pytest.approx(0.5, abs=0.008)


def test_without_any_likeness_the_turns_are_all_there_is() -> None:
    tracks = track(silence(1.0)), track(silence(1.0))
    assert align(spoken(1.0), spoken(3.0), tracks) == pytest.approx(2.0)
    assert align(NOTHING, NOTHING, tracks) is None
