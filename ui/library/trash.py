"""Recordings to the desktop's trash, one after the other, off the main thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QDir, QFile, QObject, QStandardPaths, Qt, Signal

from ui.parts.background import Background

_DATA = QStandardPaths.StandardLocation.GenericDataLocation

Find = Callable[[str], Path]


class Outcome(NamedTuple):
    """The names of what is in the trash now, and why the others are not."""

    moved: list[str]
    problems: list[Exception | str]


class Trash(QObject):
    """Moves one lot at a time. Main thread only, but for `_move`, which is the job's."""

    progressed = Signal(int, int)
    finished = Signal(object)
    """An `Outcome`."""
    _moved_some = Signal(int, int)

    def __init__(self, parent: QObject | None = None) -> None:
        """Begin idle."""
        super().__init__(parent)
        self.busy = False
        self._stopping = threading.Event()
        self._job = Background("trash", self)
        self._moved_some.connect(self.progressed, Qt.ConnectionType.QueuedConnection)

    def move(self, names: list[str], find: Find) -> None:
        """Move ``names``, whose paths ``find`` gives, or raises what keeps one from being moved."""
        if self.busy:
            return
        self.busy = True
        self._stopping.clear()
        self._job.run(lambda: self._move(names, find), self._done, self._fail)

    def stop(self) -> None:
        """Move no more of the lot."""
        self._stopping.set()

    def close(self) -> None:
        """Move no more, and wait a bounded time for the one that is being moved."""
        self.stop()
        self._job.finish()

    def _fail(self, error: Exception) -> None:
        self._done(Outcome([], [error]))

    def _done(self, outcome: Outcome) -> None:
        self.busy = False
        self.finished.emit(outcome)

    def _move(self, names: list[str], find: Find) -> Outcome:
        # Qt makes the trash where there is none, but not the folder of the person's that it is in
        QDir().mkpath(QStandardPaths.writableLocation(_DATA))
        outcome = Outcome([], [])
        for name in names:
            if self._stopping.is_set():
                break
            problem = _move_one(name, find)
            if problem is None:
                outcome.moved.append(name)
            else:
                outcome.problems.append(problem)
            self._moved_some.emit(len(outcome.moved), len(names))
        return outcome


def _move_one(name: str, find: Find) -> Exception | str | None:
    try:
        path = find(name)
    except Exception as error:  # noqa: BLE001 - told, and the others are moved
        return error
    if QFile(str(path)).moveToTrash():
        return None
    return f"“{path}” could not be moved to the trash: its disk may have none."
