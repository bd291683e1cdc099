"""CSV of turns and of interruptions, for spreadsheet programs. Pure.

RFC 4180, in UTF-8 with a byte order mark, without which Excel takes it for another encoding. Times
are seconds, durations milliseconds; what is not known is an empty cell. A text that a spreadsheet
would take for a formula gets an apostrophe in front; numbers stay numbers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from app.analysis.turn_records import Interruption, Response, Sound
from app.export.content import Content, TurnPart
from app.plain import one_line
from app.secrets import scrub_text

FORMULA_BEGINNINGS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")

Cell = str | int | float | bool | None

TURN_COLUMNS = (
    *("who", "number", "start_s", "stop_s", "duration_s", "clipped"),
    *("response_latency_ms", "text", "endpointed_at_s", "first_chunk_at_s", "underruns"),
    *("underrun_ms", "least_lead_ms", "median_lead_ms"),
)
INTERRUPTION_COLUMNS = (
    *("number", "at_s", "source", "class", "event_id", "queued_ms", "discarded_ms"),
    *("held_back_ms", "silent_at_s", "time_to_silence_ms", "was_silent", "user_onset_s"),
    *("mouth_to_silence_ms", "agent_next_at_s", "heard_text", "unheard_text"),
    *("corrected_text", "estimated", "words_estimated", "cut_word", "chunk_ended_at_s"),
    *("chunk_sent_at_s", "told_at_s", "sound", "echo_delay_ms", "echo_db"),
)


def turns_csv(content: Content) -> bytes:
    """Return the table of turns, one a row."""
    return _table(TURN_COLUMNS, [_turn_row(turn) for turn in content.turns])


def interruptions_csv(content: Content) -> bytes:
    """Return the table of interruptions, one a row."""
    return _table(INTERRUPTION_COLUMNS, [_cut_row(cut) for cut in content.interruptions])


def _turn_row(turn: TurnPart) -> list[Cell]:
    duration = None if turn.stop is None else turn.stop - turn.start
    return [
        *(turn.who, turn.number, turn.start, turn.stop, duration, turn.is_clipped),
        *(turn.response_latency_ms, turn.text),
        *_response_cells(turn.response),
    ]


def _response_cells(response: Response | None) -> list[Cell]:
    if response is None:
        return [None] * 6
    return [
        *(response.endpointed_at, response.first_chunk_at, response.underruns),
        *(response.underrun_ms, response.least_lead_ms, response.median_lead_ms),
    ]


def _cut_row(cut: Interruption) -> list[Cell]:
    return [
        *(cut.number, cut.at, cut.source, cut.kind, cut.event_id, cut.queued_ms),
        *(cut.discarded_ms, cut.held_back_ms, cut.silent_at, cut.time_to_silence_ms),
        *(cut.was_silent, cut.user_onset, cut.mouth_to_silence_ms, cut.agent_next_at),
        *(cut.heard_text, cut.unheard_text, cut.corrected_text),
        *(cut.estimated, cut.words_estimated, cut.cut_word, cut.chunk_ended_at),
        *(cut.chunk_sent_at, cut.told_at, *_sound_cells(cut.sound)),
    ]


def _sound_cells(sound: Sound | None) -> list[Cell]:
    if sound is None:
        return [None] * 3
    return [sound.kind, sound.echo_delay_ms, sound.echo_db]


def _table(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([cell_text(value) for value in row])
    return text.getvalue().encode("utf-8-sig", "replace")


def cell_text(value: Cell) -> str:
    """Return a value as a cell of a table; empty where it is not known."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{round(value, 6) + 0.0:.6f}".rstrip("0").rstrip(".")  # + 0.0: never −0
    return str(value) if isinstance(value, int) else harmless(value)


def harmless(text: str) -> str:
    """Return ``text`` on one line, without secrets, and such that it is taken for no formula."""
    line = one_line(scrub_text(text))
    return f"'{line}" if line.startswith(FORMULA_BEGINNINGS) else line
