"""How the window comes up: nothing is loaded, and nothing begun, before it can be seen."""

from __future__ import annotations

import subprocess
import sys

from tests.ui.conftest import Until
from tests.ui.fakes import FakeServices
from ui.application import FIRST_NEEDED
from ui.main_window import MainWindow

FIRST_FRAME = """
import sys
from ui.application import create_application
from ui.app_services import WindowServices
from ui.main_window import MainWindow
from ui.parts.theme import Theme
application = create_application()
window = MainWindow(WindowServices(), Theme(application))
window.resize(1280, 800)
window.grab()
heavy = ("numpy", "soundfile", "asyncio", "app.analysis.turns", "app.live.session", *sys.argv[1:])
print(*[name for name in heavy if name in sys.modules])
"""


def test_the_first_frame_needs_no_arrays_no_sound_library_and_no_analysis(
    private_home: object,
) -> None:
    child = subprocess.run(
        [sys.executable, "-c", FIRST_FRAME, *FIRST_NEEDED],
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
    )
    assert child.stdout.split() == []


def test_what_can_wait_begins_once_the_window_has_been_drawn(
    services: FakeServices, window: MainWindow, until: Until
) -> None:
    until(lambda: any(each[0] == "recover" for each in services.asked))
    assert window._has_appeared
