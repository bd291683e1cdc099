"""``turnscope report``: from paths to a report. The main thread enters."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from app.analysis.limits import INFOS, Limits
from app.bundles.bundle import FILES
from app.commands.exit_codes import DEVICE_OR_FILE, OK, USAGE
from app.commands.session_arguments import LIMITS
from app.commands.streams import say
from app.export.errors import TargetsExist
from app.export.part_files import PartFiles
from app.notices import AppError
from app.plain import printable
from app.report.documents import (
    csv_head,
    csv_rows,
    ending_record,
    json_pieces,
    session_document,
    table_rows,
)
from app.report.figures import Figures, figures_of, together
from app.report.gather import Examined, Unreadable, examine_each, sessions_in
from app.report.held_text import HeldText
from app.report.page import Page
from app.report.progress import Progress
from app.report.records import Words
from app.report.text import session_lines, statistic_lines
from app.secrets import scrub_text

Found = Sequence[Path | Unreadable]


def report(options: argparse.Namespace) -> int:
    """Write the report that ``options`` ask for, and return the exit code.

    Raises:
        AppError: the options make no sense together, or the file cannot be there.
        FileError: the file cannot be written.

    """
    if options.table and not options.csv:
        raise AppError("--table says which table --csv writes: give --csv as well.")
    if options.force and options.html is None:
        raise AppError("--force is for the file of --html.")
    words = Words(user=not (options.no_user_text or options.no_text), agent=not options.no_text)
    found = list(sessions_in(options.sessions))
    with Progress(len(found)) as progress:
        reader = _Reader(examine_each(found, _limits(options), progress.tell), progress.clear)
        if options.html is not None:
            return _write_page(options, found, reader, words)
        if options.json:
            _write_json(reader, words, _limits(options))
        elif options.csv:
            _write_csv(reader, words, options.table or "interruptions")
        else:
            _write_text(reader, words)
    return reader.code


def _limits(options: argparse.Namespace) -> Limits:
    given = {info.field: getattr(options, info.field) for info in INFOS if info.field in LIMITS}
    return Limits(**{name: value for name, value in given.items() if value is not None})


class _Reader:
    """Gives those sessions that can be read, says why the others cannot, and sums up."""

    def __init__(
        self, examined: Iterable[Examined | Unreadable], clear: Callable[[], None]
    ) -> None:
        self._examined, self._clear = examined, clear
        self.failed: list[Unreadable] = []
        self.figures: list[Figures] = []

    def __iter__(self) -> Iterator[Examined]:
        for each in self._examined:
            self._clear()
            if isinstance(each, Unreadable):
                self.failed.append(each)
                say(f"{each.name}: {each.sentence}")
                continue
            self.figures.append(figures_of(each.turns, each.limits))
            yield each

    @property
    def whole(self) -> Figures:
        return together(self.figures)

    @property
    def code(self) -> int:
        return DEVICE_OR_FILE if self.failed else OK


def _write_json(reader: _Reader, words: Words, limits: Limits) -> None:
    sessions = (session_document(each, words) for each in reader)
    with HeldText() as held:
        for piece in json_pieces(
            sessions, lambda: ending_record(reader.failed, reader.whole), limits.to_dict()
        ):
            held.add(piece)
        held.release()


def _write_csv(reader: _Reader, words: Words, table: str) -> None:
    with HeldText() as held:
        held.add(csv_head(table))
        for session in reader:
            held.add(csv_rows(table, table_rows(table, session, words)))
        held.release()


def _write_text(reader: _Reader, words: Words) -> None:
    for session in reader:
        for line in session_lines(session, words):
            sys.stdout.write(f"{printable(scrub_text(line))}\n")
        sys.stdout.flush()
    if len(reader.figures) > 1:
        sys.stdout.write(f"all {len(reader.figures)} sessions together\n")
        for line in statistic_lines(reader.whole):
            sys.stdout.write(f"{line}\n")


def _write_page(options: argparse.Namespace, found: Found, reader: _Reader, words: Words) -> int:
    target: Path = options.html
    try:
        with PartFiles(replace_all=options.force) as files:
            files.check([target], own_files(found))
            page = Page(words)
            for session in reader:
                page.add(session)
            files.put(target, page.render(reader.whole, reader.failed).encode("utf-8", "replace"))
            files.commit()
    except TargetsExist as error:
        say(str(error), "Choose another name, or replace it with --force.")
        return USAGE
    sys.stdout.write(f"{printable(str(target))}\n")
    return reader.code


def own_files(found: Found) -> list[Path]:
    """Return the files of the recordings, which nothing may be written over."""
    paths = [path for path in found if isinstance(path, Path)]
    return [path / name for path in paths if path.is_dir() for name in FILES] + [
        path for path in paths if not path.is_dir()
    ]
