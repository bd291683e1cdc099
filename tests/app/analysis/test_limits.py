"""Limits: what they are, and what they make of a record."""

from __future__ import annotations

import math
from dataclasses import fields, replace

import pytest

from app.analysis.limits import INFOS, Limits, class_of, exceeds, info_of
from app.analysis.turn_records import Interruption, Overlap, Response
from app.recordings.turns_found import TurnsFound
from app.report.checking import Rule, judge
from app.report.text import milliseconds

CUT = Interruption(1, 2.0, "agent", kind="barge-in", mouth_to_silence_ms=480.0)


def test_a_barge_in_over_the_limit_is_late_and_at_it_is_not() -> None:
    assert class_of(CUT, Limits()) == "barge-in"
    assert class_of(CUT, Limits(mouth_to_silence_ms=480)) == "barge-in"
    assert class_of(CUT, Limits(mouth_to_silence_ms=479)) == "late"


@pytest.mark.parametrize("kind", ["button", "message", "false", None])
def test_no_other_is_late(kind: str | None) -> None:
    cut = replace(CUT, kind=kind, mouth_to_silence_ms=9000.0)
    assert class_of(cut, Limits()) == (kind or "")


@pytest.mark.parametrize(
    ("overlap", "missed_s", "seen"),
    [
        (Overlap(2.0, 3.5, 2.0, 3.5, "missed"), 1.0, "missed"),
        (Overlap(2.0, 3.5, 2.0, 3.5, "missed"), 2.0, "backchannel"),
        (Overlap(2.0, 2.6, 2.0, 2.6, "backchannel"), 0.5, "missed"),
        (Overlap(2.0, 2.6, 2.0, 5.0, None), 0.5, "missed"),
        (Overlap(2.0, 2.6, 2.0, 5.0, None), 1.0, ""),
        (Overlap(2.0, 3.5, 1.0, 3.5, "talked over"), 1.0, "talked over"),
        (Overlap(2.0, 3.5, 2.0, 3.5, None, 4), 1.0, ""),
        (Overlap(2.0, 3.5, 1.0, 3.5, "talked over", 4), 1.0, "talked over"),
        (Overlap(2.0, None, 2.0, None, None), 1.0, ""),
        (Overlap(2.0, None, 2.0, None, "missed"), 1.0, "missed"),
    ],
)
def test_overlaps_go_by_the_limit_alone(overlap: Overlap, missed_s: float, seen: str) -> None:
    assert class_of(overlap, Limits(missed_s=missed_s)) == seen


@pytest.mark.parametrize("value", [0.0, -5.0, math.nan, math.inf, 1e9, True, "500", None])
def test_what_is_no_limit_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="Mouth to silence"):
        Limits(mouth_to_silence_ms=value)  # type: ignore[arg-type]


def test_what_was_kept_comes_back_and_nonsense_is_default() -> None:
    chosen = Limits(time_to_silence_ms=80, missed_s=0.6)
    assert Limits.of(chosen.to_dict()) == chosen
    nonsense = {"time_to_silence_ms": "soon", "missed_s": math.nan, "pause_s": 1e6, "other": 3}
    assert Limits.of(nonsense) == Limits()


def test_every_limit_has_a_name_a_unit_and_a_definition() -> None:
    assert [info.field for info in INFOS] == [each.name for each in fields(Limits)]
    for info in INFOS:
        assert info.name
        assert info.definition.endswith(".")
        assert info.field.endswith(f"_{info.unit}")
        assert info.least <= getattr(Limits(), info.field) <= info.greatest
        assert info_of(info.field) is info


def test_a_figure_that_is_not_known_is_over_no_limit() -> None:
    assert not exceeds(None, 1.0)
    assert not exceeds(1.0, 1.0)
    assert exceeds(2.0, 1.0)


@pytest.mark.parametrize(("figure", "limit"), [(150.3, 150), (150.49, 150), (151, 150.6)])
def test_what_is_compared_is_what_is_shown(figure: float, limit: float) -> None:
    assert exceeds(figure, limit) == (round(figure) > limit)
    assert milliseconds(figure) == f"{round(figure)} ms"
    cut = Interruption(1, 1.0, "agent", kind="barge-in", mouth_to_silence_ms=figure)
    assert class_of(cut, Limits(mouth_to_silence_ms=limit)) == (
        "late" if round(figure) > limit else "barge-in"
    )
    response = Response(1.0, 0.0, latency_ms=figure)
    told = judge(
        TurnsFound(responses=[response]), Rule("response latency", "worst", limit), Limits()
    )
    assert (told.state == "broken") == exceeds(figure, limit)
    assert f"{round(figure)} ms at worst" in told.sentence
