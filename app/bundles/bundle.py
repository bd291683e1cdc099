"""Session bundles on disk: find, open, verify and recover them, all but their events.

What is in a bundle was written by another run, maybe of another version, maybe cut short: it is
data to be judged. What is missing or broken becomes a warning; only a folder that is no bundle is
an error. No state; any thread that may wait for the disk.
"""

from __future__ import annotations

import json
import logging
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from pathlib import Path
from typing import Any

from app.bundles.bundle_files import read_small_file
from app.bundles.bundle_lock import BundleBusy, BundleLock, is_being_written
from app.bundles.inside import is_inside
from app.bundles.session_info import SCHEMA_VERSION, SessionInfo
from app.notices import AppError
from app.timeline.sane_events import LONGEST_S
from audio.errors import FileError
from audio.pcm import samples_to_seconds
from audio.wavfile import reason_of, recover

log = logging.getLogger(__name__)

TRACKS = ("user", "agent", "received")
FILES = ("session.json", "events.jsonl", "notes.json", *(f"{name}.wav" for name in TRACKS))
"""What belongs to a recording; the peaks are a cache, and anything else is not the program's."""


class BundleError(AppError):
    """A folder is no session bundle, or cannot be read."""


@dataclass(frozen=True, slots=True)
class BundleFacts:
    """What a session's recording says of itself, without its events. Missing tracks are None."""

    path: Path
    info: SessionInfo
    user: Path | None
    agent: Path | None
    received: Path | None
    began_utc: datetime | None
    end: dict[str, Any] | None
    """``ended_utc``, ``duration_s``, ``reason``, ``sentence``; None where it never ended."""
    facts: dict[str, Any]
    """All that is in ``session.json``."""
    warnings: list[str]

    @property
    def unfinished(self) -> bool:
        """Whether the recording was cut short: the program ended before the session."""
        return self.end is None

    @property
    def duration_s(self) -> float | None:
        """How long the session was; None where that was never written down."""
        return _duration(self.end)


def read_facts(path: Path) -> BundleFacts:
    """Read what the bundle in the folder ``path`` says of itself.

    One that was cut short is repaired first, so that all that is there is heard; ``warnings`` say
    what was done. A recording that is being written at the moment is left alone.

    Raises:
        BundleError: the folder is missing, unreadable, or holds neither session nor events.

    """
    path = Path(path)
    _check_folder(path)
    warnings: list[str] = []
    facts = _read_session(path, warnings)
    if not isinstance(facts.get("end"), dict) and not is_being_written(path):
        warnings.clear()
        facts = _read_session(path, warnings)  # again: it may have ended in between
        if not isinstance(facts.get("end"), dict):
            _try_to_recover(path, warnings)
    end = facts.get("end")
    user, agent, received = (_find_track(path, name, warnings) for name in TRACKS)
    return BundleFacts(
        path,
        SessionInfo.from_dict(facts),
        user,
        agent,
        received,
        moment_of(facts.get("began_utc")),
        end if isinstance(end, dict) else None,
        facts,
        warnings,
    )


def recover_bundle(path: Path) -> list[str]:
    """Make the files of a recording that was cut short whole; return a sentence for each repair.

    Raises:
        BundleError: a file needs repair and cannot be written.

    """
    _check_folder(Path(path))
    done = []
    for name in TRACKS:
        wav = Path(path) / f"{name}.wav"
        if not wav.is_file() or not is_inside(Path(path), wav):
            continue
        try:
            before = _head_and_size(wav)
            samples = recover(wav)
            after = _head_and_size(wav)
        except (OSError, FileError) as error:
            sentence = str(error)
            if isinstance(error, OSError):
                sentence = f"“{wav.name}” cannot be read: {reason_of(error)}."
            raise BundleError(sentence, "Check the disk, or copy the recording.") from error
        if before != after:
            seconds = samples_to_seconds(samples)
            done.append(f"“{wav.name}” was repaired: it holds {seconds:.1f} s.")
    return done


def _try_to_recover(path: Path, warnings: list[str]) -> None:
    """Repair, unless somebody else is at the files; a folder that takes no mark has none."""
    with ExitStack() as held:
        try:
            held.callback(BundleLock(path).release)
        except BundleBusy:
            return
        except OSError as error:
            log.info("%s is looked at without its mark: %s", path, error)
        try:
            warnings.extend(recover_bundle(path))
        except BundleError as error:
            warnings.append(f"The recording was cut short, and could not be repaired. {error}")


def _head_and_size(path: Path) -> tuple[bytes, int]:
    with path.open("rb") as file:
        return file.read(128), path.stat().st_size


def _check_folder(path: Path) -> None:
    if not path.is_dir():
        raise BundleError(f"There is no recording “{path}”.", "Check the name, or choose another.")
    if not any(_is_file(path / name) for name in ("session.json", "events.jsonl")):
        sentence = f"“{path}” is not a recording: it holds neither session.json nor events.jsonl."
        raise BundleError(sentence, "Choose the folder of a recording.")


def _read_session(path: Path, warnings: list[str]) -> dict[str, Any]:
    if not _is_own(path, path / "session.json", warnings):
        return {}
    try:
        facts = json.loads(read_small_file(path / "session.json"))
    except FileNotFoundError:
        warnings.append("session.json is missing: who talked, and when, is not known.")
        return {}
    except (OSError, ValueError, RecursionError) as error:
        warnings.append(f"session.json cannot be read ({type(error).__name__}).")
        return {}
    if not isinstance(facts, dict):
        warnings.append("session.json holds no session.")
        return {}
    schema = facts.get("schema")
    if not isinstance(schema, int) or schema > SCHEMA_VERSION:
        warnings.append(
            f"The recording was made by a newer version (schema {str(schema)[:20]}): "
            "what is new in it is not shown."
        )
    return facts


def find_events(path: Path, warnings: list[str]) -> Path | None:
    """Return the file of the events in the bundle's folder ``path``; None where there is none."""
    events = path / "events.jsonl"
    if not events.exists():
        warnings.append("events.jsonl is missing: the events are not known.")
    elif not events.is_file():  # opening a pipe would wait for a writer
        warnings.append("events.jsonl cannot be read: it is not a file.")
    elif _is_own(path, events, warnings):
        return events
    return None


def _find_track(path: Path, name: str, warnings: list[str]) -> Path | None:
    wav = path / f"{name}.wav"
    if not wav.is_file():
        warnings.append(f"{wav.name} is missing.")
        return None
    return wav if _is_own(path, wav, warnings) else None


def _is_own(folder: Path, path: Path, warnings: list[str]) -> bool:
    """Whether a file is the bundle's own, and no link to what lies elsewhere."""
    if is_inside(folder, path):
        return True
    warnings.append(f"{path.name} is a link to a file outside the recording: it is not read.")
    return False


def _duration(end: object) -> float | None:
    """Return the seconds in what ``session.json`` says of the end, where they make sense."""
    seconds = end.get("duration_s") if isinstance(end, dict) else None
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        return None
    return float(seconds) if 0 <= seconds < LONGEST_S else None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a folder that may not be looked into
        return False


def moment_of(value: object) -> datetime | None:
    """Return the moment that a file names; None where it is none, or none that zones can shift.

    One that names no zone is UTC.
    """
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    if not MINYEAR < moment.year < MAXYEAR:  # another zone may have no such year
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
