"""What the files of a recording say to a list of recordings.

All of it was written by others, perhaps by another version or another program, perhaps cut short.
Whatever is wrong becomes a reason; nothing here raises for what a file holds. No state; the thread
that refreshes the library.
"""

from __future__ import annotations

import errno
import json
import logging
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from app.analysis.turns import TurnTracker
from app.bundles.bundle import moment_of
from app.bundles.bundle_files import read_small_file
from app.bundles.bundle_lock import LOCK_NAME, is_being_written
from app.bundles.notes import NOTES_NAME, Notes, load_notes
from app.bundles.session_info import LISTENING_VERSION, SCHEMA_VERSION, SessionInfo
from app.library.library_entry import Entry, EntryState
from app.library.library_look import EVENTS, SESSION, TRACKS, TURNS, Look
from app.plain import one_line
from app.recordings.turns_found import TurnsFound
from app.secrets import scrub_text
from app.timeline.events import Event
from app.timeline.json_line import MAX_LINE_BYTES, parse_line
from app.timeline.sane_events import LONGEST_S, read_event
from audio.pcm import SAMPLE_RATE, SAMPLE_WIDTH
from audio.wavfile import HEADER_BYTES, reason_of

log = logging.getLogger(__name__)

TEXT_LIMIT = 1_000_000
"""So many characters of one session's transcript can be searched."""
_SHORT = 200

# Neither words nor figures come of most messages, and reading one costs as much as any event.
_SILENT = re.compile(rb'"message_received"\s*,\s*"kind"\s*:\s*"(?:vad_score|ping|audio)"')
_SAID = re.compile(rb'"kind"\s*:\s*"(?:agent_response|agent_chat|user_|tentative_user)')


class Facts(NamedTuple):
    """What is known of an item without reading its events."""

    entry: Entry
    heading: str
    """Names, title, tags and notes, to be searched."""
    needs: int
    """What `read_said` is still to find: `NOTHING`, `WORDS` or `WORDS_AND_FIGURES`."""


NOTHING, WORDS, WORDS_AND_FIGURES = 0, 1, 2


class Said(NamedTuple):
    """What the events of a session, or the head of an audio file, tell."""

    words: str
    """The transcript, to be searched."""
    interruptions: int | None = None
    latency_ms: float | None = None
    duration_s: float | None = None
    state: EntryState | None = None
    """The item's state where that turned out to be another."""
    reason: str = ""
    """What is wrong with the events."""


# -- what the small files say ------------------------------------------------------------------


def read_entry(look: Look) -> Facts:
    """Return what an item's small files say of it; its events are not read."""
    try:
        return _read_entry(look)
    except Exception as error:
        name = look.path.name
        log.warning("The item “%s” could not be read", name, exc_info=error)
        return Facts(Entry(name, "broken", _at_fault(error)), _shown(name), NOTHING)


def _at_fault(error: Exception) -> str:
    return f"It could not be understood ({type(error).__name__}); the log has the details."


def _read_entry(look: Look) -> Facts:
    name = look.path.name
    if look.kind == "foreign":
        return Facts(Entry(name, "foreign", look.why), _shown(name), NOTHING)
    if look.kind == "audio":
        entry = Entry(name, "audio", size_bytes=look.size_bytes, changed=look.changed)
        return Facts(entry, _shown(name), WORDS_AND_FIGURES)
    return _read_bundle(look)


def _read_bundle(look: Look) -> Facts:
    facts, problems = _read_session(look)
    problems += _missing(look)
    why: list[str] = []
    notes = load_notes(look.path, why) if NOTES_NAME in look.files else Notes()
    info = SessionInfo.from_dict(facts)
    agent = _short(info.agent_label or info.agent_kind)
    end = facts.get("end")
    state = _state(look, facts, problems)
    interruptions, latency_ms, is_known = _figures_of(look, facts, info)
    entry = Entry(
        look.path.name,
        state,
        " ".join([*problems, *why, *_of_the_end(facts)]),
        title=_short(scrub_text(notes.title[:TEXT_LIMIT])),
        agent=agent,
        began=_moment(facts.get("began_utc")),
        duration_s=_duration(end) if isinstance(end, dict) else _length_on_disk(look),
        interruptions=interruptions,
        latency_ms=latency_ms,
        estimated=info.is_estimated,
        size_bytes=look.size_bytes,
        changed=look.changed,
        noted=bool(why) or notes != Notes(),
    )
    written = (notes.title, *notes.tags, notes.notes, *(marker.text for marker in notes.markers))
    heading = "\n".join((*written, agent, info.agent_id, _shown(look.path.name)))
    return Facts(entry, scrub_text(heading[:TEXT_LIMIT]), _needs(look, state, is_known))


def _needs(look: Look, state: EntryState, figures_are_known: bool) -> int:
    if state == "recording" or EVENTS not in look.files:
        return NOTHING
    return WORDS if figures_are_known else WORDS_AND_FIGURES


def _state(look: Look, facts: dict[str, Any], problems: list[str]) -> EntryState:
    has_ended = isinstance(facts.get("end"), dict)
    if LOCK_NAME in look.files and is_being_written(look.path):
        return "recording"
    if problems:
        return "broken"
    if facts.get("recovered"):
        return "recovered"
    return "ended" if has_ended else "unfinished"


def _read_session(look: Look) -> tuple[dict[str, Any], list[str]]:
    if SESSION not in look.files:
        return {}, ["session.json is missing: who talked, and when, is not known."]
    try:
        facts = json.loads(read_small_file(look.path / SESSION))
    except OSError as error:
        return {}, [f"session.json cannot be read: {reason_of(error)}."]
    except (ValueError, RecursionError):
        return {}, ["session.json cannot be read: it is not whole, or no JSON."]
    if not isinstance(facts, dict):
        return {}, ["session.json holds no session."]
    return facts, []


def _missing(look: Look) -> list[str]:
    names = [name for name in (EVENTS, *TRACKS) if name not in look.files]
    if not names:
        return []
    listed = " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]
    return [f"{listed} {'are' if len(names) > 1 else 'is'} missing."]


def _of_the_end(facts: dict[str, Any]) -> Iterator[str]:
    """Yield sentences on how the session ended, and by which version it was recorded."""
    end, schema = facts.get("end"), facts.get("schema")
    if isinstance(schema, int) and schema > SCHEMA_VERSION:
        yield "A newer version recorded it: what is new in it is not shown."
    sentence = end.get("sentence") if isinstance(end, dict) else None
    if isinstance(sentence, str) and sentence:
        yield _short(sentence, 2 * _SHORT)


def _figures_of(
    look: Look, facts: dict[str, Any], info: SessionInfo
) -> tuple[int | None, float | None, bool]:
    """Return interruptions and median latency, and whether they need no events to be read.

    The events of an older recording do not tell what its tracks hold, and it is listened to when it
    is opened: once it was, what was found then is what there is to see.
    """
    events = look.files.get(EVENTS)
    is_told = info.versions.get("listening") == LISTENING_VERSION
    if events is None or (is_told and events.st_size):
        return _figures(facts.get("summary"))
    found = TurnsFound.load(look.path, events.st_size) if TURNS in look.files else None
    if found is not None:
        return len(found.interruptions), found.figures.response_latency_ms.p50, True
    # of no events nothing is known until it is listened to
    return _figures(facts.get("summary")) if events.st_size else (None, None, True)


def _figures(summary: object) -> tuple[int | None, float | None, bool]:
    """Return interruptions and median latency as the summary has them, and whether it has them."""
    if not isinstance(summary, dict):
        return None, None, False
    count, latency = summary.get("interruptions"), summary.get("response_latency_ms_p50")
    if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count < 2**31:
        return None, None, False
    if latency is None:
        return count, None, "response_latency_ms_p50" in summary
    number = _number(latency)
    if number is None or not 0 <= number < LONGEST_S * 1000:
        return count, None, False
    return count, number, True


def _duration(end: dict[str, Any]) -> float | None:
    seconds = _number(end.get("duration_s"))
    return seconds if seconds is not None and 0 <= seconds < LONGEST_S else None


def _length_on_disk(look: Look) -> float | None:
    """Return how much of a session that never ended is there."""
    track = look.files.get(TRACKS[0])
    if track is None or track.st_size < HEADER_BYTES:
        return None
    return (track.st_size - HEADER_BYTES) / (SAMPLE_RATE * SAMPLE_WIDTH)


def _moment(value: object) -> float | None:
    moment = moment_of(value)
    return None if moment is None else moment.timestamp()


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _short(text: str, limit: int = _SHORT) -> str:
    line = one_line(text[: 4 * limit])
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def _shown(name: str) -> str:
    return one_line(name)


# -- what the events say -----------------------------------------------------------------------


def read_said(path: Path, needs: int, stopping: Callable[[], bool]) -> Said | None:
    """Return what the events, or an audio file's head, tell; None where ``stopping`` said so.

    ``needs`` says how much is wanted: the words alone are found in a fraction of the time.
    """
    try:
        if not path.is_dir():
            return _read_audio(path)
        return _read_events(path / EVENTS, needs, stopping)
    except Exception as error:
        log.warning("The events of “%s” could not be read", path.name, exc_info=error)
        return Said("", reason=_at_fault(error))


def _read_events(path: Path, needs: int, stopping: Callable[[], bool]) -> Said | None:
    tracker, broken = TurnTracker(), 0
    try:
        for number, line in enumerate(_lines(path)):
            if number % 512 == 0 and stopping():
                return None
            if _SILENT.search(line) or (needs == WORDS and not _SAID.search(line)):
                continue
            event, is_broken = _read_line(line)
            broken += is_broken
            if event is not None:
                tracker.feed(event)
            if tracker.is_full:
                break
    except OSError as error:
        reason = f"events.jsonl cannot be read to its end: {reason_of(error)}."
        return _said(tracker, needs, reason)
    reasons = [*tracker.warnings, _count_broken(broken)]
    return _said(tracker, needs, " ".join(reason for reason in reasons if reason))


def _said(tracker: TurnTracker, needs: int, reason: str) -> Said:
    words = scrub_text("\n".join(line.text for line in tracker.transcript)[:TEXT_LIMIT])
    if needs == WORDS:
        return Said(words, reason=reason)
    summary = tracker.summary()
    return Said(words, summary.interruptions, summary.response_latency_ms.p50, reason=reason)


def _lines(path: Path) -> Iterator[bytes]:
    if path.exists() and not path.is_file():  # opening a pipe would wait for a writer
        raise OSError(errno.EINVAL, "it is not a file")
    with path.open("rb") as file:
        # the last line of a recording that was cut short may be a half one
        yield from (
            line for line in iter(lambda: file.readline(MAX_LINE_BYTES), b"") if line[-1:] == b"\n"
        )


def _read_line(line: bytes) -> tuple[Event | None, bool]:
    """Return the event, None for one of unknown type, and whether the line is broken."""
    try:
        record = parse_line(line)
        return (read_event(record), False) if isinstance(record, dict) else (None, True)
    except (ValueError, RecursionError):
        return None, True


def _count_broken(lines: int) -> str:
    if not lines:
        return ""
    return f"{lines} event{'s' if lines > 1 else ''} of events.jsonl cannot be read."


def _read_audio(path: Path) -> Said:
    import soundfile

    try:
        # opened by Python: the system then says why it cannot be
        with path.open("rb") as raw, soundfile.SoundFile(raw) as file:
            return Said("", duration_s=file.frames / file.samplerate)
    except OSError as error:
        return Said("", state="foreign", reason=f"It cannot be read: {reason_of(error)}.")
    except (RuntimeError, ValueError, ZeroDivisionError):
        return Said("", state="foreign", reason="It is called like an audio file, and is none.")
