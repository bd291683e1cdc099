"""Whether a file that a recording names is the recording's own. May wait for the disk."""

from __future__ import annotations

from pathlib import Path


def is_inside(folder: Path, path: Path) -> bool:
    """Whether ``path``, all links followed, is in ``folder``; False where that cannot be told."""
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # RuntimeError: links that go in a circle
        return False
