"""Logs: a rotating file with everything, stderr with what matters, no secrets in either."""

from __future__ import annotations

import logging
import logging.handlers
import sys
from pathlib import Path

import platformdirs

from app.plain import printable
from app.secrets import scrub_text

NAME = "turnscope"
_FORMAT = "%(asctime)s.%(msecs)03d %(levelname)-7s [%(threadName)s] %(name)s: %(message)s"
_QUIET = {
    "websockets": logging.INFO,
    "urllib3": logging.INFO,
    "keyring": logging.INFO,
    "httpx": logging.INFO,
    "httpcore": logging.INFO,
}
"""Libraries whose debug lines hold whole messages, audio included."""


class ScrubbingFormatter(logging.Formatter):
    """Formats a record, traceback included, and makes every secret in the text unreadable."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, or lines, scrubbed and without control characters."""
        lines = scrub_text(super().format(record)).split("\n")
        return "\n".join(printable(line) for line in lines)


def log_folder() -> Path:
    """Return the folder of the log files, as the system has it for this person."""
    return Path(platformdirs.user_log_dir(NAME, appauthor=False))


def set_up_logs(
    folder: Path | None = None,
    *,
    file_level: int = logging.DEBUG,
    stderr_level: int = logging.WARNING,
    max_bytes: int = 5_000_000,
    backups: int = 3,
) -> Path | None:
    """Send all logging, the SDK's included, to ``turnscope.log`` and to stderr.

    Returns the log file, or None where it cannot be written; stderr then says so, and the program
    goes on. Called again, it replaces what it set up before.
    """
    root = logging.getLogger()
    take_down_logs()
    # A full disk must not print a traceback for each line that the log does not take.
    logging.raiseExceptions = False
    root.setLevel(min(file_level, stderr_level))
    for library, level in _QUIET.items():
        logging.getLogger(library).setLevel(level)
    console = logging.StreamHandler(sys.stderr)
    _add(root, console, stderr_level, "%(levelname)s: %(message)s")
    return _add_file(root, folder or log_folder(), file_level, max_bytes, backups)


def take_down_logs() -> None:
    """Close and remove the handlers of ``set_up_logs``."""
    root = logging.getLogger()
    for handler in list(root.handlers):
        if isinstance(handler.formatter, ScrubbingFormatter):
            root.removeHandler(handler)
            handler.close()


def _add_file(
    root: logging.Logger, folder: Path, level: int, max_bytes: int, backups: int
) -> Path | None:
    path = folder / f"{NAME}.log"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(
            path, maxBytes=max_bytes, backupCount=backups, encoding="utf-8", errors="replace"
        )
    except OSError as error:
        logging.getLogger(__name__).warning("No log file is written: %s", error)
        return None
    _add(root, handler, level, _FORMAT)
    return path


def _add(root: logging.Logger, handler: logging.Handler, level: int, layout: str) -> None:
    handler.setLevel(level)
    handler.setFormatter(ScrubbingFormatter(layout, "%Y-%m-%d %H:%M:%S"))
    root.addHandler(handler)
