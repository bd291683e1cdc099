"""Findings on turns: talking over each other, late answers, broken and refused audio. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from app.analysis.finding import (
    Finding,
    counted,
    duration,
    in_order,
    middle,
    share,
    start_with_capital,
    weigh,
)
from app.analysis.limits import Limits, class_of, exceeds
from app.analysis.turn_records import Overlap, Refused, Response, Summary
from app.analysis.viewed import TurnView

TALKED_OVER_S = 0.15
"""An overlap shorter than this is no more than two people have who get on well."""
THIN_LEAD_MS = 60.0
"""Agent audio that arrives with less than this in hand is one hiccup away from an underrun."""
REFUSED_MS = 100.0
DOMINANT = 0.5
"""A part that is this share of response latency dominates it."""
LATEST = 1000
"""So many of the latest turns are looked at."""


def turn_findings(view: TurnView, summary: Summary, limits: Limits) -> Iterator[Finding]:
    """Yield what overlaps, responses, refused audio and troubles carry."""
    overlaps, responses = view.overlaps[-LATEST:], view.responses[-LATEST:]
    yield from _missed(overlaps, limits)
    yield from _talked_over(overlaps, len(view.agent_turns), limits)
    yield from _slow(responses, limits)
    yield from _underruns(responses)
    yield from _thin_lead(responses)
    yield from _refused(view.refused[-LATEST:])
    yield from _troubles(summary)
    yield from _estimated(view)


# -- both at once ------------------------------------------------------------------------------


def _lengths(overlaps: Sequence[Overlap]) -> list[float]:
    return [(each.stop - each.start) * 1000 for each in overlaps if each.stop is not None]


def _times(count: int) -> str:
    return {1: "Once", 2: "Twice"}.get(count, f"{count} times")


def _missed(overlaps: Sequence[Overlap], limits: Limits) -> Iterator[Finding]:
    missed = [each for each in overlaps if class_of(each, limits) == "missed"]
    if not missed:
        return
    chances = len(missed) + sum(each.interruption is not None for each in overlaps)
    longest = max(_lengths(missed), default=None)
    yield Finding(
        "missed",
        weigh(95, len(missed), chances),
        f"{_times(len(missed))} the user spoke over the agent for "
        f"{duration(limits.missed_s * 1000)} or more, and the agent spoke on"
        + ("." if longest is None else f", for {duration(longest)} at the longest."),
        "Look whether the agent may be interrupted at all, whether its VAD hears the user beside "
        "its own voice (echo cancelling may take the user away as well), and whether the "
        "microphone was loud enough.",
        in_order([each.onset for each in missed]),
        {"seen": len(missed), "of": chances}
        | ({} if longest is None else {"longest_ms": round(longest, 1)}),
    )


def _talked_over(
    overlaps: Sequence[Overlap], agent_turns: int, limits: Limits
) -> Iterator[Finding]:
    over = [
        each
        for each in overlaps
        if class_of(each, limits) == "talked over"
        and each.stop is not None
        and each.stop - each.start >= TALKED_OVER_S
    ]
    if not over:
        return
    median_ms = middle(_lengths(over)) or 0.0
    turns = max(agent_turns, len(over))
    lasted = duration(median_ms) if len(over) == 1 else f"{duration(median_ms)} (median)"
    yield Finding(
        "talked-over",
        weigh(80, len(over), turns),
        f"{_times(len(over))} in {counted(turns, 'turn')} the agent began while the user was still "
        f"speaking; both spoke for {lasted}: it may take a pause for the end of the user's turn.",
        "Let endpointing wait longer: more silence, or a model that hears whether a sentence is "
        "complete.",
        in_order([each.start for each in over]),
        {"seen": len(over), "of": turns, "median_ms": round(median_ms, 1)},
    )


# -- answers -----------------------------------------------------------------------------------


def _slow(responses: Sequence[Response], limits: Limits) -> Iterator[Finding]:
    answers = [each for each in responses if each.latency_ms is not None]
    slow = [each for each in answers if exceeds(each.latency_ms, limits.response_latency_ms)]
    if not slow:
        return
    times = [each.latency_ms or 0.0 for each in slow]
    median_ms, worst_ms = middle(times) or 0.0, max(times)
    part = greatest_part(slow)
    took = duration(median_ms) if len(slow) == 1 else f"after {duration(median_ms)} (median)"
    took = f"after {took}" if len(slow) == 1 else f"{took}, after {duration(worst_ms)} at worst"
    name, part_ms = part or ("", 0.0)
    most = f"; {duration(part_ms)} of that {_PART_SAYS[name]}" if part else ""
    yield Finding(
        "slow-responses",
        weigh(70, len(slow), len(answers)),
        f"{start_with_capital(share(len(slow), len(answers), 'response'))} came later than "
        f"{duration(limits.response_latency_ms)}: {took}{most}.",
        _PART_ADVICE[name],
        in_order([each.heard_at for each in slow]),
        {
            "seen": len(slow),
            "of": len(answers),
            "median_ms": round(median_ms, 1),
            "worst_ms": round(worst_ms, 1),
            "limit_ms": limits.response_latency_ms,
        }
        | ({f"{name}_ms": round(part_ms, 1)} if part else {}),
    )


_PART_SAYS = {
    "endpointing": "went by until the agent took the user's turn for ended (endpointing)",
    "agent": "went by from endpointing to the agent's first audio (the model, its voice, the "
    "network)",
    "agent_and_endpointing": "went by until the agent's first audio came (endpointing, the model, "
    "its voice, the network; no event tells them apart)",
    "audio": "went by between the first audio that came and the first that was heard",
}
_PART_ADVICE = {
    "": "Open the turns, and see which part of each is the longest.",
    "endpointing": "Let endpointing wait less, as long as the agent does not talk over people.",
    "agent": "Take a faster model or voice, shorten the prompt, or let the agent begin to speak "
    "before its answer is complete.",
    "agent_and_endpointing": "Have the agent send its final user transcript: it tells endpointing "
    "from the rest. Then shorten the longer one.",
    "audio": "Choose a speaker with less latency, and look at what holds agent audio back before "
    "it is played.",
}


def response_parts(response: Response) -> dict[str, float]:
    """Return the parts of a response's latency in ms, those that are known.

    As in the chain of an interruption, a part is not known whose end came before its start:
    endpointing, where the agent told of it before the user's speech had ended.
    """
    heard, stop = response.heard_at, response.user_stop
    ended, came = response.endpointed_at, response.first_chunk_at
    ends = {"endpointing": (stop, ended), "audio": (came, heard)}
    if ended is not None:
        ends["agent"] = (ended, came)
    else:
        ends["agent_and_endpointing"] = (stop, came)
    return {
        name: (after - before) * 1000
        for name, (before, after) in ends.items()
        if before is not None and after is not None and after >= before
    }


def _within_latency(response: Response) -> Response:
    """Return it with what came before the end of the user's speech as if it had come then."""
    stop = response.user_stop
    if stop is None:
        return response
    ended, came = (
        None if t is None else max(t, stop)
        for t in (response.endpointed_at, response.first_chunk_at)
    )
    return replace(response, endpointed_at=ended, first_chunk_at=came)


def greatest_part(responses: Sequence[Response]) -> tuple[str, float] | None:
    """Return the part with the greatest median, where it is half of the latency or more."""
    each_parts = [response_parts(_within_latency(each)) for each in responses]
    names = {name for parts in each_parts for name in parts}
    medians = {name: middle(parts.get(name) for parts in each_parts) or 0.0 for name in names}
    whole = middle(each.latency_ms for each in responses)
    if not medians or not whole:
        return None
    name = max(sorted(medians), key=lambda each: medians[each])
    return (name, medians[name]) if medians[name] / whole >= DOMINANT else None


# -- audio -------------------------------------------------------------------------------------


def _underruns(responses: Sequence[Response]) -> Iterator[Finding]:
    dry = [each for each in responses if each.underruns]
    if not dry:
        return
    count, lost_ms = sum(each.underruns for each in dry), sum(each.underrun_ms for each in dry)
    leads = [each.least_lead_ms for each in dry if each.least_lead_ms is not None]
    late = sum(lead <= 0 for lead in leads)
    why = " The agent's audio arrived too late." if late and late == len(leads) else ""
    times = "once" if count == 1 else f"{count} times"
    yield Finding(
        "underruns",
        weigh(70, len(dry), len(responses)),
        f"The playout queue ran dry {times} inside {share(len(dry), len(responses), 'turn')} of "
        f"the agent's, for {duration(lost_ms)} in all: the agent stutters.{why}",
        "Let the agent send its audio faster than it is spoken, or more of it before it begins; "
        "look at the network.",
        in_order([each.heard_at for each in dry]),
        {
            "seen": len(dry),
            "of": len(responses),
            "underruns": count,
            "lost_ms": round(lost_ms, 1),
        }
        | ({"least_lead_ms": round(min(leads), 1)} if leads else {}),
    )


def _thin_lead(responses: Sequence[Response]) -> Iterator[Finding]:
    """Tell of audio that came just in time; where it came too late, underruns tell of it."""
    led = [each for each in responses if each.least_lead_ms is not None]
    thin = [
        each for each in led if not each.underruns and (each.least_lead_ms or 0.0) < THIN_LEAD_MS
    ]
    if len(thin) < 2:  # a single short turn says nothing
        return
    least = min(each.least_lead_ms or 0.0 for each in thin)
    in_hand = "with nothing in hand" if least <= 0 else f"with {duration(least)} in hand"
    yield Finding(
        "thin-lead",
        weigh(30, len(thin), len(led)),
        f"In {share(len(thin), len(led), 'turn')} of the agent's its audio arrived just before it "
        f"was to be played, {in_hand} at the least: any delay will be heard.",
        "Let the agent send its audio faster than it is spoken.",
        in_order([each.heard_at for each in thin]),
        {"seen": len(thin), "of": len(led), "least_lead_ms": round(least, 1)},
    )


def _refused(refused: Sequence[Refused]) -> Iterator[Finding]:
    """Tell of audio of a new reply: late audio of an interrupted one is rightly dropped."""
    told = [each for each in refused if each.of_new_reply and each.ms >= REFUSED_MS]
    if not told:
        return
    total_ms = sum(each.ms for each in told)
    lost = start_with_capital(duration(total_ms))
    of_reply = "the next reply" if len(told) == 1 else f"{len(told)} replies"
    by_id = all("event" in each.reason for each in told)
    why = "carried the old event id and" if by_id else "arrived and"
    yield Finding(
        "refused",
        weigh(90, 1, 1),
        f"{lost} of {of_reply} {why} {'was' if len(told) == 1 else 'were'} dropped: nobody heard "
        "it.",
        "Let the agent give audio that follows an interruption an event id above the "
        "interruption's own: clients drop the rest as audio that was on its way.",
        in_order([each.at for each in told]),
        {"seen": len(told), "lost_ms": round(total_ms, 1)},
    )


# -- what makes figures doubtful ---------------------------------------------------------------

_DOUBTS = {
    "xrun": ("the device reported {} xruns", "the device reported an xrun"),
    "dropped": ("events were lost {} times", "events were lost once"),
    "gap": ("audio is missing in {} places", "audio is missing in one place"),
    "device": ("a device failed {} times", "a device failed once"),
    "recorder": ("the recorder was in trouble {} times", "the recorder was in trouble once"),
    "callback": ("code that takes audio failed {} times", "code that takes audio failed once"),
}


def _troubles(summary: Summary) -> Iterator[Finding]:
    seen = {kind: summary.troubles[kind] for kind in _DOUBTS if summary.troubles.get(kind)}
    if not seen:
        return
    said = [_DOUBTS[kind][count == 1].format(count) for kind, count in seen.items()]
    listed = said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"
    yield Finding(
        "doubtful",
        weigh(45, min(sum(seen.values()), 10), 10),
        f"Figures near these troubles of this machine's own are doubtful: {listed}.",
        "The panel “Audio health” and the events tell when. Close what else is running, choose "
        "another device or larger device blocks, and record again.",
        (),
        {f"{kind}_count": count for kind, count in seen.items()},
    )


def _estimated(view: TurnView) -> Iterator[Finding]:
    cuts = [each for each in view.interruptions if each.estimated]
    answers = [each for each in view.responses if each.estimated]
    if not cuts and not answers:
        return
    what = [
        text
        for text in (
            counted(len(cuts), "interruption") if cuts else "",
            counted(len(answers), "response") if answers else "",
        )
        if text
    ]
    yield Finding(
        "estimated",
        weigh(20, 1, 1),
        f"The times of {' and '.join(what)} are estimated: the audio interface keeps no account "
        "of what was played when.",
        "Take them for what they are, or run the session through one of the interfaces that "
        "measure.",
        (),
        {"interruptions": len(cuts), "responses": len(answers)},
    )
