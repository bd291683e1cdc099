"""The figures behind statistics: of one session, or of several together. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from app.analysis.chain import DEFINITIONS
from app.analysis.findings_cuts import parts_to_silence
from app.analysis.findings_turns import response_parts
from app.analysis.limits import Limits, class_of
from app.analysis.silences import spoken_turns
from app.analysis.turn_records import Spread, spread
from app.analysis.viewed import TurnView

CLASSES = ("barge-in", "late", "button", "message", "false", "not certain")
OVERLAPS = ("missed", "backchannel", "talked over")
PARTS = tuple(name for name in DEFINITIONS if name != "playout")
"""Of the chain; the playout part is the time to silence, which stands for itself."""

MOUTH, SILENCE, LATENCY = "mouth to silence", "time to silence", "response latency"
BETWEEN = {"agent": "silence, user to agent", "user": "silence, agent to user"}
"""By whose turn it is that follows the silence."""


@dataclass(frozen=True, slots=True)
class Statistic:
    """One figure over all the times it was measured, in ms."""

    name: str
    spread: Spread


@dataclass(frozen=True, slots=True)
class Figures:
    """Measured values in ms by name, and how often something was seen."""

    values: dict[str, list[float]]
    counts: dict[str, int]

    @property
    def statistics(self) -> list[Statistic]:
        """Count, p50, p95 and worst of each that was measured."""
        return [Statistic(name, spread(values)) for name, values in self.values.items() if values]


def figures_of(view: TurnView, limits: Limits) -> Figures:
    """Return the figures of one session."""
    values: dict[str, list[float]] = {MOUTH: []}
    values |= {f"  {name}": [] for name in PARTS}
    values |= {SILENCE: [], "discarded": [], LATENCY: list(view.response_latencies_ms)}
    values |= {f"  {name}": [] for name in RESPONSE_PARTS}
    values |= {name: [] for name in BETWEEN.values()}
    counts: Counter[str] = Counter()
    for cut in view.interruptions:
        counts[class_of(cut, limits) or "not certain"] += 1
        _add(values, MOUTH, cut.mouth_to_silence_ms)
        _add(values, SILENCE, cut.time_to_silence_ms)
        _add(values, "discarded", cut.discarded_ms)
        for name, ms in parts_to_silence(cut).items() if cut.kind == "barge-in" else ():
            if name in PARTS:
                _add(values, f"  {name}", ms)
    for response in view.responses:
        if response.latency_ms is not None:
            for name, ms in response_parts(response).items():
                _add(values, f"  {_SAID[name]}", ms)
        counts["underruns"] += response.underruns
    for spoken in spoken_turns(view.user_turns, view.agent_turns):
        _add(values, BETWEEN[spoken.turn.who], spoken.silence_before_ms)
    for overlap in view.overlaps:
        if kind := class_of(overlap, limits):
            counts[kind] += 1
    counts["refused"] = len(view.refused)
    return Figures(values, dict(counts))


_SAID = {
    "endpointing": "until endpointing",
    "agent": "until the first agent chunk",
    "agent_and_endpointing": "endpointing and agent",
    "audio": "until it was heard",
}
RESPONSE_PARTS = tuple(_SAID.values())


def together(several: Iterable[Figures]) -> Figures:
    """Return the figures of several sessions as if they were of one."""
    values: dict[str, list[float]] = {}
    counts: Counter[str] = Counter()
    for figures in several:
        for name, measured in figures.values.items():
            values.setdefault(name, []).extend(measured)
        counts.update(figures.counts)
    return Figures(values, dict(counts))


def _add(values: dict[str, list[float]], name: str, value: float | None) -> None:
    if value is not None:
        values[name].append(value)
