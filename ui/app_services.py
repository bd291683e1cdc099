"""The app behind the window's seam.

The app's own services bring device and audio libraries with them: they are imported by the first
call that needs them, off the main thread, so that the window is on screen before.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from app.notices import Notice, NoticeBoard, explain
from app.settings import Settings, SettingsFile
from ui.device_picker import DEFAULT, NONE, is_file
from ui.services import Playback, SessionRequest

if TYPE_CHECKING:
    from app.services import AppServices
    from app.session import Session
    from audio.devices import Device


class WindowServices:
    """`Services`, with real devices, real agents and the person's own settings."""

    def __init__(self, script: Path | None = None, settings_path: Path | None = None) -> None:
        """Read the settings; ``script`` is the demo agent's, in place of the one that is set."""
        self.notices = NoticeBoard()
        self._file = SettingsFile(settings_path, self.notices)
        self.settings: Settings = self._file.load()
        self._script = script
        # Guards the making of `_made`, which several threads may ask for first.
        self._making = threading.Lock()
        self._made: AppServices | None = None

    def save_settings(self) -> None:
        """Write the settings file."""
        self._file.save(self.settings)

    def list_devices(self) -> Sequence[Device]:
        """Ask the sound server, or PortAudio."""
        return self._app.list_devices()

    def open_session(self, request: SessionRequest) -> Session:
        """Put agent, audio and folder together; nothing is opened before ``start``."""
        return self._app.open_session(request)

    def listen(self, bundle: Path, speaker: str, from_s: float) -> Playback:
        """Play user and agent together; on the system's default where no speaker is chosen."""
        heard_by_nobody = speaker == NONE or is_file(speaker)
        return self._app.listen(bundle, DEFAULT if heard_by_nobody else speaker, from_s)

    def save_audio(self, bundle: Path, target: Path, apart: bool) -> Sequence[Path]:
        """Write WAV files."""
        return self._app.save_audio(bundle, target, apart)

    def key_source(self) -> str:
        """Look in the keyring, then in the environment."""
        return self._app.key_source()

    def store_key(self, text: str) -> None:
        """Put the key into the keyring."""
        self._app.store_key(text)

    def forget_key(self) -> None:
        """Take the key out of the keyring."""
        self._app.forget_key()

    def explain(self, error: BaseException) -> Notice:
        """Put an error into a sentence."""
        return explain(error)

    @property
    def _app(self) -> AppServices:
        with self._making:
            if self._made is None:
                from app.services import AppServices

                kept = self.settings.demo_script
                self._made = AppServices(self._script or (Path(kept) if kept else None))
            return self._made
