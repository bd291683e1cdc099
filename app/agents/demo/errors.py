"""What can go wrong with the demo agent, as a tree.

    DemoError
    +-- ScriptError         a script, or speech that it names, is faulty
    +-- PortError           the wanted port belongs to another program
    +-- DemoProcessError    the child process did not start

``str(error)`` is always one whole sentence for a person. No thread of its own.
"""

from __future__ import annotations

from pathlib import Path


class DemoError(Exception):
    """The root: whatever keeps the demo agent from running."""


class ScriptError(DemoError):
    """A demo script is faulty.

    Attributes:
        path: the script.
        line: the line of the fault, counted from 1; 0 when the file could not be read at all.
    """

    def __init__(self, path: Path, line: int, fault: str) -> None:
        """Build the sentence from the script's path, the line and what is wrong there."""
        self.path = path
        self.line = line
        where = f"{path}, line {line}" if line else f"{path}"
        super().__init__(f"The demo script is faulty: {where}: {fault}.")


class PortError(DemoError):
    """The wanted port cannot be listened on."""

    def __init__(self, port: int, reason: str) -> None:
        """Build the sentence from the port and the system's own reason."""
        self.port = port
        super().__init__(
            f"The demo agent cannot listen on port {port} ({reason}): "
            "end the program that uses it, or choose another port."
        )


class DemoProcessError(DemoError):
    """The demo agent's process did not start, or died on the way."""
