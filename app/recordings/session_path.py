"""Which recording a person means on the command line. No state; waits for the disk."""

from __future__ import annotations

from pathlib import Path

from audio.errors import FileMissing


def find_recording(text: str, folder: Path | None = None) -> Path:
    """Return the path that ``text`` is: a bundle, a zip of one, or an audio file.

    A bare name that is not here is looked for where recordings are kept: ``folder``, by default the
    one of the settings.

    Raises:
        FileMissing: it is in neither place.

    """
    try:
        path = Path(text).expanduser()
        if path.exists():
            return path
        if path.name == text and (kept := (folder or _recordings_folder()) / text).exists():
            return kept
    except (OSError, RuntimeError, ValueError):  # too long, or nobody's home
        pass
    raise FileMissing(text, f"There is no recording or audio file “{text[:200]}”.")


def _recordings_folder() -> Path:
    from app.settings import SettingsFile

    return SettingsFile().load().recordings_folder
