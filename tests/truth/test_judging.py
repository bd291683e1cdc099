"""Judging, against truth and records that are made up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.analysis.turn_records import Interruption, Overlap, Refused, Sound, Turn
from app.recordings.turns_found import TurnsFound
from tests.truth.judging import Judgement, judge_records
from tests.truth.keeping_up import KeepingUp
from tests.truth.truth import TrueCut, TrueEcho, TrueSpeech, Truth, load

SAID = TrueSpeech(3.0, 5.0, "Wait, please.")
CUT = TrueCut(3.4, "barge-in", (), 3.0, 3.43, 4, True, True, "one two three four five six")
RECORD = Interruption(
    1,
    3.401,
    "agent",
    kind="barge-in",
    user_onset=3.01,
    silent_at=3.435,
    mouth_to_silence_ms=425.0,
    heard_text="one two three four",
)
TRUTH = Truth("made-up", "clean", [SAID], [CUT], [(1.0, 3.43)])
FOUND = TurnsFound(user_turns=[Turn("user", 3.01, 4.98)], interruptions=[RECORD])


def _judge(truth: Truth = TRUTH, found: TurnsFound = FOUND) -> Judgement:
    return judge_records(truth, Path(), found)


def test_what_is_right_is_right() -> None:
    judgement = _judge()
    assert judgement.wrong == []
    assert [edge.error_ms for edge in judgement.edges] == [pytest.approx(10), pytest.approx(-20)]
    assert judgement.silence_errors_ms == [pytest.approx(5)]
    assert [(one.true, one.found) for one in judgement.words] == [(4, 4)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"interruptions": []}, "interruption: was barge-in, found nothing"),
        ({"interruptions": [replace(RECORD, kind="false")]}, "was barge-in, found false"),
        ({"interruptions": [replace(RECORD, kind=None)]}, "found not certain"),
        ({"interruptions": [replace(RECORD, mouth_to_silence_ms=700.0)]}, "found late"),
        ({"interruptions": [RECORD, replace(RECORD, at=9.0)]}, "was nothing, found barge-in"),
        ({"interruptions": [replace(RECORD, heard_text="one two three")]}, "4 were, found 3"),
        ({"user_turns": []}, "onset of speech: +500 ms"),
        ({"user_turns": [*FOUND.user_turns, Turn("user", 8.0, 9.0)]}, "was nobody"),
        ({"overlaps": [Overlap(3.1, 3.4, 3.05, 5.0, "missed")]}, "was nothing, found missed"),
        ({"overlaps": [Overlap(8.0, 9.0, 8.0, 9.0, "backchannel")]}, "found backchannel"),
        ({"refused": [Refused(1.0, 2.0, 900.0, 1, "why")]}, "found 900 ms refused"),
    ],
)
def test_what_is_wrong_is_told(change: dict[str, object], said: str) -> None:
    wrong = _judge(found=replace(FOUND, **change)).wrong
    assert any(said in line for line in wrong), wrong


def test_a_word_more_or_less_is_right_where_one_was_cut_in_two() -> None:
    truth = replace(TRUTH, cuts=[replace(CUT, words_sure=False)])
    for heard, is_right in (("one two three", True), ("one two", False)):
        record = replace(RECORD, heard_text=heard)
        wrong = _judge(truth, replace(FOUND, interruptions=[record])).wrong
        assert (wrong == []) is is_right


def test_what_took_too_long_is_to_be_called_late() -> None:
    truth = replace(TRUTH, cuts=[replace(CUT, silent_at=3.7)])
    assert "was late, found barge-in" in " ".join(_judge(truth).wrong)


def test_the_sound_before_a_false_one_and_its_echo_are_judged() -> None:
    cut = replace(CUT, kind="false", sounds=("echo",), onset=None)
    truth = replace(
        TRUTH, speech=[], cuts=[cut], surroundings="echo", echo=TrueEcho(100.0, -20.0, 1.0)
    )
    sound = Sound("echo", 3.0, 3.4, -30.0, -80.0, echo_delay_ms=104.0, echo_db=-21.0)
    record = replace(RECORD, kind="false", user_onset=None, sound=sound)
    found = TurnsFound(interruptions=[record])
    judgement = _judge(truth, found)
    assert judgement.wrong == []
    assert judgement.echo_delay_errors_ms == [pytest.approx(4)]
    assert judgement.echo_gain_errors_db == [pytest.approx(-1)]
    other = replace(record, sound=replace(sound, kind="burst"))
    assert "was echo, found burst" in " ".join(
        _judge(truth, TurnsFound(interruptions=[other])).wrong
    )


def test_an_overlap_that_nothing_follows_is_to_be_found() -> None:
    truth = replace(TRUTH, speech=[replace(SAID, over="backchannel")], cuts=[])
    found = replace(FOUND, interruptions=[])
    assert "was backchannel, found nothing" in " ".join(_judge(truth, found).wrong)
    overlap = Overlap(3.01, 4.98, 3.01, 4.98, "backchannel")
    assert _judge(truth, replace(found, overlaps=[overlap])).wrong == []


def test_truth_comes_back_from_disk_as_it_was(tmp_path: Path) -> None:
    truth = replace(TRUTH, echo=TrueEcho(1.0, 2.0, 0.5), troubles={"gap": 9}, bundle="b")
    truth.save(tmp_path)
    assert load(tmp_path) == truth
    assert load(tmp_path).is_disturbed


def test_a_figure_was_shown_when_it_took_the_value_that_it_keeps() -> None:
    keeping_up = KeepingUp()
    early = replace(RECORD, kind="false", time_to_silence_ms=None)
    late = replace(RECORD, time_to_silence_ms=34.0)
    overlap = Overlap(6.0, 6.5, 6.0, 6.5, "backchannel")
    final = TurnsFound(interruptions=[late], overlaps=[overlap])
    looks = ((3.5, TurnsFound(interruptions=[early])), (3.8, TurnsFound(interruptions=[late])))
    for now, found in (*looks, (7.2, final), (7.3, final)):
        keeping_up.look(found, now)
    shown = {each.what: each for each in keeping_up.shown(final)}
    assert {what: each.at for what, each in shown.items()} == {
        "class: barge-in": 3.8,
        "time to silence": 3.8,
        "class: backchannel": 7.2,
    }
    assert shown["class: backchannel"].late_ms == pytest.approx(700)
