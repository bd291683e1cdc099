"""The transcript: what the user said, by the agent's account, and what of the agent was heard."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from app.analysis.replies import Division, Reply
from app.analysis.turn_records import Line, Turn


class Transcript:
    """Lines in the order in which they came; a reply's line is replaced as it is heard.

    A line of the user's stands where the user's turn began that had begun last when it was told.
    Which turn that is may yet change, for speech is noticed late and may turn out to be echo: the
    latest lines are looked at again whenever they are read.
    """

    RECENT = 32

    def __init__(self, user_turns: Sequence[Turn]) -> None:
        """Begin empty; ``user_turns`` are in order, and grow."""
        self.lines: list[Line] = []
        self._user_turns = user_turns
        self._told: deque[tuple[int, float]] = deque()
        self._of_reply: dict[int, int] = {}
        self._tentative: int | None = None

    def user_said(self, text: str, told_at: float, *, tentative: bool = False) -> None:
        """Add what the agent understood; it takes the place of what was tentative."""
        line = Line("user", text, told_at, tentative=tentative)
        if self._tentative is None:
            self._tentative = len(self.lines)
            self.lines.append(line)
        elif self._told and self._told[-1][0] == self._tentative:
            self._told.pop()
        self.lines[self._tentative] = line
        self._told.append((self._tentative, told_at))
        if len(self._told) > self.RECENT:
            self._place(*self._told.popleft())
        if not tentative:
            self._tentative = None

    def refresh(self) -> None:
        """Bring the times of the user's latest lines up to date."""
        for index, told_at in self._told:
            self._place(index, told_at)

    def _place(self, index: int, told_at: float) -> None:
        turn = bisect_right(self._user_turns, told_at, key=_start) - 1
        at = told_at if turn < 0 else self._user_turns[turn].start
        if self.lines[index].at != at:
            self.lines[index] = replace(self.lines[index], at=at)

    def user_typed(self, text: str, at: float) -> None:
        """Add what the user wrote."""
        self.lines.append(Line("user", text, at, typed=True))

    def open_reply(self, number: int, at: float) -> None:
        """Give a reply its place in the order, once words of it have come."""
        if number not in self._of_reply:
            self._of_reply[number] = len(self.lines)
            self.lines.append(Line("agent", "", at))

    def set_reply(self, number: int, reply: Reply, division: Division) -> None:
        """Bring a reply's line up to date; a reply without words has none."""
        if number not in self._of_reply:
            return
        self.lines[self._of_reply[number]] = Line(
            "agent",
            reply.shown_text,
            reply.at if reply.heard_at is None else reply.heard_at,
            division.heard,
            division.waiting,
            division.unheard,
            reply.corrected,
            estimated=division.estimated,
        )


def _start(turn: Turn) -> float:
    return turn.start
