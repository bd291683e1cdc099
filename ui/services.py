"""What the window asks of the app, as one seam: a test puts its own behind it.

The window knows no other way to a session, a device list, a key or a file. Methods marked
(blocking) are called off the main thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from app.notices import Notice, NoticeBoard
    from app.session import Session
    from app.settings import Settings
    from ui.device_picker import DeviceLike


@dataclass(frozen=True, slots=True)
class AgentChoice:
    """Which agent: ``kind`` is ``demo`` or ``elevenlabs``; the rest is for the latter."""

    kind: str = "demo"
    agent_id: str = ""
    base_url: str = ""
    use_key: bool = True


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """What a new session is to be made of; ``replays`` is the bundle whose user track is the mic.

    ``microphone`` and ``speaker`` are a device's id, ``default``, ``none`` or the path of a file.
    """

    agent: AgentChoice
    microphone: str
    speaker: str
    folder: Path
    replays: Path | None = None


class Playback(Protocol):
    """A recording that is being listened to. Nothing in it blocks but `close`."""

    @property
    def position_s(self) -> float:
        """Session seconds of what leaves the speaker now."""

    @property
    def over(self) -> bool:
        """Whether it has come to its end, or failed."""

    @property
    def error(self) -> Exception | None:
        """Why it failed."""

    def stop(self) -> None:
        """Fall silent at once."""

    def close(self) -> None:
        """Give the speaker back; waits a bounded time."""


class Services(Protocol):
    """The app, as the window sees it."""

    @property
    def settings(self) -> Settings:
        """What is remembered from one run of the program to the next; the window changes it."""

    @property
    def notices(self) -> NoticeBoard:
        """What the program has to say beside any session."""

    def save_settings(self) -> None:
        """Keep the settings as they are now (blocking)."""

    def list_devices(self) -> Sequence[DeviceLike]:
        """Return what can be picked (blocking)."""

    def open_session(self, request: SessionRequest) -> Session:
        """Return a session that is ready to start (blocking)."""

    def listen(self, bundle: Path, speaker: str, from_s: float) -> Playback:
        """Begin to play a recording on a speaker (blocking)."""

    def save_audio(self, bundle: Path, target: Path, apart: bool) -> Sequence[Path]:
        """Write a recording's audio as WAV and return what was written (blocking).

        One stereo file, user left and agent right; or, ``apart``, one file for each of them.
        """

    def key_source(self) -> str:
        """Return ``keyring``, ``environment`` or nothing: where the API key is (blocking)."""

    def store_key(self, text: str) -> None:
        """Keep the API key in the keyring (blocking)."""

    def forget_key(self) -> None:
        """Take the API key out of the keyring (blocking)."""

    def explain(self, error: BaseException) -> Notice:
        """Return what to tell a person about an error."""
