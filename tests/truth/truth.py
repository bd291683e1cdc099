"""What really happened in one session, as JSON that can be kept. Times are session seconds."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.truth.keeping_up import Shown

NAME = "truth.json"
MOST_GAPS = 8
"""So many times a session may lose a few milliseconds of sound and still be judged."""


@dataclass(frozen=True)
class TrueSpeech:
    """The user spoke in ``[start, stop)``; ``over`` is what that is where no interrupt follows."""

    start: float
    stop: float
    text: str
    over: str | None = None


@dataclass(frozen=True)
class TrueCut:
    """An interrupt. ``silent_at`` is None where nothing was playing.

    ``words_heard`` counts the words of the reply whose middle was heard, ``words_sure`` says that
    none was being spoken when silence came.
    """

    at: float
    kind: str
    sounds: tuple[str, ...] = ()
    onset: float | None = None
    silent_at: float | None = None
    words_heard: int | None = None
    words_sure: bool = False
    is_aligned: bool = True
    text: str = ""


@dataclass(frozen=True)
class TrueEcho:
    """What the microphone monitor heard of the speaker monitor."""

    delay_ms: float
    gain_db: float
    correlation: float


@dataclass(frozen=True)
class Truth:
    """One session. ``heard`` is when agent audio left the speaker, as start and stop."""

    name: str
    surroundings: str
    speech: list[TrueSpeech]
    cuts: list[TrueCut]
    heard: list[tuple[float, float]]
    coughs: list[float] = field(default_factory=list)
    echo: TrueEcho | None = None
    refused_ms: float = 0.0
    """How much agent audio came that the SDK drops."""
    differences: list[str] = field(default_factory=list)
    """In what live records and those of the recording differ."""
    troubles: dict[str, int] = field(default_factory=dict)
    bundle: str = ""
    """The recording's folder, beside this file."""
    shown: list[Shown] = field(default_factory=list)
    """When the live records said what those of the recording say."""

    @property
    def is_disturbed(self) -> bool:
        """Whether the machine was too busy for sound: what was lost is not what was planned."""
        return self.troubles.get("gap", 0) + self.troubles.get("underrun", 0) > MOST_GAPS

    def save(self, folder: Path) -> None:
        """Write it into ``folder``."""
        (folder / NAME).write_text(json.dumps(asdict(self), indent=1) + "\n")


def load(folder: Path) -> Truth:
    """Read what ``save`` wrote."""
    kept: dict[str, Any] = json.loads((folder / NAME).read_text())
    kept["speech"] = [TrueSpeech(**one) for one in kept["speech"]]
    kept["cuts"] = [TrueCut(**(one | {"sounds": tuple(one["sounds"])})) for one in kept["cuts"]]
    kept["heard"] = [(start, stop) for start, stop in kept["heard"]]
    kept["echo"] = TrueEcho(**kept["echo"]) if kept["echo"] else None
    kept["shown"] = [Shown(**one) for one in kept.get("shown", ())]
    return Truth(**kept)
