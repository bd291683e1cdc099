"""Our words of what was heard, beside the agent's."""

from __future__ import annotations

import pytest

from app.analysis.words import agreement, words_of


@pytest.mark.parametrize(
    ("heard", "corrected", "apart"),
    [
        ("Good morning how", "Good morning how", 0),
        ("Good morning, how", "good morning how...", 0),
        ("Good morning", "Good morning how are", 2),
        ("Good morning how are", "Good morning", -2),
        ("Good morning how", "Good mor", -1),
        ("Good morning", "Good morn...", 0),
        ("Good mor", "Good morning how", 1),
        ("", "", 0),
        ("", "Good morning", 2),
        ("Good", "", -1),
        ("Good morning", "Bad evening", None),
        ("Good morning how", "Good evening how", None),
        ("Straße", "STRASSE", 0),
        ("\u2014 well \u2014 then", "Well then", 0),
        ("caf\u00e9", "cafe\u0301", 0),
    ],
)
def test_agreement(heard: str, corrected: str, apart: int | None) -> None:
    found = agreement(heard, corrected)
    assert found.apart == apart
    assert found.agrees == (apart == 0)


def test_words_are_counted_without_what_is_none() -> None:
    assert words_of("  It's 5 o'clock -- really?! ") == ["its", "5", "oclock", "really"]
    assert agreement("One two", "One two three \u2026").apart == 1
