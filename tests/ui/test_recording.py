"""After the end: listen, replay, save."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QMessageBox

from audio.errors import DeviceError
from tests.ui.conftest import Until, bury, frames, wait_until
from tests.ui.fakes import HEADSET, FakeServices
from tests.ui.synthetic import SyntheticSession
from ui.main_window import MainWindow


@pytest.fixture
def ended(window: MainWindow, running: SyntheticSession) -> SyntheticSession:
    running.advance_to(14.0)
    frames(window)
    running.end()
    frames(window)
    return running


def told(window: MainWindow) -> str:
    return " ".join(line.sentence for line in window.parts.notices.lines)


def test_nothing_can_be_done_with_a_recording_that_still_grows(
    window: MainWindow, running: SyntheticSession
) -> None:
    bar = window.parts.timeline.recording_bar
    frames(window, 1)
    assert not bar.listen.isEnabled()
    assert not bar.replay.isEnabled()
    assert not bar.save.isEnabled()


def test_listening_plays_on_the_chosen_speaker_and_the_playhead_moves(
    window: MainWindow, ended: SyntheticSession, services: FakeServices, until: Until
) -> None:
    window.parts.devices.speaker.choose(HEADSET)
    window.parts.timeline.recording_bar.listen.click()
    until(lambda: services.playbacks and window.recording.playhead_s is not None)
    assert services.asked[-1] == ("listen", services.bundle, HEADSET, 0.0)
    services.playbacks[0].position_s = 3.5
    frames(window, 1)
    assert window.parts.timeline.scene.playhead_s == 3.5
    assert window.parts.timeline.recording_bar.listen.text() == "Stop"
    window.interrupt()
    until(lambda: services.playbacks[0].calls == ["stop", "close"])
    frames(window, 1)
    assert window.parts.timeline.scene.playhead_s is None
    assert window.parts.timeline.recording_bar.listen.text() == "Listen"


def test_the_end_of_the_recording_ends_the_listening(
    window: MainWindow, ended: SyntheticSession, services: FakeServices, until: Until
) -> None:
    window.listen()
    until(lambda: window.recording.playhead_s is not None)
    services.playbacks[0].over = True
    services.playbacks[0].error = DeviceError("speaker", "Headset", "stopped working")
    frames(window, 1)
    assert not window.recording.listening
    assert "stopped working" in told(window)


def test_replay_is_a_new_session_with_the_user_track_as_its_microphone(
    window: MainWindow, ended: SyntheticSession, services: FakeServices, until: Until
) -> None:
    window.parts.timeline.recording_bar.replay.click()
    until(lambda: len(services.sessions) == 2 and window.desk.state == "running")
    assert services.requests[1].replays == services.bundle
    frames(window, 1)
    assert window.parts.timeline.scene.now_s == 0.0
    assert window.parts.interruptions.model.rowCount() == 0


@pytest.mark.parametrize("apart", [False, True])
def test_the_audio_is_saved_where_the_person_wants_it(
    window: MainWindow,
    ended: SyntheticSession,
    services: FakeServices,
    tmp_path: Path,
    apart: bool,
) -> None:
    (window.menu.save_apart if apart else window.menu.save).trigger()
    dialog = window.findChild(QFileDialog)
    target = tmp_path / "call.wav"
    dialog.fileSelected.emit(str(target))
    dialog.reject()
    bury()
    wait_until(lambda: str(target) in told(window))
    assert services.asked[-1] == ("save", services.bundle, target, apart)
    assert services.settings.screen["save_folder"] == str(tmp_path)


def test_tracks_apart_replace_nothing_without_being_told_to(
    window: MainWindow, ended: SyntheticSession, services: FakeServices, tmp_path: Path
) -> None:
    (tmp_path / "call-user.wav").write_bytes(b"precious")
    window.menu.save_apart.trigger()
    dialog = window.findChild(QFileDialog)
    dialog.fileSelected.emit(str(tmp_path / "call.wav"))
    dialog.reject()
    box = window.findChild(QMessageBox)
    assert "call-user.wav" in box.text()
    assert not [each for each in services.asked if each[0] == "save"]
    replace, keep = box.buttons()
    (replace if replace.text() == "Replace" else keep).click()
    wait_until(lambda: [each for each in services.asked if each[0] == "save"])
    bury()


def test_the_end_is_told_once_with_the_place_of_the_recording(
    window: MainWindow, ended: SyntheticSession, services: FakeServices
) -> None:
    frames(window)
    assert told(window).count(str(services.bundle)) == 1
    assert "You ended the session." in told(window)


def test_a_click_in_the_lanes_goes_on_listening_from_there(
    window: MainWindow, ended: SyntheticSession, services: FakeServices, until: Until
) -> None:
    lanes = window.parts.timeline.lanes
    QTest.mouseClick(lanes, Qt.MouseButton.LeftButton, pos=QPoint(round(lanes._x(2.0)), 100))
    assert not services.playbacks
    window.listen()
    until(lambda: window.recording.playhead_s is not None)
    QTest.mouseClick(lanes, Qt.MouseButton.LeftButton, pos=QPoint(round(lanes._x(2.0)), 100))
    until(lambda: len(services.playbacks) == 2 and window.recording.playhead_s is not None)
    assert services.playbacks[0].calls == ["stop", "close"]
    assert services.asked[-1][3] == pytest.approx(2.0, abs=0.05)
    assert not services.playbacks[1].calls


def test_no_playback_is_left_behind_however_fast_the_key_is_pressed(
    window: MainWindow, ended: SyntheticSession, services: FakeServices, until: Until
) -> None:
    for _ in range(9):
        window.listen()
    until(lambda: window.recording.playhead_s is not None)
    *past, last = services.playbacks
    assert all("close" in each.calls for each in past)
    assert not last.calls
    window.recording.stop()
    until(lambda: "close" in last.calls)
