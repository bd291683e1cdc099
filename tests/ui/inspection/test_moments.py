"""Interruptions and overlaps in words: what was heard, what the microphone held, copies."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from app.analysis.limits import Limits
from app.analysis.turn_records import Sound
from app.timeline.events import EchoHeard, Interrupted, Silenced
from tests.app.told_events import heard, track
from tests.ui.moment_records import CUTS, FALSE, LATE, OVERLAPS
from ui.inspection.moments import (
    as_json,
    as_text,
    heard_up_to,
    moments_of,
    sound_text,
)


def test_a_word_that_was_cut_is_shown_cut_wherever_it_stands() -> None:
    in_heard = replace(LATE, heard_text="about the weather", unheard_text="of", cut_word="weather")
    in_unheard = replace(
        LATE, heard_text="about the", unheard_text="weather of", cut_word="weather"
    )
    assert heard_up_to(in_heard) == heard_up_to(in_unheard) == "“about the weather—”"
    assert heard_up_to(replace(LATE, heard_text="")) == "–"


def test_what_the_microphone_held_is_told_in_plain_words() -> None:
    assert "heard itself" in sound_text(FALSE.sound)
    assert "142 ms late at −31 dB" in sound_text(FALSE.sound)
    burst = Sound("burst", 11.0, 12.0, -12.0, -55.0, 180.0)
    assert "burst of 180 ms, up to −12 dBFS" in sound_text(burst)
    assert "silence" in sound_text(Sound("silence", 11.0, 12.0, -70.0, -72.0))
    assert "noise" in sound_text(Sound("noise", 11.0, 12.0, -20.0, -25.0))
    assert not sound_text(None)


def test_an_echo_that_nothing_was_measured_of_is_told_in_words_as_well() -> None:
    (cut,) = track(
        heard(0, 32_000, 1.0),
        EchoHeard(2.2, 2.8, 142.0, -31.0, 0.9, 2.9),
        Interrupted(2.9, 1, "agent", 8000, 5),
        Silenced(2.95, 1, 2.9, 2.94),
    ).interruptions
    assert cut.sound is not None
    assert cut.sound.peak_dbfs is None
    assert "142 ms late at −31 dB" in sound_text(cut.sound)
    assert "up to – over noise of –" in sound_text(Sound("burst", 1.0, 1.2, None, None, 180.0))


def test_a_record_is_copied_as_text_and_as_json() -> None:
    late, missed = (moments_of(CUTS, OVERLAPS, Limits())[n] for n in (0, 1))
    text = as_text(late)
    for line in ("Interruption #1", "late", "Mouth to silence: 640 ms", "  agent: 330 ms"):
        assert line in text
    facts = json.loads(as_json(late))
    assert facts["class"] == "late"
    assert facts["parts_ms"]["playout"] == pytest.approx(40.0)
    assert facts["number"] == 1
    assert json.loads(as_json(missed))["onset"] == 9.0
    assert as_text(missed).startswith("missed at 00:00:09.000: both spoke for 1.6 s")
