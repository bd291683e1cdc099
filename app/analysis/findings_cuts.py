"""Findings on interruptions: which were none, which came late, and where their time went. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import inf

from app.analysis.chain import parts_of
from app.analysis.finding import (
    Finding,
    counted,
    decibels,
    duration,
    in_order,
    middle,
    share,
    start_with_capital,
    was,
    weigh,
)
from app.analysis.limits import Limits, class_of, exceeds
from app.analysis.turn_records import Interruption, Line, Sound, Summary
from app.analysis.words import agreement

LONG_CHUNK_MS = 100.0
"""Mic chunks from this length on are worth shortening."""
SHORT_CHUNK_MS = 40.0
"""What to try: two device blocks; shorter ones cost more messages than they win time."""
CHUNK_COST_MS = 50.0
SENDING_MS = 30.0
FLUSH_MS = 20.0
AGENT_MS = 250.0
"""Medians of parts of the chain: above these a part is worth a finding."""
DOMINANT = 0.5
"""A part that is this share of mouth to silence dominates it."""
WORDS_APART = 2
"""The agent's text and ours may differ by a word: the one that was cut in two."""

LATEST = 500
"""So many of the latest interruptions, and lines, are looked at."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the chain: from how much on it is told of, and in which words."""

    name: str
    id: str
    least_ms: float
    severity: float
    says: str
    advice: str


_PARTS = (
    _Part(
        "sending",
        "sending",
        SENDING_MS,
        50,
        "Sending the mic chunk with the onset took {took}: the network, or the code that takes "
        "the chunks, blocks.",
        "Look at the uplink, and let whatever takes the mic chunks return at once.",
    ),
    _Part(
        "agent",
        "agent-part",
        AGENT_MS,
        45,
        "The agent and the network took {took}, {share} of mouth to silence: from the mic chunk "
        "sent to the agent's interruption.",
        "Let the agent be interrupted sooner (its turn settings, its VAD), or host it nearer.",
    ),
    _Part(
        "flush",
        "flush-part",
        FLUSH_MS,
        45,
        "{took} went by between the agent's interruption and the interrupt() call: this machine, "
        "or what handles messages, was busy.",
        "Keep slow work, such as client tools, off the thread that receives the agent's messages.",
    ),
)


def cut_findings(
    cuts: Sequence[Interruption], lines: Sequence[Line], summary: Summary, limits: Limits
) -> Iterator[Finding]:
    """Yield what interruptions, and the replies they met, carry."""
    yield from _false(cuts)
    barge_ins = [cut for cut in cuts if cut.kind == "barge-in"]
    if barge_ins:
        parts = [parts_to_silence(cut) for cut in barge_ins]
        late = list(_late(barge_ins, parts, limits))
        yield from late
        yield from _long_chunks(barge_ins, parts, summary)
        told = {name for finding in late for name in finding.figures}
        for part in _PARTS:
            if f"{part.name}_ms" not in told:  # what made them late is told of already
                yield from _costly(part, barge_ins, parts)
    yield from _slow_silence(cuts, limits)
    yield from _other_words(lines)


# -- interruptions that nobody made ------------------------------------------------------------


def _false(cuts: Sequence[Interruption]) -> Iterator[Finding]:
    """Tell of false interruptions, by what the user track held before them."""
    groups: dict[str, list[Interruption]] = {}
    for cut in cuts:
        if cut.kind == "false":
            groups.setdefault(cut.sound.kind if cut.sound else "unknown", []).append(cut)
    for kind, those in groups.items():
        severity, say = _FALSE[kind]
        seen = share(len(those), len(cuts), "interruption")
        told, advice, figures = say(those)
        sentence = start_with_capital(f"{seen} {was(1 if len(cuts) == 1 else len(those))} {told}")
        yield Finding(
            f"false-{kind}",
            weigh(severity, len(those), len(cuts)),
            sentence,
            advice,
            in_order([cut.at for cut in those]),
            {"seen": len(those), "of": len(cuts), **figures},
        )


_Told = tuple[str, str, dict[str, float]]


def _echo(cuts: Sequence[Interruption]) -> _Told:
    delay = middle(sound.echo_delay_ms for sound in _sounds(cuts))
    level = middle(sound.echo_db for sound in _sounds(cuts))
    figures = _known(echo_delay_ms=delay, echo_db=level)
    late = "" if delay is None else f", {duration(delay)} late"
    loud = "" if level is None else f"{' at' if late else ', at'} {decibels(level)}"
    advice = "Use echo cancelling, or headphones; a softer speaker helps as well."
    return f"the agent hearing itself{late}{loud}.", advice, figures


def _burst(cuts: Sequence[Interruption]) -> _Told:
    long = middle(sound.burst_ms for sound in _sounds(cuts))
    peak = middle(sound.peak_dbfs for sound in _sounds(cuts))
    about = "" if long is None else f" of {duration(long)}"
    level = "" if peak is None else f", {decibels(peak, 'dBFS')} at its peak"
    advice = (
        "Let the agent wait for more speech before it gives way, or raise the threshold of its VAD."
    )
    told = f"caused by a short sound{about} that is no speech, as of a cough or a door{level}."
    return told, advice, _known(burst_ms=long, peak_dbfs=peak)


def _noise(cuts: Sequence[Interruption]) -> _Told:
    noise = middle(sound.noise_dbfs for sound in _sounds(cuts))
    level = "" if noise is None else f" at {decibels(noise, 'dBFS')}"
    advice = (
        "Use noise suppression or a closer microphone, or raise the threshold of the agent's VAD."
    )
    told = f"made over noise{level} in which nobody spoke."
    return told, advice, _known(noise_dbfs=noise)


def _silence(_: Sequence[Interruption]) -> _Told:
    advice = (
        "The cause is not in the audio: look at the messages before these moments in the events, "
        "and at what makes the agent interrupt itself."
    )
    return "made while the user track was silent.", advice, {}


def _unknown(_: Sequence[Interruption]) -> _Told:
    advice = "Listen to the user track before these moments: echo, noise or a cough may be on it."
    return "made with no user speech before.", advice, {}


_FALSE: dict[str, tuple[float, Callable[[Sequence[Interruption]], _Told]]] = {
    "echo": (90, _echo),
    "burst": (80, _burst),
    "noise": (80, _noise),
    "silence": (80, _silence),
    "unknown": (75, _unknown),
}


def _sounds(cuts: Sequence[Interruption]) -> list[Sound]:
    return [cut.sound for cut in cuts if cut.sound is not None]


def _known(**figures: float | None) -> dict[str, float]:
    return {name: round(value, 1) for name, value in figures.items() if value is not None}


# -- how long it takes -------------------------------------------------------------------------

_Parts = Sequence[dict[str, float | None]]


def parts_to_silence(cut: Interruption) -> dict[str, float | None]:
    """Return the parts of the chain in ms; the pause as well, which comes after it.

    One that lasts longer than it took from mouth to silence is not known: it was no part of that,
    as where the interrupt came before the mic chunk was complete.
    """
    whole_ms = inf if cut.mouth_to_silence_ms is None else cut.mouth_to_silence_ms
    parts = {part.name: part.ms for part in parts_of(cut)}
    return {
        name: None if name != "pause" and ms is not None and ms > whole_ms else ms
        for name, ms in parts.items()
    }


def _late(cuts: Sequence[Interruption], parts: _Parts, limits: Limits) -> Iterator[Finding]:
    measured = [cut for cut in cuts if cut.mouth_to_silence_ms is not None]
    late = [cut for cut in measured if class_of(cut, limits) == "late"]
    if not late:
        return
    times = [cut.mouth_to_silence_ms or 0.0 for cut in late]
    median_ms, worst_ms = middle(times) or 0.0, max(times)
    numbers = {cut.number for cut in late}
    of_late = [each for cut, each in zip(cuts, parts, strict=True) if cut.number in numbers]
    cause = _greatest_part(of_late, median_ms)
    most = "" if cause is None else f"; {duration(cause[1])} of it went to the part “{cause[0]}”"
    took = duration(median_ms) if len(late) == 1 else f"{duration(median_ms)} (median)"
    worst = "" if len(late) == 1 else f", {duration(worst_ms)} at worst"
    seen = share(len(late), len(measured), _measured("barge-in", measured, cuts))
    yield Finding(
        "late",
        weigh(85, len(late), len(measured)),
        f"{start_with_capital(seen)} came to silence late: {took}{worst}, from mouth to silence, "
        f"where {duration(limits.mouth_to_silence_ms)} are allowed{most}.",
        _LATE_ADVICE.get(cause[0] if cause else "", _LATE_ADVICE[""]),
        in_order([cut.at for cut in late]),
        {
            "seen": len(late),
            "of": len(measured),
            **_known(
                median_ms=median_ms,
                worst_ms=worst_ms,
                limit_ms=limits.mouth_to_silence_ms,
                **({f"{cause[0].replace(' ', '_')}_ms": cause[1]} if cause else {}),
            ),
        },
    )


_LATE_ADVICE = {
    "": "Open one of them, and see which bar of its chain is the longest.",
    "mic chunk": "Shorten the mic chunks.",
    "sending": "Look at the uplink, and at whatever takes the mic chunks.",
    "agent": "The agent's server decides late: look at its turn settings, its VAD, its distance.",
    "flush": "Keep slow work off the thread that receives the agent's messages.",
    "playout": "The speaker plays on: choose one with less latency, or smaller device blocks.",
}
_CHAIN = ("mic chunk", "sending", "agent", "flush", "playout")


def _measured(one: str, measured: Sequence[Interruption], cuts: Sequence[Interruption]) -> str:
    """Return what ``measured`` are, of ``cuts``."""
    return one if len(measured) == len(cuts) else f"measured {one}"


def _greatest_part(parts: _Parts, whole_ms: float) -> tuple[str, float] | None:
    """Return the part with the greatest median, where it is half of mouth to silence or more."""
    medians = {name: middle(each.get(name) for each in parts) or 0.0 for name in _CHAIN}
    name = max(medians, key=lambda each: medians[each])
    return (name, medians[name]) if medians[name] >= DOMINANT * whole_ms > 0 else None


def _long_chunks(
    cuts: Sequence[Interruption], parts: _Parts, summary: Summary
) -> Iterator[Finding]:
    costs = [ms for each in parts if (ms := each.get("mic chunk")) is not None]
    chunk_ms, cost_ms = summary.mic_chunk_ms, middle(costs)
    if chunk_ms is None or cost_ms is None:
        return
    if chunk_ms < LONG_CHUNK_MS or cost_ms < CHUNK_COST_MS:
        return
    frames = round(SHORT_CHUNK_MS * 16)
    yield Finding(
        "long-chunks",
        weigh(60, len(costs), len(cuts)),
        f"Your {duration(chunk_ms)} mic chunks cost {_took(costs, len(cuts))}: speech that "
        f"begins in a chunk waits for its end.",
        f"Try mic chunks of {duration(SHORT_CHUNK_MS)} (input_frames={frames}): on average they "
        f"cost {duration(SHORT_CHUNK_MS / 2)}.",
        in_order([cut.at for cut in cuts if cut.chunk_ended_at is not None]),
        {
            "seen": len(costs),
            **_known(chunk_ms=chunk_ms, median_ms=cost_ms, worst_ms=max(costs)),
        },
    )


def _costly(part: _Part, cuts: Sequence[Interruption], parts: _Parts) -> Iterator[Finding]:
    known = [
        (cut, ms)
        for cut, each in zip(cuts, parts, strict=True)
        if (ms := each.get(part.name)) is not None
    ]
    median_ms = middle(ms for _, ms in known)
    if median_ms is None or median_ms < part.least_ms:
        return
    mouths = [cut.mouth_to_silence_ms for cut, _ in known]
    mouth_ms = middle(mouths)
    of_mouth = median_ms / mouth_ms if mouth_ms else None
    if part.name == "agent" and (of_mouth is None or of_mouth < DOMINANT):
        return
    worst_ms = max(ms for _, ms in known)
    took = _took([ms for _, ms in known], len(cuts))
    yield Finding(
        part.id,
        weigh(part.severity, len(known), len(cuts)),
        part.says.format(took=took, share=f"{(of_mouth or 0) * 100:.0f} %"),
        part.advice,
        in_order([cut.at for cut, ms in known if ms >= part.least_ms]),
        {
            "seen": len(known),
            **_known(
                median_ms=median_ms,
                worst_ms=worst_ms,
                share_percent=None if of_mouth is None else of_mouth * 100,
            ),
        },
    )


def _took(times: Sequence[float], of: int) -> str:
    """Return the middle of what a part took, and of how many of the ``of`` barge-ins it is."""
    median_ms = duration(middle(times) or 0.0)
    if len(times) > 1:
        some = f"of {len(times)} barge-ins" if len(times) == of else f"of {len(times)} that tell it"
        return f"{median_ms} of a barge-in (median {some}, {duration(max(times))} at worst)"
    return f"{median_ms} of the only barge-in{'' if of == 1 else ' that tells it'}"


def _slow_silence(cuts: Sequence[Interruption], limits: Limits) -> Iterator[Finding]:
    """Tell of the playout part: from the interrupt to silence, whoever interrupted."""
    measured = [cut for cut in cuts if cut.time_to_silence_ms is not None]
    times = {cut.number: cut.time_to_silence_ms or 0.0 for cut in measured}
    slow = [cut for cut in measured if exceeds(times[cut.number], limits.time_to_silence_ms)]
    if not slow:
        return
    worst_ms = max(times[cut.number] for cut in slow)
    median_ms = middle(times.values())
    seen = share(len(slow), len(measured), _measured("interrupt", measured, cuts))
    yield Finding(
        "slow-silence",
        weigh(65, len(slow), len(measured)),
        f"The speaker played on for more than {duration(limits.time_to_silence_ms)} after {seen}, "
        f"for {duration(worst_ms)} at worst (median of all {duration(median_ms or 0.0)}).",
        "Choose a speaker with less latency (Bluetooth adds 100 ms and more), or smaller device "
        "blocks; an interface of your own has to drop what it has queued.",
        in_order([cut.at for cut in slow]),
        {
            "seen": len(slow),
            "of": len(measured),
            **_known(median_ms=median_ms, worst_ms=worst_ms, limit_ms=limits.time_to_silence_ms),
        },
    )


# -- what was heard ----------------------------------------------------------------------------


def _other_words(lines: Sequence[Line]) -> Iterator[Finding]:
    """Tell where the agent's corrected text says more, or less, than was heard of its reply."""
    corrected = [line for line in lines if line.who == "agent" and line.corrected_text is not None]
    apart = [_words_apart(line.heard_text, line.corrected_text or "") for line in corrected]
    off = [(line, count) for line, count in zip(corrected, apart, strict=True) if _is_off(count)]
    if not off:
        return
    counts = [count for _, count in off if count is not None]
    worst = max(counts, key=abs, default=None)
    estimated = sum(line.estimated for line, _ in off)
    seen = share(len(off), len(corrected), "corrected reply", "corrected replies")
    apart_text = "" if worst is None else f", {counted(abs(worst), 'word')} apart at worst"
    by = "; our own words are estimated there" if estimated == len(off) else ""
    yield Finding(
        "other-words",
        weigh(25 if by else 40, len(off), len(corrected)),
        f"Of {seen} the agent believes that {_which(counts, len(off))} than left the "
        f"speaker{apart_text}{by}.",
        "The agent goes on from its own text: make its estimate follow what was really played.",
        in_order([line.at for line, _ in off]),
        {"seen": len(off), "of": len(corrected), "estimated": estimated}
        | ({} if worst is None else {"worst_words": worst}),
    )


@lru_cache(maxsize=2 * LATEST)
def _words_apart(heard: str, corrected: str) -> int | None:
    """Return how many words more the agent takes for heard; None where the texts differ.

    The same texts come again each time that a session which runs is looked at.
    """
    return agreement(heard, corrected).apart


def _is_off(apart: int | None) -> bool:
    return apart is None or abs(apart) >= WORDS_APART


def _which(apart: Sequence[int], off: int) -> str:
    if len(apart) == off and all(count > 0 for count in apart):
        return "more words were heard"
    if len(apart) == off and all(count < 0 for count in apart):
        return "fewer words were heard"
    return "other words were heard"
