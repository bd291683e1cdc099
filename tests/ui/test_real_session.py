"""The window with all that is behind it: the demo agent, the SDK, files in place of devices."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.bundles.notes import load_notes
from tests.rig.opened import open_bundle
from tests.ui.conftest import bury, wait_until
from ui.app_services import WindowServices
from ui.export.export_dialog import ExportDialog
from ui.main_window import MainWindow
from ui.parts.theme import Theme

pytestmark = pytest.mark.real_time


@pytest.fixture
def window(theme: Theme, tmp_path: Path) -> Iterator[MainWindow]:
    caller = tmp_path / "caller.wav"
    soundfile.write(caller, np.zeros(16_000 * 30, np.int16), 16_000)
    services = WindowServices(settings_path=tmp_path / "settings.json")
    services.settings.recordings = str(tmp_path / "recordings")
    services.settings.microphone, services.settings.mic_file = "file", str(caller)
    services.settings.speaker = "none"
    made = MainWindow(services, theme)
    gone: list[bool] = []
    made.closed.connect(lambda: gone.append(True))
    made.show()
    yield made
    made.close()
    wait_until(lambda: gone)
    made.deleteLater()
    bury()


def test_a_session_from_start_to_recording(window: MainWindow, tmp_path: Path) -> None:
    panel = window.parts.interruptions.model
    window.activateWindow()
    window.parts.transport.start_end.click()
    wait_until(lambda: window.parts.transport.state.word == "agent speaking", 20)
    wait_until(lambda: "demo agent" in window.parts.transcript.chat.toPlainText())
    wait_until(lambda: window.desk.session.queued_ms > 300)
    QTest.keyClick(window, Qt.Key.Key_Escape)
    wait_until(lambda: panel.rowCount() == 1 and panel.data(panel.index(0, 5)).endswith(" ms"))
    assert panel.data(panel.index(0, 2)) == "button"
    assert float(panel.data(panel.index(0, 5)).removesuffix(" ms")) < 40
    wait_until(lambda: window.parts.timeline.scene.discarded)
    timeline = window.parts.timeline
    timeline.select((0.2, 1.0))
    wait_until(timeline.selection_bar._levels.text)
    assert "You: peak −∞ dBFS" in timeline.selection_bar._levels.text()
    timeline.select(None)
    window.remarks.mark_here()
    QTest.keyClicks(timeline.marker_field, "cut off here")
    QTest.keyClick(timeline.marker_field, Qt.Key.Key_Return)
    window.parts.transport.start_end.click()
    wait_until(lambda: window.parts.transport.state.word == "ended")
    bundle = window.bundle()
    assert bundle.parent == tmp_path / "recordings"
    assert open_bundle(bundle).agent is not None
    wait_until(lambda: [each.text for each in load_notes(bundle).markers] == ["cut off here"])
    length_s = timeline.scene.duration_s
    window.open_path(bundle)
    wait_until(lambda: window.viewing.is_recording and window.viewing.is_settled)
    wait_until(lambda: panel.rowCount() == 1 and timeline.scene.markers)
    assert timeline.scene.duration_s == pytest.approx(length_s, abs=0.1)
    window.menu.save.trigger()
    (dialog,) = window.findChildren(ExportDialog)
    wait_until(dialog.options.name.text)
    dialog.options.name.setText("call")
    dialog.options.folder.setText(str(tmp_path))
    dialog.start()
    wait_until((tmp_path / "call.wav").exists)
    assert soundfile.info(tmp_path / "call.wav").channels == 2
    wait_until(lambda: window.parts.notices.lines)
    dialog.reject()
    bury()


def test_a_callers_file_that_ends_is_told_while_the_session_goes_on(
    window: MainWindow, tmp_path: Path
) -> None:
    def told() -> bool:
        return any("file has ended" in line.sentence for line in window.parts.notices.lines)

    short = tmp_path / "short.wav"
    soundfile.write(short, np.zeros(8_000, np.int16), 16_000)
    window.parts.devices.microphone.choose(str(short))
    window.start()
    wait_until(told, 20)
    assert window.desk.state == "running"
    window.desk.end()
    wait_until(lambda: window.desk.state == "ended" and not told())


@pytest.mark.usefixtures("caplog")
def test_a_missing_file_fails_with_its_name_and_the_window_lives(window: MainWindow) -> None:
    window.parts.devices.microphone.choose("/nowhere/caller.wav")
    window.start()
    wait_until(lambda: window.parts.transport.state.word == "failed", 20)
    wait_until(lambda: window.parts.notices.lines)
    assert "/nowhere/caller.wav" in window.parts.notices.lines[0].sentence
    assert window.parts.transport.start_end.isEnabled()


def test_closing_while_connecting_leaves_nothing_behind(window: MainWindow) -> None:
    window.start()
    wait_until(lambda: window.desk.session is not None)
    assert window.parts.transport.state.word == "connecting"
