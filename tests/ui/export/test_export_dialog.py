"""The export window: what it offers, tells before, writes, asks about, and leaves behind."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox
from shiboken6 import isValid

from app.bundles.notes import Notes, save_notes
from app.export.formats import FORMATS, Order
from app.export.progress import Ask, Tell
from app.export.survey import Survey, survey
from tests.app.export.recorded import Recorded, record, write_wav
from tests.ui.conftest import bury, wait_until
from tests.ui.fakes import FakeServices
from ui.export.export_dialog import KEPT, LOOKING, ExportDialog

Opens = Callable[..., ExportDialog]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return record(tmp_path_factory.mktemp("recorded"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "exports"
    path.mkdir()
    return path


@pytest.fixture
def opens(services: FakeServices, recorded: Recorded, folder: Path) -> Iterator[Opens]:
    """Open the window and wait until it has looked at the session; it is closed after the test."""
    made: list[ExportDialog] = []
    services.settings.screen[KEPT] = {"formats": ["wav"], "folder": str(folder)}

    def open_it(session: Path = recorded.path, *args: object, **kwargs: object) -> ExportDialog:
        dialog = ExportDialog(services, session, *args, **kwargs)
        made.append(dialog)
        dialog.failed.connect(errors.append)
        dialog.show()
        wait_until(
            lambda: dialog.options.name.text() or dialog.summary.text() != "Looking at the session…"
        )
        return dialog

    errors: list[Exception] = []
    open_it.errors = errors
    yield open_it
    for dialog in filter(isValid, made):
        dialog.close()
    bury()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def finish(dialog: ExportDialog) -> None:
    wait_until(lambda: not dialog.exporting)


def question() -> QMessageBox | None:
    found = [w for w in QApplication.topLevelWidgets() if isinstance(w, QMessageBox)]
    return next((box for box in found if box.isVisible()), None)


def answer(text: str) -> str:
    """Press the button ``text`` of the question on screen, and return what it asked."""
    wait_until(question)
    box = question()
    asked = box.text()
    (button,) = [each for each in box.buttons() if each.text().replace("&", "") == text]
    button.click()
    bury()
    return asked


def test_it_tells_sizes_before_and_follows_the_choices(opens: Opens) -> None:
    dialog = opens(selection=(4.0, 7.0))
    assert dialog.summary.text() == "Stereo WAV: 192 kB"
    dialog.options.whole.click()
    assert dialog.summary.text() == "Stereo WAV: 1.8 MB"
    dialog.options.no_user.click()
    assert dialog.summary.text() == "Stereo WAV: 896 kB"
    dialog.formats.boxes["srt"].click()
    assert dialog.summary.text().startswith("Stereo WAV, SubRip subtitles: ≈ ")
    for each in FORMATS:
        if each.group != "picture":
            assert dialog.formats._sizes[each.id].text(), each.id


def test_the_window_is_called_as_the_session_is(opens: Opens, tmp_path: Path) -> None:
    for name, title, shown in (("a", "Cuts in\n early", "Cuts in early"), ("b", "", "b")):
        session = record(tmp_path, name=name).path
        save_notes(session, Notes(title))
        assert opens(session).windowTitle() == f"Export {shown}"
    file = tmp_path / "call.wav"
    write_wav(file, np.zeros(16_000, np.int16))
    assert opens(file).windowTitle() == "Export call.wav"


def test_a_name_that_is_typed_while_the_session_is_looked_at_stays(
    services: FakeServices, recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_look = threading.Event()

    def slowly(path: Path, swap: bool) -> Survey:
        may_look.wait(10)
        return survey(path, swap=swap)

    monkeypatch.setattr(services, "survey_export", slowly)
    dialog = ExportDialog(services, recorded.path)
    dialog.options.name.setText("mine")
    may_look.set()
    wait_until(lambda: dialog.summary.text() != LOOKING)
    assert dialog.options.name.text() == "mine"
    dialog.close()


def test_a_folder_is_named_whole(opens: Opens, folder: Path) -> None:
    """From where the program was started nobody who uses its window knows."""
    dialog = opens()
    for text, is_whole in (("exports", False), ("", False), (str(folder), True), ("~", True)):
        dialog.options.folder.setText(text)
        assert dialog.export_button.isEnabled() == is_whole, text
    dialog.options.folder.setText("exports")
    assert dialog.summary.text() == "Give the whole path of the folder."


def test_it_writes_what_is_ticked_where_it_is_told(
    opens: Opens, recorded: Recorded, folder: Path
) -> None:
    dialog = opens(selection=(4.0, 7.0))
    dialog.formats.tick(["wav", "csv"])
    dialog.options.name.setText("cut in")
    told: list[tuple[str, str]] = []
    dialog.told.connect(lambda *what: told.append(what))
    dialog.export_button.click()
    assert dialog.exporting
    assert not dialog.formats.isEnabled()
    finish(dialog)
    assert names(folder) == ["cut in-interruptions.csv", "cut in-turns.csv", "cut in.wav"]
    samples, _ = soundfile.read(folder / "cut in.wav", dtype="int16")
    assert np.array_equal(samples[:, 1], recorded.agent[64_000:112_000])
    assert dialog.result.text() == f"Exported 3 files to “{folder}”."
    assert told == [("info", dialog.result.text())]
    assert dialog.show_folder.isVisible()
    assert dialog.export_button.text() == "&Export"


def test_the_folder_is_shown(opens: Opens, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    dialog = opens()
    dialog.export_button.click()
    finish(dialog)
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: shown.append(url.toLocalFile()))
    dialog.show_folder.click()
    assert shown == [str(folder)]
    assert dialog.result.text() == f"The files are in “{folder}”."


def test_it_asks_about_every_file_that_is_there(opens: Opens, folder: Path) -> None:
    dialog = opens()
    dialog.formats.tick(["srt", "vtt", "json"])
    dialog.options.name.setText("out")
    for name in ("out.srt", "out.vtt", "out.json"):
        (folder / name).write_text("mine")
    dialog.export_button.click()
    assert answer("Keep") == "“out.srt” exists already. Replace it?"
    assert answer("Replace") == "“out.vtt” exists already. Replace it?"
    assert (folder / "out.vtt").read_text() == "mine"
    assert answer("Keep") == "“out.json” exists already. Replace it?"
    finish(dialog)
    assert (folder / "out.srt").read_text() == (folder / "out.json").read_text() == "mine"
    assert (folder / "out.vtt").read_text().startswith("WEBVTT")
    assert dialog.result.text() == f"Exported “out.vtt” to “{folder}”."


def test_all_can_be_replaced_at_once_or_nothing(opens: Opens, folder: Path) -> None:
    dialog = opens()
    dialog.formats.tick(["srt", "vtt"])
    dialog.options.name.setText("out")
    for name in ("out.srt", "out.vtt"):
        (folder / name).write_text("mine")
    dialog.export_button.click()
    answer("Cancel")
    assert dialog.result.text() == "Nothing was written."
    assert {path.read_text() for path in folder.iterdir()} == {"mine"}
    dialog.export_button.click()
    answer("Replace all")
    wait_until(lambda: dialog.result.text().startswith("Exported"))
    assert "mine" not in {path.read_text() for path in folder.iterdir()}


look = cache(survey)


class SlowServices(FakeServices):
    """An export that goes on until it is called off; a session is looked at once."""

    def survey_export(self, path: Path, swap: bool) -> Survey:
        return look(path, swap=swap)

    def export(self, order: Order, tell: Tell, cancelled: Ask) -> list[Path]:
        from app.export.errors import Cancelled

        tell(0.25)
        self.begun.set()
        while not cancelled():
            pass
        raise Cancelled


@pytest.fixture
def services() -> FakeServices:
    services = SlowServices()
    services.begun = threading.Event()
    return services


@pytest.fixture
def slow(opens: Opens, services: FakeServices) -> ExportDialog:
    dialog = opens()
    dialog.export_button.click()
    assert services.begun.wait(5)
    return dialog


@pytest.fixture(autouse=True)
def real_export(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the tests that look at a slow export have one."""
    if "slow" not in request.fixturenames:
        monkeypatch.setattr(SlowServices, "export", FakeServices.export)


def test_progress_is_shown_and_cancel_ends_it(slow: ExportDialog, folder: Path) -> None:
    wait_until(lambda: slow.bar.value() == 250)
    assert slow.bar.isVisible()
    assert slow.export_button.text() == "Can&cel"
    slow.export_button.click()
    finish(slow)
    assert slow.result.text() == "The export was cancelled; nothing was written."
    assert not slow.bar.isVisible()
    assert names(folder) == []


def test_escape_calls_off_first_and_closes_then(slow: ExportDialog) -> None:
    QTest.keyClick(slow, Qt.Key.Key_Escape)
    finish(slow)
    assert slow.isVisible()
    QTest.keyClick(slow, Qt.Key.Key_Escape)
    assert not slow.isVisible()


def test_closing_calls_it_off(slow: ExportDialog) -> None:
    slow.close()
    assert slow._cancelled.is_set()
    assert not slow.exporting


def test_what_was_chosen_is_remembered(opens: Opens, services: FakeServices, folder: Path) -> None:
    dialog = opens()
    dialog.formats.tick(["flac", "labels"])
    dialog.options.received.click()
    dialog.options.no_user.click()
    dialog.export_button.click()
    finish(dialog)
    dialog.close()
    bury()
    again = opens(selection=(1.0, 2.0))
    assert again.formats.ticked == ("flac", "labels")
    assert again.options.received.isChecked()
    assert again.options.no_user.isChecked()
    assert not again.options.no_text.isChecked()
    assert again.options.folder.text() == str(folder)


@pytest.mark.parametrize("kept", [None, 3, {"formats": 7, "folder": 1}, {"formats": ["no such"]}])
def test_settings_that_make_no_sense_are_passed_over(
    opens: Opens, services: FakeServices, kept: object
) -> None:
    services.settings.screen[KEPT] = kept
    dialog = opens()
    assert dialog.formats.ticked == ("wav",)
    assert dialog.options.folder.text() == str(Path.home())


def test_pictures_come_from_the_view(opens: Opens, folder: Path) -> None:
    dialog = opens(view_picture=lambda kind: f"a {kind}".encode())
    dialog.formats.tick(["png", "svg"])
    dialog.options.name.setText("view")
    dialog.export_button.click()
    finish(dialog)
    assert (folder / "view.png").read_bytes() == b"a png"
    assert (folder / "view.svg").read_bytes() == b"a svg"


def test_what_cannot_be_had_says_why(opens: Opens, tmp_path: Path) -> None:
    source = write_wav(tmp_path / "caller.wav", np.ones(1600, np.int16))
    dialog = opens(source)
    for kind in ("srt", "json", "zip", "png"):
        assert not dialog.formats.boxes[kind].isEnabled()
    assert "is an audio file" in dialog.formats._sentences["srt"].text()
    assert "not in view" in dialog.formats._sentences["png"].text()
    assert not dialog.options.received.isEnabled()
    assert dialog.formats.boxes["wav"].isEnabled()
    dialog.options.no_user.click()
    assert dialog.summary.text() == "Tick at least one format."
    assert not dialog.export_button.isEnabled()


def test_a_name_that_is_a_path_is_refused(opens: Opens) -> None:
    dialog = opens()
    dialog.options.name.setText("../elsewhere")
    assert "cannot contain" in dialog.summary.text()
    assert not dialog.export_button.isEnabled()
    dialog.options.name.setText("fine")
    dialog.options.folder.setText("")
    assert dialog.summary.text() == "Choose a folder."


def test_a_folder_that_is_gone_says_so(opens: Opens, folder: Path) -> None:
    dialog = opens()
    dialog.options.folder.setText(str(folder / "nowhere"))
    dialog.export_button.click()
    finish(dialog)
    assert "There is no folder" in dialog.result.text()
    assert [str(error) for error in opens.errors] == [f"There is no folder “{folder / 'nowhere'}”."]


def test_the_home_of_somebody_unknown_is_a_sentence(opens: Opens) -> None:
    dialog = opens()
    dialog.options.folder.setText("~nobody-of-that-name/x")
    dialog.start()
    assert dialog.result.text() == "There is no folder “~nobody-of-that-name/x”."
    assert not dialog.exporting


def test_a_session_that_cannot_be_read_says_so(opens: Opens, tmp_path: Path) -> None:
    dialog = opens(tmp_path / "nowhere.wav")
    assert "nowhere.wav" in dialog.summary.text()
    assert not dialog.export_button.isEnabled()
    assert len(opens.errors) == 1


def test_the_folder_can_be_browsed_for(opens: Opens, tmp_path: Path) -> None:
    dialog = opens()
    dialog.options.browse.click()
    chooser = dialog.findChild(QFileDialog)
    chooser.fileSelected.emit(str(tmp_path))
    chooser.close()
    assert dialog.options.folder.text() == str(tmp_path)


def test_everything_is_reached_by_keys(opens: Opens, folder: Path) -> None:
    dialog = opens(selection=(1.0, 2.0))
    dialog.activateWindow()
    dialog.formats.boxes["wav"].setFocus()
    seen = set()
    for _ in range(40):
        seen.add(QApplication.focusWidget())
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
    wanted = {dialog.formats.boxes[kind] for kind in ("wav", "srt", "zip")}
    options = dialog.options
    wanted |= {options.heard, options.no_user, options.no_text, options.name}
    wanted |= {options.folder, options.browse, dialog.export_button, dialog.close_button}
    assert [each.text() for each in wanted - seen] == []
    # a group of radio buttons is one stop; the arrows go on from there
    assert seen & {options.whole, options.part}
    options.part.setFocus()
    QTest.keyClick(options.part, Qt.Key.Key_Up)
    assert options.whole.isChecked()
    QTest.keyClick(options.name, Qt.Key.Key_Return)
    finish(dialog)
    assert len(names(folder)) == 1
