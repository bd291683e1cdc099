"""Starts Qt, shows the window and runs until it is closed. Main thread only.

Nothing heavy is imported before the window is on screen: not the agent's SDK, not a device library.
"""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from ui.app_services import WindowServices
from ui.display import has_display
from ui.exception_hooks import ExceptionHooks
from ui.main_window import MainWindow
from ui.parts.background import Background
from ui.parts.theme import Theme
from ui.services import Services

log = logging.getLogger(__name__)

FIRST_NEEDED = (
    "ui.feed",
    "ui.lanes.envelope",
    "app.analysis.word_times",
    "app.analysis.findings",
    "app.live.session",
    "app.recordings.recording",
)
"""What an empty window does without, and a click would have to wait for."""

NO_DISPLAY = (
    "There is no display to open a window on. "
    "“turnscope run --help” tells how to run a session without one."
)


def create_application() -> QApplication:
    """Return the application object, made if there is none."""
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    app = QApplication(sys.argv[:1])
    app.setApplicationName("turnscope")
    app.setApplicationDisplayName("Turnscope")
    QGuiApplication.setDesktopFileName("turnscope")
    app.setStyle("Fusion")
    return app


@dataclass(frozen=True, slots=True)
class WindowOptions:
    """What the command line may set for this run of the window."""

    script: Path | None = None
    """The demo agent's script, in place of the shipped one."""
    settings_path: Path | None = None
    """Another settings file than this person's."""
    recording: Path | None = None
    """What to show once the window is there: a bundle, a zip of one, or an audio file."""


def run_window(options: WindowOptions | None = None, services: Services | None = None) -> int:
    """Show the window, run until it is closed, and return the exit code.

    2 is for no display: the sentence goes to stderr. ``services`` stands in for the real ones.
    """
    if not has_display():
        print(NO_DISPLAY, file=sys.stderr)
        return 2
    app = create_application()
    options = options or WindowOptions()
    services = services or WindowServices(options.script, options.settings_path)
    theme = Theme(app)
    window = MainWindow(services, theme)
    hooks = ExceptionHooks(window.show_error)
    app.setQuitOnLastWindowClosed(False)
    window.closed.connect(app.quit)
    app.commitDataRequest.connect(lambda _: window.close())
    restore = _end_on_signals(window)
    window.appeared.connect(window.choices.look_for_devices)
    window.appeared.connect(lambda: _warm_up(window))
    window.show()
    recording = options.recording
    if recording is not None:
        QTimer.singleShot(0, lambda: window.open_path(recording))
    try:
        return app.exec()
    finally:
        restore()
        hooks.remove()


def _warm_up(window: MainWindow) -> None:
    """Load, off the main thread, what the first session or recording to be shown needs."""

    def load() -> None:
        for name in FIRST_NEEDED:
            import_module(name)

    Background("warming up", window).run(load, lambda _: None)


def _end_on_signals(window: MainWindow) -> Callable[[], None]:
    """Close the window on Ctrl+C and on a polite kill; return what undoes that.

    Python runs signal handlers between bytecodes: the timer sees to it that there are some.
    """
    timer = QTimer(window)
    timer.setObjectName("signals")
    timer.setInterval(200)
    timer.timeout.connect(lambda: None)
    timer.start()
    before = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, lambda *_: QTimer.singleShot(0, window.close))
    return lambda: [signal.signal(number, handler) for number, handler in before.items()] and None
