"""What a person chose, remembered between runs, in one JSON file in the system's place for it.

The file is replaced whole. Keys that this version does not know are kept; a file that makes no
sense is set aside under another name, with a notice, and the defaults hold. Keys and tokens are not
among the settings: those are in ``app.secrets``. Entered by one thread at a time.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import platformdirs

from app.bundles.bundle_files import read_small_file, write_json
from app.notices import Notice, NoticeBoard
from audio.wavfile import reason_of

log = logging.getLogger(__name__)

NAME = "turnscope"
VERSION = 1


@dataclass(slots=True)
class Settings:
    """The choices; an empty text means the default, or that nothing was chosen yet."""

    agent: str = "demo"
    """``demo`` or ``elevenlabs``."""
    agent_id: str = ""
    base_url: str = ""
    requires_key: bool = True
    demo_script: str = ""
    microphone: str = ""
    """A device's stable name; ``file`` stands for ``mic_file``."""
    mic_file: str = ""
    speaker: str = ""
    """A device's stable name, or ``none``."""
    recordings: str = ""
    """The folder for recordings."""
    screen: dict[str, Any] = field(default_factory=dict)
    """What the window remembers of its looks; JSON values."""
    unknown: dict[str, Any] = field(default_factory=dict)
    """What another version wrote, to be written back."""

    @property
    def recordings_folder(self) -> Path:
        """Where recordings go: what was chosen, else a folder among the person's documents."""
        if self.recordings:
            with suppress(RuntimeError):  # the home of somebody who is not here
                return Path(self.recordings).expanduser()
        return Path(platformdirs.user_documents_dir()) / "Turnscope"


Migration = Callable[[dict[str, Any]], dict[str, Any]]

MIGRATIONS: dict[int, Migration] = {}
"""From each version to the next one."""


class SettingsFile:
    """Reads and writes the settings. ``writable`` is false after a write that failed."""

    def __init__(
        self,
        path: Path | None = None,
        notices: NoticeBoard | None = None,
        *,
        version: int = VERSION,
        migrations: Mapping[int, Migration] = MIGRATIONS,
    ) -> None:
        """Use ``path``, else the system's place for this person's settings."""
        folder = platformdirs.user_config_path(NAME, appauthor=False)
        self.path = path or folder / "settings.json"
        self.writable = True
        self._notices = notices
        self._version = version
        self._migrations = migrations

    def load(self) -> Settings:
        """Return what was saved; never raises. What is missing or of the wrong type is default."""
        try:
            text = read_small_file(self.path).decode("utf-8")
        except FileNotFoundError:
            return Settings()
        except OSError as error:
            return self._give_up(error, None)
        except UnicodeDecodeError as error:
            return self._give_up(error, self._set_aside())
        try:
            data = json.loads(text)
            if not isinstance(data, dict):
                raise TypeError("the file holds no settings")
            return _from_dict(self._migrate(data))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            return self._give_up(error, self._set_aside())

    def save(self, settings: Settings) -> bool:
        """Write ``settings``; False, with one notice, where that fails."""
        data = {**settings.unknown, **asdict(settings)}
        del data["unknown"]
        newest = settings.unknown.get("version")
        data["version"] = newest if isinstance(newest, int) else self._version
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_json(self.path, data)
        except OSError as error:
            self._tell_unwritable(error)
            return False
        self.writable = True
        return True

    def _migrate(self, data: dict[str, Any]) -> dict[str, Any]:
        version = data.pop("version", 0)
        if not isinstance(version, int) or version < 0:
            raise TypeError("the version is no number of a version")
        for step in range(version, self._version):
            migrate = self._migrations.get(step)
            data = migrate(data) if migrate is not None else data
        # a newer version's number stays in the file, with all that we do not know of it
        return {**data, "version": version} if version > self._version else data

    def _give_up(self, error: Exception, aside: Path | None) -> Settings:
        log.warning("The settings cannot be read: %s", error)
        where = f" The old file is kept as “{aside.name}”." if aside is not None else ""
        sentence = "The settings could not be read, so the defaults are used."
        self._tell(Notice("warning", sentence, f"Choose again what you need.{where}", str(error)))
        return Settings()

    def _set_aside(self) -> Path | None:
        for number in range(1, 100):
            aside = self.path.with_name(f"{self.path.stem}.broken-{number}{self.path.suffix}")
            if not aside.exists():
                break
        try:
            self.path.replace(aside)
        except OSError as error:
            log.warning("The broken settings cannot be set aside: %s", error)
            return None
        return aside

    def _tell_unwritable(self, error: OSError) -> None:
        if self.writable:
            sentence = f"The settings could not be saved: {reason_of(error)}."
            advice = f"Make “{self.path.parent}” writable, or choose again next time."
            self._tell(Notice("warning", sentence, advice, str(error)))
        self.writable = False

    def _tell(self, notice: Notice) -> None:
        if self._notices is not None:
            self._notices.post(notice)


def _from_dict(data: dict[str, Any]) -> Settings:
    settings = Settings()
    names = {item.name for item in fields(Settings)} - {"unknown"}
    for name, value in data.items():
        if name not in names:
            settings.unknown[name] = value
        elif isinstance(value, type(getattr(settings, name))):
            setattr(settings, name, value)
    return settings
