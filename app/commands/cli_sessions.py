"""``turnscope sessions``: the library on a terminal. The main thread enters."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.commands.exit_codes import OK
from app.commands.streams import say
from app.plain import printable

if TYPE_CHECKING:
    from app.library.library import Library
    from app.library.library_entry import Entry, Progress

ABOUT = """\
List the recordings, the latest first: date, duration, interruptions, median response latency, size,
and what state each is in. Broken and foreign folders are listed as well, with the reason."""

SEARCH = "only those in whose title, tags, notes, markers or transcript every word of TEXT occurs"
REBUILD = "read every recording again, and not only what is new: the index is a cache"


def add(commands: Any) -> None:
    """Add the command to the subparsers ``commands``."""
    parser = commands.add_parser("sessions", help="list the recordings", description=ABOUT)
    parser.add_argument(
        "--folder", type=Path, metavar="DIR", help="by default where the window keeps recordings"
    )
    parser.add_argument("--search", default="", metavar="TEXT", help=SEARCH)
    parser.add_argument("--rebuild", action="store_true", help=REBUILD)
    parser.add_argument("--json", action="store_true", help="write one JSON array")
    parser.set_defaults(handler=_sessions)


def _sessions(options: argparse.Namespace) -> int:
    from app.library.library import Library

    library = Library(_folder(options.folder))
    if options.rebuild:
        library.index.clear()
    library.refresh(_Teller())
    entries = library.entries()
    if options.search.strip():
        found = library.search(options.search)
        entries = [entry for entry in entries if entry.name in found]
    entries.sort(key=lambda entry: (entry.began or 0.0, entry.name), reverse=True)
    if options.json:
        print(json.dumps([_as_json(library, entry) for entry in entries], ensure_ascii=True))
    else:
        _show(library, entries, options.search.strip())
    return OK


def _folder(given: Path | None) -> Path:
    from app.library.library import LibraryError
    from app.settings import SettingsFile

    if given is None:
        return SettingsFile().load().recordings_folder
    if not given.is_dir():
        raise LibraryError(f"There is no folder “{given}”.", "Check the name, or choose another.")
    return given


class _Teller:
    """Says on a terminal how far a long refresh has come."""

    def __init__(self) -> None:
        self._told = 0

    def __call__(self, progress: Progress) -> None:
        if progress.done < self._told:  # the small files are read, and the events come next
            self._told = 0
        if sys.stderr.isatty() and progress.done - self._told >= 1000:
            self._told = progress.done
            say(f"{progress.done} of {progress.total} recordings read")


def _as_json(library: Library, entry: Entry) -> dict[str, object]:
    began = None if entry.began is None else _utc(entry.began)
    return {
        "path": str(library.folder / entry.name),
        "state": entry.state,
        "reason": entry.reason,
        "title": entry.title,
        "agent": entry.agent,
        "began_utc": began,
        "duration_s": entry.duration_s,
        "interruptions": entry.interruptions,
        "response_latency_ms_p50": entry.latency_ms,
        "is_estimated": entry.estimated,
        "size_bytes": entry.size_bytes,
    }


def _utc(moment: float) -> str:
    text = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _show(library: Library, entries: list[Entry], searched: str) -> None:
    from app.library.library_entry import size_text

    folder = printable(str(library.folder))
    if not entries:
        why = f" in which “{printable(searched)}” occurs" if searched else ""
        print(f"There are no recordings{why} in {folder}.")
        return
    rows = [_HEADINGS, *(_row(entry) for entry in entries)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS) - 1)]
    for *cells, last in rows:
        line = "  ".join(
            cell.rjust(width) if column in _NUMBERS else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        print(f"{line}  {last}".rstrip())
    space = library.space()
    count = f"{space.sessions} recording{'' if space.sessions == 1 else 's'}"
    taken = f"{count}, {size_text(space.recordings_bytes)}"
    print(f"\n{folder}: {taken}; {size_text(space.free_bytes)} free on that disk.")


_HEADINGS = ("date", "length", "interruptions", "response latency", "size", "state", "what")
_NUMBERS = range(1, 5)


def _row(entry: Entry) -> tuple[str, ...]:
    from app.library.library_entry import STATES, length_text, size_text

    date = "–"
    if entry.began is not None:
        date = datetime.fromtimestamp(entry.began, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    latency = "–" if entry.latency_ms is None else f"{entry.latency_ms:.0f} ms"
    what = " ".join(part for part in (entry.title, f"[{entry.name}]") if part)
    reason = f": {entry.reason}" if entry.state in ("broken", "foreign") else ""
    return (
        date,
        length_text(entry.duration_s),
        "–" if entry.interruptions is None else str(entry.interruptions),
        f"≈ {latency}" if entry.estimated and entry.latency_ms is not None else latency,
        size_text(entry.size_bytes),
        STATES[entry.state][0] or entry.state,
        printable(f"{what}{reason}"),
    )
