"""The silence between the turns of the two parties. Pure.

Where one party's turn follows on the other's, the silence before it is from the end of that turn to
its own start. It is worked out when it is read, for the turns of a session that runs may yet
change. There is none before the first turn, between two turns of one party, and where the two
overlap: an overlap has a record of its own.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from app.analysis.turn_records import Turn


class SpokenTurn(NamedTuple):
    """A turn, and the silence before it in ms; None where no turn of the other's came before."""

    turn: Turn
    silence_before_ms: float | None


def silence_before_ms(turn: Turn, own: Sequence[Turn], others: Sequence[Turn]) -> float | None:
    """Return the silence between ``turn``, one of ``own``, and the turn of ``others`` before it.

    Both lists are in order. None where there is none: see above. O(log n).
    """
    place = bisect_right(others, turn.start, key=_start)
    if not place:
        return None
    stop = others[place - 1].stop
    if stop is None or stop > turn.start:
        return None
    before = bisect_left(own, turn.start, key=_start)
    own_stop = own[before - 1].stop if before else None
    if own_stop is not None and own_stop > stop:
        return None
    return (turn.start - stop) * 1000


def spoken_turns(user: Sequence[Turn], agent: Sequence[Turn]) -> Iterator[SpokenTurn]:
    """Yield the turns of both parties, in the order of their starts, each with its silence."""
    for turn in sorted((*user, *agent), key=_start):
        own, others = (user, agent) if turn.who == "user" else (agent, user)
        yield SpokenTurn(turn, silence_before_ms(turn, own, others))


def _start(turn: Turn) -> float:
    return turn.start
