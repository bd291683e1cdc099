"""The rows of the table of turns: both parties' turns in order, and the parts of each latency.

Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from app.analysis import turn_records
from app.analysis.silences import spoken_turns
from app.analysis.turn_records import Response
from ui.lanes.scene import Turn


@dataclass(frozen=True, slots=True)
class TurnRow:
    """One turn; an agent's comes with how it came about, where that is known."""

    who: str
    start: float
    stop: float | None
    response: Response | None = None
    silence_ms: float | None = None
    """The silence between the other party's turn, on which it follows, and this one."""

    @property
    def length_s(self) -> float | None:
        """How long it was heard."""
        return None if self.stop is None else self.stop - self.start

    @property
    def latency_ms(self) -> float | None:
        """The response latency of an agent's turn that answers a user's."""
        return None if self.response is None else self.response.latency_ms

    @property
    def endpointing_ms(self) -> float | None:
        """From the end of the user's speech until the agent told that it took it for ended."""
        of = self.response
        return None if of is None else _between(of.user_stop, of.endpointed_at)

    @property
    def agent_ms(self) -> float | None:
        """From endpointing, else from the end of the user's speech, to the first agent chunk."""
        of = self.response
        if of is None or of.user_stop is None:
            return None
        since = of.user_stop if of.endpointed_at is None else of.endpointed_at
        return _between(since, of.first_chunk_at)

    @property
    def playout_ms(self) -> float | None:
        """From the first agent chunk to the first sample heard."""
        of = self.response
        return None if of is None else _between(of.first_chunk_at, of.heard_at)

    @property
    def underruns(self) -> int | None:
        """How often the playout queue ran dry in it."""
        return None if self.response is None else self.response.underruns

    @property
    def lead_ms(self) -> float | None:
        """How far its audio was ahead of playout, at the least."""
        return None if self.response is None else self.response.least_lead_ms


def _between(start: float | None, stop: float | None) -> float | None:
    return None if start is None or stop is None else (stop - start) * 1e3


def merge_turns(
    user: Sequence[Turn],
    agent: Sequence[Turn],
    responses: Sequence[Response],
    begin: float = -inf,
) -> list[TurnRow]:
    """Return both parties' turns in order, an agent's with the response that began it.

    Only those that begin at second ``begin`` or later; of the turns before it the last of each
    party is needed, for the silence that ends with the first.
    """
    of = {response.heard_at: response for response in responses}
    spoken = spoken_turns(
        [turn_records.Turn("user", *turn) for turn in user],
        [turn_records.Turn("agent", *turn) for turn in agent],
    )
    return [
        TurnRow(
            turn.who,
            turn.start,
            turn.stop,
            of.get(turn.start) if turn.who == "agent" else None,
            silence_ms,
        )
        for turn, silence_ms in spoken
        if turn.start >= begin
    ]
