"""Limits that a session has to keep, and what breaks them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from app.analysis.finding import counted, duration
from app.analysis.limits import Limits, class_of, exceeds
from app.analysis.turn_records import Interruption, spread
from app.analysis.viewed import TurnView
from app.report.text import clock

State = Literal["kept", "broken", "unknown"]
Statistic = Literal["worst", "p95", "median", "count"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One limit: of a figure ``name`` its ``statistic`` may be no more than ``limit``."""

    name: str
    """One of `TIMES` or `COUNTS`."""
    statistic: Statistic
    limit: float
    """ms, or how often."""

    @property
    def text(self) -> str:
        """The limit as people read it."""
        if self.statistic == "count":
            return f"no {self.name}" if not self.limit else f"{self.name} ≤ {self.limit:.0f}"
        of = "" if self.statistic == "worst" else f"{self.statistic} "
        return f"{of}{self.name} ≤ {precise(self.limit)}"


class Sample(NamedTuple):
    """A figure at a moment of the session."""

    at: float
    value: float
    estimated: bool = False
    about: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a rule in a session."""

    rule: Rule
    state: State
    sentence: str
    moments: tuple[Sample, ...] = ()
    """Where it was broken."""
    unmeasured: int = 0
    """How many figures are missing beside those that were judged."""

    def fails(self, *, need_figures: bool) -> bool:
        """Say whether the limit is broken; with ``need_figures`` a missing figure breaks it."""
        is_missing = self.state == "unknown" or self.unmeasured > 0
        return self.state == "broken" or (need_figures and is_missing)


def precise(ms: float) -> str:
    """Return a duration, to the millisecond below ten seconds."""
    return f"{ms:g} ms" if ms < 1000 else f"{round(ms / 1000, 3):g} s"


def moment_text(outcome: Outcome, sample: Sample) -> str:
    """Return one of the moments at which a limit was broken, in a line."""
    line = f"{clock(sample.at, 3)}  {sample.about}"
    if outcome.rule.statistic == "count":
        return line
    return f"{line}: {'≈ ' if sample.estimated else ''}{precise(round(sample.value))}"


def judge(view: TurnView, rule: Rule, limits: Limits) -> Outcome:
    """Say whether a session keeps ``rule``; ``limits`` say what a missed interruption is."""
    if rule.statistic == "count":
        return _judge_count(view, rule, limits)
    samples, unmeasured = TIMES[rule.name](view)
    beside = f"; {counted(unmeasured, 'other')} not measured" if unmeasured else ""
    if not samples:
        return Outcome(rule, "unknown", f"no figure in this session{beside}")
    of = spread([sample.value for sample in samples])
    value = {"worst": of.greatest, "p95": of.p95, "median": of.p50}[rule.statistic] or 0.0
    over = tuple(sample for sample in samples if exceeds(sample.value, rule.limit))
    told = f"{precise(round(value))} {_AT[rule.statistic]}, of {of.count}{beside}"
    if not exceeds(value, rule.limit):
        return Outcome(rule, "kept", told, unmeasured=unmeasured)
    return Outcome(rule, "broken", f"{told}; {len(over)} of {of.count} over it", over, unmeasured)


_AT = {"worst": "at worst", "p95": "at p95", "median": "in the middle"}


def _judge_count(view: TurnView, rule: Rule, limits: Limits) -> Outcome:
    samples, why_unknown = COUNTS[rule.name](view, limits)
    count = sum(sample.value for sample in samples)
    if count > rule.limit:
        return Outcome(rule, "broken", f"{count:.0f} in this session", tuple(samples))
    if why_unknown:
        return Outcome(rule, "unknown", why_unknown)
    return Outcome(rule, "kept", f"{count:.0f} in this session" if count else "none")


# -- times -------------------------------------------------------------------------------------

_Measured = tuple[list[Sample], int]
"""The samples, and how many were not measured."""


def _silences(view: TurnView) -> _Measured:
    return _of_cuts(view.interruptions, lambda cut: cut.time_to_silence_ms)


def _mouths(view: TurnView) -> _Measured:
    barge_ins = [cut for cut in view.interruptions if cut.kind == "barge-in"]
    return _of_cuts(barge_ins, lambda cut: cut.mouth_to_silence_ms)


def _of_cuts(
    cuts: Sequence[Interruption], time_of: Callable[[Interruption], float | None]
) -> _Measured:
    samples = [
        Sample(cut.at, ms, cut.estimated, f"interruption {cut.number}")
        for cut in cuts
        if (ms := time_of(cut)) is not None
    ]
    return samples, sum(time_of(cut) is None and not cut.was_silent for cut in cuts)


def _latencies(view: TurnView) -> _Measured:
    samples = [
        Sample(each.heard_at, each.latency_ms, each.estimated, "response")
        for each in view.responses
        if each.latency_ms is not None
    ]
    return samples, 0


TIMES: dict[str, Callable[[TurnView], _Measured]] = {
    "time to silence": _silences,
    "mouth to silence": _mouths,
    "response latency": _latencies,
}


# -- counts ------------------------------------------------------------------------------------

_Counted = tuple[Sequence[Sample], str]
"""The samples, and why there is no figure: empty where there is one."""
NOTHING_HEARD = "no figure in this session: nothing was heard of the agent"


def _false(view: TurnView, _limits: Limits) -> _Counted:
    cuts = view.interruptions
    false = [
        Sample(cut.at, 1, cut.estimated, f"interruption {cut.number}")
        for cut in cuts
        if cut.kind == "false"
    ]
    unsure = sum(cut.kind is None for cut in cuts)
    if unsure:
        return false, f"no figure: the class of {counted(unsure, 'interruption')} is not certain"
    return false, "" if cuts or view.agent_turns else NOTHING_HEARD


def _overlaps(name: str) -> Callable[[TurnView, Limits], _Counted]:
    def samples(view: TurnView, limits: Limits) -> _Counted:
        found = [
            Sample(each.onset if name == "missed" else each.start, 1, False, name)
            for each in view.overlaps
            if class_of(each, limits) == name
        ]
        return found, "" if view.agent_turns else NOTHING_HEARD

    return samples


def _underruns(view: TurnView, _limits: Limits) -> _Counted:
    found = [
        Sample(each.heard_at, each.underruns, each.estimated, duration(each.underrun_ms))
        for each in view.responses
        if each.underruns
    ]
    return found, "" if view.responses else NOTHING_HEARD


def _refused(view: TurnView, _limits: Limits) -> _Counted:
    # late audio of a reply that was interrupted is rightly refused
    new = [each for each in view.refused if each.of_new_reply]
    found = [Sample(each.at, 1, False, f"{duration(each.ms)} of a new reply") for each in new]
    return found, "" if view.agent_turns else NOTHING_HEARD


COUNTS: dict[str, Callable[[TurnView, Limits], _Counted]] = {
    "false interruptions": _false,
    "missed interruptions": _overlaps("missed"),
    "talking over the user": _overlaps("talked over"),
    "underruns": _underruns,
    "refused audio": _refused,
}
