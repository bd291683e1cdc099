"""The library's index: what is known of each item of one recordings folder, in an SQLite file.

It is a cache: deleting it loses nothing. One that is broken, or not of this program, is thrown away
and begun anew; where no file can be used at all (no permission, no room, a lock that nobody lifts)
the index is kept in memory, for as long as the object lives. Each call opens the file for itself,
so any thread, and any number of processes, may use the same file at once.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

import platformdirs

from app.library.folding import fold, query_words
from app.library.library_entry import Entry
from app.settings import NAME

log = logging.getLogger(__name__)

T = TypeVar("T")

VERSION = 1
"""Part of the file's name: each version of the layout has a file of its own."""
LOCKED_S = 3.0
"""So long another process may hold the file; a transaction takes some 10 ms."""

_TABLE = """
CREATE TABLE IF NOT EXISTS items(
    id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, state TEXT NOT NULL, reason TEXT NOT NULL,
    title TEXT NOT NULL, agent TEXT NOT NULL, began REAL, duration_s REAL, interruptions INTEGER,
    latency_ms REAL, estimated INTEGER NOT NULL, size_bytes INTEGER, changed REAL NOT NULL,
    noted INTEGER NOT NULL, stamp TEXT NOT NULL, events_stamp TEXT NOT NULL,
    needs INTEGER NOT NULL, said_reason TEXT NOT NULL)"""
_SHOWN = (
    "name, state, trim(reason || ' ' || said_reason), title, agent, began, duration_s, "
    "interruptions, latency_ms, estimated, size_bytes, changed, noted"
)
# Trigrams find any part of a word, in any script; without them each text is looked through.
_TEXTS = (
    "CREATE VIRTUAL TABLE texts USING fts5(heading, words, tokenize='trigram case_sensitive 1')"
)
_PLAIN_TEXTS = "CREATE TABLE texts(rowid INTEGER PRIMARY KEY, heading TEXT, words TEXT)"
_TRIGRAM = 3
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class Row(NamedTuple):
    """An item as the index has it."""

    entry: Entry
    stamp: str
    """`app.library.library_look.Look.stamp` of when it was read."""
    events_stamp: str
    needs: int
    """What of its events is still to be read."""
    said_reason: str


class Written(NamedTuple):
    """What is written of an item; where ``words`` is None, those that are there stay."""

    row: Row
    heading: str
    words: str | None = None


Make = Callable[[Row | None], Written | None]
"""Returns what to write of an item, given what the index has of it; None: it stays as it is."""


class Index:
    """The index of the recordings in one folder."""

    def __init__(self, folder: Path, cache: Path | None = None) -> None:
        """Use a file in ``cache``, else in the system's place for caches; nothing is opened yet."""
        where = cache or platformdirs.user_cache_path(NAME, appauthor=False)
        key = hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()[:16]
        self.path = where / f"library-{VERSION}-{key}.sqlite"
        self.begun = 0
        """How often it was begun anew: what was read of it before tells nothing then."""
        # Guards the connection to the index in memory, which all threads share.
        self._lock = threading.Lock()
        self._memory: sqlite3.Connection | None = None

    # -- what is read --------------------------------------------------------------------------

    def entries(self) -> list[Entry]:
        """Return all items, in no order."""
        return self._do(lambda base: [_entry(row) for row in base.execute(_SELECT_ENTRIES)])

    def rows(self) -> dict[str, Row]:
        """Return all items with what tells whether they have changed, by name."""
        return self._do(_read_whole)

    def row(self, name: str) -> Row | None:
        """Return one item."""
        return self._do(lambda base: _read_row(base, name))

    def pending(self) -> list[tuple[str, int]]:
        """Return the names of items whose events are to be read, and what of them; latest first."""
        found = self._do(lambda base: base.execute(_SELECT_PENDING).fetchall())
        return [(os.fsdecode(name), needs) for name, needs in found]

    def search(self, text: str) -> set[str]:
        """Return the names of items in which every word of ``text`` occurs.

        A text in quotes is one word. Case and accents make no difference, and nothing in
        ``text`` is an operator.
        """
        words = query_words(text)
        return self._do(lambda base: _search(base, words))

    # -- what is written -----------------------------------------------------------------------

    def write(self, items: Iterable[tuple[str, Make]]) -> None:
        """Add items by name, or bring them up to date, in one transaction.

        What is written of each is made while nobody else can write to the index, so what was so
        then stays until somebody writes who knows better. It may be made twice.
        """
        self._change(_write, items)

    def write_said(self, said: Iterable[tuple[str, str, dict[str, object], str]]) -> None:
        """Write what events told: name, ``events_stamp`` of what was read, columns and words.

        An item that has changed since keeps what it has, and is read again.
        """
        self._change(_write_said, said)

    def remove(self, names: Iterable[str]) -> None:
        """Forget items."""
        self._change(_remove, [(os.fsencode(name),) for name in names])

    def clear(self) -> None:
        """Throw the index away; the next refresh builds it anew."""
        with self._lock:
            self._throw_away()

    # -- the file ------------------------------------------------------------------------------

    def _change(self, change: Callable[..., None], items: Iterable[tuple[Any, ...]]) -> None:
        kept = list(items)  # made before the file is locked, and there for a second attempt
        if not kept:
            return

        def transaction(base: sqlite3.Connection) -> None:
            base.execute("BEGIN IMMEDIATE")
            try:
                for item in kept:
                    change(base, *item)
                base.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    base.execute("ROLLBACK")
                raise

        self._do(transaction)

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do ``work``: on the file, on a new file where that one is no use, else in memory."""
        for is_last in (False, True):
            if self._memory is not None:
                break
            try:
                with self._opened() as base:
                    return work(base)
            except (sqlite3.Error, OSError) as error:
                self._give_up(error, is_last)
        with self._lock:
            if self._memory is None:
                self._memory = self._open(":memory:")
            return work(self._memory)

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with closing(self._open(str(self.path))) as base:
            yield base

    def _open(self, path: str) -> sqlite3.Connection:
        base = sqlite3.connect(
            path, timeout=LOCKED_S, isolation_level=None, check_same_thread=False
        )
        try:
            # a power cut may break it, and it is built anew then
            base.execute("PRAGMA synchronous=OFF")
            base.execute("PRAGMA cache_size=-32000")
            if base.execute("PRAGMA user_version").fetchone()[0] != VERSION:
                self._begin(base)
        except BaseException:
            base.close()
            raise
        return base

    def _begin(self, base: sqlite3.Connection) -> None:
        base.execute("BEGIN IMMEDIATE")
        if base.execute("PRAGMA user_version").fetchone()[0] != VERSION:  # nobody was quicker
            base.execute(_TABLE)
            try:
                base.execute(_TEXTS)
            except sqlite3.OperationalError:
                base.execute(_PLAIN_TEXTS)
            base.execute(f"PRAGMA user_version={VERSION}")
            self.begun += 1
        base.execute("COMMIT")

    def _give_up(self, error: Exception, is_last: bool) -> None:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if is_last or code in _BUSY or isinstance(error, OSError):
            log.warning("The library's index is kept in memory, for its file is no use: %s", error)
            with self._lock:
                if self._memory is None:
                    self._memory = self._open(":memory:")
        else:
            log.warning("The library's index is built anew: %s", error)
            self.clear()

    def _throw_away(self) -> None:
        if self._memory is not None:
            self._memory.close()
            self._memory = None
        self.begun += 1
        for path in (self.path.with_name(f"{self.path.name}-journal"), self.path):
            with suppress(OSError):
                path.unlink()


_SELECT_ENTRIES = f"SELECT {_SHOWN} FROM items"
_SELECT_ROWS = f"SELECT {_SHOWN}, stamp, events_stamp, needs, said_reason FROM items"
_SELECT_PENDING = "SELECT name, needs FROM items WHERE needs ORDER BY name DESC"
_WRITE = """
INSERT INTO items(name, state, reason, title, agent, began, duration_s, interruptions, latency_ms,
    estimated, size_bytes, changed, noted, stamp, events_stamp, needs, said_reason)
VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT(name) DO UPDATE SET state=excluded.state, reason=excluded.reason,
    title=excluded.title, agent=excluded.agent, began=excluded.began,
    duration_s=excluded.duration_s, interruptions=excluded.interruptions,
    latency_ms=excluded.latency_ms, estimated=excluded.estimated, size_bytes=excluded.size_bytes,
    changed=excluded.changed, noted=excluded.noted, stamp=excluded.stamp,
    events_stamp=excluded.events_stamp, needs=excluded.needs, said_reason=excluded.said_reason
RETURNING id"""


def _entry(row: tuple[object, ...]) -> Entry:
    entry = Entry._make(row[:13])
    return entry._replace(
        name=os.fsdecode(cast("bytes", row[0])), estimated=bool(row[9]), noted=bool(row[12])
    )


def _read_rows(
    base: sqlite3.Connection, select: str = _SELECT_ROWS, values: tuple[object, ...] = ()
) -> Iterator[Row]:
    for row in base.execute(select, values):
        stamp, events_stamp, needs, said_reason = row[13:]
        yield Row(_entry(row), stamp, events_stamp, needs, said_reason)


def _read_whole(base: sqlite3.Connection) -> dict[str, Row]:
    """Return all rows; what a power cut has left half is refused, for it would never be mended."""
    base.execute("BEGIN")  # others may write: both are to be of the same moment
    try:
        rows = {row.entry.name: row for row in _read_rows(base)}
        texts = base.execute("SELECT count(*) FROM texts").fetchone()[0]
    finally:
        base.execute("ROLLBACK")
    if texts != len(rows):
        raise sqlite3.DatabaseError("items and texts do not belong together")
    return rows


def _read_row(base: sqlite3.Connection, name: str) -> Row | None:
    return next(_read_rows(base, f"{_SELECT_ROWS} WHERE name=?", (os.fsencode(name),)), None)


def _write(base: sqlite3.Connection, name: str, make: Make) -> None:
    item = make(_read_row(base, name))
    if item is None:
        return
    entry, *rest = item.row
    values = [os.fsencode(name), *entry[1:], *rest]
    number = base.execute(_WRITE, [_storable(value) for value in values]).fetchall()[0][0]
    found = base.execute("SELECT words FROM texts WHERE rowid=?", (number,)).fetchone()
    words = (found[0] if found else "") if item.words is None else fold(item.words)
    base.execute("DELETE FROM texts WHERE rowid=?", (number,))
    base.execute(
        "INSERT INTO texts(rowid, heading, words) VALUES(?, ?, ?)",
        (number, fold(item.heading), words),
    )


def _write_said(
    base: sqlite3.Connection,
    name: str,
    events_stamp: str,
    columns: dict[str, object],
    words: str,
) -> None:
    key = os.fsencode(name)
    found = base.execute(
        "SELECT id FROM items WHERE name=? AND events_stamp=?", (key, events_stamp)
    ).fetchone()
    if found is None:
        return
    changes = ", ".join(f"{column}=?" for column in columns)
    values = [_storable(value) for value in columns.values()]
    base.execute(f"UPDATE items SET needs=0, {changes} WHERE id=?", (*values, found[0]))
    base.execute("UPDATE texts SET words=? WHERE rowid=?", (fold(words), found[0]))


def _remove(base: sqlite3.Connection, key: bytes) -> None:
    found = base.execute("SELECT id FROM items WHERE name=?", (key,)).fetchone()
    if found is not None:
        base.execute("DELETE FROM items WHERE id=?", found)
        base.execute("DELETE FROM texts WHERE rowid=?", found)


def _search(base: sqlite3.Connection, words: list[str]) -> set[str]:
    layout = base.execute("SELECT sql FROM sqlite_master WHERE name='texts'").fetchone()[0]
    has_trigrams = "fts5" in layout
    conditions, values = [], []
    matched = [word for word in words if has_trigrams and len(word) >= _TRIGRAM]
    if matched:
        conditions.append("texts MATCH ?")
        # a text in quotes is taken as it is; a quote within is doubled
        values.append(" AND ".join('"' + word.replace('"', '""') + '"' for word in matched))
    for word in words:
        if word not in matched:
            conditions.append("(instr(heading, ?) OR instr(words, ?))")
            values += [word, word]
    where = " AND ".join(conditions) or "1"
    found = base.execute(
        f"SELECT name FROM texts JOIN items ON items.id=texts.rowid WHERE {where}", values
    )
    return {os.fsdecode(name) for (name,) in found}


def _storable(value: object) -> object:
    """Return ``value`` as SQLite takes it, which is without halves of surrogate pairs."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return value
