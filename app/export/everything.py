"""JSON of everything but the audio: one object, written event by event. Pure but for the file.

::

    format, version     "turnscope export", 1
    session             what session.json says: agent, devices, formats, times, reason, versions
    selection           null, or start_s and stop_s: session seconds; every time below counts from
                        start_s, and duration_s is the length
    duration_s          of the tracks
    notes               title, tags, notes, markers (t, text, stop)
    turns               who, number, start_s, stop_s, clipped, response_latency_ms, text, and of an
                        agent's turn response: user_stop_s, endpointed_at_s, first_chunk_at_s,
                        heard_at_s, latency_ms, underruns, underrun_ms, least_lead_ms,
                        median_lead_ms, estimated
    interruptions       number, at_s, source, class, event_id, queued_ms, discarded_ms,
                        held_back_ms, silent_at_s, time_to_silence_ms, was_silent, user_onset_s,
                        mouth_to_silence_ms, agent_next_at_s, heard_text, unheard_text,
                        corrected_text, estimated, words_estimated, cut_word, chunk_ended_at_s,
                        chunk_sent_at_s, told_at_s, sound (kind, start_s, stop_s, peak_dbfs,
                        noise_dbfs, burst_ms, correlation, echo_delay_ms, echo_db)
    lines               who, start_s, stop_s, heard_text, unheard_text, text (as the agent sent it),
                        corrected_text, tentative, typed, estimated, words (text, start_s, stop_s)
    response_latencies_ms
    summary             counts, and spreads: count, p50, p95, greatest
    events              as in events.jsonl

What is not known is null.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, BinaryIO

from app.analysis.turn_records import Interruption, Summary, spread
from app.bundles.notes import Notes
from app.export.content import Content, LinePart, TurnPart
from app.export.errors import ExportError
from app.export.progress import Progress
from app.secrets import scrub

FORMAT, VERSION = "turnscope export", 1


def head_of(
    content: Content, facts: Mapping[str, Any], notes: Notes, summary: Summary, duration_s: float
) -> dict[str, Any]:
    """Return the object without its events."""
    stretch = content.stretch
    selection = None if stretch.is_whole else {"start_s": stretch.start, "stop_s": stretch.stop}
    latencies = [
        turn.response_latency_ms for turn in content.turns if turn.response_latency_ms is not None
    ]
    return {
        "format": FORMAT,
        "version": VERSION,
        "session": dict(facts),
        "selection": selection,
        "duration_s": duration_s,
        "notes": {**asdict(notes), "markers": [asdict(marker) for marker in content.markers]},
        "turns": [_turn(turn) for turn in content.turns],
        "interruptions": [_interruption(cut) for cut in content.interruptions],
        "lines": [_line(line) for line in content.lines],
        "response_latencies_ms": latencies,
        "summary": asdict(summary) if stretch.is_whole else _figures(content, latencies),
    }


def write_everything(
    file: BinaryIO, head: Mapping[str, Any], events: Iterable[Mapping[str, Any]], progress: Progress
) -> None:
    """Write ``head`` and then ``events`` as one JSON object, scrubbed of secrets.

    Raises:
        OSError: the disk is full or gone.
        ExportError: ``head`` is nested too deep for JSON.
        Cancelled: it is not wanted any more.

    """
    with sentence_if_too_deep():
        text = json.dumps(clean(_rounded(head)), indent=2, ensure_ascii=False, default=str)
    file.write(_encoded(text.removesuffix("\n}")) + b',\n  "events": [')
    for piece in _event_lines(events):
        progress.advance(0)
        file.write(piece)
    file.write(b"\n  ]\n}\n")


@contextmanager
def sentence_if_too_deep() -> Iterator[None]:
    """Turn what cannot be written for its depth into an ``ExportError``.

    Only ``session.json`` can be the cause: all else has a shape of the program's own making.
    """
    try:
        yield
    except RecursionError as error:
        sentence = "What session.json says is nested too deep to be written again."
        raise ExportError(sentence, "Choose another format.") from error


def clean(value: Any) -> Any:
    """Return a copy without secrets, and with null for numbers that JSON has not."""
    return _finite(scrub(value))


def _event_lines(events: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    before = b"\n    "
    for event in events:
        try:
            text = json.dumps(clean(event), ensure_ascii=False, default=str)
        except (RecursionError, ValueError, TypeError):
            continue  # nested too deep for JSON: it could not be read back
        yield before + _encoded(text)
        before = b",\n    "


def _turn(turn: TurnPart) -> dict[str, Any]:
    return {
        "who": turn.who,
        "number": turn.number,
        "start_s": turn.start,
        "stop_s": turn.stop,
        "clipped": turn.is_clipped,
        "response_latency_ms": turn.response_latency_ms,
        "text": turn.text,
        "response": None if turn.response is None else _renamed(asdict(turn.response)),
    }


_RENAMED = {
    "at": "at_s",
    "kind": "class",
    "silent_at": "silent_at_s",
    "user_onset": "user_onset_s",
    "agent_next_at": "agent_next_at_s",
    "chunk_ended_at": "chunk_ended_at_s",
    "chunk_sent_at": "chunk_sent_at_s",
    "told_at": "told_at_s",
    "user_stop": "user_stop_s",
    "endpointed_at": "endpointed_at_s",
    "first_chunk_at": "first_chunk_at_s",
    "heard_at": "heard_at_s",
}

_OF_SOUND = {"start": "start_s", "stop": "stop_s"}


def _interruption(cut: Interruption) -> dict[str, Any]:
    sound = None if cut.sound is None else asdict(cut.sound)
    if sound is not None:
        sound = {_OF_SOUND.get(name, name): value for name, value in sound.items()}
    return {**_renamed(asdict(cut)), "sound": sound}


def _renamed(fields: dict[str, Any]) -> dict[str, Any]:
    return {_RENAMED.get(name, name): value for name, value in fields.items()}


def _line(part: LinePart) -> dict[str, Any]:
    line = part.spoken.line
    return {
        "who": part.who,
        "start_s": part.start,
        "stop_s": part.stop,
        "heard_text": part.text,
        "unheard_text": part.unheard_text,
        "text": line.text,
        "corrected_text": line.corrected_text,
        "tentative": line.tentative,
        "typed": line.typed,
        "estimated": part.spoken.estimated,
        "words": [
            {"text": word.text, "start_s": word.start, "stop_s": word.stop} for word in part.words
        ],
    }


def _figures(content: Content, latencies: list[float]) -> dict[str, Any]:
    """Return what can be said of a stretch: how much is in it, and the spreads of that."""
    cuts = content.interruptions
    silences = [cut.time_to_silence_ms for cut in cuts if cut.time_to_silence_ms is not None]
    mouths = [cut.mouth_to_silence_ms for cut in cuts if cut.mouth_to_silence_ms is not None]
    return {
        "user_turns": sum(turn.who == "user" for turn in content.turns),
        "agent_turns": sum(turn.who == "agent" for turn in content.turns),
        "interruptions": len(cuts),
        "time_to_silence_ms": asdict(spread(silences)),
        "mouth_to_silence_ms": asdict(spread(mouths)),
        "response_latency_ms": asdict(spread(latencies)),
    }


def _rounded(value: Any) -> Any:
    """Return a copy with numbers to the microsecond, which is finer than a sample."""
    if isinstance(value, dict):
        return {name: _rounded(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(item) for item in value]
    return round(value, 6) if isinstance(value, float) else value


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _finite(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _encoded(text: str) -> bytes:
    # half a surrogate pair is legal in JSON only as an escape, which is what this makes of it
    return text.encode("utf-8", "backslashreplace")
