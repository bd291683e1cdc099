"""The real window with a real session in it, for benchmarks and soaks. Main thread only."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QTimer

from app.__main__ import SWITCH_S
from app.settings import Settings, SettingsFile
from ui.app_services import WindowServices
from ui.application import create_application
from ui.main_window import MainWindow
from ui.parts.theme import Theme


class LiveWindow:
    """A window that starts a session with the demo agent by itself, as if Start were pressed."""

    def __init__(
        self, caller: str, recordings: Path, width: int = 1600, height: int = 1000
    ) -> None:
        """Show the window; the caller is a file, the speaker the system's default."""
        sys.setswitchinterval(SWITCH_S)  # as the program has it
        recordings.mkdir(parents=True, exist_ok=True)
        settings = Settings(microphone="file", mic_file=caller, recordings=str(recordings))
        path = recordings / "settings.json"
        SettingsFile(path).save(settings)
        self.app = create_application()
        self.app.setQuitOnLastWindowClosed(False)
        self.window = MainWindow(WindowServices(settings_path=path), Theme(self.app))
        self.window.closed.connect(self.app.quit)
        self.window.resize(width, height)
        self.window.show()
        QTimer.singleShot(0, self.window.start)

    def run(self) -> None:
        """Run until `close`."""
        self.app.exec()

    def close(self) -> None:
        """Close the window as a person would: the session ends properly."""
        self.window.close()

    @property
    def session(self):
        """The session that is shown."""
        return self.window.desk.session
