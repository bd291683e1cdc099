"""What the person has chosen: agent, devices, folder. Kept in the settings. Main thread only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from ui.agent_form import AgentForm
from ui.parts.background import Background
from ui.parts.device_picker import DEFAULT, DeviceLike, DeviceRow, is_file
from ui.services import AgentChoice, Services, SessionRequest
from ui.transport_bar import DEMO, ELEVENLABS, SCRIPT_FILE, TransportBar

NO_DEVICES = (
    "No sound devices were found. "
    "A session can run on files: choose an audio file as the microphone, and no speaker."
)
FILE = "file"


class Choices(QObject):
    """Fills the pickers, opens the forms, and says what a new session is to be made of."""

    told = Signal(str, str)
    """A level and a sentence for the person."""
    failed = Signal(object)

    def __init__(
        self, services: Services, transport: TransportBar, devices: DeviceRow, window: QWidget
    ) -> None:
        """Show what the settings say."""
        super().__init__(window)
        self._services, self._transport, self._devices = services, transport, devices
        self._window = window
        self._job = Background("device list", self)
        self._show()
        transport.agent_chosen.connect(self._choose_agent)
        for picker in (devices.microphone, devices.speaker):
            picker.opened.connect(self.look_for_devices)
            picker.chosen.connect(lambda _: self._keep_devices())

    @property
    def agent(self) -> AgentChoice:
        """The chosen agent."""
        kept = self._services.settings
        return AgentChoice(
            kept.agent, kept.agent_id, kept.base_url, kept.requires_key, kept.demo_script
        )

    def request(self, replays: Path | None = None) -> SessionRequest | None:
        """Return what a session is to be made of; None, and a form, where something is missing."""
        if self.agent.kind == "elevenlabs" and not self.agent.agent_id:
            self.edit_agent()
            return None
        return SessionRequest(
            self.agent,
            self._devices.microphone.choice,
            self._devices.speaker.choice,
            self._services.settings.recordings_folder,
            replays,
        )

    def look_for_devices(self) -> None:
        """Look anew for microphones and speakers; the pickers fill when the answer comes."""
        self._job.run(self._services.list_devices, self._show_devices, self._no_devices)

    def edit_agent(self) -> None:
        """Open the form of the ElevenLabs agent."""
        form = AgentForm(self._services, self.agent, self._window)
        form.accepted_choice.connect(self._take_agent)
        form.rejected.connect(self._form_left)
        form.show()

    def choose_folder(self) -> None:
        """Ask where recordings are to go from now on."""
        folder = str(self._services.settings.recordings_folder)
        dialog = QFileDialog(self._window, "Folder for recordings", folder)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._take_folder)
        dialog.open()

    def close(self) -> None:
        """Wait a bounded time for the thread that looks for devices."""
        self._job.close()

    def _show(self) -> None:
        kept = self._services.settings
        self._show_agent()
        is_from_file = kept.microphone == FILE and bool(kept.mic_file)
        self._devices.microphone.choose(kept.mic_file if is_from_file else kept.microphone)
        self._devices.speaker.choose(kept.speaker)

    def _keep_devices(self) -> None:
        kept, choice = self._services.settings, self._devices.microphone.choice
        if is_file(choice):
            kept.microphone, kept.mic_file = FILE, choice
        else:
            kept.microphone = choice
        kept.speaker = self._devices.speaker.choice

    def _take_folder(self, path: str) -> None:
        self._services.settings.recordings = path
        self.told.emit("info", f"The next recordings go to “{path}”.")

    def _choose_agent(self, which: str) -> None:
        if which == SCRIPT_FILE:
            self._choose_script()
        elif which == ELEVENLABS:
            self._take_agent(replace(self.agent, kind=ELEVENLABS))
            self.edit_agent()
        else:
            script = which.removeprefix(DEMO).removeprefix(":")
            self._take_agent(replace(self.agent, kind=DEMO, script=script))

    def _choose_script(self) -> None:
        """Ask for a script of the demo agent's; what was chosen before stays until there is one."""
        self._show_agent()
        folder = str(Path(self.agent.script).parent) if self._script_is_file else ""
        dialog = QFileDialog(
            self._window, "Script of the demo agent", folder, "Scripts (*.toml);;All files (*)"
        )
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._take_script)
        dialog.open()

    def _take_script(self, path: str) -> None:
        self._take_agent(replace(self.agent, kind=DEMO, script=path))

    @property
    def _script_is_file(self) -> bool:
        """Whether the script is none of those that the picker offers by name."""
        script = self.agent.script
        return bool(script) and self._transport.agent.findData(f"{DEMO}:{script}") < 0

    def _show_agent(self) -> None:
        agent = self.agent
        self._transport.name_elevenlabs(agent.agent_id)
        self._transport.name_script(Path(agent.script).name if self._script_is_file else "")
        if agent.kind == DEMO and agent.script:
            named = f"{DEMO}:{agent.script}"
            self._transport.choose_agent(SCRIPT_FILE if self._script_is_file else named)
        else:
            self._transport.choose_agent(agent.kind)

    def _take_agent(self, choice: AgentChoice) -> None:
        kept = self._services.settings
        kept.agent, kept.agent_id = choice.kind, choice.agent_id
        kept.base_url, kept.requires_key = choice.base_url, choice.use_key
        kept.demo_script = choice.script
        self._show_agent()

    def _form_left(self) -> None:
        if self.agent.kind == "elevenlabs" and not self.agent.agent_id:
            self._take_agent(replace(self.agent, kind="demo"))

    def _show_devices(self, devices: Sequence[DeviceLike]) -> None:
        self._devices.offer(devices, "" if devices else "No sound devices were found.")
        wished = {self._devices.microphone.choice, self._devices.speaker.choice}
        if not devices and DEFAULT in wished:
            self.told.emit("warning", NO_DEVICES)

    def _no_devices(self, error: Exception) -> None:
        self._devices.offer([], self._services.explain(error).sentence)
        self.failed.emit(error)
