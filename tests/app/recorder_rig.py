"""A recorder with tracks and a timeline that a test fills by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from app.bundles.session_info import SessionInfo
from app.live.recorder import Recorder
from app.notices import NoticeBoard
from app.timeline.events import Timeline, Trouble
from app.timeline.tracks import Tracks
from audio.pcm import SAMPLE_RATE

BEGAN = datetime(2026, 11, 22, 9, 15, 3, tzinfo=UTC)
INFO = SessionInfo("demo", "Demo agent", "demo-1", microphone="Headset", speaker="none")


class Rig:
    """A recorder in a folder, quick enough for tests."""

    def __init__(self, parent: Path, info: SessionInfo = INFO) -> None:
        self.tracks, self.timeline, self.notices = Tracks(), Timeline(), NoticeBoard()
        self.recorder = Recorder(
            parent,
            info,
            self.tracks,
            self.timeline,
            began_utc=BEGAN,
            now=lambda: self.tracks.user.duration_samples / SAMPLE_RATE,
            notices=self.notices,
        )
        self.recorder.PERIOD_S = self.recorder.RETRY_S = 0.01
        self.recorder._sync.PERIOD_S = 0.02
        self.received = 0

    @property
    def folder(self) -> Path:
        assert self.recorder.folder is not None
        return self.recorder.folder

    def grow(self, seconds: float, level: int = 1000) -> None:
        samples = np.full(round(seconds * SAMPLE_RATE), level, np.int16)
        self.tracks.user.append(samples)
        self.tracks.agent.append(-samples)
        self.receive(samples)

    def receive(self, samples: Any) -> None:
        self.tracks.receive(self.received, samples)
        self.received += len(samples)

    def size(self, name: str) -> int:
        return (self.folder / name).stat().st_size

    def read(self, name: str) -> Any:
        samples, rate = soundfile.read(self.folder / name, dtype="int16")
        assert rate == SAMPLE_RATE
        return samples

    def has_recorded(self, seconds: float) -> bool:
        return self.recorder._writer.written_s >= seconds

    def told(self) -> list[str]:
        return [notice.sentence for notice in self.notices.read()[0]]

    def troubles(self) -> list[Trouble]:
        events = self.timeline.read()[0]
        return [event for event in events if isinstance(event, Trouble)]
