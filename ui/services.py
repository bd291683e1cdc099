"""What the window asks of the app, as one seam: a test puts its own behind it.

The window knows no other way to a session, a device list, a key or a file. Methods marked
(blocking) are called off the main thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from app.analysis.viewed import Viewed
    from app.bundles.notes import Change, Notes
    from app.export.formats import Order
    from app.export.survey import Survey
    from app.library.library import Library
    from app.live.session import Session
    from app.notices import Notice, NoticeBoard
    from app.playing.gone_on import Continuation
    from app.recordings.recording import Recording
    from app.settings import Settings
    from ui.parts.device_picker import DeviceLike


@dataclass(frozen=True, slots=True)
class AgentChoice:
    """Which agent: ``kind`` is ``demo`` or ``elevenlabs``.

    ``script`` is for the former, by name or path, empty for the default one; the rest for the
    latter.
    """

    kind: str = "demo"
    agent_id: str = ""
    base_url: str = ""
    use_key: bool = True
    script: str = ""


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
    swap: bool = False
    """Whether the right channel of a replayed audio file is the caller."""


@dataclass(frozen=True, slots=True)
class PlayWish:
    """What to play and how: a bundle's folder or an audio file, on a choice of speaker.

    From ``from_s`` to ``to_s`` (None: the end), once or in a loop; ``swap`` exchanges the lanes of
    an audio file; ``user`` and ``agent`` say who is heard. With ``continuations`` the agent goes on
    with audio that was discarded, where it would have been heard.
    """

    path: Path
    speaker: str
    from_s: float = 0.0
    to_s: float | None = None
    loop: bool = False
    speed: float = 1.0
    user: bool = True
    agent: bool = True
    swap: bool = False
    continuations: tuple[Continuation, ...] = ()


class RecoveryOutcome(NamedTuple):
    """What to tell of recordings that were cut short, and what keeps some from being recovered."""

    notices: Sequence[Notice]
    problems: Mapping[str, str]
    """By the paths of their folders."""


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

    def pause(self) -> None:
        """Fall silent at once, and keep the place."""

    def resume(self) -> None:
        """Go on from there."""

    def seek(self, to_s: float) -> None:
        """Go on from second ``to_s``."""

    def set_loop(self, loop: tuple[float, float] | None) -> None:
        """Play a range again and again; None: the present one to its end."""

    def set_speed(self, speed: float) -> None:
        """Play ``speed`` seconds of the recording in one, 0.5 to 2."""

    def set_tracks(self, user: bool, agent: bool) -> None:
        """Let the user, the agent, both or neither be heard."""


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

    def key_source(self) -> str:
        """Return ``keyring``, ``environment`` or nothing: where the API key is (blocking)."""

    def store_key(self, text: str) -> None:
        """Keep the API key in the keyring (blocking)."""

    def forget_key(self) -> None:
        """Take the API key out of the keyring (blocking)."""

    def explain(self, error: BaseException) -> Notice:
        """Return what to tell a person about an error."""

    def library(self, folder: Path) -> Library:
        """Return the library of the recordings in ``folder`` (blocking)."""

    def open_recording(self, path: Path, swap: bool) -> Recording:
        """Open a bundle, a zip of one or an audio file (blocking)."""

    def describe(self, path: Path) -> Sequence[tuple[str, str]]:
        """Return what is known of a bundle or an audio file, as label and value (blocking)."""

    def measure(
        self, viewed: Viewed, start_s: float, stop_s: float
    ) -> Sequence[tuple[float, float] | None]:
        """Return peak and RMS of each lane in a stretch, 1 at full scale (blocking)."""

    def load_notes(self, bundle: Path) -> Notes:
        """Return what a person wrote about a recording (blocking)."""

    def edit_notes(self, bundle: Path, change: Change) -> Notes:
        """Change what a person wrote about a recording, and return it (blocking)."""

    def recover_recordings(self, folder: Path, told: Mapping[str, str]) -> RecoveryOutcome:
        """Recover what was cut short in ``folder`` (blocking).

        Problems in ``told``, by the paths of their folders, were told of before.
        """

    def play(self, wish: PlayWish) -> Playback:
        """Begin to play a recording on a speaker (blocking)."""

    def survey_export(self, path: Path, swap: bool) -> Survey:
        """Return what of a session can be exported, and how large it gets (blocking)."""

    def export(
        self, order: Order, tell: Callable[[float], None], cancelled: Callable[[], bool]
    ) -> Sequence[Path]:
        """Write files, and return them: all or none (blocking).

        ``tell`` is told the share that is done, ``cancelled`` asked whether to stop.
        """
