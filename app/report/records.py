"""Records as plain data with the names of their units: for JSON and for tables. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.analysis.chain import parts_of
from app.analysis.finding import Finding
from app.analysis.findings_turns import response_parts
from app.analysis.limits import Limits, class_of
from app.analysis.silences import SpokenTurn
from app.analysis.turn_records import Interruption, Line, Overlap, Refused, Response
from app.analysis.words import agreement
from app.report.figures import Statistic

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Words:
    """Whose words a report holds."""

    user: bool = True
    agent: bool = True


def interruption_record(cut: Interruption, limits: Limits, words: Words) -> Record:
    """Return an interruption; what is not known is None."""
    sound = cut.sound
    corrected = cut.corrected_text
    return {
        "number": cut.number,
        "at_s": cut.at,
        "class": class_of(cut, limits) or None,
        "source": cut.source,
        "mouth_to_silence_ms": cut.mouth_to_silence_ms,
        "time_to_silence_ms": cut.time_to_silence_ms,
        "was_silent": cut.was_silent,
        **{f"{part.name.replace(' ', '_')}_ms": part.ms for part in parts_of(cut)},
        "user_onset_s": cut.user_onset,
        "chunk_ended_at_s": cut.chunk_ended_at,
        "chunk_sent_at_s": cut.chunk_sent_at,
        "told_at_s": cut.told_at,
        "silent_at_s": cut.silent_at,
        "agent_next_at_s": cut.agent_next_at,
        "event_id": cut.event_id,
        "queued_ms": cut.queued_ms,
        "discarded_ms": cut.discarded_ms,
        "held_back_ms": cut.held_back_ms,
        "sound": None if sound is None else sound.kind,
        "sound_peak_dbfs": None if sound is None else sound.peak_dbfs,
        "noise_dbfs": None if sound is None else sound.noise_dbfs,
        "burst_ms": None if sound is None else sound.burst_ms,
        "echo_delay_ms": None if sound is None else sound.echo_delay_ms,
        "echo_db": None if sound is None else sound.echo_db,
        "words_apart": None if corrected is None else agreement(cut.heard_text, corrected).apart,
        "heard_text": cut.heard_text if words.agent else None,
        "unheard_text": cut.unheard_text if words.agent else None,
        "cut_word": cut.cut_word if words.agent else None,
        "corrected_text": corrected if words.agent else None,
        "estimated": cut.estimated,
        "words_estimated": cut.words_estimated,
    }


def turn_record(spoken: SpokenTurn) -> Record:
    """Return a turn of either party's, with the silence between it and the other's before it."""
    turn = spoken.turn
    return {
        "who": turn.who,
        "start_s": turn.start,
        "stop_s": turn.stop,
        "silence_before_ms": spoken.silence_before_ms,
    }


def response_record(response: Response) -> Record:
    """Return a turn of the agent's and how it came about."""
    parts = response_parts(response)
    return {
        "heard_at_s": response.heard_at,
        "response_latency_ms": response.latency_ms,
        "endpointing_ms": parts.get("endpointing"),
        "agent_ms": parts.get("agent"),
        "agent_and_endpointing_ms": parts.get("agent_and_endpointing"),
        "audio_ms": parts.get("audio"),
        "user_stop_s": response.user_stop,
        "endpointed_at_s": response.endpointed_at,
        "first_chunk_at_s": response.first_chunk_at,
        "underruns": response.underruns,
        "underrun_ms": response.underrun_ms,
        "least_lead_ms": response.least_lead_ms,
        "median_lead_ms": response.median_lead_ms,
        "estimated": response.estimated,
    }


def overlap_record(overlap: Overlap, limits: Limits) -> Record:
    """Return a time at which both spoke."""
    return {
        "start_s": overlap.start,
        "stop_s": overlap.stop,
        "class": class_of(overlap, limits) or None,
        "user_onset_s": overlap.onset,
        "user_stop_s": overlap.speech_stop,
        "interruption": overlap.interruption,
    }


def refused_record(refused: Refused) -> Record:
    """Return agent audio that was never given to the speaker."""
    return {
        "at_s": refused.at,
        "until_s": refused.until,
        "refused_ms": refused.ms,
        "event_id": refused.event_id,
        "reason": refused.reason,
        "of_new_reply": refused.of_new_reply,
    }


def finding_record(finding: Finding) -> Record:
    """Return a finding."""
    return {
        "id": finding.id,
        "weight": finding.weight,
        "sentence": finding.sentence,
        "advice": finding.advice,
        "moments_s": list(finding.moments),
        "figures": dict(finding.figures),
    }


def statistic_record(statistic: Statistic) -> Record:
    """Return a figure over all the times it was measured."""
    of = statistic.spread
    return {
        "name": statistic.name.strip(),
        "count": of.count,
        "p50_ms": of.p50,
        "p95_ms": of.p95,
        "worst_ms": of.greatest,
    }


def line_record(line: Line, words: Words) -> Record | None:
    """Return a line of the transcript; None where its words are to be left out."""
    if not (words.user if line.who == "user" else words.agent):
        return None
    return {
        "who": line.who,
        "at_s": line.at,
        "text": line.text,
        "heard_text": line.heard_text,
        "unheard_text": line.unheard_text,
        "corrected_text": line.corrected_text,
        "tentative": line.tentative,
        "typed": line.typed,
        "estimated": line.estimated,
    }
