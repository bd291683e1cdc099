"""Interruptions and overlaps as people read them: their class, their figures, their words.

No Qt. Texts in them are an agent's or a user's: whoever shows them shows plain text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from app.analysis.chain import parts_of
from app.analysis.limits import Limits, class_of, exceeds
from app.analysis.turn_records import Interruption, Overlap, Sound
from app.analysis.words import agreement
from ui.lanes.time_axis import clock_text, span_text
from ui.parts.tables import UNKNOWN, milliseconds, silence_text

SOURCES = {"agent": "agent's server", "button": "button", "vad": "local VAD", "message": "message"}
CLASSES = {
    "barge-in": "The user began to speak over the agent, and the agent fell silent in time",
    "late": "A barge-in whose mouth to silence is over the limit",
    "button": "Somebody pressed Interrupt",
    "message": "The user wrote to the agent",
    "false": "An interrupt with no user speech behind it: echo, a cough, noise",
    "missed": "The user spoke over the agent for as long as the limit says, or longer, and no "
    "interrupt followed",
    "backchannel": "The user spoke shortly over the agent, and rightly no interrupt followed",
    "talked over": "The agent began while the user was speaking",
}
DISCARDED = (
    "Agent audio thrown away before it was played, in ms: what was waiting to be played, and after "
    "a plus what arrived later and was held back"
)
TROUBLE = frozenset({"late", "false", "missed"})
"""The classes in which something went wrong."""
AROUND_S = 2.0
"""How much of the session is looked at closely, at the least."""
LISTEN_BEFORE_S = 2.0
LISTEN_AFTER_S = 1.5
LONGEST_HEARD = 120
"""Characters of what was heard: of more, the end is shown."""


@dataclass(frozen=True, slots=True)
class Moment:
    """An interruption or an overlap, with the class that the limits give it."""

    record: Interruption | Overlap
    kind: str

    @property
    def cut(self) -> Interruption | None:
        """The interruption; None for an overlap."""
        return self.record if isinstance(self.record, Interruption) else None

    @property
    def overlap(self) -> Overlap | None:
        """The overlap; None for an interruption."""
        return self.record if isinstance(self.record, Overlap) else None

    @property
    def at(self) -> float:
        """When it was: the interrupt, or when both began to speak."""
        return self.record.at if isinstance(self.record, Interruption) else self.record.start

    @property
    def key(self) -> tuple[str, float]:
        """What it is known by while its record is replaced by better ones."""
        cut = self.cut
        return ("cut", cut.number) if cut is not None else ("both", self.at)

    @property
    def begins(self) -> float:
        """When it began: with the user's speech, where that is known."""
        if isinstance(self.record, Overlap):
            return min(self.record.onset, self.record.start)
        onset = self.record.user_onset
        return self.record.at if onset is None else min(onset, self.record.at)

    @property
    def ends(self) -> float:
        """When it was over: with silence, or when both spoke no more."""
        if isinstance(self.record, Overlap):
            stop = self.record.stop
            return self.record.start if stop is None else stop
        silent_at = self.record.silent_at
        return self.record.at if silent_at is None else max(silent_at, self.record.at)

    @property
    def name(self) -> str:
        """How it is called: ``#3``, or nothing for an overlap."""
        return f"#{self.cut.number}" if self.cut is not None else ""


def moments_of(
    cuts: Iterable[Interruption], overlaps: Iterable[Overlap], limits: Limits
) -> list[Moment]:
    """Return both in order of time; of overlaps those that have a class."""
    found = [Moment(cut, class_of(cut, limits)) for cut in cuts]
    for overlap in overlaps:
        kind = class_of(overlap, limits)
        if kind and overlap.interruption is None:
            found.append(Moment(overlap, kind))
    return sorted(found, key=lambda moment: moment.at)


def close_up_of(moment: Moment) -> tuple[float, float]:
    """Return the stretch to look at closely: `AROUND_S` at the least, in session seconds."""
    room_s = max((AROUND_S - (moment.ends - moment.begins)) / 2, 0.3)
    start = max(moment.begins - room_s, 0.0)
    return start, max(moment.ends + room_s, start + AROUND_S)


def listening_of(moment: Moment) -> tuple[float, float]:
    """Return the stretch to listen to."""
    return max(moment.begins - LISTEN_BEFORE_S, 0.0), moment.ends + LISTEN_AFTER_S


# -- figures and words ----------------------------------------------------------------------------


def source_text(moment: Moment) -> str:
    """Return who interrupted."""
    cut = moment.cut
    return "none" if cut is None else SOURCES.get(cut.source, cut.source)


def mouth_text(moment: Moment) -> str:
    """Return mouth to silence."""
    cut = moment.cut
    return "" if cut is None else milliseconds(cut.mouth_to_silence_ms, cut.estimated)


def time_text(moment: Moment) -> str:
    """Return time to silence."""
    return "" if moment.cut is None else silence_text(moment.cut)


def discarded_text(moment: Moment) -> str:
    """Return how much was thrown away: of the queue, and then of what arrived too late for it."""
    if moment.cut is None:
        return ""
    queued, held_back = moment.cut.discarded_ms, moment.cut.held_back_ms
    return f"{queued:.0f} + {milliseconds(held_back)}" if held_back else milliseconds(queued)


def is_mouth_over(moment: Moment, limits: Limits) -> bool:
    """Whether mouth to silence is over its limit."""
    cut = moment.cut
    return cut is not None and exceeds(cut.mouth_to_silence_ms, limits.mouth_to_silence_ms)


def is_time_over(moment: Moment, limits: Limits) -> bool:
    """Whether time to silence is over its limit."""
    cut = moment.cut
    return cut is not None and exceeds(cut.time_to_silence_ms, limits.time_to_silence_ms)


def heard_up_to(cut: Interruption) -> str:
    """Return the end of what was heard, in quotes; a word that was cut ends in a dash."""
    before, cut_word, _ = words_of(cut)
    text = f"{before}{cut_word}—" if cut_word else before.rstrip()
    if not text:
        return UNKNOWN
    return f"“{text}”" if len(text) <= LONGEST_HEARD else f"“…{text[-LONGEST_HEARD:]}”"


def heard_text(moment: Moment) -> str:
    """Return what the table says was heard; of an overlap how long both spoke."""
    if moment.cut is not None:
        return heard_up_to(moment.cut)
    both = moment.overlap
    if both is None or both.stop is None:
        return ""
    return f"both spoke for {span_text(both.stop - both.start)}"


def words_of(cut: Interruption) -> tuple[str, str, str]:
    """Return what was heard, the word in whose middle it ended, and what was not heard.

    The word stands in none of the other two; between the parts there is white space.
    """
    heard, unheard = " ".join(cut.heard_text.split()), " ".join(cut.unheard_text.split())
    word = cut.cut_word.strip()
    if word and heard.endswith(word):
        heard = heard.removesuffix(word).rstrip()
    elif word and unheard.startswith(word):
        unheard = unheard.removeprefix(word).lstrip()
    return (f"{heard} " if heard else ""), word, unheard


def agreement_text(cut: Interruption) -> str:
    """Return whether the agent's corrected text agrees with ours; nothing where it sent none."""
    if cut.corrected_text is None:
        return ""
    found = agreement(cut.heard_text, cut.corrected_text)
    if found.agrees:
        return "agrees with what was heard"
    if found.apart is None:
        return "is another text than what was heard"
    count = abs(found.apart)
    words = "1 word" if count == 1 else f"{count} words"
    if found.apart > 0:
        return f"has {words} more than were heard: the agent believes it said them"
    return f"has {words} fewer than were heard: the agent does not know it said them"


def sound_text(sound: Sound | None) -> str:
    """Return in plain words what the microphone held before an interrupt; nothing if unknown."""
    if sound is None:
        return ""
    peak, noise = _level(sound.peak_dbfs, "dBFS"), _level(sound.noise_dbfs, "dBFS")
    if sound.kind == "echo":
        delay = "" if sound.echo_delay_ms is None else f" {sound.echo_delay_ms:.0f} ms late"
        level = "" if sound.echo_db is None else f" at {_level(sound.echo_db, 'dB')}"
        return (
            f"The agent heard itself: the microphone held the agent's own voice{delay}{level} "
            f"({sound.correlation:.0%} of the sound is explained by what was played)."
        )
    if sound.kind == "burst":
        return (
            f"The microphone held a burst of {sound.burst_ms:.0f} ms, up to {peak} over noise of "
            f"{noise}: a cough or a knock, shorter than a word."
        )
    if sound.kind == "noise":
        return f"The microphone held noise that went on, up to {peak}; no speech was found in it."
    return f"The microphone held silence, {peak} at the most: no sound led to this."


def _level(value: float | None, unit: str) -> str:
    # of an echo that was told of alone no level was measured
    return UNKNOWN if value is None else f"{value:.0f} {unit}".replace("-", "−")


def title_of(moment: Moment) -> str:
    """Return how it is called and what it is."""
    kind = moment.kind or "interruption"
    return f"{moment.name}  {kind}" if moment.name else kind.capitalize()


def caption_of(moment: Moment) -> str:
    """Return when it was, and who did it."""
    cut = moment.cut
    if cut is None:
        return f"{clock_text(moment.at, 3)}, {heard_text(moment)}"
    return f"{clock_text(cut.at, 3)}, by the {source_text(moment)}"


# -- copies ---------------------------------------------------------------------------------------


def as_text(moment: Moment) -> str:
    """Return all that is known of it, as lines to paste into a mail."""
    cut = moment.cut
    if cut is None:
        told = CLASSES.get(moment.kind, "")
        return f"{moment.kind} at {clock_text(moment.at, 3)}: {heard_text(moment)}\n{told}\n"
    before, word, unheard = words_of(cut)
    lines = [
        f"Interruption {moment.name} at {clock_text(cut.at, 3)}: {moment.kind or UNKNOWN}, "
        f"by the {source_text(moment)}",
        f"Mouth to silence: {mouth_text(moment)}",
        *(f"  {part.name}: {milliseconds(part.ms, cut.estimated)}" for part in parts_of(cut)),
        f"Time to silence: {time_text(moment)}",
        f"Queued: {milliseconds(cut.queued_ms)}, discarded: {discarded_text(moment)}",
        f"Heard: {before}{word}{'—' if word else ''}",
        f"Not heard: {unheard}",
    ]
    if cut.corrected_text is not None:
        lines.append(f"The agent's text: {cut.corrected_text} ({agreement_text(cut)})")
    if cut.sound is not None:
        lines.append(sound_text(cut.sound))
    return "\n".join(lines) + "\n"


def as_json(moment: Moment) -> str:
    """Return the record with its class and the parts of its chain, as JSON."""
    facts = {"class": moment.kind, **asdict(moment.record)}
    if moment.cut is not None:
        facts["parts_ms"] = {part.name: part.ms for part in parts_of(moment.cut)}
    return json.dumps(facts, ensure_ascii=False, indent=2)
