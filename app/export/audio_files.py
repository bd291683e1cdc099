"""Which samples go into which audio file. Pure.

``heard`` is on the session clock: sample n of a file stands n / 16000 s after its beginning, and
user and agent share the file. ``received`` is what the agent sent, back to back: it has no place on
that clock, so it is a file of its own, of its own length.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from app.export.audio import CODECS, Cut, Reads
from app.export.content import Stretch
from app.export.formats import Wish
from audio.pcm import seconds_to_samples

Ranges = tuple[tuple[int, int], ...]


class Tracks(Protocol):
    """The tracks of a session, as ``app.recordings.sources.Sources`` has them."""

    @property
    def user(self) -> Reads | None:
        """What the agent was sent."""

    @property
    def agent(self) -> Reads | None:
        """What was heard."""

    @property
    def received(self) -> Reads | None:
        """All that the agent sent."""

    @property
    def duration_samples(self) -> int:
        """Of the longer one of user and agent."""


@dataclass(frozen=True, slots=True)
class AudioFile:
    """One file: its ending, its codec, and what is in it."""

    ending: str
    codec: str
    cut: Cut


def audio_files(
    kind: str, tracks: Tracks, wish: Wish, stretch: Stretch, received: Ranges
) -> list[AudioFile]:
    """Return the files that format ``kind`` (a codec, or ``tracks``) makes.

    ``received`` are the received samples that belong to ``stretch``.
    """
    codec = "wav" if kind == "tracks" else kind
    ending = CODECS[codec].ending
    user = tracks.user if wish.user else None
    clock = ((_first(stretch), _last(stretch, tracks.duration_samples)),)
    about = _about(stretch)
    apart = []
    if user is not None:
        cut = Cut((user,), clock, f"User.{about}")
        apart.append(AudioFile(f"-user.{ending}", codec, cut))
    if wish.agent == "received" and tracks.received is not None:
        comment = f"Agent as received, back to back: not on the session clock.{about}"
        cut = Cut((tracks.received,), received, comment)
        sent = AudioFile(f"-received.{ending}", codec, cut)
        return [*apart, sent] if kind == "tracks" else [sent]
    if tracks.agent is not None:
        cut = Cut((tracks.agent,), clock, f"Agent.{about}")
        apart.append(AudioFile(f"-agent.{ending}", codec, cut))
    return apart if kind == "tracks" else [_together(apart, codec, about)]


def _together(apart: list[AudioFile], codec: str, about: str) -> AudioFile:
    ending = f".{CODECS[codec].ending}"
    if len(apart) == 1:
        return AudioFile(ending, codec, apart[0].cut)
    tracks = tuple(file.cut.tracks[0] for file in apart)
    cut = Cut(tracks, apart[0].cut.ranges, f"User left, agent right.{about}")
    return AudioFile(ending, codec, cut)


def _first(stretch: Stretch) -> int:
    return seconds_to_samples(stretch.start)


def _last(stretch: Stretch, duration: int) -> int:
    return duration if stretch.is_whole else seconds_to_samples(stretch.stop)


def _about(stretch: Stretch) -> str:
    if stretch.is_whole:
        return ""
    return f" From {stretch.start:.3f} s to {stretch.stop:.3f} s of the session."
