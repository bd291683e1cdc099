"""From paths to sessions whose turns are known. Waits for the disk; the main thread enters.

Each session is opened when its turn comes and closed before the next one: a folder of hundreds
takes no more memory than one. What cannot be read becomes a sentence, and the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from app.analysis.findings import Finding, find
from app.analysis.limits import Limits
from app.analysis.turn_records import Summary
from app.analysis.viewed import TurnView
from app.bundles.bundle import BundleError
from app.bundles.bundle_lock import is_being_written
from app.bundles.session_info import utc_text
from app.library.library_look import look_at_all
from app.notices import AppError, explain
from app.plain import one_line
from app.recordings.recording import Recording, open_recording
from app.recordings.session_path import find_recording
from app.secrets import scrub_text
from audio.errors import AudioError

WORK_S = 1800.0
"""How long working out one recording may take."""
STEP_S = 0.2
BUNDLE_FILES = ("session.json", "events.jsonl")

Tell = Callable[[int, str, float], None]
"""Is told the number of a session, its name, and how much of it is worked out, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Examined:
    """One session, open, and what there is to say of it."""

    name: str
    """The name of its folder or file, without where that is."""
    agent: str
    began_utc: str
    """Empty where it is not known."""
    duration_s: float
    recording: Recording
    turns: TurnView
    summary: Summary
    limits: Limits
    findings: list[Finding]
    warnings: list[str]
    """What was wrong with its files, a sentence each, no path of the machine's in them."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something that was asked for and is no session, or cannot be read."""

    name: str
    sentence: str


def sessions_in(texts: Iterable[str]) -> Iterator[Path | Unreadable]:
    """Return what ``texts`` name: recordings, and those in folders of recordings, by their names.

    In a folder, loose audio files are passed over; what holds no session is told of. What is named
    twice comes once: it would count twice in figures.
    """
    seen: set[Path] = set()
    for found in _named(texts):
        if isinstance(found, Path):
            place = found.resolve()
            place = place.parent if place.name == BUNDLE_FILES[0] else place
            if place in seen:
                continue
            seen.add(place)
        yield found


def _named(texts: Iterable[str]) -> Iterator[Path | Unreadable]:
    for text in texts:
        try:
            path = find_recording(text)
            if not _is_folder_of_sessions(path):
                yield path
                continue
            looks = look_at_all(path) or []
        except (OSError, AudioError, AppError) as error:
            yield Unreadable(one_line(Path(text).name or text), _sentence(error, Path(text)))
            continue
        found = False
        for look in sorted(looks, key=lambda each: each.path.name):
            if look.kind == "foreign":
                yield Unreadable(one_line(look.path.name), look.why)
            elif look.kind == "bundle":
                found = True
                yield look.path
        if not found:
            name = one_line(path.resolve().name)
            yield Unreadable(name, f"There is no recording in “{name}”.")


def _is_folder_of_sessions(path: Path) -> bool:
    return path.is_dir() and not any((path / name).exists() for name in BUNDLE_FILES)


def examine_each(
    found: Sequence[Path | Unreadable], limits: Limits, tell: Tell
) -> Iterator[Examined | Unreadable]:
    """Yield each of ``found``, worked out; it is closed when the next one is asked for."""
    for number, item in enumerate(found, 1):
        if isinstance(item, Unreadable):
            yield item
            continue
        name = one_line(item.resolve().name)
        try:
            with closing(open_recording(item, pause_s=limits.pause_s)) as recording:
                yield _examine(recording, name, limits, partial(tell, number, name))
        except (OSError, AudioError, AppError) as error:
            yield Unreadable(name, _sentence(error, item))


def _examine(
    recording: Recording, name: str, limits: Limits, tell: Callable[[float], None]
) -> Examined | Unreadable:
    waited_s = 0.0
    while not recording.wait(STEP_S) and waited_s < WORK_S:
        waited_s += STEP_S
        tell(recording.progress)
    turns = recording.turns
    if turns is None or recording.progress < 1 or recording.has_failed:
        return Unreadable(name, f"The turns of “{name}” cannot be worked out.")
    return Examined(
        name,
        one_line(scrub_text(recording.info.agent_label or recording.info.agent_kind)),
        "" if recording.began_utc is None else utc_text(recording.began_utc),
        recording.now(),
        recording,
        turns,
        turns.summary(),
        limits,
        find(turns, limits),
        [nameless(warning, recording) for warning in [*_running(recording), *recording.warnings]],
    )


def _running(recording: Recording) -> list[str]:
    """Return a sentence where the session is not over; of a zip's copy nobody writes more."""
    bundle = recording.bundle
    if bundle is None or recording.is_copy or not is_being_written(bundle):
        return []
    return ["It is still being recorded: this is what there is of it so far."]


def nameless(sentence: str, recording: Recording) -> str:
    """Return ``sentence`` without the paths of this machine."""
    for path in (recording.bundle, recording.path):
        sentence = sentence if path is None else _without(sentence, path)
    return one_line(scrub_text(sentence))


def _without(sentence: str, path: Path) -> str:
    """Return ``sentence`` with the mere name in place of ``path``, and of what lies in it."""
    for folder in (path.parent, path.resolve().parent):
        if str(folder) != ".":
            sentence = sentence.replace(f"{str(folder).rstrip('/')}/", "").replace(
                f"{folder}\\", ""
            )
    return sentence


def _sentence(error: Exception, path: Path) -> str:
    if isinstance(error, BundleError):
        return one_line(_without(str(error), path))
    notice = explain(error)
    return one_line(_without(f"{notice.sentence} {notice.advice}".strip(), path))
