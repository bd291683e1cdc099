"""What stands behind the window in its tests: no device, no process, no file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.analysis.viewed import Viewed
from app.bundles.notes import Change, Notes
from app.export.exporting import export
from app.export.formats import Order
from app.export.survey import Survey, survey
from app.library.library import Library
from app.notices import Notice, NoticeBoard, explain
from app.recordings.recording import Recording, open_recording
from app.settings import Settings
from tests.ui.synthetic import Script, SyntheticSession
from ui.services import PlayWish, RecoveryOutcome, SessionRequest

HEADSET_MIC, HEADSET = "pulse:headset-mic", "pulse:headset"


@dataclass(frozen=True)
class FakeDevice:
    id: str
    label: str
    role: str


@dataclass
class FakePlayback:
    """A recording that plays until it is told otherwise."""

    position_s: float = 0.0
    over: bool = False
    error: Exception | None = None
    calls: list[str] = field(default_factory=list)

    def stop(self) -> None:
        self.calls.append("stop")

    def close(self) -> None:
        self.calls.append("close")

    def pause(self) -> None:
        self.calls.append("pause")

    def resume(self) -> None:
        self.calls.append("resume")

    def seek(self, to_s: float) -> None:
        self.calls.append(f"seek {to_s:g}")
        self.position_s = to_s

    def set_loop(self, loop: tuple[float, float] | None) -> None:
        self.calls.append(f"loop {loop}")

    def set_speed(self, speed: float) -> None:
        self.calls.append(f"speed {speed:g}")

    def set_tracks(self, user: bool, agent: bool) -> None:
        self.calls.append(f"tracks {user} {agent}")


@dataclass
class FakeServices:
    """Hands out synthetic sessions; what the window asks for is kept."""

    settings: Settings = field(default_factory=Settings)
    notices: NoticeBoard = field(default_factory=NoticeBoard)
    devices: Sequence[FakeDevice] = (
        FakeDevice(HEADSET_MIC, "Headset Microphone", "microphone"),
        FakeDevice(HEADSET, "Headset", "speaker"),
    )
    periods: int = 2
    failure: Exception | None = None
    bundle: Path | None = Path("/recordings/2026-11-22_10-15-03_demo")
    requests: list[SessionRequest] = field(default_factory=list)
    sessions: list[SyntheticSession] = field(default_factory=list)
    playbacks: list[FakePlayback] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)
    key: str = ""
    notes: dict[Path, Notes] = field(default_factory=dict)
    notes_failure: Exception | None = None
    recovered: list[Notice] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)

    def save_settings(self) -> None:
        self.asked.append("save settings")

    def list_devices(self) -> Sequence[FakeDevice]:
        if self.failure is not None:
            raise self.failure
        return self.devices

    def open_session(self, request: SessionRequest) -> SyntheticSession:
        self.requests.append(request)
        if self.failure is not None:
            raise self.failure
        session = SyntheticSession(Script(self.periods))
        session.bundle = self.bundle
        self.sessions.append(session)
        return session

    def key_source(self) -> str:
        return "keyring" if self.key else ""

    def store_key(self, text: str) -> None:
        self.key = text

    def forget_key(self) -> None:
        self.key = ""

    def explain(self, error: BaseException) -> Notice:
        return explain(error)

    def open_recording(self, path: Path, swap: bool) -> Recording:
        self.asked.append(("open", path, swap))
        if self.failure is not None:
            raise self.failure
        return open_recording(path, swap=swap)

    def describe(self, path: Path) -> Sequence[tuple[str, str]]:
        return [("Agent", "Demo agent"), ("Folder", str(path))]

    def measure(
        self, viewed: Viewed, start_s: float, stop_s: float
    ) -> Sequence[tuple[float, float] | None]:
        self.asked.append(("measure", start_s, stop_s))
        return [(0.5, 0.25), None if getattr(viewed, "is_mono", False) else (1.0, 0.125)]

    def load_notes(self, bundle: Path) -> Notes:
        return self.notes.get(bundle, Notes())

    def edit_notes(self, bundle: Path, change: Change) -> Notes:
        if self.notes_failure is not None:
            raise self.notes_failure
        self.notes[bundle] = change(self.notes.get(bundle, Notes()))
        return self.notes[bundle]

    def library(self, folder: Path) -> Library:
        return Library(folder)

    def recover_recordings(self, folder: Path, told: Mapping[str, str]) -> RecoveryOutcome:
        self.asked.append(("recover", folder, told))
        return RecoveryOutcome(self.recovered, self.problems)

    def play(self, wish: PlayWish) -> FakePlayback:
        self.asked.append(wish)
        if self.failure is not None:
            raise self.failure
        self.playbacks.append(FakePlayback(wish.from_s))
        return self.playbacks[-1]

    def survey_export(self, path: Path, swap: bool) -> Survey:
        return survey(path, swap=swap)

    def export(
        self, order: Order, tell: Callable[[float], None], cancelled: Callable[[], bool]
    ) -> Sequence[Path]:
        self.asked.append(order)
        return export(order, tell, cancelled)
