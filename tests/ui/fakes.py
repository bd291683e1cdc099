"""What stands behind the window in its tests: no device, no process, no file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.notices import Notice, NoticeBoard, explain
from app.settings import Settings
from tests.ui.synthetic import Script, SyntheticSession
from ui.services import SessionRequest

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

    def listen(self, bundle: Path, speaker: str, from_s: float) -> FakePlayback:
        self.asked.append(("listen", bundle, speaker, from_s))
        self.playbacks.append(FakePlayback(from_s))
        return self.playbacks[-1]

    def save_audio(self, bundle: Path, target: Path, apart: bool) -> Sequence[Path]:
        self.asked.append(("save", bundle, target, apart))
        return [target]

    def key_source(self) -> str:
        return "keyring" if self.key else ""

    def store_key(self, text: str) -> None:
        self.key = text

    def forget_key(self) -> None:
        self.key = ""

    def explain(self, error: BaseException) -> Notice:
        return explain(error)
