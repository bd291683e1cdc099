"""Recordings in the window: opened, reviewed, left again."""

from __future__ import annotations

import threading
import zipfile
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog

from app.export.formats import Order
from app.library.library_entry import Entry
from app.notices import Notice
from app.recordings.recording import Recording, open_recording
from tests.ui.bundles import write_audio, write_bundle
from tests.ui.conftest import Until, bury, frames, wait_until
from tests.ui.fakes import FakeServices
from tests.ui.synthetic import SyntheticSession
from ui.export.export_dialog import KEPT, ExportDialog
from ui.library.trash import Outcome
from ui.main_window import MainWindow


def told(window: MainWindow) -> str:
    return " ".join(line.sentence for line in window.parts.notices.lines)


def opened(window: MainWindow, path: Path) -> MainWindow:
    """Open a recording and wait until all of it is known."""
    before = window.viewing.viewed
    window.open_path(path)
    wait_until(lambda: window.viewing.viewed is not before and window.viewing.is_settled)
    frames(window)
    return window


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "2026-11-22_10-15-03_demo", 2)


# -- what is opened ----------------------------------------------------------------------------


def test_a_bundle_shows_what_the_session_showed(window: MainWindow, bundle: Path) -> None:
    opened(window, bundle)
    parts, scene = window.parts, window.parts.timeline.scene
    assert scene.duration_s == 28.0
    assert not scene.live
    assert parts.interruptions.model.rowCount() == 2
    assert parts.turns.model.rowCount() == 6
    assert "weather of the week" in parts.transcript.chat.toPlainText()
    assert len(scene.discarded) == 2
    assert parts.timeline.axis.start_s == 0.0
    assert parts.timeline.axis.stop_s >= 28.0
    assert window.windowTitle() == f"{bundle.name} — Turnscope"
    assert window.desk.state == "idle"
    assert parts.transport.state.word == "idle"


def test_a_zip_of_a_bundle_opens(window: MainWindow, bundle: Path, tmp_path: Path) -> None:
    packed = tmp_path / "session.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for file in bundle.iterdir():
            archive.write(file, f"{bundle.name}/{file.name}")
    opened(window, packed)
    assert window.parts.interruptions.model.rowCount() == 2
    assert window.windowTitle().startswith("session.zip")


def test_a_mono_file_has_one_lane_and_no_interruptions(window: MainWindow, tmp_path: Path) -> None:
    opened(window, write_audio(tmp_path / "call.flac", 3.0, channels=1))
    scene = window.parts.timeline.scene
    assert scene.is_mono
    assert scene.duration_s == pytest.approx(3.0)
    assert window.parts.timeline.lanes.geometry_of.lanes == 1
    assert not window.menu.swap.isEnabled()


def test_user_and_agent_of_a_stereo_file_change_places(
    window: MainWindow, services: FakeServices, tmp_path: Path
) -> None:
    opened(window, write_audio(tmp_path / "call.wav", 3.0))
    timeline = window.parts.timeline

    def loudest() -> tuple[int, int]:
        scene = timeline.scene
        return tuple(int(lane.view(0, 48_000, 1)[1][0]) for lane in (scene.user, scene.agent))

    before = loudest()
    timeline.axis.show(1.0, 2.0)
    window.menu.swap.trigger()
    frames(window)
    assert loudest() == before[::-1]
    assert before[0] > 1.5 * before[1]
    assert (timeline.axis.start_s, timeline.axis.stop_s) == pytest.approx((1.0, 2.0))
    window.parts.player.play.click()
    wait_until(lambda: services.playbacks)
    assert services.asked[-1].swap
    window.parts.timeline.recording_bar.replay.click()
    wait_until(lambda: services.requests)
    assert services.requests[0].swap


def test_what_is_dropped_on_the_window_is_opened(window: MainWindow, bundle: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(bundle))])
    enter = QDragEnterEvent(
        QPointF(400, 300).toPoint(),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    drop = QDropEvent(
        QPointF(400, 300),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(window, drop)
    wait_until(lambda: window.bundle() == bundle)


def test_a_text_that_is_dropped_is_not_taken(window: MainWindow) -> None:
    data = QMimeData()
    data.setText("file names are no files")
    enter = QDragEnterEvent(
        QPointF(400, 300).toPoint(),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    enter.ignore()
    QApplication.sendEvent(window, enter)
    assert not enter.isAccepted()


def test_the_menu_asks_for_a_folder_and_opens_what_is_chosen(
    window: MainWindow, bundle: Path
) -> None:
    window.menu.open.trigger()
    dialog = window.findChild(QFileDialog)
    assert dialog.fileMode() == QFileDialog.FileMode.Directory
    dialog.fileSelected.emit(str(bundle))
    dialog.reject()
    bury()
    wait_until(lambda: window.bundle() == bundle)


def test_recent_recordings_are_offered_the_latest_first_and_survive_nonsense(
    window: MainWindow, services: FakeServices, bundle: Path, tmp_path: Path
) -> None:
    services.settings.screen["recent"] = [17, None, str(tmp_path / "older & <b>")]
    opened(window, bundle)
    texts = [action.text() for action in window.menu.recent.actions()]
    assert texts == [str(bundle), str(tmp_path / "older && <b>")]
    services.settings.screen["recent"] = "nonsense"
    assert window.opening.recent == []


# -- what cannot be opened ---------------------------------------------------------------------


def test_what_is_no_recording_is_a_sentence_and_what_was_in_view_stays(
    window: MainWindow, bundle: Path, tmp_path: Path
) -> None:
    opened(window, bundle)
    text = tmp_path / "notes.wav"
    text.write_text("this is text")
    for path in (text, tmp_path / "nowhere.wav", tmp_path):
        window.parts.notices.clear()
        window.open_path(path)
        wait_until(lambda: window.parts.notices.lines)
        assert path.name in told(window)
        assert window.opening.wished is None
    assert window.bundle() == bundle
    assert [path.name for path in window.opening.recent] == [bundle.name]


def test_nothing_is_opened_while_a_session_runs(
    window: MainWindow, running: SyntheticSession, services: FakeServices, bundle: Path
) -> None:
    window.open_path(bundle)
    assert "A session is running" in told(window)
    assert not window.menu.open.isEnabled()
    assert ("open", bundle, False) not in services.asked


def test_what_is_wrong_with_a_recording_is_told(window: MainWindow, bundle: Path) -> None:
    (bundle / "agent.wav").unlink()
    (bundle / "events.jsonl").write_text('{"t": 1.0, "type": "heard"\nnonsense\n')
    opened(window, bundle)
    (line,) = window.parts.notices.lines
    assert "agent.wav is missing." in line.details
    assert "“Session” has" in line.sentence


def test_the_latest_of_two_wishes_wins_and_the_other_is_closed(
    window: MainWindow, bundle: Path, tmp_path: Path
) -> None:
    other = write_bundle(tmp_path / "2026-11-23_09-00-00_demo", 1)
    window.open_path(bundle)
    window.open_path(other)
    wait_until(lambda: window.bundle() == other and window.viewing.is_settled)
    frames(window)
    assert window.parts.timeline.scene.duration_s == 14.0


# -- before, behind and after a session --------------------------------------------------------


def test_a_session_takes_the_place_of_a_recording_and_a_recording_that_of_a_session(
    window: MainWindow, services: FakeServices, bundle: Path, until: Until
) -> None:
    opened(window, bundle)
    window.start()
    until(lambda: window.desk.state == "running")
    session = services.sessions[-1]
    session.advance_to(3.0)
    frames(window)
    assert window.parts.timeline.scene.live
    assert window.parts.interruptions.model.rowCount() == 0
    session.end()
    frames(window)
    assert window.viewing.viewed is session
    opened(window, bundle)
    assert window.parts.transport.state.word == "idle"
    assert window.parts.interruptions.model.rowCount() == 2


def test_a_recording_is_closed_once_something_else_is_in_view(
    window: MainWindow, services: FakeServices, bundle: Path, until: Until, tmp_path: Path
) -> None:
    closed: list[Path] = []

    def close_of(recording: Recording) -> None:
        close = recording.close
        recording.close = lambda: (closed.append(recording.path), close())

    opened(window, bundle)
    close_of(window.viewing.viewed)
    other = write_audio(tmp_path / "call.wav", 2.0)
    opened(window, other)
    until(lambda: closed == [bundle])
    close_of(window.viewing.viewed)
    window.parts.timeline.recording_bar.replay.click()
    until(lambda: closed == [bundle, other])
    assert services.requests[0].replays == other


def test_gaps_of_a_recording_are_shown(window: MainWindow, tmp_path: Path) -> None:
    opened(window, write_bundle(tmp_path / "with a gap", 2, gap=(3.0, 4.5)))
    wait_until(lambda: window.parts.timeline.scene.gaps)
    assert window.parts.timeline.scene.gaps == [(3.0, 4.5)]


def test_the_levels_of_the_selection_are_told(window: MainWindow, bundle: Path) -> None:
    opened(window, bundle)
    timeline = window.parts.timeline
    timeline.select((2.0, 3.0))
    levels = timeline.selection_bar._levels
    wait_until(levels.text)
    assert levels.text() == (
        "You: peak −6.0 dBFS, RMS −12.0 dBFS   Agent: peak 0.0 dBFS, RMS −18.1 dBFS"
    )


def test_esc_ends_the_selection_when_nothing_plays(window: MainWindow, bundle: Path) -> None:
    opened(window, bundle)
    window.activateWindow()
    window.parts.timeline.select((2.0, 3.0))
    frames(window, 1)
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert window.parts.timeline.scene.selection is None


@pytest.mark.parametrize("others", [0, 1])
def test_moving_what_is_in_view_to_the_trash_is_told_once(
    window: MainWindow, services: FakeServices, bundle: Path, others: int
) -> None:
    services.settings.recordings = str(bundle.parent)
    opened(window, bundle)
    library = window.parts.library
    entries = [Entry(bundle.name, "ended"), Entry("another", "ended")][: 1 + others]
    library._trash._entries = entries
    library._trash._finished(Outcome([entry.name for entry in entries], []))
    lines = [line.sentence for line in window.parts.notices.lines]
    assert lines.count("The recording in view is in the trash now.") == 1
    assert len([line for line in lines if "trash" in line]) == 1 + others


def test_audio_of_an_audio_file_can_be_saved_as_it_can_be_exported(
    window: MainWindow, tmp_path: Path, services: FakeServices
) -> None:
    opened(window, write_audio(tmp_path / "talk.wav"))
    frames(window, 1)
    menu = window.menu
    assert menu.export.isEnabled()
    assert (menu.save.isEnabled(), menu.save_apart.isEnabled()) == (True, True)
    assert not menu.compare.isEnabled()
    for action, ticked in ((menu.save, ("wav",)), (menu.save_apart, ("tracks",))):
        action.trigger()
        dialog = window.findChildren(ExportDialog)[-1]
        wait_until(lambda dialog=dialog: dialog.export_button.isEnabled())
        assert dialog.formats.ticked == ticked
        dialog.close()
        bury()


def test_what_was_recovered_at_the_start_is_told_once(
    window: MainWindow, services: FakeServices
) -> None:
    services.recovered = [Notice("info", "“2026-11-22_10-15-03_demo” was recovered.")]
    window.opening._is_recovered = False
    window.hide()
    window.show()
    wait_until(lambda: "was recovered" in told(window))
    window.parts.notices.clear()
    window.hide()
    window.show()
    QApplication.processEvents()
    window.opening._recovery.finish()
    QApplication.processEvents()
    assert told(window) == ""


def test_nothing_is_recovered_once_the_window_closes(
    window: MainWindow, services: FakeServices
) -> None:
    assert window.opening._recovery.finish()
    services.asked.clear()
    window.opening._is_recovered = False
    window.opening.close()
    window.opening.recover()
    assert window.opening._recovery.finish()
    assert not services.asked


def test_what_cannot_be_recovered_is_remembered_until_it_can(
    window: MainWindow, services: FakeServices
) -> None:
    def start() -> dict[str, str]:
        window.opening._is_recovered = False
        window.opening.recover()
        assert window.opening._recovery.finish()
        QApplication.processEvents()
        return next(each[2] for each in reversed(services.asked) if each[0] == "recover")

    services.problems = {"/recordings/one": "It is read-only."}
    assert start() == {}
    assert start() == services.problems
    services.problems = {}
    start()
    assert start() == {}


# -- exporting it ------------------------------------------------------------------------------


def test_the_recording_in_view_is_exported_with_its_selection_and_a_picture_of_it(
    window: MainWindow, bundle: Path
) -> None:
    opened(window, bundle)
    window.parts.timeline.select((2.0, 3.5))
    frames(window, 1)
    window.menu.export.trigger()
    (dialog,) = window.findChildren(ExportDialog)
    assert dialog._session == bundle
    assert dialog.options.wish((), False).start_s == pytest.approx(2.0)
    assert dialog._view_picture("png").startswith(b"\x89PNG")
    assert b"<svg" in dialog._view_picture("svg")[:200]
    dialog.reject()
    bury()


def test_a_recording_of_the_list_is_exported_whole_and_without_a_picture(
    window: MainWindow, bundle: Path, tmp_path: Path
) -> None:
    opened(window, bundle)
    window.parts.timeline.select((2.0, 3.5))
    other = write_bundle(tmp_path / "another", 1)
    window.parts.library.export_requested.emit(other)
    (dialog,) = window.findChildren(ExportDialog)
    assert dialog._session == other
    assert dialog._view_picture is None
    window.others.close()
    bury()


@pytest.mark.parametrize("kind", ["wav", "tracks"])
def test_saving_the_audio_is_an_export_of_all_of_it(
    window: MainWindow, services: FakeServices, bundle: Path, tmp_path: Path, kind: str
) -> None:
    services.settings.screen[KEPT] = {"formats": ["csv", "zip"], "folder": str(tmp_path)}
    opened(window, bundle)
    window.parts.timeline.select((2.0, 3.5))
    frames(window, 1)
    (window.menu.save if kind == "wav" else window.menu.save_apart).trigger()
    (dialog,) = window.findChildren(ExportDialog)
    wait_until(dialog.options.name.text)
    dialog.options.name.setText("call")
    dialog.start()
    wait_until(lambda: "Exported" in told(window))
    (order,) = [each for each in services.asked if isinstance(each, Order)]
    assert (order.wish.formats, order.wish.start_s) == ((kind,), None)
    assert services.settings.screen[KEPT]["formats"] == ["csv", "zip"]
    dialog.reject()
    bury()


def test_a_picture_of_another_recording_is_not_saved_as_one_of_the_first(
    window: MainWindow, services: FakeServices, bundle: Path, tmp_path: Path
) -> None:
    services.settings.screen[KEPT] = {"formats": ["png"], "folder": str(tmp_path)}
    opened(window, bundle)
    window.menu.export.trigger()
    (dialog,) = window.findChildren(ExportDialog)
    wait_until(dialog.options.name.text)
    opened(window, write_bundle(tmp_path / "another", 1))
    dialog.start()
    assert "The session is not in view" in dialog.result.text()
    assert not dialog.exporting
    assert not any(isinstance(each, Order) for each in services.asked)
    dialog.reject()
    bury()


def test_a_zip_is_compared_and_not_its_unpacked_copy(
    window: MainWindow, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = tmp_path / "call.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for file in bundle.iterdir():
            if file.is_file():
                archive.write(file, f"{bundle.name}/{file.name}")
    asked: list[Path] = []
    monkeypatch.setattr(window.others, "ask_what_to_compare", asked.append)
    opened(window, packed)
    window.menu.compare.trigger()
    assert asked == [packed]


def closings(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return what will have been closed."""
    closed: list[Path] = []
    close = Recording.close
    monkeypatch.setattr(
        Recording, "close", lambda recording: (closed.append(recording.path), close(recording))
    )
    return closed


def test_closing_what_was_in_view_leaves_what_is_just_opened_alone(
    window: MainWindow, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = closings(monkeypatch)
    opened(window, bundle)
    other = write_bundle(tmp_path / "another", 1)
    window.open_path(other)
    assert window.opening._job.finish(10)
    window.opening.put_away(window.viewing.viewed)
    assert window.opening._closing.finish(10)
    wait_until(lambda: window.bundle() == other)
    assert window.opening.wished is None
    wait_until(lambda: set(closed) == {bundle})


def test_what_is_opened_in_vain_is_closed(
    window: MainWindow, services: FakeServices, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = closings(monkeypatch)
    begun, may_open = threading.Event(), threading.Event()

    def open_slowly(path: Path, swap: bool) -> Recording:
        begun.set()
        may_open.wait(10)
        return open_recording(path, swap=swap)

    monkeypatch.setattr(services, "open_recording", open_slowly)
    window.open_path(bundle)
    assert begun.wait(10)
    window.start()
    may_open.set()
    wait_until(lambda: closed == [bundle])
