"""Turns of both parties, and how long the agent takes to answer. Pure logic.

A user turn runs from the onset of speech to its end, by VAD; pauses shorter than ``pause_s`` do
not end it unless the agent began to speak in them. An agent turn runs from the first sample heard
to the last; it ends with a silence of ``pause_s``, with an interrupt, or with user speech in a
shorter silence. A silence in which the device paused, with audio waiting, ends none.

Response latency is from the end of a user turn to the first sample of the next agent turn. Each
user turn is answered once at most. There is none where the agent spoke before the user had ended,
where it was speaking already and went on uninterrupted, and where the user has typed since.

Onsets of speech and what was heard are told in any order: the turns are the same. Speech that turns
out to be none, for it was the agent's own voice, is forgotten as if it had never been told.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeVar

from app.analysis.growing import Growing
from app.analysis.turn_records import Turn

T = TypeVar("T")


class _Onset(NamedTuple):
    """An onset of speech at ``t``, and what it put an end to."""

    t: float
    unanswered: float | None
    """The end of the user's speech that nobody had answered."""
    paused_at: float | None
    """When the turn had paused that it went on with; None where it began one."""


@dataclass(frozen=True, slots=True)
class _Step:
    """One thing that was noted: what is called again when speech before it is forgotten."""

    call: Callable[..., object]
    args: tuple[float, ...] = ()


@dataclass(slots=True)
class _Past:
    """How all was before the onset of speech at ``onset``, and what was noted since."""

    onset: float
    user: tuple[int, Turn | None]
    agent: tuple[int, Turn | None]
    answered: tuple[int, float | None]
    latencies: tuple[int, float | None]
    rest: tuple[object, ...]
    steps: list[_Step]
    """From this onset to the next one; ends with the end of its speech, or later."""


class TurnKeeper:
    """Builds both lists of turns from speech edges and heard spans, by the module's rules."""

    BREAK_S = 0.1
    """A silence this long in agent audio may separate two turns, a shorter one is a glitch."""
    PASTS = 24
    """So many of the latest onsets may yet turn out to be none."""
    STEPS = 500
    """So much may be noted between two onsets; of more, what was before cannot be brought back."""

    def __init__(self, pause_s: float) -> None:
        """Begin in silence; a silence of ``pause_s`` ends a turn."""
        self.user: Growing[Turn] = Growing()
        self.agent: Growing[Turn] = Growing()
        self.answered: list[float | None] = []
        """For each agent turn, when the user's speech ended that it answers, if any."""
        self.latencies_ms: list[float] = []
        self._pause_s = pause_s
        self._pasts: deque[_Past] = deque(maxlen=self.PASTS)
        self.heard_until = 0.0
        """When the last agent sample of the last agent turn left the speaker."""
        self._unanswered: float | None = None
        self._agent_was_cut = False
        self._fell_silent = False
        """Whether the last agent turn ended by silence alone: what is told late may go on in it."""
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

    def answers_from(self, first: int) -> list[tuple[float, float | None]]:
        """Return of each agent turn from ``first`` on its start, and which speech it answers."""
        return [
            (turn.start, user_stop)
            for turn, user_stop in zip(self.agent[first:], self.answered[first:], strict=True)
        ]

    # -- the user ------------------------------------------------------------------------------

    def user_starts(self, t: float) -> None:
        """Note the onset of speech."""
        self._pasts.append(self._past(t))
        self._note(self._user_starts, t)
        self._user_starts(t)

    def _user_starts(self, t: float) -> None:
        last = self.user[-1] if self.user else None
        self._put_before(t)
        unanswered, self._unanswered = self._unanswered, None
        paused_at = None
        if last is None or not self._goes_on(last, t):
            self.user.append(Turn("user", t))
        elif last.stop is not None:
            paused_at = last.stop
            self.user.put(-1, replace(last, stop=None))
        self._onset = _Onset(t, unanswered, paused_at)

    def user_stops(self, t: float) -> None:
        """Note the end of speech; VAD is sure of it only some time later."""
        self._note(self._user_stops, t)
        self._user_stops(t)

    def _user_stops(self, t: float) -> None:
        if not self.user_speaks:
            return
        t = max(t, self.user[-1].start)
        self.user.put(-1, replace(self.user[-1], stop=t))
        self._unanswered = t
        self._onset = None
        if self._answers is not None and t <= self._answers:
            # the agent began before VAD was sure that the user had ended
            self._answer(self._answers)
        self._answers = None

    def user_types(self) -> None:
        """Note that the user wrote: what the agent says next may answer that."""
        self._note(self._user_types)
        self._user_types()

    def _user_types(self) -> None:
        self._unanswered = None
        self._answers = None
        self._onset = None

    def _goes_on(self, last: Turn, t: float) -> bool:
        if last.stop is None:
            return True
        agent_began = bool(self.agent) and last.stop <= self.agent[-1].start <= t
        return t - last.stop < self._pause_s and not agent_began

    def _put_before(self, t: float) -> None:
        """Undo what an agent's turn was taken for that began after the onset at ``t``."""
        if self._answered_at is not None and self._answered_at > t:
            self.latencies_ms.pop()
            self.answered[-1] = None
            self._answered_at = None
        if self.agent and self.agent[-1].start > t:
            self._answers = self.agent[-1].start

    # -- the agent -----------------------------------------------------------------------------

    def agent_heard(self, at: float, until: float, *, held_up: bool = False) -> bool:
        """Note agent audio in ``[at, until)``; say whether it begins a turn.

        ``held_up``: it was there when the audio before it ended, so that a device has paused.
        """
        self._note_heard(at, until, held_up)
        return self._agent_heard(at, until, held_up)

    def _agent_heard(self, at: float, until: float, held_up: bool) -> bool:
        goes_on = self.agent_speaks or self._fell_silent
        begins = not goes_on or (not held_up and self._is_new(at))
        if begins:
            self._close_agent()
            self._begin_agent(at)
        elif not self.agent_speaks:
            self.agent.put(-1, replace(self.agent[-1], stop=None))
        self._fell_silent = False
        self.heard_until = until
        return begins

    def agent_cut(self) -> None:
        """Note that an interrupt has silenced the agent."""
        self._note(self._agent_cut)
        self._agent_cut()

    def _agent_cut(self) -> None:
        self._agent_was_cut = self._agent_was_cut or self.agent_speaks
        self._fell_silent = False
        self._close_agent()

    def pass_time(self, t: float) -> None:
        """Note that it is ``t`` now: an agent turn ends by silence."""
        if self.agent_speaks and t - self.heard_until >= self._pause_s:
            self._note(self._fall_silent)
            self._fall_silent()

    def _fall_silent(self) -> None:
        self._fell_silent = self._fell_silent or self.agent_speaks
        self._close_agent()

    def finish(self, t: float) -> None:
        """Close what is open: the session is over."""
        self._note(self._finish, t)
        self._finish(t)

    def _finish(self, t: float) -> None:
        self._close_agent()
        if self.user_speaks:
            self.user.put(-1, replace(self.user[-1], stop=max(t, self.user[-1].start)))

    def _is_new(self, at: float) -> bool:
        gap = at - self.heard_until
        if gap >= self._pause_s:
            return True
        if gap < self.BREAK_S or not self.user:
            return False
        spoke_until = self.user[-1].stop
        return spoke_until is None or self.heard_until < spoke_until <= at

    def _begin_agent(self, at: float) -> None:
        if self._onset is not None and at < self._onset.t:
            self._take_back(self._onset, at)
        went_on = bool(self.agent) and not self._agent_was_cut
        self.answered.append(None)
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
            self.user.put(-1, replace(self.user[-1], stop=onset.paused_at))
            self.user.append(Turn("user", onset.t))

    def _answer(self, at: float) -> None:
        if self._unanswered is not None and self._unanswered <= at:
            self.latencies_ms.append((at - self._unanswered) * 1000)
            self.answered[-1] = self._unanswered
            self._answered_at = at
        self._unanswered = None

    def _close_agent(self) -> None:
        if self.agent_speaks:
            # a clock that has jumped back makes no turn that ends before it begins
            stop = max(self.heard_until, self.agent[-1].start)
            self.agent.put(-1, replace(self.agent[-1], stop=stop))

    # -- what was no speech ----------------------------------------------------------------------

    def forget_speech(self, onset: float) -> bool:
        """Undo that speech began at ``onset``; say whether that could be done."""
        index = next((i for i, past in enumerate(self._pasts) if past.onset == onset), None)
        if index is None or any(len(each.steps) >= self.STEPS for each in self._later(index)):
            return False
        later = self._later(index)
        self._restore(later[0])
        while len(self._pasts) > index:
            self._pasts.pop()
        self._do_again(_without_speech(later[0], self._user_stops))
        for past in later[1:]:
            self._pasts.append(self._past(past.onset))
            self._do_again(past.steps)
        return True

    def _later(self, index: int) -> list[_Past]:
        return [past for number, past in enumerate(self._pasts) if number >= index]

    def _do_again(self, steps: list[_Step]) -> None:
        for step in steps:
            self._note(step.call, *step.args)
            step.call(*step.args)

    def _past(self, onset: float) -> _Past:
        return _Past(
            onset,
            _end_of(self.user),
            _end_of(self.agent),
            _end_of(self.answered),
            _end_of(self.latencies_ms),
            self._rest(),
            [],
        )

    def _rest(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in _REST)

    def _restore(self, past: _Past) -> None:
        for turns, (length, last) in ((self.user, past.user), (self.agent, past.agent)):
            turns.cut_to(length)
            if last is not None:
                turns.put(-1, last)
        _bring_back(self.answered, past.answered)
        _bring_back(self.latencies_ms, past.latencies)
        for name, kept in zip(_REST, past.rest, strict=True):
            setattr(self, name, kept)

    def _note(self, call: Callable[..., object], *args: float) -> None:
        if self._pasts and len(self._pasts[-1].steps) < self.STEPS:
            self._pasts[-1].steps.append(_Step(call, args))

    def _note_heard(self, at: float, until: float, held_up: bool) -> None:
        steps = self._pasts[-1].steps if self._pasts else []
        last = steps[-1] if steps else None
        is_heard = last is not None and last.call == self._agent_heard
        if last is not None and is_heard and at - last.args[1] < self.BREAK_S:
            steps[-1] = _Step(last.call, (last.args[0], until, last.args[2]))
            return
        self._note(self._agent_heard, at, until, held_up)


_REST = (
    *("heard_until", "_unanswered", "_agent_was_cut", "_fell_silent"),
    *("_answers", "_answered_at", "_onset"),
)


def _without_speech(past: _Past, stops: Callable[..., object]) -> list[_Step]:
    """Return what was noted since, without the onset that ``past`` begins with, and its end."""
    last = past.user[1]
    # where somebody was speaking already, the end is that of the speech before
    ends = last is None or last.stop is not None
    kept = []
    for step in past.steps[1:]:
        if ends and step.call == stops:
            ends = False
        else:
            kept.append(step)
    return kept


def _end_of(items: Sequence[T]) -> tuple[int, T | None]:
    return len(items), items[-1] if items else None


def _bring_back(values: list[Any], end: tuple[int, Any]) -> None:
    length, last = end
    if length:
        # the last one may have been taken back since, and no other
        values[length - 1 :] = [last]
    else:
        values.clear()
