"""A few of the sessions whose truth is known, played through the real parts.

``python -m tests.benchmarks.interruptions`` plays them all.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.truth.crowd import play_all
from tests.truth.judging import Judgement, judge

NAMES = (
    "barge-in-quick-agent",
    "button-and-barge-in",
    "cough-and-barge-in",
)
AT_ONCE = 3
SILENCE_MS = 15.0

pytestmark = [
    pytest.mark.timeout(150),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sound card needs Linux"),
]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Judgement]:
    folder: Path = tmp_path_factory.mktemp("truth")
    failures = play_all(NAMES, folder, AT_ONCE)
    assert failures == {}
    return {name: judge(folder / name) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_the_records_are_what_happened(played: dict[str, Judgement], name: str) -> None:
    judgement = played[name]
    assert judgement.verdicts, "nothing was judged"
    assert judgement.wrong == [], judgement.truth.troubles


def test_silence_is_told_as_the_monitor_heard_it(played: dict[str, Judgement]) -> None:
    errors = [error for each in played.values() for error in each.silence_errors_ms]
    assert len(errors) >= 4
    assert max(map(abs, errors)) < SILENCE_MS


def test_live_records_are_those_of_the_recording(played: dict[str, Judgement]) -> None:
    assert [each.truth.differences for each in played.values()] == [[]] * len(NAMES)
