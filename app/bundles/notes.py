"""What a person writes about a session: title, tags, notes and markers, in ``notes.json``.

It is data of a person's, or of a stranger whose recording was opened: what makes no sense in it is
passed over, and such a file is kept aside before another takes its place. Whatever
reads or writes here waits for the disk.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

from app.bundles.bundle_files import read_small_file, write_json
from app.bundles.bundle_lock import in_turn
from app.bundles.inside import is_inside
from app.secrets import scrub
from app.timeline.sane_events import LONGEST_S
from audio.wavfile import reason_of

NOTES_NAME = "notes.json"
MOST_MARKERS = 100_000


@dataclass(frozen=True, slots=True, order=True)
class Marker:
    """A moment, or the range up to ``stop``, that a person wants to find again. Session seconds."""

    t: float
    text: str = ""
    stop: float | None = None


@dataclass(frozen=True, slots=True)
class Notes:
    """All that a person wrote about one session; ``markers`` are in the order of their times."""

    title: str = ""
    tags: tuple[str, ...] = ()
    notes: str = ""
    markers: tuple[Marker, ...] = ()

    def marked(self, marker: Marker) -> Notes:
        """Return the notes with ``marker`` among the others."""
        return replace(self, markers=_in_order((*self.markers, marker)))

    def unmarked(self, marker: Marker) -> Notes:
        """Return the notes without ``marker``; as they are where it is not there."""
        return replace(self, markers=tuple(item for item in self.markers if item != marker))


Change = Callable[[Notes], Notes]


def load_notes(bundle: Path, warnings: list[str] | None = None) -> Notes:
    """Return the notes of the bundle in the folder ``bundle``; empty where there are none.

    Never raises: a sentence for each thing that is wrong is added to ``warnings``.
    """
    told = warnings if warnings is not None else []
    try:
        return _from_dict(_read(bundle / NOTES_NAME), told)
    except FileNotFoundError:
        return Notes()
    except _Broken as error:
        told.append(f"{NOTES_NAME} cannot be read ({error}): title and markers are not known.")
    except OSError as error:
        told.append(f"{NOTES_NAME} cannot be read: {reason_of(error)}.")
    return Notes()


def save_notes(bundle: Path, notes: Notes) -> None:
    """Replace the notes of the bundle in the folder ``bundle``.

    What a newer version wrote beside them stays. A file that is there and makes no sense is kept
    aside as ``notes.broken.json``.

    Raises:
        OSError: they cannot be written; what was there is unharmed.

    """
    edit_notes(bundle, lambda _before: notes)


def edit_notes(bundle: Path, change: Change) -> Notes:
    """Change the notes of the bundle in the folder ``bundle``, and return them.

    Of two threads, or two programs, that change the same notes none undoes what the other did.

    Raises:
        OSError: as for ``save_notes``.

    """
    path = bundle / NOTES_NAME
    with _writing, in_turn(bundle):
        before: dict[str, Any] = {}
        wrong: list[str] = []
        try:
            before = _read(path)
        except FileNotFoundError:
            pass
        except _Broken as error:
            wrong.append(str(error))
        notes = change(_from_dict(before, wrong))
        if wrong:
            _keep_aside(path)
        notes = replace(notes, markers=_in_order(notes.markers))
        known: dict[str, Any] = scrub(asdict(notes))
        write_json(path, {**before, **known})
    return notes


# Guards a file between reading and replacing it; held for as long as the disk, or another program
# that is at it, takes.
_writing = threading.Lock()


class _Broken(ValueError):
    """The file is there, and holds no notes."""


def _read(path: Path) -> dict[str, Any]:
    if not is_inside(path.parent, path):
        raise _Broken("it is a link to a file outside the recording")
    try:
        found = json.loads(read_small_file(path))
    except (ValueError, RecursionError) as error:
        raise _Broken(type(error).__name__) from error
    if not isinstance(found, dict):
        raise _Broken("it holds no notes")
    return found


def _keep_aside(path: Path) -> None:
    if not is_inside(path.parent, path):  # what it leads to is somebody else's, and stays there
        return
    for number in count(1):
        aside = path.with_name(f"notes.broken{'' if number == 1 else f'_{number}'}.json")
        with suppress(FileExistsError), path.open("rb") as broken, aside.open("xb") as kept:
            shutil.copyfileobj(broken, kept)
            return


def _from_dict(found: dict[str, Any], warnings: list[str]) -> Notes:
    tags, markers = found.get("tags"), found.get("markers")
    listed = markers[:MOST_MARKERS] if isinstance(markers, list) else []
    read = [marker for marker in map(_marker, listed) if marker is not None]
    left_out = (len(markers) if isinstance(markers, list) else 0) - len(read)
    if left_out:
        warnings.append(f"{NOTES_NAME}: {left_out} markers make no sense, and are not shown.")
    return Notes(
        _text(found.get("title")),
        tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
        _text(found.get("notes")),
        _in_order(read),
    )


def _marker(value: object) -> Marker | None:
    if not isinstance(value, dict):
        return None
    t, stop = _moment(value.get("t")), _moment(value.get("stop"))
    if t is None:
        return None
    return Marker(t, _text(value.get("text")), stop if stop is not None and stop > t else None)


def _moment(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if 0 <= value < LONGEST_S else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _in_order(markers: Iterable[Marker]) -> tuple[Marker, ...]:
    return tuple(sorted(markers, key=lambda marker: marker.t))
