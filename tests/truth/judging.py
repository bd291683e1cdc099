"""The program's records of one session beside what was true."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from app.analysis.limits import Limits, class_of
from app.analysis.turn_records import Interruption, Overlap
from app.recordings.turns_found import TurnsFound
from tests.truth import truth as truths
from tests.truth.bare import without_evidence
from tests.truth.hearing import recorded_turns
from tests.truth.truth import TrueCut, TrueSpeech, Truth

NEAR_CUT_S = 0.15
NEAR_ONSET_S = 0.5
UNFOUND_MS = 500.0
"""What an edge counts as that was not found at all."""
NEAR_LIMIT_MS = 40.0
"""So near to the limit of what is late, either is right."""


@dataclass(frozen=True)
class Edge:
    """An onset or an end of the user's speech, and how far from it the program put it."""

    at: float
    kind: Literal["onset", "end"]
    error_ms: float


@dataclass(frozen=True)
class Verdict:
    """One interruption, overlap or sound: what it was, and what the program made of it."""

    at: float
    of: Literal["interruption", "overlap", "sound", "speech"]
    true: str
    found: str
    is_right: bool
    note: str = ""


@dataclass(frozen=True)
class Words:
    """How many words were heard, and how many the program says."""

    at: float
    true: int
    found: int
    is_exact_wanted: bool
    is_aligned: bool

    @property
    def is_right(self) -> bool:
        off = abs(self.true - self.found)
        return off == 0 if self.is_exact_wanted else off <= 1


@dataclass
class Judgement:
    """All that can be said of one session."""

    truth: Truth
    folder: Path
    edges: list[Edge] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    silence_errors_ms: list[float] = field(default_factory=list)
    onset_errors_ms: list[float] = field(default_factory=list)
    """Of the onsets that interruptions were put down to."""
    told_errors_ms: list[float] = field(default_factory=list)
    """From the agent's sending of an interruption to when the record says that it came."""
    words: list[Words] = field(default_factory=list)
    echo_delay_errors_ms: list[float] = field(default_factory=list)
    echo_gain_errors_db: list[float] = field(default_factory=list)

    @property
    def wrong(self) -> list[str]:
        """Each thing that is not as it was, as a line."""
        lines = [
            f"{one.at:6.2f} s  {one.of}: was {one.true}, found {one.found}. {one.note}".rstrip()
            for one in self.verdicts
            if not one.is_right
        ]
        lines += [
            f"{one.at:6.2f} s  words heard: {one.true} were, found {one.found}"
            for one in self.words
            if not one.is_right
        ]
        lines += [
            f"{one.at:6.2f} s  {one.kind} of speech: {one.error_ms:+.0f} ms"
            for one in self.edges
            if abs(one.error_ms) > 80
        ]
        return lines + [f"live and recorded differ in {each}" for each in self.truth.differences]


def judge(folder: Path, *, is_bare: bool = False) -> Judgement:
    """Judge what ``playing.play`` left in ``folder``; the recording is analysed anew.

    With ``is_bare`` all that was measured of the tracks live is left out of the events first, as in
    the recordings of a program that did not measure it: opening measures it.
    """
    truth = truths.load(folder)
    bundle = folder / truth.bundle
    found = recorded_turns(without_evidence(bundle, folder / "bare") if is_bare else bundle)
    return judge_records(truth, folder, found)


def judge_records(truth: Truth, folder: Path, found: TurnsFound) -> Judgement:
    """Lay what was found beside what was true; ``folder`` is where the session was kept."""
    judgement = Judgement(truth, folder)
    _judge_edges(judgement, found)
    _judge_cuts(judgement, found, Limits())
    _judge_overlaps(judgement, found)
    _judge_refused(judgement, found)
    return judgement


# -- speech ----------------------------------------------------------------------------------------


def _judge_edges(judgement: Judgement, found: TurnsFound) -> None:
    starts = [turn.start for turn in found.user_turns]
    stops = [turn.stop for turn in found.user_turns if turn.stop is not None]
    for speech in judgement.truth.speech:
        judgement.edges += [
            Edge(speech.start, "onset", _nearest_ms(starts, speech.start)),
            Edge(speech.stop, "end", _nearest_ms(stops, speech.stop)),
        ]
    for turn in found.user_turns:
        stop = turn.start if turn.stop is None else turn.stop
        if not any(each.start < stop and turn.start < each.stop for each in judgement.truth.speech):
            note = f"A turn of {stop - turn.start:.2f} s."
            judgement.verdicts.append(
                Verdict(turn.start, "speech", "nobody", "the user", False, note)
            )


def _nearest_ms(found: list[float], true: float) -> float:
    errors = [(each - true) * 1000 for each in found]
    error = min(errors, key=abs, default=UNFOUND_MS)
    return error if abs(error) < UNFOUND_MS else UNFOUND_MS


# -- interruptions ---------------------------------------------------------------------------------


def _judge_cuts(judgement: Judgement, found: TurnsFound, limits: Limits) -> None:
    left = list(found.interruptions)
    for cut in judgement.truth.cuts:
        record = min(left, key=lambda each, cut=cut: abs(each.at - cut.at), default=None)
        if record is None or abs(record.at - cut.at) > NEAR_CUT_S:
            judgement.verdicts.append(Verdict(cut.at, "interruption", cut.kind, "nothing", False))
            continue
        left.remove(record)
        _judge_class(judgement, cut, record, limits)
        _judge_sound(judgement, cut, record)
        _judge_times(judgement, cut, record)
        _judge_words(judgement, cut, record)
    for record in left:
        judgement.verdicts.append(
            Verdict(record.at, "interruption", "nothing", str(record.kind), False)
        )


def _judge_class(judgement: Judgement, cut: TrueCut, record: Interruption, limits: Limits) -> None:
    accepted = {cut.kind}
    if cut.kind == "barge-in" and cut.onset is not None and cut.silent_at is not None:
        over_ms = (cut.silent_at - cut.onset) * 1000 - limits.mouth_to_silence_ms
        accepted = {"late"} if over_ms > 0 else {"barge-in"}
        if abs(over_ms) < NEAR_LIMIT_MS:
            accepted = {"late", "barge-in"}
    found = class_of(record, limits) or "not certain"
    onset = "none" if record.user_onset is None else f"{record.user_onset:.2f} s"
    note = f"Its onset: {onset}."
    is_right = found in accepted
    true = " or ".join(sorted(accepted))
    judgement.verdicts.append(Verdict(cut.at, "interruption", true, found, is_right, note))


def _judge_sound(judgement: Judgement, cut: TrueCut, record: Interruption) -> None:
    if not cut.sounds:
        return
    sound = record.sound
    found = "unknown" if sound is None else sound.kind
    note = (
        ""
        if sound is None
        else (
            f"Peak {sound.peak_dbfs:.0f} dBFS, noise {sound.noise_dbfs:.0f} dBFS, "
            f"burst {sound.burst_ms:.0f} ms, correlation {sound.correlation:.2f}."
        )
    )
    true = " or ".join(cut.sounds)
    is_right = found in cut.sounds
    judgement.verdicts.append(Verdict(cut.at, "sound", true, found, is_right, note))
    echo = judgement.truth.echo
    if sound is None or echo is None or sound.echo_delay_ms is None or sound.echo_db is None:
        return
    judgement.echo_delay_errors_ms.append(sound.echo_delay_ms - echo.delay_ms)
    judgement.echo_gain_errors_db.append(sound.echo_db - echo.gain_db)


def _judge_times(judgement: Judgement, cut: TrueCut, record: Interruption) -> None:
    if cut.silent_at is not None and record.silent_at is not None:
        judgement.silence_errors_ms.append((record.silent_at - cut.silent_at) * 1000)
    if record.told_at is not None:
        judgement.told_errors_ms.append((record.told_at - cut.at) * 1000)
    if cut.onset is not None and record.user_onset is not None:
        judgement.onset_errors_ms.append((record.user_onset - cut.onset) * 1000)


def _judge_words(judgement: Judgement, cut: TrueCut, record: Interruption) -> None:
    if cut.words_heard is None:
        return
    judgement.words.append(
        Words(
            cut.at,
            cut.words_heard,
            len(record.heard_text.split()),
            cut.is_aligned and cut.words_sure,
            cut.is_aligned,
        )
    )


# -- overlaps --------------------------------------------------------------------------------------


def _judge_overlaps(judgement: Judgement, found: TurnsFound) -> None:
    left = list(found.overlaps)
    for speech in judgement.truth.speech:
        overlaps = [each for each in left if _is_of(each, speech)]
        for each in overlaps:
            left.remove(each)
        kinds = {each.kind for each in overlaps if each.kind is not None}
        if speech.over is None and not kinds:
            continue
        told = " and ".join(sorted(kinds)) or "nothing"
        was = speech.over or "nothing"
        is_right = told == was
        judgement.verdicts.append(Verdict(speech.start, "overlap", was, told, is_right))
    for each in left:
        if each.kind is not None:
            length = (each.stop or each.start) - each.start
            note = f"It lasts {length:.2f} s."
            judgement.verdicts.append(
                Verdict(each.start, "overlap", "nothing", each.kind, False, note)
            )


def _is_of(overlap: Overlap, speech: TrueSpeech) -> bool:
    return speech.start - NEAR_ONSET_S <= overlap.onset <= speech.stop


def _judge_refused(judgement: Judgement, found: TurnsFound) -> None:
    wanted, got = judgement.truth.refused_ms, sum(each.ms for each in found.refused)
    if wanted or got:
        is_right = abs(wanted - got) < 1
        true, told = f"{wanted:.0f} ms refused", f"{got:.0f} ms refused"
        judgement.verdicts.append(Verdict(0.0, "sound", true, told, is_right))
