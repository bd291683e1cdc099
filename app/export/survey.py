"""What can be exported of a session, and how large it gets, told before anything is written.

``survey`` blocks on the disk; what it returns is frozen, and answers at once on any thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.export.formats import PICTURE_IDS, Has, Wish, refusal
from app.export.material import Material, open_material
from app.plain import one_line
from audio.pcm import SAMPLE_WIDTH, samples_to_seconds, seconds_to_samples

_HEADER_BYTES = 80
_TEXT_SHARES = {"labels": 0.009, "srt": 0.008, "vtt": 0.008, "csv": 0.014, "json": 1.08}
"""Of the bytes of ``events.jsonl``, as recordings of the demo agent have them."""
_PACKED = ("flac", "opus", "mp3")


@dataclass(frozen=True, slots=True)
class Survey:
    """A session, as an export sees it. ``shares`` tell what codecs make of a byte of it."""

    name: str
    """What its exports are called, unless told otherwise."""
    title: str
    """What a person calls the session, in one line; empty where it has no title."""
    has: Has
    duration_samples: int
    received_samples: int
    file_bytes: Mapping[str, int]
    """Of the recording's own files, by name."""
    shares: Mapping[tuple[str, str], float]
    """By codec, and by whose track: ``user``, ``agent``, ``both``, ``received``."""
    warnings: tuple[str, ...]

    @property
    def duration_s(self) -> float:
        """The length of the session's tracks."""
        return samples_to_seconds(self.duration_samples)

    def refusal(self, kind: str, wish: Wish) -> str:
        """Return why format ``kind`` cannot be had, as a sentence; empty where it can."""
        return refusal(kind, wish, self.has)

    def size_bytes(self, kind: str, wish: Wish) -> int | None:
        """Return how large the files of format ``kind`` get; None where that is not known.

        WAV is exact but for its header; the rest is estimated.
        """
        if self.refusal(kind, wish) or kind in PICTURE_IDS:
            return None
        if kind in _TEXT_SHARES:
            events = self.file_bytes.get("events.jsonl", 0)
            return round(events * _TEXT_SHARES[kind] * self._part(wish)) + 200
        if kind == "zip":
            return self._zip_bytes(wish)
        return sum(self._audio_bytes(kind, who, wish) for who in self._files(kind, wish))

    @staticmethod
    def is_exact(kind: str, wish: Wish) -> bool:
        """Whether `size_bytes` is exact to some bytes."""
        is_whole = wish.start_s is None and wish.stop_s is None
        return kind in {"wav", "tracks"} and (is_whole or wish.agent == "heard")

    def _files(self, kind: str, wish: Wish) -> list[str]:
        """Return whose tracks each file of an audio format holds."""
        has_user = self.has.user and wish.user
        if wish.agent == "received":
            return ["user", "received"] if kind == "tracks" and has_user else ["received"]
        apart = ["user"] * has_user + ["agent"] * self.has.agent
        return apart if kind == "tracks" or len(apart) == 1 else ["both"]

    def _audio_bytes(self, kind: str, who: str, wish: Wish) -> int:
        samples = self._samples(wish)
        if who == "received":
            samples = round(self.received_samples * self._part(wish))
        pcm = samples * SAMPLE_WIDTH * (2 if who == "both" else 1)
        return round(pcm * self.shares.get((kind, who), 1.0)) + _HEADER_BYTES

    def _zip_bytes(self, wish: Wish) -> int:
        part = self._part(wish)
        # texts are packed to about an eighth
        sizes = [
            size / (1 if name.endswith(".wav") else 8) for name, size in self.file_bytes.items()
        ]
        return round(sum(sizes) * part) + 1000

    def _samples(self, wish: Wish) -> int:
        start = seconds_to_samples(wish.start_s or 0.0)
        stop = self.duration_samples
        if wish.stop_s is not None:
            stop = min(seconds_to_samples(wish.stop_s), stop)
        return max(stop - start, 0)

    def _part(self, wish: Wish) -> float:
        return self._samples(wish) / max(self.duration_samples, 1)


def survey(path: Path, *, swap: bool = False) -> Survey:
    """Look at the session in ``path`` (blocking).

    Raises:
        BundleError: it is no session.
        FileError: it is not audio, or cannot be read.

    """
    with open_material(path, swap=swap) as material:
        received = material.sources.received
        return Survey(
            material.name,
            one_line(material.notes.title),
            material.has,
            material.duration_samples,
            0 if received is None else received.duration_samples,
            {file.name: file.stat().st_size for file in material.own_files},
            dict(_shares(material)),
            tuple(material.warnings),
        )


def _shares(material: Material) -> list[tuple[tuple[str, str], float]]:
    from app.export.audio import packed_share

    sources = material.sources
    of = {"user": [sources.user], "agent": [sources.agent], "received": [sources.received]}
    of["both"] = [sources.user, sources.agent]
    found = []
    for who, wanted in of.items():
        tracks = [track for track in wanted if track is not None]
        if len(tracks) == len(wanted):
            found += [((kind, who), packed_share(kind, tracks)) for kind in _PACKED]
    return found
