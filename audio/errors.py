"""Every error that ``audio`` raises. Text of each is one whole sentence for a person.

::

    AudioError
    ├── AlreadyRunning      (also RuntimeError)  start() while running
    ├── DeviceError         a microphone or speaker: missing, refused, dead
    │   └── SoundSystemSilent    all of them
    ├── FileError           a caller's or listener's file
    │   ├── FileMissing
    │   ├── FileUnreadable
    │   └── FileUnwritable
    ├── FormatError         (also ValueError)    audio that is not what it was said to be
    └── MissingDependency   (also ImportError)   a library that is not installed
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

Role = Literal["microphone", "speaker"]


class AudioError(Exception):
    """Base of every error of this package; ``str()`` is a sentence for a person."""


class AlreadyRunning(AudioError, RuntimeError):
    """``start()`` was called on an interface that runs."""


class DeviceError(AudioError):
    """A device could not be opened, or stopped answering.

    ``role`` says which of the two, ``device`` its name as a person would pick it.
    """

    def __init__(self, role: Role, device: str, why: str) -> None:
        """Build the sentence from its parts; ``why`` carries no full stop."""
        super().__init__(f"The {role} “{device}” {why}.")
        self.role: Role = role
        self.device = device


class SoundSystemSilent(DeviceError):
    """What knows of all devices does not answer; no device in particular was asked for."""

    WHY = "cannot be reached: the sound system does not answer"

    def __init__(self) -> None:
        """Build a sentence that names no device, for nobody named one."""
        AudioError.__init__(self, "The sound system does not answer.")
        self.role, self.device = "speaker", ""


class FileError(AudioError):
    """A file could not be used; ``path`` is the file."""

    def __init__(self, path: Path | str, sentence: str) -> None:
        """Keep ``path`` beside the sentence, which must name it."""
        super().__init__(sentence)
        self.path = Path(path)


class FileMissing(FileError):
    """There is no such file."""


class FileUnreadable(FileError):
    """The file is there, and is not audio, or may not be read."""


class FileUnwritable(FileError):
    """The file cannot be created, or written any further."""


class FormatError(AudioError, ValueError):
    """Audio in a format that is unknown, or not what its label says."""


class MissingDependency(AudioError, ImportError):
    """A library that this part needs is not installed."""
