"""Files that appear whole or not at all. Blocks on the disk; one thread at a time.

Each is written under a hidden name beside its place. They take their places one right after the
other, when the last of them is whole: whatever goes wrong before leaves nothing behind. Those that
replace nothing go first, and are taken back where another one cannot take its place.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from app.bundles.leftovers import remove_old_parts
from app.export.errors import ExportError, TargetsExist
from audio.wavfile import unwritable


class PartFiles:
    """Opens files for writing, and puts them in place on `commit`."""

    def __init__(self, replaceable: Iterable[Path] = (), *, replace_all: bool = False) -> None:
        """Replace only files among ``replaceable``, or any."""
        self._replaceable, self._replace_all = frozenset(replaceable), replace_all
        self._parts: list[tuple[Path, Path, BinaryIO]] = []

    def check(self, targets: Iterable[Path], protected: Iterable[Path]) -> None:
        """Refuse ``targets`` that cannot be, before any work is done.

        Raises:
            ExportError: one is a file of the recording (``protected``), a folder, or named twice.
            FileUnwritable: its folder is missing.
            TargetsExist: some are there already, and may not be replaced.

        """
        targets = list(targets)
        own = list(protected)
        for target in targets:
            self._check(target, own)
        if len(set(targets)) < len(targets):
            raise ExportError("Two of the files would have the same name.", "Name them apart.")
        there = [target for target in targets if not self._may_write(target)]
        if there:
            raise TargetsExist(there)
        for folder in {target.parent for target in targets}:
            remove_old_parts(folder)

    def open(self, target: Path) -> BinaryIO:
        """Return a new file, to be written, that will be ``target``.

        Raises:
            FileUnwritable: its folder takes no file.

        """
        part = target.with_name(f".turnscope-{secrets.token_hex(6)}.part")
        try:
            file = part.open("x+b")
        except OSError as error:
            raise unwritable(target, error) from error
        self._parts.append((part, target, file))
        return file

    def put(self, target: Path, content: bytes) -> None:
        """Write ``content``, which will be ``target``.

        Raises:
            FileUnwritable: its folder takes no file, or the disk is full.

        """
        file = self.open(target)
        try:
            file.write(content)
        except OSError as error:
            raise unwritable(target, error) from error

    def commit(self) -> list[Path]:
        """Put all files in place, and return them.

        Where one cannot take its place, those that replaced nothing are taken back. What was
        replaced by then stays replaced; that a file has come up is found out before any is.

        Raises:
            FileUnwritable: the disk is full or gone.
            TargetsExist: a file has come up in the meantime.

        """
        for _, target, file in self._parts:
            try:
                file.flush()
                os.fsync(file.fileno())
                file.close()
            except OSError as error:
                raise unwritable(target, error) from error
        there = [target for _, target, _ in self._parts if not self._may_write(target)]
        if there:
            raise TargetsExist(there)
        targets = [target for _, target, _ in self._parts]
        self._parts.sort(key=lambda item: _is_there(item[1]))
        with ExitStack() as undo:
            while self._parts:
                part, target, _ = self._parts[0]
                is_new = not _is_there(target)
                try:
                    ours = part.lstat()
                    self._place(part, target)
                except FileExistsError as error:
                    raise TargetsExist([target]) from error
                except OSError as error:
                    raise unwritable(target, error) from error
                if is_new:
                    undo.callback(_take_back, target, ours)
                del self._parts[0]
            undo.pop_all()  # all of them are in place: they stay
        return targets

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Take away what is not in place."""
        for part, _, file in self._parts:
            with suppress(OSError):  # the disk is full: the file goes away in any case
                file.close()
            part.unlink(missing_ok=True)
        self._parts.clear()

    def _may_write(self, target: Path) -> bool:
        return not _is_there(target) or self._may_replace(target)

    def _may_replace(self, target: Path) -> bool:
        return self._replace_all or target in self._replaceable

    def _place(self, part: Path, target: Path) -> None:
        if self._may_replace(target):
            part.replace(target)
            return
        try:
            os.link(part, target)
        except FileExistsError:
            raise
        except OSError:  # some file systems have no links
            _take_name(part, target)
        else:
            with suppress(OSError):  # it is in place: what is left of the part goes in the end
                part.unlink()

    @staticmethod
    def _check(target: Path, own: list[Path]) -> None:
        try:
            if not target.parent.is_dir():
                sentence = f"There is no folder “{target.parent}”."
                raise ExportError(sentence, "Make it, or choose another.")
            if target.is_dir():
                raise ExportError(f"“{target}” is a folder.", "Choose another name.")
            exists = target.exists()
            if exists and not target.is_file():
                raise ExportError(f"“{target}” is a device or a pipe.", "Choose another name.")
            if exists and any(file.exists() and target.samefile(file) for file in own):
                sentence = f"“{target}” is the recording itself."
                raise ExportError(sentence, "Export it under another name.")
        except OSError as error:
            raise unwritable(target, error) from error


def _is_there(target: Path) -> bool:
    # a link that leads nowhere is there, too
    return target.exists() or target.is_symlink()


def _take_name(part: Path, target: Path) -> None:
    """Put ``part`` in the place of an empty file: only one of two can make that."""
    target.open("xb").close()
    try:
        part.replace(target)
    except OSError:
        target.unlink(missing_ok=True)
        raise


def _take_back(target: Path, ours: os.stat_result) -> None:
    """Remove what was put in place, where it is still that file."""
    with suppress(OSError):
        found = target.lstat()
        # the number of a file that is gone is soon given to another
        same_content = (found.st_size, found.st_mtime_ns) == (ours.st_size, ours.st_mtime_ns)
        if os.path.samestat(found, ours) and same_content:
            target.unlink()
