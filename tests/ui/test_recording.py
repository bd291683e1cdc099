"""After the end: play, replay."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from audio.errors import DeviceError
from tests.ui.conftest import Until, frames, wait_until
from tests.ui.fakes import HEADSET, FakePlayback, FakeServices
from tests.ui.synthetic import SyntheticSession
from ui.main_window import MainWindow
from ui.services import PlayWish


@pytest.fixture
def ended(window: MainWindow, running: SyntheticSession) -> SyntheticSession:
    running.advance_to(14.0)
    frames(window)
    running.end()
    frames(window)
    return running


@pytest.fixture
def playing(window: MainWindow, ended: SyntheticSession, services: FakeServices) -> FakePlayback:
    window.parts.player.play.click()
    wait_until(lambda: window.playing.listening.position_s is not None)
    return services.playbacks[-1]


def told(window: MainWindow) -> str:
    return " ".join(line.sentence for line in window.parts.notices.lines)


def wishes(services: FakeServices) -> list[PlayWish]:
    return [each for each in services.asked if isinstance(each, PlayWish)]


def test_nothing_can_be_done_with_a_recording_that_still_grows(
    window: MainWindow, running: SyntheticSession
) -> None:
    bar = window.parts.timeline.recording_bar
    frames(window, 1)
    assert not window.parts.player.play.isEnabled()
    assert not bar.replay.isEnabled()
    assert not bar.export.isEnabled()


def test_playing_is_on_the_chosen_speaker_and_the_playhead_moves(
    window: MainWindow, ended: SyntheticSession, services: FakeServices, until: Until
) -> None:
    window.parts.devices.speaker.choose(HEADSET)
    window.parts.player.play.click()
    until(lambda: window.playing.listening.position_s is not None)
    (wish,) = wishes(services)
    assert (wish.path, wish.speaker, wish.from_s) == (services.bundle, HEADSET, 0.0)
    services.playbacks[0].position_s = 3.5
    frames(window, 1)
    assert window.parts.timeline.scene.playhead_s == 3.5
    assert window.parts.transport.clock.text() == "00:00:03"
    window.interrupt()
    until(lambda: services.playbacks[0].calls == ["stop", "close"])
    frames(window, 1)
    assert window.parts.timeline.scene.playhead_s == 3.5
    assert not window.playing.active


def test_the_space_bar_pauses_and_goes_on_but_presses_the_button_that_has_the_keyboard(
    window: MainWindow, playing: FakePlayback, services: FakeServices
) -> None:
    window.activateWindow()
    lanes, replay = window.parts.timeline.lanes, window.parts.timeline.recording_bar.replay
    lanes.setFocus()
    frames(window, 1)
    QTest.keyClick(lanes, Qt.Key.Key_Space)
    frames(window, 1)
    QTest.keyClick(lanes, Qt.Key.Key_Space)
    assert playing.calls == ["pause", "resume"]
    replay.setFocus()
    QTest.keyPress(replay, Qt.Key.Key_Space)
    assert replay.isDown()
    assert playing.calls == ["pause", "resume"]
    replay.setDown(False)


def test_the_end_of_the_recording_ends_the_playing(
    window: MainWindow, playing: FakePlayback
) -> None:
    playing.over = True
    playing.error = DeviceError("speaker", "Headset", "stopped working")
    frames(window, 1)
    assert not window.playing.active
    assert "stopped working" in told(window)


def test_playing_at_the_end_begins_anew(
    window: MainWindow, ended: SyntheticSession, services: FakeServices, until: Until
) -> None:
    window.playing.move_playhead(14.0)
    window.parts.player.play.click()
    until(lambda: wishes(services))
    assert wishes(services)[0].from_s == 0.0


def test_the_selection_is_played_alone_and_looped(
    window: MainWindow, ended: SyntheticSession, services: FakeServices, until: Until
) -> None:
    timeline, bar = window.parts.timeline, window.parts.player
    timeline.select((2.0, 4.0))
    frames(window, 1)
    bar.selection.click()
    until(lambda: len(services.playbacks) == 1 and window.playing.listening.position_s is not None)
    assert (wishes(services)[0].from_s, wishes(services)[0].to_s) == (2.0, 4.0)
    bar.loop.click()
    timeline.select((2.0, 6.0))
    assert services.playbacks[0].calls == ["loop (2.0, 4.0)", "loop (2.0, 6.0)"]
    bar.loop.click()
    assert services.playbacks[0].calls[-1] == "loop None"


def test_a_loop_from_within_the_selection_begins_there(
    window: MainWindow, ended: SyntheticSession, services: FakeServices, until: Until
) -> None:
    window.parts.timeline.select((2.0, 4.0))
    window.playing.set_looping(True)
    window.playing.move_playhead(3.0)
    frames(window, 1)
    window.parts.player.play.click()
    until(lambda: window.playing.listening.position_s is not None)
    (wish,) = wishes(services)
    assert (wish.from_s, wish.to_s, wish.loop) == (2.0, 4.0, True)
    assert services.playbacks[0].calls == ["seek 3"]


def test_replay_is_a_new_session_with_the_user_track_as_its_microphone(
    window: MainWindow, ended: SyntheticSession, services: FakeServices, until: Until
) -> None:
    window.parts.timeline.recording_bar.replay.click()
    until(lambda: len(services.sessions) == 2 and window.desk.state == "running")
    assert services.requests[1].replays == services.bundle
    frames(window, 1)
    assert window.parts.timeline.scene.now_s == 0.0
    assert window.parts.interruptions.model.rowCount() == 0


def test_the_end_is_told_once_with_the_place_of_the_recording(
    window: MainWindow, ended: SyntheticSession, services: FakeServices
) -> None:
    frames(window)
    assert told(window).count(str(services.bundle)) == 1
    assert "You ended the session." in told(window)


def test_a_click_in_the_lanes_sets_the_playhead_and_playing_goes_on_from_there(
    window: MainWindow, ended: SyntheticSession, services: FakeServices, until: Until
) -> None:
    lanes = window.parts.timeline.lanes
    QTest.mouseClick(lanes, Qt.MouseButton.LeftButton, pos=QPoint(round(lanes.x_of(2.0)), 100))
    frames(window, 1)
    assert not services.playbacks
    assert window.parts.timeline.scene.playhead_s == pytest.approx(2.0, abs=0.05)
    window.parts.player.play.click()
    until(lambda: window.playing.listening.position_s is not None)
    assert wishes(services)[0].from_s == pytest.approx(2.0, abs=0.05)
    QTest.mouseClick(lanes, Qt.MouseButton.LeftButton, pos=QPoint(round(lanes.x_of(4.0)), 100))
    (command,) = services.playbacks[0].calls
    assert command.startswith("seek")
    assert float(command.split()[1]) == pytest.approx(4.0, abs=0.05)


def test_no_playback_is_left_behind_however_fast_the_buttons_are_pressed(
    window: MainWindow, ended: SyntheticSession, services: FakeServices, until: Until
) -> None:
    for _ in range(4):
        window.playing.play()
        window.playing.stop()
    window.playing.play()
    until(lambda: window.playing.listening.position_s is not None)
    *past, last = services.playbacks
    assert all("close" in each.calls for each in past)
    assert not last.calls
    window.playing.stop()
    until(lambda: "close" in last.calls)
