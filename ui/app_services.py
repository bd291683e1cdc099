"""The app behind the window's seam.

The app's own services bring device and audio libraries with them: they are imported by the first
call that needs them, off the main thread, so that the window is on screen before.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.bundles.notes import Change, Notes, edit_notes, load_notes
from app.notices import Notice, NoticeBoard, explain
from app.settings import Settings, SettingsFile
from ui.parts.device_picker import DEFAULT, NONE, is_file
from ui.services import Playback, PlayWish, RecoveryOutcome, SessionRequest

if TYPE_CHECKING:
    from app.analysis.viewed import Viewed
    from app.export.formats import Order
    from app.export.survey import Survey
    from app.library.library import Library
    from app.live.session import Session
    from app.recordings.recording import Recording
    from app.services import AppServices
    from audio.devices import Device


class WindowServices:
    """`Services`, with real devices, real agents and the person's own settings."""

    def __init__(self, script: Path | None = None, settings_path: Path | None = None) -> None:
        """Read the settings; ``script`` is the demo agent's, in place of the one that is chosen."""
        self.notices = NoticeBoard()
        self._file = SettingsFile(settings_path, self.notices)
        self.settings: Settings = self._file.load()
        self._script = script
        # Guards the making of `_made`, which several threads may ask for first.
        self._making = threading.Lock()
        self._made: AppServices | None = None
        # Guards `_libraries`, which are made and used by threads.
        self._listing = threading.Lock()
        self._libraries: dict[Path, Library] = {}

    def save_settings(self) -> None:
        """Write the settings file."""
        self._file.save(self.settings)

    def list_devices(self) -> Sequence[Device]:
        """Ask the sound server, or PortAudio."""
        return self._app.list_devices()

    def open_session(self, request: SessionRequest) -> Session:
        """Put agent, audio and folder together; nothing is opened before ``start``."""
        return self._app.open_session(request)

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

    def library(self, folder: Path) -> Library:
        """Return the library of a folder; nothing else of the app is loaded for it.

        It is the same one each time: where no index can be kept on disk, it is in its memory.
        """
        from app.library.library import Library

        with self._listing:
            if folder not in self._libraries:
                self._libraries[folder] = Library(folder)
            return self._libraries[folder]

    def open_recording(self, path: Path, swap: bool) -> Recording:
        """Open it; what takes long goes on in a thread of the recording's own."""
        from app.analysis.limits import Limits
        from app.recordings.recording import open_recording

        kept = self.settings.screen.get("limits")
        limits = Limits.of(kept if isinstance(kept, dict) else {})
        return open_recording(path, swap=swap, pause_s=limits.pause_s)

    def describe(self, path: Path) -> Sequence[tuple[str, str]]:
        """Read ``session.json``, or the file's header."""
        from app.library.describe import describe

        return describe(path)

    def measure(
        self, viewed: Viewed, start_s: float, stop_s: float
    ) -> Sequence[tuple[float, float] | None]:
        """Read the samples, of a session those that are on disk already."""
        from app.recordings.levels import measure_viewed

        return measure_viewed(viewed, start_s, stop_s)

    def load_notes(self, bundle: Path) -> Notes:
        """Read ``notes.json``."""
        return load_notes(bundle)

    def edit_notes(self, bundle: Path, change: Change) -> Notes:
        """Replace ``notes.json``."""
        return edit_notes(bundle, change)

    def recover_recordings(self, folder: Path, told: Mapping[str, str]) -> RecoveryOutcome:
        """Make whole what was cut short, and tell of it."""
        from app.bundles.recovery import problems_of, recover_unfinished, recovery_notices

        found = recover_unfinished(folder)
        return RecoveryOutcome(recovery_notices(found, told), problems_of(found))

    def play(self, wish: PlayWish) -> Playback:
        """Play on the system's default speaker where none is chosen."""
        heard_by_nobody = wish.speaker == NONE or is_file(wish.speaker)
        return self._app.play(replace(wish, speaker=DEFAULT) if heard_by_nobody else wish)

    def survey_export(self, path: Path, swap: bool) -> Survey:
        """Look at headers and sizes, and pack some half seconds of each track."""
        from app.export.survey import survey

        return survey(path, swap=swap)

    def export(
        self, order: Order, tell: Callable[[float], None], cancelled: Callable[[], bool]
    ) -> Sequence[Path]:
        """Write the files beside their places, and put them there in the end."""
        from app.export.exporting import export

        return export(order, tell, cancelled)

    @property
    def _app(self) -> AppServices:
        with self._making:
            if self._made is None:
                from app.services import AppServices

                self._made = AppServices(self._script)
            return self._made
