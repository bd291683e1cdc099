"""What can go wrong with an export: each is a sentence for a person, and what to do about it."""

from __future__ import annotations

from pathlib import Path

from app.notices import AppError


class ExportError(AppError):
    """An export that makes no sense, or cannot be."""


class Cancelled(ExportError):
    """The person has called it off; nothing is left of it."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__("The export was cancelled; nothing was written.")


class TargetsExist(ExportError):
    """Files are there already and may not be replaced; nothing was written."""

    def __init__(self, paths: list[Path]) -> None:
        """``paths`` are those files."""
        names = ", ".join(f"“{path}”" for path in paths[:3])
        more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
        verb = "exists" if len(paths) == 1 else "exist"
        super().__init__(f"{names}{more} {verb} already.", "Choose another name or folder.")
        self.paths = paths
