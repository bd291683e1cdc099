"""What an export, or a zip that was opened, left behind where its program was killed.

Only what bears a name of the program's own making, belongs to the same user, has not been touched
for a day and is held by nobody is removed. No link is followed. Blocks on the disk; any thread.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import stat
import time
from collections.abc import Callable
from pathlib import Path

from app.bundles.bundle_lock import is_being_written

log = logging.getLogger(__name__)

OLD_S = 24 * 3600.0

_PART = re.compile(r"\.turnscope-[0-9a-f]{12}\.part")
_SCRATCH = re.compile(r"\.turnscope-[a-z0-9_]{8}")
_UNPACKED = re.compile(r"turnscope-[a-z0-9_]{8}")


def remove_old_parts(folder: Path) -> None:
    """Remove what exports to ``folder`` were at when they were killed. Raises nothing."""
    for path in _old(folder, _PART, stat.S_ISREG):
        try:
            path.unlink()
        except OSError as error:
            log.info("%s is left as it is: %s", path, error)
    for path in _old(folder, _SCRATCH, stat.S_ISDIR):
        shutil.rmtree(path, ignore_errors=True)


def remove_old_unpacked(folder: Path) -> None:
    """Remove the zips that were unpacked into ``folder`` and are open no more. Raises nothing."""
    for path in _old(folder, _UNPACKED, stat.S_ISDIR):
        if not is_being_written(path):
            shutil.rmtree(path, ignore_errors=True)


def _old(folder: Path, name: re.Pattern[str], is_kind: Callable[[int], bool]) -> list[Path]:
    """Return what is called so in ``folder``, of that kind itself, ours, and not of today."""
    try:
        with os.scandir(folder) as entries:
            found = [Path(entry.path) for entry in entries if name.fullmatch(entry.name)]
    except OSError:
        return []
    return [path for path in found if _is_old(path, is_kind)]


def _is_old(path: Path, is_kind: Callable[[int], bool]) -> bool:
    try:
        found = path.lstat()
        inside = list(path.iterdir()) if stat.S_ISDIR(found.st_mode) else []
        newest = max(item.lstat().st_mtime for item in (path, *inside))
    except OSError:  # gone meanwhile, or not ours to look into
        return False
    is_ours = not hasattr(os, "getuid") or found.st_uid == os.getuid()
    return is_ours and is_kind(found.st_mode) and newest < time.time() - OLD_S
