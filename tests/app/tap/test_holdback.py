"""What of a reply is held back after the button, whatever its event ids look like."""

from __future__ import annotations

import pytest

from app.tap.holdback import HoldBack


def play(script: str) -> HoldBack:
    """Follow a script: ``c3`` a chunk with id 3, ``r3`` a text, ``-`` no id, ``!`` the button."""
    hold = HoldBack()
    for word in script.split():
        event_id = int(word[1:]) if word[1:].isdigit() else None
        if word == "!":
            hold.begin()
        elif word == "i":
            hold.interruption()
        elif word[0] == "c":
            hold.chunk(event_id)
        else:
            hold.response(event_id)
    return hold


@pytest.mark.parametrize(
    "script",
    [
        # ids that grow from chunk to chunk, cut off early in a reply
        "r1 c2 ! c3",
        "r1 c2 c3 ! c4 c5",
        "r1 c1 c2 c3 ! c4",
        # the present reply's own text, late
        "c3 ! r-",
        "c3 ! r3 c3",
        "c2 c3 c4 c5 ! c6 r7 c8",
        # nothing had an id yet when the button was pressed
        "! c3 r3",
        "c- ! c- r-",
        "c- ! c3 c3",
    ],
)
def test_the_rest_of_the_reply_is_held_back(script):
    assert play(script).active


@pytest.mark.parametrize(
    "script",
    [
        # one id for a reply
        "r4 c4 c4 ! c4 c9",
        "r4 c4 ! c4 r9",
        "c4 c4 r4 ! c9",
        # ids that grow from chunk to chunk: the next text
        "r1 c1 c2 c3 ! c4 r5",
        "r1 c2 ! c3 r4",
        "c2 c3 c4 r5 c6 ! c7 r8",
        "c3 ! r3 c3 r9",
        # no texts at all
        "c4 ! c5",
        "c4 c4 c5 c5 ! c5 c6",
        # the next reply's text alone, its audio with the same id
        "c3 ! r9 c9",
        # no ids at all
        "r- c- ! c- r-",
        # the server's own interruption
        "r1 c2 c3 ! i",
        "r1 c2 ! c3 i r9",
    ],
)
def test_the_next_reply_is_heard(script):
    assert not play(script).active


def test_a_second_press_changes_nothing():
    hold = play("r1 c2 !")
    assert not hold.begin()
    assert hold.chunk(3)
