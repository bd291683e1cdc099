"""Two sessions of the same caller, laid over each other. Pure logic: no clock, no I/O.

The caller is the same, so the user's turns are paired by their place in the caller's audio; all
else belongs to the user's turn that it follows. What is not known is None, and never guessed.
Times are session seconds of the session that they belong to, durations are in ms.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf
from statistics import median
from typing import Literal

from app.analysis.turn_records import Interruption, Line, Spread, Summary, Turn
from app.analysis.viewed import TurnView

Verdict = Literal["better", "worse", "same", "differs", ""]

PAIR_S = 0.35
"""Onsets no further apart than this, on the caller's time, are one: VAD puts them within 50 ms."""
VOTE_S = 0.1
"""Pairs of onsets whose distances differ no more than this speak for the same offset."""
MOST_ONSETS = 500
"""So many of each session are enough to find the offset by."""
SAME_MS = 20.0
"""Replays of one caller against one agent differ by so much: network, processor, device block."""


@dataclass(frozen=True, slots=True)
class Change:
    """A figure in both sessions; of all that are compared, less is better."""

    first: float | None
    second: float | None
    same: float = SAME_MS
    """A difference up to this says nothing."""

    @property
    def difference(self) -> float | None:
        """How much more it is in the second session."""
        if self.first is None or self.second is None:
            return None
        return self.second - self.first

    @property
    def verdict(self) -> Verdict:
        """Which session did better: ``better`` is the second one; empty where that is not known."""
        difference = self.difference
        if difference is None:
            return ""
        if abs(difference) <= self.same:
            return "same"
        return "better" if difference < 0 else "worse"


@dataclass(frozen=True, slots=True)
class Passage:
    """A user turn in one session, and what the agent made of it.

    ``turn`` is None for what came before the caller spoke.
    """

    start: float
    turn: Turn | None
    response_latency_ms: float | None = None
    cuts: tuple[Interruption, ...] = ()
    """The interruptions of the agent that this turn caused."""
    said: str = ""
    """All that the agent said, or was about to say, from then on to the next user turn."""
    heard: str = ""
    unheard: str = ""
    understood: str = ""
    """What the agent understood of this turn."""

    @property
    def time_to_silence_ms(self) -> float | None:
        """That of its first interruption."""
        return self.cuts[0].time_to_silence_ms if self.cuts else None

    @property
    def mouth_to_silence_ms(self) -> float | None:
        """That of its first interruption."""
        return self.cuts[0].mouth_to_silence_ms if self.cuts else None


@dataclass(frozen=True, slots=True)
class Row:
    """The same turn of the caller in both sessions; None where a session has no such turn."""

    number: int
    """1 for the first turn, 0 for what came before."""
    first: Passage | None
    second: Passage | None

    @property
    def response_latency(self) -> Change:
        """From the end of the user's speech to the agent."""
        return self._change("response_latency_ms")

    @property
    def time_to_silence(self) -> Change:
        """From the interrupt to silence."""
        return self._change("time_to_silence_ms")

    @property
    def mouth_to_silence(self) -> Change:
        """From the onset of the user's speech to silence."""
        return self._change("mouth_to_silence_ms")

    @property
    def is_paired(self) -> bool:
        """Whether both sessions have it."""
        return self.first is not None and self.second is not None

    @property
    def words_differ(self) -> bool:
        """Whether the agent said, or understood, something else; what was heard aside."""
        first, second = self.first, self.second
        if first is None or second is None:
            return True
        return (first.said, first.understood) != (second.said, second.understood)

    @property
    def heard_differs(self) -> bool:
        """Whether something else was heard of the agent."""
        first, second = self.first, self.second
        return first is None or second is None or first.heard != second.heard

    def _change(self, name: str) -> Change:
        first, second = (None if each is None else getattr(each, name) for each in self._sides)
        return Change(first, second)

    @property
    def _sides(self) -> tuple[Passage | None, Passage | None]:
        return self.first, self.second


@dataclass(frozen=True, slots=True)
class Total:
    """A figure of the whole session in both. ``judged`` says that less of it is better."""

    name: str
    unit: str
    change: Change
    judged: bool = False

    @property
    def verdict(self) -> Verdict:
        """As a `Change` has it; where nothing is better, whether they differ."""
        verdict = self.change.verdict
        if self.judged or verdict in {"", "same"}:
            return verdict
        return "differs"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both sessions, turn by turn and as a whole."""

    offset_s: float
    """How much later the caller is in the second session's time than in the first one's."""
    rows: list[Row]
    totals: list[Total]

    @property
    def paired(self) -> int:
        """How many user turns both sessions have."""
        return sum(row.is_paired and row.number > 0 for row in self.rows)

    @property
    def unpaired(self) -> tuple[int, int]:
        """How many user turns the first alone has, and the second."""
        alone = [row for row in self.rows if not row.is_paired and row.number > 0]
        first = sum(row.first is not None for row in alone)
        return first, len(alone) - first


def compare(first: TurnView, second: TurnView, offset_s: float | None = None) -> Comparison:
    """Compare two sessions; without ``offset_s`` the offset is found from the user's turns."""
    onsets = [[turn.start for turn in view.user_turns] for view in (first, second)]
    if offset_s is None:
        offset_s = find_offset(onsets[0], onsets[1]) or 0.0
    passages = _passages(first), _passages(second)
    return Comparison(
        offset_s,
        _rows(passages[0], passages[1], offset_s),
        _totals(first.summary(), second.summary()),
    )


def find_offset(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Return how much later the onsets ``second`` are; None where either has none.

    It is the distance that most pairs of onsets have; of several such the least.
    """
    distances = sorted(
        after - before for before in first[:MOST_ONSETS] for after in second[:MOST_ONSETS]
    )
    best: tuple[int, float] = (0, 0.0)
    offset_s: float | None = None
    start = 0
    for stop, distance in enumerate(distances, 1):
        while distance - distances[start] > VOTE_S:
            start += 1
        middle = distances[(start + stop) // 2]
        if (stop - start, -abs(middle)) > best or offset_s is None:
            best, offset_s = (stop - start, -abs(middle)), median(distances[start:stop])
    return offset_s


# -- turn by turn ------------------------------------------------------------------------------


def _rows(first: list[Passage], second: list[Passage], offset_s: float) -> list[Row]:
    rows = [Row(0, first[0], second[0])] if first[0].said or second[0].said else []
    for number, (before, after) in enumerate(_pairs(first[1:], second[1:], offset_s), 1):
        rows.append(Row(number, before, after))
    return rows


def _pairs(
    first: list[Passage], second: list[Passage], offset_s: float
) -> list[tuple[Passage | None, Passage | None]]:
    early, late = ([passage.start for passage in passages] for passages in (first, second))
    return [
        (None if one is None else first[one], None if other is None else second[other])
        for one, other in pair_onsets(early, late, offset_s)
    ]


def pair_onsets(
    first: Sequence[float], second: Sequence[float], offset_s: float
) -> list[tuple[int | None, int | None]]:
    """Pair onsets at the same place in the caller's audio, by their indices, all in order."""
    pairs: list[tuple[int | None, int | None]] = []
    one = other = 0
    while one < len(first) or other < len(second):
        early = first[one] if one < len(first) else inf
        late = second[other] - offset_s if other < len(second) else inf
        following = second[other + 1] - offset_s if other + 1 < len(second) else inf
        is_nearest = abs(late - early) <= min(PAIR_S, abs(following - early))
        is_first = is_nearest or early < late
        is_second = is_nearest or early >= late
        pairs.append((one if is_first else None, other if is_second else None))
        one, other = one + is_first, other + is_second
    return pairs


def _passages(view: TurnView) -> list[Passage]:
    """Return what came before the user spoke, and then a passage for each user turn."""
    turns = view.user_turns
    starts = [turn.start for turn in turns]
    latencies = _latencies(view)
    cuts: list[list[Interruption]] = [[] for _ in range(len(turns) + 1)]
    for cut in view.interruptions:
        if cut.user_onset is not None:
            cuts[_turn_at(starts, cut.user_onset)].append(cut)
    lines: list[list[Line]] = [[] for _ in range(len(turns) + 1)]
    for line in view.transcript:
        if not line.typed:
            lines[_turn_at(starts, line.at)].append(line)
    return [
        Passage(
            turn.start if turn is not None else 0.0,
            turn,
            latencies.get(number - 1),
            tuple(cuts[number]),
            *_texts(lines[number]),
        )
        for number, turn in enumerate((None, *turns))
    ]


def _turn_at(starts: list[float], t: float) -> int:
    """Return the number, from 1, of the turn that had begun last at ``t``; 0 for none."""
    return bisect_right(starts, t + 0.001)


def _texts(lines: list[Line]) -> tuple[str, str, str, str]:
    """Return what the agent said, what was heard of it and what not, and what it understood."""
    agent = [line for line in lines if line.who == "agent"]
    user = [line.text for line in lines if line.who == "user" and not line.tentative]
    return (
        _joined(line.text for line in agent),
        _joined(line.heard_text for line in agent),
        _joined(line.unheard_text for line in agent),
        _joined(user),
    )


def _joined(texts: Iterable[str]) -> str:
    return " ".join(text.strip() for text in texts if text.strip())


def _latencies(view: TurnView) -> dict[int, float]:
    """Return the response latency of each user turn that was answered, by its index.

    The answer is the agent's next turn, where its distance is one of the latencies.
    """
    known = sorted(view.response_latencies_ms)
    starts = [turn.start for turn in view.agent_turns]
    found: dict[int, float] = {}
    for index, turn in enumerate(view.user_turns):
        following = bisect_left(starts, turn.stop) if turn.stop is not None else len(starts)
        if turn.stop is None or following == len(starts):
            continue
        latency_ms = (starts[following] - turn.stop) * 1000
        place = bisect_left(known, latency_ms - 0.5)
        if place < len(known) and known[place] <= latency_ms + 0.5:
            found[index] = latency_ms
    return found


# -- as a whole --------------------------------------------------------------------------------


def _totals(first: Summary, second: Summary) -> list[Total]:
    return [
        _plain("duration", "s", round(first.duration_s, 1), round(second.duration_s, 1)),
        _plain("user turns", "", first.user_turns, second.user_turns),
        _plain("agent turns", "", first.agent_turns, second.agent_turns),
        _plain("interruptions", "", first.interruptions, second.interruptions),
        *_spreads("response latency", first.response_latency_ms, second.response_latency_ms),
        *_spreads("time to silence", first.time_to_silence_ms, second.time_to_silence_ms),
        *_spreads("mouth to silence", first.mouth_to_silence_ms, second.mouth_to_silence_ms),
        _plain("heard of the agent", "s", _seconds(first.heard_ms), _seconds(second.heard_ms)),
        _plain("discarded", "s", _seconds(first.discarded_ms), _seconds(second.discarded_ms)),
    ]


def _plain(name: str, unit: str, first: float, second: float) -> Total:
    return Total(name, unit, Change(first, second, 0.0))


def _spreads(name: str, first: Spread, second: Spread) -> list[Total]:
    return [
        Total(f"{name}, median", "ms", Change(first.p50, second.p50), judged=True),
        Total(f"{name}, p95", "ms", Change(first.p95, second.p95), judged=True),
    ]


def _seconds(ms: float) -> float:
    return round(ms / 1000, 1)
