"""Turns of both parties, and how long the agent takes to answer. Pure logic.

A user turn runs from the onset of speech to its end, by VAD; pauses shorter than ``PAUSE_S`` do
not end it unless the agent began to speak in them. An agent turn runs from the first sample heard
to the last; it ends with a silence of ``PAUSE_S``, with an interrupt, or with user speech in a
shorter silence.

Response latency is from the end of a user turn to the first sample of the next agent turn. Each
user turn is answered once at most. There is none where the agent spoke before the user had ended,
where it was speaking already and went on uninterrupted, and where the user has typed since.

Onsets of speech and what was heard are told in any order: the turns are the same.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from app.turn_records import Turn


class _Onset(NamedTuple):
    """An onset of speech at ``t``, and what it put an end to."""

    t: float
    unanswered: float | None
    """The end of the user's speech that nobody had answered."""
    paused_at: float | None
    """When the turn had paused that it went on with; None where it began one."""


class TurnKeeper:
    """Builds both lists of turns from speech edges and heard spans, by the module's rules."""

    PAUSE_S = 1.0
    BREAK_S = 0.1
    """A silence this long in agent audio may separate two turns, a shorter one is a glitch."""

    def __init__(self) -> None:
        """Begin in silence."""
        self.user: list[Turn] = []
        self.agent: list[Turn] = []
        self.latencies_ms: list[float] = []
        self.heard_until = 0.0
        """When the last agent sample of the last agent turn left the speaker."""
        self._unanswered: float | None = None
        self._agent_was_cut = False
        self._answers: float | None = None
        self._answered_at: float | None = None
        self._onset: _Onset | None = None

    @property
    def user_speaks(self) -> bool:
        """Whether a user turn is open."""
        return bool(self.user) and self.user[-1].stop is None

    @property
    def agent_speaks(self) -> bool:
        """Whether an agent turn is open."""
        return bool(self.agent) and self.agent[-1].stop is None

    # -- the user ------------------------------------------------------------------------------

    def user_starts(self, t: float) -> None:
        """Note the onset of speech."""
        last = self.user[-1] if self.user else None
        self._put_before(t)
        unanswered, self._unanswered = self._unanswered, None
        paused_at = None
        if last is None or not self._goes_on(last, t):
            self.user.append(Turn("user", t))
        elif last.stop is not None:
            paused_at = last.stop
            self.user[-1] = replace(last, stop=None)
        self._onset = _Onset(t, unanswered, paused_at)

    def user_stops(self, t: float) -> None:
        """Note the end of speech; VAD is sure of it only some time later."""
        if not self.user_speaks:
            return
        self.user[-1] = replace(self.user[-1], stop=t)
        self._unanswered = t
        self._onset = None
        if self._answers is not None and t <= self._answers:
            # the agent began before VAD was sure that the user had ended
            self._answer(self._answers)
        self._answers = None

    def user_types(self) -> None:
        """Note that the user wrote: what the agent says next may answer that."""
        self._unanswered = None
        self._answers = None
        self._onset = None

    def _goes_on(self, last: Turn, t: float) -> bool:
        if last.stop is None:
            return True
        agent_began = bool(self.agent) and last.stop <= self.agent[-1].start <= t
        return t - last.stop < self.PAUSE_S and not agent_began

    def _put_before(self, t: float) -> None:
        """Undo what an agent's turn was taken for that began after the onset at ``t``."""
        if self._answered_at is not None and self._answered_at > t:
            self.latencies_ms.pop()
            self._answered_at = None
        if self.agent and self.agent[-1].start > t:
            self._answers = self.agent[-1].start

    # -- the agent -----------------------------------------------------------------------------

    def agent_heard(self, at: float, until: float) -> bool:
        """Note agent audio in ``[at, until)``; say whether it begins a turn."""
        begins = not self.agent_speaks or self._is_new(at)
        if begins:
            self._close_agent()
            self._begin_agent(at)
        self.heard_until = until
        return begins

    def agent_cut(self) -> None:
        """Note that an interrupt has silenced the agent."""
        self._agent_was_cut = self._agent_was_cut or self.agent_speaks
        self._close_agent()

    def pass_time(self, t: float) -> None:
        """Note that it is ``t`` now: an agent turn ends by silence."""
        if self.agent_speaks and t - self.heard_until >= self.PAUSE_S:
            self._close_agent()

    def finish(self, t: float) -> None:
        """Close what is open: the session is over."""
        self._close_agent()
        if self.user_speaks:
            self.user[-1] = replace(self.user[-1], stop=max(t, self.user[-1].start))

    def _is_new(self, at: float) -> bool:
        gap = at - self.heard_until
        if gap >= self.PAUSE_S:
            return True
        if gap < self.BREAK_S or not self.user:
            return False
        spoke_until = self.user[-1].stop
        return spoke_until is None or self.heard_until < spoke_until <= at

    def _begin_agent(self, at: float) -> None:
        if self._onset is not None and at < self._onset.t:
            self._take_back(self._onset, at)
        went_on = bool(self.agent) and not self._agent_was_cut
        if self._unanswered is not None and not (went_on and self.heard_until > self._unanswered):
            self._answer(at)
        self._unanswered = None
        self._answers = at if self.user_speaks else None
        self._agent_was_cut = False
        self.agent.append(Turn("agent", at))

    def _take_back(self, onset: _Onset, at: float) -> None:
        """Undo what ``onset`` did to the turn before it: the agent had begun at ``at``."""
        self._onset = None
        self._unanswered = onset.unanswered
        if onset.paused_at is not None and onset.paused_at <= at:
            self.user[-1] = replace(self.user[-1], stop=onset.paused_at)
            self.user.append(Turn("user", onset.t))

    def _answer(self, at: float) -> None:
        if self._unanswered is not None and self._unanswered <= at:
            self.latencies_ms.append((at - self._unanswered) * 1000)
            self._answered_at = at
        self._unanswered = None

    def _close_agent(self) -> None:
        if self.agent_speaks:
            self.agent[-1] = replace(self.agent[-1], stop=self.heard_until)
