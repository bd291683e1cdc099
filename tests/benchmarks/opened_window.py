"""The real window with a recording opened, in a process of its own, for benchmarks of the review.

`measured_in_a_process` is the benchmark's side, `measure_opened` that process's. Main thread only.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.rig.screen import Screen

OWN = "the main thread's own work"


def measured_in_a_process(
    module: str, bundle: Path, *arguments: object, screen: Screen, timeout_s: float = 600
) -> dict[str, Any]:
    """Run ``python -m module bundle arguments`` on ``screen``; return what it printed, from JSON.

    Raises:
        RuntimeError: it failed; the end of what it said of that is in the message.

    """
    child = subprocess.run(
        [sys.executable, "-m", module, str(bundle), *map(str, arguments)],
        env={**os.environ, **screen.environment(), "HOME": str(bundle.parent)},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    if child.returncode:
        raise RuntimeError(f"The window's process failed: {child.stderr[-2000:]}")
    measured: dict[str, Any] = json.loads(child.stdout.splitlines()[-1])
    return measured


def measure_opened(
    bundle: str, size: tuple[int, int], measure: Callable[[Any], Mapping[str, object]]
) -> None:
    """Open ``bundle`` in a window of ``size``; once all of it is known, print what it measures."""
    from PySide6.QtCore import QTimer

    from app.__main__ import SWITCH_S
    from ui.app_services import WindowServices
    from ui.application import create_application
    from ui.main_window import MainWindow
    from ui.parts.theme import Theme

    sys.setswitchinterval(SWITCH_S)  # as the program has it
    application = create_application()
    application.setQuitOnLastWindowClosed(False)
    services = WindowServices(settings_path=Path(bundle).parent / "settings.json")
    window = MainWindow(services, Theme(application))
    window.closed.connect(application.quit)
    window.resize(*size)
    window.show()
    window.open_path(Path(bundle))
    result: dict[str, object] = {}

    def finish() -> None:
        result.update(measure(window))
        window.close()

    def wait() -> None:
        ready = window.viewing.viewed is not None and window.viewing.is_settled
        QTimer.singleShot(1000 if ready else 50, finish if ready else wait)

    wait()
    application.exec()
    print(json.dumps(result))


def timed(act: Callable[[], object], draw: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds until what ``act`` does has been drawn, and the main thread's own work.

    On a machine that is busy with other things the rest is theirs.
    """
    began, own = time.perf_counter(), time.thread_time()
    act()
    draw()
    return time.perf_counter() - began, time.thread_time() - own
