"""The exit codes of the commands. The last is what shells give for Ctrl+C."""

from __future__ import annotations

OK, FAILED, USAGE, DEVICE_OR_FILE, INTERRUPTED = 0, 1, 2, 3, 130
