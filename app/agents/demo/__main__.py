"""The demo agent as a process: ``python -m app.agents.demo``.

With ``--ready-on-stdout`` it writes one line of JSON (base_url, agent_id, key) once it listens,
and ends when its standard input is closed: so it never outlives the program that started it.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path

from app.agents.demo.errors import DemoError
from app.agents.demo.gate import Address
from app.agents.demo.server import run_demo_server


def main() -> int:
    """Serve until told to stop; 2 after a fault that is said in one sentence on stderr."""
    options = _options()
    stop = threading.Event()
    if options.ready_on_stdout:
        # Ctrl-C in a terminal goes to the whole group; this process ends with its parent instead.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        threading.Thread(target=_await_parent, args=(stop,), name="parent", daemon=True).start()
    announce = _announce_as_json if options.ready_on_stdout else _announce_to_person
    try:
        return run_demo_server(options.port, options.script, announce, None, stop)
    except DemoError as error:
        print(error, file=sys.stderr)
        return 2


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m app.agents.demo", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--script", type=Path)
    parser.add_argument("--ready-on-stdout", action="store_true")
    return parser.parse_args()


def _await_parent(stop: threading.Event) -> None:
    """Wait for standard input to end. Read below Python's buffer: its lock would outlive main."""
    try:
        while os.read(0, 1024):
            pass
    except OSError:
        pass  # no standard input at all: nobody to wait for
    stop.set()


def _announce_as_json(address: Address) -> None:
    ready = {"base_url": address.base_url, "agent_id": address.agent_id, "key": address.key}
    print(json.dumps(ready), flush=True)


def _announce_to_person(address: Address) -> None:
    print(f"The demo agent {address.agent_id!r} listens at {address.base_url}")
    print(f"Its key, for this run alone: {address.key}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
