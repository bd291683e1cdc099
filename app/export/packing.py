"""What a zip of a recording, or of a stretch of it, consists of. Blocks on the disk."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

from app.bundles.bundle import TRACKS
from app.bundles.bundle_files import SMALL_FILE_BYTES, encode_event, unwritable
from app.export.audio import Cut
from app.export.content import Stretch, clipped_markers
from app.export.cut_events import cut_events
from app.export.everything import clean, sentence_if_too_deep
from app.export.formats import Wish
from app.export.material import Material
from app.export.progress import Progress
from app.export.without_user import is_users_words
from app.export.zipped import Packing, read_own
from app.plain import one_line
from app.secrets import scrub
from app.timeline.events import Event
from audio.pcm import seconds_to_samples


def packing_of(material: Material, wish: Wish, stretch: Stretch, progress: Progress) -> Packing:
    """Return what goes into the zip."""
    if stretch.is_whole:
        return _whole(material, wish)
    return _stretch(material, wish, stretch, progress)


def _whole(material: Material, wish: Wish) -> Packing:
    made = {} if wish.user else _silent_user(material, None)
    own = {path.name: path for path in material.own_files}
    texts: dict[str, Iterable[bytes]] = {
        name: [text]
        for name in ("session.json", "notes.json")
        if name in own and (text := _object(own[name])) is not None
    }
    if material.has.events:
        texts["events.jsonl"] = _lines(material.lines(), wish)
    tracks = [f"{name}.wav" for name in TRACKS]
    copied = tuple(own[name] for name in tracks if name in own and name not in made)
    return Packing(folder_name(material.name), texts, copied, made)


def folder_name(name: str) -> str:
    """Return ``name`` as a folder in a zip that every system unpacks, and none outside its place.

    What is a plain name here may be a path elsewhere, as “C:x” is, or have no letters in UTF-8.
    """
    plain = one_line(name).translate(_NOT_IN_NAMES).strip(". ")
    return plain or "recording"


_NOT_IN_NAMES = str.maketrans(dict.fromkeys('<>:"/\\|?*', "_"))


def packed_bytes(material: Material) -> int:
    """Return about how much goes into a zip of all of it."""
    total = 0
    for path in material.own_files:
        with suppress(OSError):  # it is gone by now: whoever reads it is told
            total += path.stat().st_size
    return total


def _silent_user(material: Material, length: int | None) -> dict[str, Cut | int]:
    if material.sources.user is None:
        return {}
    return {"user.wav": material.sources.user.duration_samples if length is None else length}


def _stretch(material: Material, wish: Wish, stretch: Stretch, progress: Progress) -> Packing:
    spans = material.turns(progress).spans
    events = list(chain.from_iterable(material.events.iterate()))
    cut = cut_events(events, spans, stretch)
    both = (seconds_to_samples(stretch.start), seconds_to_samples(stretch.stop))
    ranges = {"user": both, "agent": both, "received": (cut.received_start, cut.received_stop)}
    tracks: dict[str, Cut | int] = {
        f"{name}.wav": Cut((source,), (ranges[name],))
        for name in TRACKS
        if (source := getattr(material.sources, name)) is not None
    }
    if not wish.user:
        tracks.update(_silent_user(material, both[1] - both[0]))
    texts = {
        "session.json": [_json(_facts(material, stretch))],
        "events.jsonl": _encoded(cut.events, wish),
        "notes.json": [_json(_notes(material, stretch))],
    }
    return Packing(folder_name(material.name), texts, (), tracks)


def _facts(material: Material, stretch: Stretch) -> dict[str, Any]:
    """Return what ``session.json`` says of the stretch, as of a session of its own."""
    facts = dict(material.facts.facts) if material.facts is not None else {}
    for name in ("summary", "recovered"):
        facts.pop(name, None)
    ended = facts.get("end")
    end = {**ended} if isinstance(ended, dict) else {}
    began = None if material.facts is None else material.facts.began_utc
    if began is not None:
        facts["began_utc"] = _moment(began, stretch.start)
        end["ended_utc"] = _moment(began, stretch.stop)
    facts["end"] = {**end, "duration_s": round(stretch.length, 6)}
    facts["cut_from"] = {
        "session": material.name,
        "start_s": stretch.start,
        "stop_s": stretch.stop,
    }
    return facts


def _moment(began: datetime, seconds: float) -> str:
    try:
        moment = began + timedelta(seconds=seconds)
    except OverflowError:  # it began at the end of all dates, says the recording
        moment = began
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _notes(material: Material, stretch: Stretch) -> dict[str, Any]:
    notes = material.notes
    return asdict(replace(notes, markers=tuple(clipped_markers(notes.markers, stretch))))


def _json(data: Mapping[str, Any]) -> bytes:
    with sentence_if_too_deep():
        text = json.dumps(clean(data), indent=2, ensure_ascii=False, default=str)
    return text.encode("utf-8", "backslashreplace") + b"\n"


def _object(path: Path) -> bytes | None:
    """Return the object in a small file, without secrets; None where there is none.

    Somebody else may have made the recording: what is no JSON in it is no part of a recording, and
    goes nowhere. So a file that was only linked into the folder does not go in, whichever it is.
    """
    content = read_own(path, SMALL_FILE_BYTES)
    try:
        data = json.loads(content)
        if not isinstance(data, dict):
            return None
        return content if scrub(data) == data else _json(data)
    except (ValueError, RecursionError):
        return None


def _lines(lines: Iterable[tuple[bytes, dict[str, Any]]], wish: Wish) -> Iterator[bytes]:
    """Yield the lines of ``events.jsonl``: as they are, but for secrets and the user's words."""
    for line, record in lines:
        if not wish.user_text and is_users_words(record):
            continue
        try:
            if scrub(record) == record:
                yield line if line.endswith(b"\n") else line + b"\n"
                continue
            text = json.dumps(clean(record), ensure_ascii=False)
        except RecursionError as error:  # it says so in its place, as in a recording
            text = json.dumps(clean(unwritable(record.get("t"), record.get("type"), error)))
        yield text.encode("utf-8", "backslashreplace") + b"\n"


def _encoded(events: Iterable[Event], wish: Wish) -> Iterator[bytes]:
    for event in events:
        if wish.user_text or not is_users_words(event.to_dict()):
            yield encode_event(event)
