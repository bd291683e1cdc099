"""The one place where an error becomes something a person can read and act on.

Any thread posts a notice; the screen and the command line read them with a cursor.
"""

from __future__ import annotations

import errno
import socket
import ssl
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.secrets import KeyringUnavailable, scrub_text
from app.timeline.events import Level
from audio.errors import (
    AlreadyRunning,
    AudioError,
    DeviceError,
    FileError,
    FileMissing,
    FileUnreadable,
    FileUnwritable,
    FormatError,
    MissingDependency,
    SoundSystemSilent,
)
from audio.journal import Journal


class AppError(Exception):
    """Base of the app's own errors: ``str()`` is a sentence, ``advice`` what to do about it."""

    def __init__(self, sentence: str, advice: str = "") -> None:
        """Keep one whole sentence on what happened, and one on what to do."""
        super().__init__(sentence)
        self.advice = advice


@dataclass(frozen=True, slots=True)
class Notice:
    """What happened, what to do, and details to copy. Empty where there is nothing to say."""

    level: Level
    sentence: str
    advice: str = ""
    details: str = ""


class NoticeBoard:
    """The last notices, bounded. A notice that repeats the one before it is not posted again."""

    CAPACITY = 200

    def __init__(self, capacity: int = CAPACITY) -> None:
        """Keep the last ``capacity`` notices."""
        self._journal: Journal[Notice] = Journal(capacity)
        self._last: tuple[str, str] | None = None

    def post(self, notice: Notice) -> None:
        """Add ``notice``, from any thread."""
        same = (notice.sentence, notice.advice)
        # Two threads may both pass with the same notice: it then stands there twice.
        if same != self._last:
            self._last = same
            self._journal.append(notice)

    def read(self, cursor: int = 0) -> tuple[list[Notice], int, int]:
        """Return ``(notices, next_cursor, lost)`` since ``cursor``."""
        return self._journal.read(cursor)


def explain(error: BaseException) -> Notice:
    """Return what to tell a person about ``error``, scrubbed of secrets.

    Every error becomes a notice: the project's own with their sentence, the system's with one that
    names the file or host, and anything else as a fault of the program.
    """
    for kind, tell in _EXPLANATIONS:
        if isinstance(error, kind):
            sentence, advice = tell(error)
            return _notice(sentence, advice, error)
    sentence = f"Something went wrong inside the program ({type(error).__name__})."
    return _notice(sentence, "The log has the details; please report it with them.", error)


def _notice(sentence: str, advice: str, error: BaseException) -> Notice:
    details = "".join(traceback.format_exception(error))
    return Notice("error", scrub_text(sentence), scrub_text(advice), scrub_text(details))


Explanation = tuple[str, str]


def _app(error: BaseException) -> Explanation:
    return str(error), getattr(error, "advice", "")


def _device(error: BaseException) -> Explanation:
    microphone = isinstance(error, DeviceError) and error.role == "microphone"
    other = "a file as the microphone" if microphone else "no speaker"
    return str(error), f"Check that it is plugged in and allowed, pick another, or choose {other}."


def _advise(advice: str) -> Callable[[BaseException], Explanation]:
    return lambda error: (str(error), advice)


def _tell(sentence: str, advice: str) -> Callable[[BaseException], Explanation]:
    return lambda _error: (sentence, advice)


_OS_ADVICE = {
    errno.ENOSPC: "Free some space, or choose another folder.",
    errno.EDQUOT: "Free some space, or choose another folder.",
    errno.EACCES: "Choose another place, or change its permissions.",
    errno.EPERM: "Choose another place, or change its permissions.",
    errno.EROFS: "Choose a place that can be written.",
    errno.ENOENT: "Check the name, or choose another.",
    errno.EMFILE: "Close other programs and try again.",
    errno.EADDRINUSE: "Another program uses that port; end it, or choose another port.",
}


def _system(error: BaseException) -> Explanation:
    if not isinstance(error, OSError):
        return str(error), ""
    why = error.strerror or str(error) or type(error).__name__
    subject = f"“{Path(str(error.filename))}”" if error.filename else "The system"
    advice = _OS_ADVICE.get(error.errno or 0, "The log has the details.")
    return f"{subject} could not do what was asked: {why.lower()}.", advice


_EXPLANATIONS: tuple[tuple[type[BaseException], Callable[[BaseException], Explanation]], ...] = (
    (AppError, _app),
    (KeyringUnavailable, _advise("Set ELEVENLABS_API_KEY instead.")),
    (AlreadyRunning, _advise("End the running session first.")),
    (SoundSystemSilent, _advise("Start the sound system anew, or choose files in place of both.")),
    (DeviceError, _device),
    (MissingDependency, _advise("Install it, then start the program again.")),
    (FormatError, _advise("Choose audio in a format that is known.")),
    (FileMissing, _advise("Check the name, or choose another file.")),
    (FileUnreadable, _advise("Choose a file that is audio, such as WAV, FLAC or Ogg.")),
    (FileUnwritable, _advise("Free some space, or choose another folder.")),
    (FileError, _advise("Choose another file.")),
    (AudioError, _advise("The log has the details.")),
    (
        ssl.SSLError,
        _tell(
            "No safe connection could be made to the agent's server.",
            "Check the clock of this machine, and any proxy in between.",
        ),
    ),
    (
        socket.gaierror,
        _tell(
            "The agent's server was not found on the network.",
            "Check the network, and the server's address.",
        ),
    ),
    (
        ConnectionRefusedError,
        _tell(
            "Nothing answers at the agent's server address.",
            "Check the address, and that the server runs.",
        ),
    ),
    (
        ConnectionError,
        _tell(
            "The connection to the agent's server broke.", "Check the network, then start again."
        ),
    ),
    (
        TimeoutError,
        _tell("The agent's server did not answer in time.", "Check the network, then start again."),
    ),
    (OSError, _system),
    (
        MemoryError,
        _tell("This machine has run out of memory.", "Close other programs, then start again."),
    ),
    (KeyboardInterrupt, _tell("You stopped the program.", "")),
)
