"""The transcript: what the user said, by the agent's account, and what of the agent was heard."""

from __future__ import annotations

from app.analysis.replies import Division, Reply
from app.analysis.turn_records import Line


class Transcript:
    """Lines in the order in which they came; a reply's line is replaced as it is heard."""

    def __init__(self) -> None:
        """Begin empty."""
        self.lines: list[Line] = []
        self._of_reply: dict[int, int] = {}
        self._tentative: int | None = None

    def user_said(self, text: str, at: float, *, tentative: bool = False) -> None:
        """Add what the agent understood; it takes the place of what was tentative."""
        line = Line("user", text, at, tentative=tentative)
        if self._tentative is not None:
            self.lines[self._tentative] = line
        else:
            self._tentative = len(self.lines)
            self.lines.append(line)
        if not tentative:
            self._tentative = None

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
