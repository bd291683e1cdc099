"""Reading a recording's tracks side by side, to play or export them. One thread at a time."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import soundfile

from app.sources import Sources
from audio.errors import FileUnreadable
from audio.pcm import SAMPLE_RATE, Samples, silence


def mix(
    sources: Sources, start: int, stop: int, *, user: bool = True, agent: bool = True
) -> Samples:
    """Return samples ``[start, stop)`` of both parties together, or of one; too loud is clipped.

    One party alone is bit for bit what its track holds.
    """
    wanted = [track for track, heard in ((sources.user, user), (sources.agent, agent)) if heard]
    parts = [track.read(start, stop) for track in wanted if track is not None]
    if not parts:
        return silence(stop - start)
    return parts[0] if len(parts) == 1 else _sum(parts)


def _sum(parts: Sequence[Samples]) -> Samples:
    total = np.sum(parts, axis=0, dtype=np.int32)
    mixed: Samples = np.clip(total, -32768, 32767).astype(np.int16)
    return mixed


class TrackReader:
    """Tracks of one recording, opened together; the shorter ones end in silence."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Open the files, 16 kHz mono WAV all of them.

        Raises:
            FileUnreadable: one is missing, or something else.

        """
        with ExitStack() as opened:
            self._files = [opened.enter_context(_open_track(path)) for path in paths]
            self._opened = opened.pop_all()
        self._paths = list(paths)
        self.position = 0
        self.duration_samples = max((file.frames for file in self._files), default=0)

    def seek(self, position: int) -> None:
        """Go on reading at sample ``position``."""
        self.position = min(max(position, 0), self.duration_samples)
        for file in self._files:
            file.seek(min(self.position, file.frames))

    def read(self, count: int) -> list[Samples]:
        """Return the next samples of each track, equally many, fewer at the end."""
        count = min(count, self.duration_samples - self.position)
        self.position += count
        return [
            self._read(file, path, count)
            for file, path in zip(self._files, self._paths, strict=True)
        ]

    def read_mixed(self, count: int) -> Samples:
        """Return the next samples of all tracks together; what is too loud is clipped."""
        tracks = self.read(count)
        return _sum(tracks) if tracks else silence(0)

    def close(self) -> None:
        """Close the files."""
        self._opened.close()

    def __enter__(self) -> Self:
        """Return the reader itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the files."""
        self.close()

    @staticmethod
    def _read(file: Any, path: Path, count: int) -> Samples:
        try:
            samples: Samples = file.read(count, dtype="int16")
        except (OSError, RuntimeError) as error:
            raise FileUnreadable(path, f"“{path}” cannot be read any further.") from error
        return np.concatenate((samples, silence(count - len(samples))))


def _open_track(path: Path) -> Any:
    try:
        file = soundfile.SoundFile(str(path))
    except (OSError, RuntimeError) as error:
        raise FileUnreadable(path, f"“{path}” is missing, or cannot be read.") from error
    if (file.samplerate, file.channels) != (SAMPLE_RATE, 1):
        file.close()
        raise FileUnreadable(path, f"“{path}” is no track of a recording: it is not 16 kHz mono.")
    return file
