"""Recordings that were cut short, made whole at the next start: bundles with no end and no writer.

What is done leaves a bundle as a session's own end would have: tracks of the same length, events in
whole lines, an end, a summary. What cannot be written is left as it is. Blocks on the disk; any
thread, and two programs at once.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from app.analysis.turns import TurnTracker
from app.bundles.bundle import TRACKS, BundleError, recover_bundle
from app.bundles.bundle_files import encode_event, is_draft, read_small_file, write_json
from app.bundles.bundle_lock import LOCK_NAME, BundleBusy, BundleLock, is_being_written, is_fresh
from app.bundles.bundle_writer import SESSION_NAME
from app.bundles.notes import load_notes
from app.bundles.session_info import SCHEMA_VERSION, summary_facts, utc_text
from app.notices import Notice
from app.secrets import scrub
from app.timeline.events import Event, StateChanged
from app.timeline.json_line import MAX_LINE_BYTES, parse_line
from app.timeline.sane_events import LONGEST_S, read_event
from audio.errors import AudioError
from audio.pcm import SAMPLE_RATE
from audio.wavfile import StreamingWav, reason_of, sync_file

log = logging.getLogger(__name__)

REASON = "recovered"
SENTENCE = "The recording was cut short here: the program ended before the session did."
BEGINNING_S = 60.0
"""How long a recorder may take from its folder to what it writes there first."""
_OVER = {"ended", "failed"}


@dataclass(frozen=True, slots=True)
class Recovered:
    """A recording that was cut short, and what became of it."""

    path: Path
    title: str
    duration_s: float = 0.0
    problem: str = ""
    """Why it could not be recovered, as a sentence; empty where it was."""


def recover_unfinished(parent: Path) -> list[Recovered]:
    """Recover every recording in the folder ``parent`` that was cut short, oldest first.

    One that is being written, by whatever program, is left alone; so is what another program, or a
    newer version, has made. Never raises: what goes wrong with one is said in its ``problem``.
    """
    found = []
    for folder in _folders(parent):
        try:
            recovered = _recover(folder)
        except Exception as error:  # one broken folder must not keep the others from it
            log.warning("A recording could not be recovered: %s", folder, exc_info=error)
            if not folder.is_dir():  # moved away meanwhile, to the trash say: nothing is amiss
                continue
            recovered = Recovered(folder, folder.name, problem=_problem(folder, error))
        if recovered is not None:
            found.append(recovered)
    return found


def problems_of(found: Iterable[Recovered]) -> dict[str, str]:
    """Return the folders that could not be recovered, by their paths, and why."""
    return {str(item.path): item.problem for item in found if item.problem}


def recovery_notices(found: list[Recovered], told: Mapping[str, str]) -> list[Notice]:
    """Return what to tell a person of ``recover_unfinished``; nothing where nothing was done.

    What could not be recovered, and was ``told`` of for the same reason (`problems_of` an earlier
    run), is not told of again.
    """
    notices = []
    done = [item for item in found if not item.problem]
    if len(done) == 1:
        what = f"“{done[0].title}”, {done[0].duration_s:.1f} s"
        notices.append(
            Notice("info", f"One recording that was cut short has been recovered: {what}.")
        )
    elif done:
        sentence = f"{len(done)} recordings that were cut short have been recovered."
        details = "\n".join(f"{item.title}: {item.duration_s:.1f} s" for item in done)
        notices.append(Notice("info", sentence, "", details))
    failed = [item for item in found if item.problem and item.problem != told.get(str(item.path))]
    if failed:
        more = f" {len(failed) - 1} more could not be recovered either." if len(failed) > 1 else ""
        details = "\n".join(item.problem for item in failed)
        advice = "What is there can be opened and played."
        notices.append(Notice("warning", failed[0].problem + more, advice, details))
    return notices


def _folders(parent: Path) -> list[Path]:
    """Return the folders that may be bundles; what a link points to is somebody else's."""
    try:
        with os.scandir(parent) as entries:
            found = [Path(item.path) for item in entries if item.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    return sorted(found)


def _problem(folder: Path, error: Exception) -> str:
    why = f"a fault in the program ({type(error).__name__})"
    if isinstance(error, OSError):
        why = reason_of(error)
    elif isinstance(error, AudioError | BundleError):
        why = str(error).rstrip(".")
    return f"The recording “{folder.name}” was cut short and cannot be recovered: {why}."


def _recover(folder: Path) -> Recovered | None:
    """Recover one bundle; None where there is nothing to do."""
    if _unfinished_facts(folder) is None:
        _remove_if_never_begun(folder)
        return None
    if is_being_written(folder):
        return None
    try:
        lock = BundleLock(folder)
    except BundleBusy:
        return None
    try:
        facts = _unfinished_facts(folder)  # again: now nobody else is at it
        return None if facts is None else _make_whole(folder, facts)
    finally:
        lock.release()


def _unfinished_facts(folder: Path) -> dict[str, Any] | None:
    """Return what ``session.json`` says, where it is of a session of ours without an end."""
    path = folder / SESSION_NAME
    try:
        if path.is_symlink():
            return None
        facts = json.loads(read_small_file(path))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(facts, dict) or isinstance(facts.get("end"), dict):
        return None
    schema = facts.get("schema")
    is_ours = isinstance(schema, int) and schema <= SCHEMA_VERSION and "agent" in facts
    return facts if is_ours else None


def _remove_if_never_begun(folder: Path) -> None:
    """Remove a folder that a recorder made, and was killed before it wrote anything into it.

    One that was made a moment ago is that of a session which begins: its recorder may have made the
    lock file, and not locked it yet.
    """
    try:
        inside = {item.name for item in folder.iterdir()}
        drafts = {name for name in inside if is_draft(name, SESSION_NAME)}
        if inside - drafts == {LOCK_NAME} and not is_fresh(folder, BEGINNING_S):
            BundleLock(folder).release()
            _remove_drafts(folder)
            folder.rmdir()
    except OSError as error:
        log.info("%s is left as it is: %s", folder, error)


def _remove_drafts(folder: Path) -> None:
    for item in list(folder.iterdir()):
        if is_draft(item.name, SESSION_NAME):
            item.unlink(missing_ok=True)


def _make_whole(folder: Path, facts: dict[str, Any]) -> Recovered:
    for name in TRACKS:
        _refuse_what_is_no_file(folder / f"{name}.wav")
    _refuse_what_is_no_file(folder / "events.jsonl")
    recover_bundle(folder)
    samples = _level_tracks(folder)
    _cut_broken_line(folder / "events.jsonl")
    tracker, duration_s = _find_turns(folder / "events.jsonl", samples / SAMPLE_RATE)
    facts |= {
        "end": {
            "ended_utc": _ended_utc(facts.get("began_utc"), duration_s),
            "duration_s": duration_s,
            "reason": REASON,
            "sentence": SENTENCE,
        },
        "recovered": {"utc": utc_text(datetime.now(UTC))},
    }
    facts["summary"] = summary_facts(tracker.summary())
    write_json(folder / SESSION_NAME, scrub(facts))
    with suppress(OSError):
        _remove_drafts(folder)
    title = load_notes(folder).title or folder.name
    return Recovered(folder, title, duration_s)


def _refuse_what_is_no_file(path: Path) -> None:
    if path.is_symlink():
        raise BundleError(f"“{path.name}” is a link to somewhere else.")
    if path.exists() and not path.is_file():  # opening a pipe would wait for a writer
        raise BundleError(f"“{path.name}” is no file.")


def _level_tracks(folder: Path) -> int:
    """Give the user's and the agent's track the same length, and return it in samples."""
    longest = 0
    opened: list[StreamingWav] = []
    try:
        for name in TRACKS:
            path = folder / f"{name}.wav"
            # one that was never made is silence; another program's is left as it is
            opened.append(StreamingWav(path, resume=path.exists()))
        user, agent, _received = opened
        longest = max(user.samples_written, agent.samples_written)
        for wav in (user, agent):
            wav.write_silence(longest - wav.samples_written)
            wav.flush(to_disk=True)
    finally:
        for wav in opened:
            with suppress(AudioError):
                wav.close()
    return longest


def _cut_broken_line(path: Path) -> None:
    """Cut off a last line that was not written to its end, or give it its line break."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - MAX_LINE_BYTES, 0))
        line = file.read().rpartition(b"\n")[2]
        if not line:
            return
        if _is_record(line):
            file.write(b"\n")
        else:
            file.truncate(size - len(line))


def _is_record(line: bytes) -> bool:
    try:
        return isinstance(parse_line(line), dict)
    except (ValueError, RecursionError):
        return False


def _find_turns(path: Path, audio_s: float) -> tuple[TurnTracker, float]:
    """Give the events an end; return what they say of turns, and how long the session was.

    That is how much audio there is; without audio, the time of the last event.
    """
    tracker, last_t, is_over = TurnTracker(), 0.0, False
    for event in _read_events(path):
        tracker.feed(event)
        last_t = max(last_t, event.t)
        is_over = is_over or (isinstance(event, StateChanged) and event.state in _OVER)
    duration_s = round(audio_s or last_t, 3)
    if not is_over:
        end = StateChanged(max(duration_s, last_t), "ended", SENTENCE)
        tracker.feed(end)
        with path.open("ab", buffering=0) as file:
            file.write(encode_event(end))
            sync_file(file)
    return tracker, duration_s


def _read_events(path: Path) -> Iterator[Event]:
    """Read the events one after the other; those that make no sense are passed over."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in iter(lambda: file.readline(MAX_LINE_BYTES), b""):
            with suppress(ValueError, RecursionError):
                record = parse_line(line)
                event = read_event(record) if isinstance(record, dict) else None
                if event is not None and event.t < LONGEST_S:
                    yield event


def _ended_utc(began: object, duration_s: float) -> str | None:
    try:
        return utc_text(datetime.fromisoformat(str(began)) + timedelta(seconds=duration_s))
    except (ValueError, OverflowError):
        return None
