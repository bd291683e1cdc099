"""Daemons that do not outlive the test run, however it ends."""

from __future__ import annotations

import shutil


def dying_with_us(command: list[str]) -> list[str]:
    """`command`, made to end with the thread that starts it, even when that one is killed.

    Where the system has no `setpriv` (not Linux), the command as it is.
    """
    if shutil.which("setpriv") is None:
        return command
    return ["setpriv", "--pdeathsig", "TERM", *command]
