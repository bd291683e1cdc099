"""What a person chooses, devices, agent and script, is offered, used and remembered."""

from __future__ import annotations

from PySide6.QtWidgets import QFileDialog, QWidget

from app.agents.demo.script import MISBEHAVING
from app.settings import Settings
from audio.errors import DeviceError
from tests.ui.conftest import Until, bury, close_for_good
from tests.ui.fakes import HEADSET, HEADSET_MIC, FakeDevice, FakeServices
from ui.agent_form import AgentForm
from ui.main_window import MainWindow
from ui.parts.device_picker import FILE_ITEM
from ui.parts.theme import Theme


def pick(picker: QWidget, choice: str) -> None:
    """Choose an entry as a person does: the picker tells of it."""
    index = picker.findData(choice)
    picker.setCurrentIndex(index)
    picker.activated.emit(index)


def test_the_devices_are_offered_and_what_is_chosen_is_used(
    window: MainWindow, services: FakeServices, until: Until
) -> None:
    row = window.parts.devices
    window.choices.look_for_devices()
    until(lambda: row.microphone.findData(HEADSET_MIC) >= 0)
    assert row.microphone.findData(HEADSET) < 0
    assert row.microphone.findData(FILE_ITEM) >= 0
    pick(row.microphone, HEADSET_MIC)
    pick(row.speaker, "none")
    window.start()
    until(lambda: services.requests)
    request = services.requests[0]
    assert (request.microphone, request.speaker) == (HEADSET_MIC, "none")
    assert services.settings.microphone == HEADSET_MIC
    assert not row.microphone.isEnabled()


def test_no_devices_says_so_and_files_still_work(
    window: MainWindow, services: FakeServices, until: Until
) -> None:
    services.devices = ()
    window.choices.look_for_devices()
    until(lambda: window.parts.notices.lines)
    assert "No sound devices were found." in window.parts.notices.lines[0].sentence
    assert "none found" in window.parts.devices.microphone.itemText(0)
    window.parts.devices.microphone.choose("/calls/caller.wav")
    assert window.parts.devices.microphone.currentText() == "File: caller.wav"
    window.start()
    until(lambda: window.desk.state == "running")
    assert services.requests[0].microphone == "/calls/caller.wav"


def test_a_sound_system_that_does_not_answer_is_a_sentence(
    window: MainWindow, services: FakeServices, until: Until
) -> None:
    services.failure = DeviceError("speaker", "default", "does not answer")
    window.choices.look_for_devices()
    until(lambda: window.parts.notices.lines)
    assert "The speaker “default” does not answer." in window.parts.notices.lines[0].sentence


def test_a_session_that_cannot_be_made_is_a_sentence_and_start_works_again(
    window: MainWindow, services: FakeServices, until: Until
) -> None:
    services.failure = DeviceError("microphone", "Headset", "is not there any more")
    window.start()
    until(lambda: window.parts.notices.lines)
    assert window.desk.state == "idle"
    services.failure = None
    window.start()
    until(lambda: window.desk.state == "running")
    assert window.parts.notices.lines == []


def test_a_device_that_is_gone_stays_chosen_and_says_so(
    window: MainWindow, services: FakeServices, until: Until
) -> None:
    picker = window.parts.devices.speaker
    picker.choose("pulse:gone")
    picker.offer([FakeDevice(HEADSET, "Headset", "speaker")])
    assert picker.choice == "pulse:gone"
    assert picker.currentText() == "gone (not there)"


def test_the_elevenlabs_agent_needs_an_id_and_keeps_its_key_to_itself(
    window: MainWindow, services: FakeServices, until: Until
) -> None:
    bar = window.parts.transport
    pick(bar.agent, "elevenlabs")
    form = window.findChild(AgentForm)
    assert not form.isModal()
    form.agent_id.setText("agent_123")
    form.key.setText("sk_very_secret")
    assert "secret" not in form.key.displayText()
    form.accept()
    until(lambda: services.settings.agent_id == "agent_123")
    assert services.key == "sk_very_secret"
    assert form.key.text() == ""
    assert "agent_123" in bar.agent.currentText()
    bury()
    window.start()
    until(lambda: services.requests)
    assert services.requests[0].agent.agent_id == "agent_123"


def test_leaving_the_form_empty_goes_back_to_the_demo_agent(
    window: MainWindow, services: FakeServices
) -> None:
    pick(window.parts.transport.agent, "elevenlabs")
    window.findChild(AgentForm).reject()
    assert window.parts.transport.agent.currentData() == "demo"
    assert services.settings.agent == "demo"


def test_a_demo_script_is_chosen_by_name_and_kept(
    window: MainWindow, services: FakeServices, until: Until
) -> None:
    bar = window.parts.transport
    pick(bar.agent, "demo:stops-late")
    assert services.settings.demo_script == "stops-late"
    assert "1.5 s" in bar.agent.toolTip()
    window.start()
    until(lambda: services.requests)
    assert services.requests[0].agent.kind == "demo"
    assert services.requests[0].agent.script == "stops-late"


def test_every_shipped_script_can_be_picked(window: MainWindow) -> None:
    picker = window.parts.transport.agent
    assert [name for name in MISBEHAVING if picker.findData(f"demo:{name}") < 0] == []


def test_a_script_file_is_chosen_and_named_and_the_picker_goes_back_without_one(
    window: MainWindow, services: FakeServices
) -> None:
    bar = window.parts.transport
    pick(bar.agent, "script-file")
    dialog = window.findChild(QFileDialog)
    dialog.reject()
    bury()
    assert bar.agent.currentData() == "demo"
    pick(bar.agent, "script-file")
    dialog = window.findChild(QFileDialog)
    dialog.fileSelected.emit("/scripts/mine <b>.toml")
    dialog.reject()
    bury()
    assert services.settings.demo_script == "/scripts/mine <b>.toml"
    assert bar.agent.currentText() == "Demo agent: mine <b>.toml"
    pick(bar.agent, "demo")
    assert services.settings.demo_script == ""
    assert (
        bar.agent.itemText(bar.agent.findData("script-file")) == "Demo agent: script from a file…"
    )


def test_what_was_chosen_is_remembered(theme: Theme, until: Until) -> None:
    kept = Settings(speaker="none", microphone="file", mic_file="/calls/a.wav")
    services = FakeServices(kept)
    first = MainWindow(services, theme)
    assert first.parts.devices.microphone.choice == "/calls/a.wav"
    assert first.parts.devices.speaker.choice == "none"
    first.show()
    first.resize(780, 650)
    first.parts.docks[0].close()
    first.menu.schemes["dark"].trigger()
    close_for_good(first, until)
    assert "save settings" in services.asked
    second = MainWindow(FakeServices(kept), theme)
    second.show()
    assert theme.dark
    assert second.size().height() == 650
    assert not second.parts.docks[0].isVisible()
    close_for_good(second, until)


def test_broken_settings_of_the_window_are_no_trouble(theme: Theme, until: Until) -> None:
    screen = {"geometry": "%%%", "layout": 17, "scheme": ["?"], "save_folder": None}
    made = MainWindow(FakeServices(Settings(screen=screen)), theme)
    made.show()
    assert theme.scheme == "system"
    assert (made.width(), made.height()) == (1280, 800)
    assert not any(dock.isHidden() for dock in made.parts.docks)
    close_for_good(made, until)
    assert isinstance(screen["layout"], str), "what can be used is kept in its place"
